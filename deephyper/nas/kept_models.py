"""The trained networks that a search keeps."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from deephyper.objective import Direction, is_better

if TYPE_CHECKING:
    from deephyper.job import Outcome

BEST_MODEL = "best_model.keras"
"""The network as it was after its best epoch, in the directory of its evaluation."""
KEEP_MODELS = ("all", "best", "none")
"""The networks that a search can be told to keep."""


class OnlyBest:
    """Removes the network of every evaluation that is not the best, or not any more.

    Those that failed lose theirs too; those that are paused keep it, because they may continue.

    Args:
        evaluations: the directory of the directories of evaluations.
        direction: of the search.
        best: the best evaluation of earlier sessions; None if there is none.
    """

    def __init__(self, evaluations: Path, direction: Direction, best: Outcome | None) -> None:
        self._evaluations = evaluations
        self._direction = direction
        self._best = best

    def __call__(self, outcome: Outcome) -> None:
        """Take in the end of an evaluation."""
        if outcome.status == "pruned":
            return
        best = None if self._best is None else self._best.objective
        loser: Outcome | None = outcome
        if outcome.objective is not None and is_better(outcome.objective, best, self._direction):
            loser, self._best = self._best, outcome
        if loser is not None:
            with contextlib.suppress(OSError):
                (self._evaluations / loser.job.id / BEST_MODEL).unlink()
