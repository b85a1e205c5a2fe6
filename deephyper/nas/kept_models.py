"""The trained networks that a search keeps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from deephyper.objective import Direction, is_better

if TYPE_CHECKING:
    from deephyper.job import Outcome

BEST_MODEL = "best_model.keras"
"""The network as it was after its best epoch, in the directory of its evaluation."""
_CHECKPOINT = "training.checkpoint"
"""From which an evaluation that has been ended early would continue."""
KEEP_MODELS = ("all", "best", "none")
"""The networks that a search can be told to keep."""


class OnlyBest:
    """Removes the network of every evaluation that is not the best, or not any more.

    Those that failed or were ended early for good lose theirs too; those that are paused keep it,
    because they may continue.

    Args:
        evaluations: the directory of the directories of evaluations.
        direction: of the search.
        best: the best evaluation of earlier sessions; None if there is none.
        pauses: whether the search pauses evaluations where others end them early for good.
    """

    def __init__(
        self, evaluations: Path, direction: Direction, best: Outcome | None, *, pauses: bool
    ) -> None:
        self._evaluations = evaluations
        self._direction = direction
        self._best = best
        self._pauses = pauses

    def clean(self, ended: Iterable[Outcome]) -> None:
        """Remove what a session that was killed has left of evaluations that have ended."""
        for outcome in ended:
            if self._best is None or outcome.job.id != self._best.job.id:
                self._remove(outcome)

    def __call__(self, outcome: Outcome) -> None:
        """Take in the end of an evaluation."""
        if outcome.status == "pruned" and self._pauses:
            return
        best = None if self._best is None else self._best.objective
        loser: Outcome | None = outcome
        objective = outcome.objective if outcome.status == "finished" else None
        if objective is not None and is_better(objective, best, self._direction):
            loser, self._best = self._best, outcome
        if loser is not None:
            self._remove(loser)

    def _remove(self, outcome: Outcome) -> None:
        for name in (BEST_MODEL, _CHECKPOINT):
            with contextlib.suppress(OSError):
                (self._evaluations / outcome.job.id / name).unlink()
