"""The queue of a search: which evaluation begins when a worker is free.

Those that run again come first, then paused ones that the stopper takes up, or new points. Of many
workers some are always about to be free, so proposals are prepared for them while nothing else is
to be done: a result need not be learned before its worker has the next point. Points are asked for
a few at a time, and each is submitted before the next ones exist.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable

from deephyper.errors import SettingsError
from deephyper.job import Job, Proposal
from deephyper.problem.point import Point
from deephyper.search.budget import Budget
from deephyper.search.record import Evaluation, Record
from deephyper.stopper.early_stopping import EarlyStopping

_ASKED = 8
"""Proposals that are asked for at a time, at most: usually."""
_ASKED_BEHIND = 64
"""As many, at most, where a quarter of the free workers are more than the usual number. Of so many
points an optimizer may spend less on each, so that a crowd of workers is served."""
_AHEAD = 32
"""One proposal is prepared ahead for so many workers: what it does not know are the results of so
few of them that it is hardly worse for it."""


class Queue:
    """The evaluations that are to begin.

    Args:
        record: the search so far, of which nothing runs yet.
        budget: what the search may use.
        stopping: says which paused evaluations continue.

    Attributes:
        is_exhausted: whether no further proposal will come; set from outside.
        budget: as it is now.
    """

    def __init__(self, record: Record, budget: Budget, stopping: EarlyStopping) -> None:
        self.is_exhausted = False
        self._record = record
        self.budget = budget
        self._num_enqueued = 0  # of the proposals, the first ones, which its user has asked for
        self._stopping = stopping
        self._again = deque(evaluation.job for evaluation in record.unfinished)
        self._proposed: deque[Proposal] = deque()
        self._too_long: dict[str, None] = {}
        """Ids of paused evaluations that the stopper has taken up, and that need more steps than
        are left; it is told so when these suffice for them."""
        record.reports.end_all()

    @property
    def again(self) -> list[Job]:
        """The jobs of evaluations that were submitted before and run again."""
        return [*self._again]

    @property
    def proposed(self) -> list[Point]:
        """The points that were asked for and are not yet submitted."""
        return [proposal.point for proposal in self._proposed]

    @property
    def is_empty(self) -> bool:
        """True if nothing is to begin, but what may be paused."""
        return not (self._again or self._proposed)

    @property
    def num_started(self) -> int:
        """The number of evaluations that have ended, run, or are paused.

        Unfinished ones of an earlier session were counted when they were submitted.
        """
        return len(self._record.evaluations) - len(self._again)

    @property
    def has_steps(self) -> bool:
        """True if the budget of steps suffices for the next evaluation."""
        return self._next_again is not None if self._again else self._has_steps_for(None)

    def retry(self, job: Job) -> None:
        """Let a job run again whose attempt has failed."""
        self._again.appendleft(self._record.retry(job))

    def add(self, proposals: Iterable[Proposal]) -> None:
        """Take proposals."""
        self._proposed.extend(proposals)

    def enqueue(self, point: Point) -> None:
        """Let a point be evaluated before those that were proposed.

        Raises:
            SettingsError: if the budget has no evaluation left for it.
        """
        if self.budget.evaluations_left(len(self._record.evaluations) + self._num_enqueued) < 1:
            raise SettingsError(
                f"all {self.budget.max_evals} evaluations have begun, or are asked for; give the "
                "search more first (deephyper ctl DIR max-evals N)"
            )
        self._proposed.insert(self._num_enqueued, Proposal(point))
        self._num_enqueued += 1

    def set_max_evals(self, number: int) -> None:
        """Let there be so many evaluations in all."""
        self.budget = dataclasses.replace(self.budget, max_evals=number)

    def num_missing(self, free: int, workers: int) -> int:
        """Return how many points to ask for now: first for free workers, then ahead.

        Args:
            free: workers with nothing to do.
            workers: all of them.
        """
        left, ahead = self._num_left, workers // _AHEAD
        if free:
            behind = min(free // 4, ahead, _ASKED_BEHIND)
            return int(min(free, left, max(_ASKED, behind)))
        ready = len(self._proposed)
        ahead = int(min(ahead, left + ready))
        # An ask has a price of its own, so it is for several points if that costs no worker time.
        return min(ahead - ready, _ASKED) if ahead - ready >= min(ahead, _ASKED) else 0

    def next(self) -> Evaluation | None:
        """Return the evaluation that begins now; None if there is none.

        A new one is not in the record yet.

        Raises:
            SettingsError: if the stopper takes up what isn't paused.
        """
        again = self._next_again if self.budget.evaluations_left(self.num_started) else None
        if again is not None:
            self._again.remove(again)
            return self._record.evaluations[again.id]
        # There may be fewer than when points were asked for.
        left = self.budget.evaluations_left(len(self._record.evaluations))
        may_begin = self._proposed and left and self._has_steps_for(None)
        proposal = self._proposed[0] if may_begin else None
        paused = self._take_up(proposal)
        if paused is not None or proposal is None:
            return paused
        self._proposed.popleft()
        self._num_enqueued = max(0, self._num_enqueued - 1)
        return Evaluation.of(Job(self._record.next_id, proposal.point), proposal)

    @property
    def _next_again(self) -> Job | None:
        """The first job to run again that the steps suffice for; None if there is none."""
        return next((job for job in self._again if self._has_steps_for(job.id)), None)

    def _has_steps_for(self, id_: str | None) -> bool:
        """Return whether the steps suffice for an evaluation; None for a new one."""
        return self.budget.has_steps_for(self._record.reports, id_)

    @property
    def _num_left(self) -> float:
        """The number of points that may still be asked for."""
        record = self._record
        left = self.budget.new_ones_left(len(record.evaluations), record.reports)
        return left - len(self._proposed)

    def _take_up(self, proposal: Proposal | None) -> Evaluation | None:
        """Return the paused evaluation that continues in place of a new one, if one does.

        Args:
            proposal: what would begin otherwise; None for nothing.
        """
        paused = self._record.paused
        if not paused or (proposal is None and self._num_left > 0 and not self.is_exhausted):
            return None  # a proposal is yet to be asked for
        for fitting in [id_ for id_ in self._too_long if self._has_steps_for(id_)]:
            del self._too_long[fitting]  # another one has ended earlier than was expected
            self._stopping.put_back(fitting)
        while True:
            id_ = self._stopping.take_up(proposal, paused)
            if id_ is None or id_ in self._too_long:
                return None
            if self._has_steps_for(id_):
                return self._record.take_up(id_)
            self._too_long[id_] = None
