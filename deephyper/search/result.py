"""What a search came to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deephyper.job import Outcome
from deephyper.search import results
from deephyper.search.budget import Reason
from deephyper.search.journal import Evaluation


@dataclass(frozen=True)
class SearchResult:
    """What a search came to.

    Attributes:
        reason: why it ended, see :data:`deephyper.search.budget.Reason`.
        evaluations: all that have ended, in the order in which they did, earlier sessions
            included.
        log_dir: where its files are.
        signal: the signal that interrupted it.
        seconds: how long it has lasted, earlier sessions included.
    """

    reason: Reason
    evaluations: list[Evaluation]
    log_dir: Path
    signal: int | None = None
    seconds: float = 0.0

    @property
    def best(self) -> Outcome | None:
        """The finished evaluation with the largest objective, the first of equals."""
        finished = [o for o in self.outcomes if o.objective is not None]
        return max(finished, key=lambda o: o.objective or 0.0, default=None)

    @property
    def outcomes(self) -> list[Outcome]:
        return [e.outcome for e in self.evaluations if e.outcome is not None]

    @property
    def num_evaluations(self) -> int:
        return len(self.evaluations)

    @property
    def num_failures(self) -> int:
        return sum(outcome.status == "failed" for outcome in self.outcomes)

    @property
    def results_path(self) -> Path:
        return self.log_dir / results.FILE_NAME

    def to_dataframe(self) -> Any:
        """The results file as a pandas DataFrame, one row per evaluation.

        Values are what they were. A column of numbers is one of pandas's numbers, with NaN where a
        hyperparameter is inactive or an evaluation failed; one of booleans is of booleans where
        none is missing; any other holds Python's objects, NaN being what is missing.

        Raises:
            ResultsError: if the file can't be read.
        """
        import pandas as pd

        names, rows = results.read_table(self.results_path)
        cells = [row.point | row.columns | {"objective": row.objective} for row in rows]
        columns = {name: [each.get(name, math.nan) for each in cells] for name in names}
        # The objective alone is None where it is missing.
        columns["objective"] = [math.nan if v is None else v for v in columns["objective"]]
        return pd.DataFrame({n: pd.Series(v, dtype=_dtype(v)) for n, v in columns.items()})


def _dtype(values: list[Any]) -> Any:
    """Of a pandas column, None to leave it to pandas."""
    kinds = {type(value) for value in values}
    return None if kinds and (kinds <= {int, float} or kinds == {bool}) else object
