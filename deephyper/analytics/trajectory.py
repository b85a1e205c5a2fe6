"""The way of a search to its best objective, evaluation by evaluation."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deephyper.errors import ResultsError
from deephyper.objective import Direction
from deephyper.search.results import Row, read_table
from deephyper.sheet import left_out_phrase

_log = logging.getLogger("deephyper.analytics")


@dataclass(frozen=True)
class Trajectory:
    """A search, evaluation by evaluation, in the order in which they ended.

    Attributes:
        path: the results file, as it was given.
        direction: says which objectives are better.
        best: the best objective of the finished ones among the first i + 1 evaluations, shape (n,);
            NaN before the first of them.
        seconds: from the first start to the end of evaluation i, shape (n,), never falling; NaN
            where the file has no times.
    """

    path: str
    direction: Direction
    best: NDArray[np.float64]
    seconds: NDArray[np.float64]

    @property
    def num_evaluations(self) -> int:
        """Number of evaluations that have ended."""
        return len(self.best)

    def best_after(self, evaluations: int) -> float:
        """Return the best objective of so many evaluations; NaN if none of them has finished."""
        n = min(evaluations, len(self.best))
        return float(self.best[n - 1]) if n > 0 else math.nan

    def reaches(self, target: float) -> tuple[int, float] | None:
        """Return when the target was reached: after how many evaluations, and seconds.

        Args:
            target: an objective.

        Returns:
            Evaluations, and the seconds (NaN where there are no times); None if it never was.
        """
        with np.errstate(invalid="ignore"):
            reached = self.best <= target if self.direction == "minimize" else self.best >= target
        if not reached.any():
            return None
        first = int(np.argmax(reached))
        return first + 1, float(self.seconds[first])


def read_trajectory(
    results: str | os.PathLike[str], on_notice: Callable[[str], None] = _log.warning
) -> Trajectory:
    """Read the way of a search to its best objective.

    Every evaluation counts, also one that failed or was ended early; only finished ones have an
    objective.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        on_notice: called with one line where rows had to be left out that say nothing of their
            evaluation; by default it is logged.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
        SettingsError: if it isn't a path.
    """
    table = read_table(Path(results))
    if table.left_out:
        left_out = left_out_phrase(table.left_out)
        on_notice(f"of the {table.total} rows of '{results}', {left_out}")
    rows = [row for row in table.rows if row.status in ("finished", "failed", "pruned")]
    if not any(row.is_finished for row in rows):
        raise ResultsError(
            f"'{results}' has no finished evaluation; wait for one, or look at its column 'failure'"
        )
    ends = _times(rows, "end")
    order = np.argsort(ends, kind="stable") if ends is not None else np.arange(len(rows))
    values = np.array([row.objective if row.is_finished else math.nan for row in rows], dtype=float)
    best = np.fmin if table.direction == "minimize" else np.fmax
    seconds = np.full(len(rows), math.nan)
    starts = _times(rows, "start")
    if ends is not None:
        first = float(ends.min() if starts is None else min(starts.min(), ends.min()))
        seconds = ends[order] - first
    return Trajectory(str(results), table.direction, best.accumulate(values[order]), seconds)


def _times(rows: Sequence[Row], column: str) -> NDArray[np.float64] | None:
    """Return the times in a column, in seconds; None if any is missing."""
    times = [row.columns.get(column) for row in rows]
    if not all(isinstance(each, (int, float)) for each in times):
        return None
    return np.array(times, dtype=float)
