"""The interface of every rule that ends evaluations early."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from deephyper.job import Estimate, Proposal
from deephyper.objective import Objective


class Stopper(ABC):
    """Says which running evaluations are not worth their remaining steps.

    It is told of every report in the order in which they come, those of earlier sessions first.
    Objectives are maximized here; those of a search that minimizes come with the other sign.
    Methods are called between two evaluations, so they must not take long.
    """

    pauses: ClassVar[bool] = False
    """True if evaluations that it ends early are paused rather than pruned: kept, with directory
    and checkpoint, to be taken up again perhaps, in this session or a later one."""

    @abstractmethod
    def report(self, id: str, step: int, objective: Objective) -> bool:
        """Take a report; return whether its evaluation is to end early.

        Args:
            id: of the evaluation.
            step: how far it is, larger than in its last report unless it has begun anew.
            objective: the objective at that step.
        """

    def recall(self, id: str, reports: Iterable[tuple[int, Objective]]) -> None:
        """Take the reports of an evaluation of an earlier session, each with its step.

        By default each is reported, and nothing follows from it.
        """
        for step, objective in reports:
            self.report(id, step, objective)

    def end(self, id: str, objective: Objective | None, pruned: bool) -> None:  # noqa: B027 (may stay)
        """Take note of an evaluation that has ended.

        Args:
            id: of the evaluation.
            objective: what it came to; None if it failed.
            pruned: whether it was ended early.
        """

    def pause(self, id: str) -> None:  # noqa: B027 (may stay)
        """Take note of an evaluation that is paused, in this session or since an earlier one."""

    def take_up(self, proposal: Proposal | None) -> str | None:
        """Return the paused evaluation to continue now, in place of a new one; None for none.

        It is called each time that a worker is free and something could begin.

        Args:
            proposal: the point that would begin otherwise, with what the optimizer's model expects
                of it. None where no new one may begin, because the budget is used up or no point is
                left: when nothing is taken up then, the search ends as soon as nothing runs.
        """
        return None

    def put_back(self, id: str) -> None:
        """Take note that an evaluation that it has taken up stays paused for want of steps.

        By default it is paused once more.
        """
        self.pause(id)

    def estimate(self, id: str) -> Estimate | None:
        """Return what the objective of an evaluation would be at its end, None if unknown.

        Args:
            id: of one that was ended early, or that runs and has reported.
        """
        return None

    def estimates(self, ids: Sequence[str]) -> dict[str, Estimate]:
        """Return what is expected of evaluations that were ended early, by id, where it is known.

        By default each is asked for by :meth:`estimate`.
        """
        expected = {id: self.estimate(id) for id in ids}
        return {id: estimate for id, estimate in expected.items() if estimate is not None}
