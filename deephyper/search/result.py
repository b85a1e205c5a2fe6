"""What a search came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deephyper.evaluator import Outcome
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
    """

    reason: Reason
    evaluations: list[Evaluation]
    log_dir: Path
    signal: int | None = None

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
        """The results file as a pandas DataFrame, one row per evaluation."""
        import pandas as pd

        return pd.read_csv(self.results_path)
