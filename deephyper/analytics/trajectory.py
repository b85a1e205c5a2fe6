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
from deephyper.search.results import Row, Table, read_table
from deephyper.sheet import left_out_phrase

_log = logging.getLogger("deephyper.analytics")


@dataclass(frozen=True)
class Trajectory:
    """A search, evaluation by evaluation, in the order in which they ended.

    Attributes:
        path: the results file, as it was given.
        direction: says which objectives are better.
        objectives: of evaluation i, shape (n,); of one that was ended early its last; NaN where it
            failed.
        finished, pruned: whether it has finished, or was ended early, shape (n,).
        best: the best objective of the finished ones among the first i + 1 evaluations, shape (n,);
            NaN before the first of them.
        seconds: from the first start to the end of evaluation i, shape (n,), never falling; NaN
            where the file has no times.
    """

    path: str
    direction: Direction
    objectives: NDArray[np.float64]
    finished: NDArray[np.bool_]
    pruned: NDArray[np.bool_]
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
    return trajectory_of(table, results)


def trajectory_of(table: Table, results: str | os.PathLike[str]) -> Trajectory:
    """Return the way of a search that was read; see :func:`read_trajectory`.

    Args:
        table: the results.
        results: where they are from.

    Raises:
        ResultsError: if no evaluation has finished.
    """
    rows = [row for row in table.rows if row.status in ("finished", "failed", "pruned")]
    if not any(row.is_finished for row in rows):
        raise ResultsError(
            f"'{results}' has no finished evaluation; wait for one, or look at its column 'failure'"
        )
    ends = _times(rows, "end")
    order = np.argsort(ends, kind="stable") if ends is not None else np.arange(len(rows))
    rows = [rows[i] for i in order]
    finished = np.array([row.is_finished for row in rows])
    pruned = np.array([row.status == "pruned" for row in rows])
    values = np.array([row.objective for row in rows], dtype=np.float64)  # NaN for None
    objectives = np.where(finished | pruned, values, math.nan)
    best = np.fmin if table.direction == "minimize" else np.fmax
    seconds = np.full(len(rows), math.nan)
    if ends is not None:
        starts = [row.columns["start"] for row in rows if _is_number(row.columns.get("start"))]
        seconds = ends[order] - min(starts, default=ends.min())
    so_far = best.accumulate(np.where(finished, objectives, math.nan))
    return Trajectory(str(results), table.direction, objectives, finished, pruned, so_far, seconds)


def _times(rows: Sequence[Row], column: str) -> NDArray[np.float64] | None:
    """Return the times in a column, in seconds; None if any is missing."""
    times = [row.columns.get(column) for row in rows]
    return np.array(times, dtype=np.float64) if all(map(_is_number, times)) else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
