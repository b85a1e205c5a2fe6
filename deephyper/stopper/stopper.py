"""The interface of every rule that ends evaluations early."""

from __future__ import annotations

from abc import ABC, abstractmethod

from deephyper.objective import Objective


class Stopper(ABC):
    """Says which running evaluations are not worth their remaining steps.

    It is told of every report in the order in which they come, those of earlier sessions first.
    Objectives are maximized here; those of a search that minimizes come with the other sign.
    Methods are called between two evaluations, so they must not take long.
    """

    @abstractmethod
    def report(self, id: str, step: int, objective: Objective) -> bool:
        """Take a report; return whether its evaluation is to end early.

        Args:
            id: of the evaluation.
            step: how far it is, larger than in its last report unless it has begun anew.
            objective: the objective at that step.
        """

    def end(self, id: str, objective: Objective | None, pruned: bool) -> None:  # noqa: B027 (may stay)
        """Take note of an evaluation that has ended.

        Args:
            id: of the evaluation.
            objective: what it came to; None if it failed.
            pruned: whether it was ended early.
        """
