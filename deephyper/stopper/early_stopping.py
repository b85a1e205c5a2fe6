"""The rule of a search as the search uses it: told what has happened, asked what is to be done."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from deephyper.errors import SettingsError
from deephyper.job import Estimate, Outcome, Proposal, Reported
from deephyper.stopper.reports import Curve
from deephyper.stopper.stopper import Stopper

_MOST_RUNNING = 150
"""Where more than these run, nothing is expected of them: each says little then, and no time is
left to look at them all before each proposal."""


@dataclass
class _Late:
    """Reports after the one at which an evaluation was asked to end, in the same attempt."""

    attempt: int
    reports: list[Reported] = field(default_factory=list)


class EarlyStopping:
    """The rule of a search; without one nothing is ended early.

    Args:
        stopper: the rule, which may be told objectives as they are; None for none.
        needs_reports: whether the user asked for the rule, which is of no use without reports.

    Attributes:
        needs_reports: whether there is a rule that the user asked for.
    """

    def __init__(self, stopper: Stopper | None, *, needs_reports: bool = True) -> None:
        self._stopper = stopper
        self.needs_reports = needs_reports and stopper is not None
        self._paused_at: dict[str, int] = {}
        """The step at which an evaluation was paused last: it is not paused again before it has
        come farther, so that one that begins anew comes to its end at some time."""
        self._late: dict[str, _Late] = {}
        """Of evaluations that were asked to end. The rule is told of it when they continue or end:
        how much there is depends on the time that they took to notice, and proposals must not."""
        self._for_good: set[str] = set()
        """Evaluations that are not paused, since their user has stopped them."""
        self._reported: dict[str, None] = {}
        """Running evaluations that have reported since it was last asked for their estimates."""

    @property
    def pauses(self) -> bool:
        """True if what it ends early may continue."""
        return self._stopper is not None and self._stopper.pauses

    def is_pause(self, outcome: Outcome) -> bool:
        """Return whether an evaluation with this outcome is only paused.

        One that may still be running is not: taken up, it would run twice in one directory.
        """
        pruned = outcome.status == "pruned" and self.pauses
        return pruned and not outcome.left_behind and outcome.job.id not in self._for_good

    def end_for_good(self, id_: str) -> None:
        """Let an evaluation be not paused, but ended, when it is ended early."""
        self._for_good.add(id_)

    def recall(
        self, curves: Mapping[str, Curve], ended: Iterable[Outcome], paused: Mapping[str, Outcome]
    ) -> dict[str, Estimate]:
        """Tell the rule of earlier sessions.

        Args:
            curves: what evaluations have reported, by id.
            ended: outcomes of those that have ended.
            paused: what those that are paused had come to, by id.

        Returns:
            What it expects of those that were ended early or are paused, by id, where it does.
        """
        stopper = self._stopper
        if stopper is None:
            return {}
        early = []
        unfinished = dict(curves)
        for outcome in ended:
            stopper.recall(outcome.job.id, unfinished.pop(outcome.job.id, ()))
            self.end(outcome)
            if outcome.status == "pruned":
                early.append(outcome.job.id)
        for id_, curve in unfinished.items():
            stopper.recall(id_, curve)
            self._reported[id_] = None
        for id_, outcome in paused.items():
            self.pause(outcome)
            early.append(id_)
        return self.estimates(early)

    def unwanted(self, reports: Iterable[Reported]) -> list[str]:
        """Tell the rule of reports; return the ids of evaluations that are to end early."""
        stopper = self._stopper
        if stopper is None:
            return []
        ids: dict[str, None] = {}
        for event in reports:
            id_ = event.job.id
            late = self._late.get(id_)
            if late is not None and late.attempt == event.job.attempt:
                late.reports.append(event)
                continue
            self._tell_late(id_)
            self._reported[id_] = None
            unwanted = stopper.report(id_, event.step, event.objective)
            if unwanted and event.step > self._paused_at.get(id_, -1):
                ids[id_] = None
                self._late[id_] = _Late(event.job.attempt)
        return [*ids]

    def end(self, outcome: Outcome) -> None:
        """Tell the rule of an evaluation that has ended."""
        if self._stopper is not None:
            self._paused_at.pop(outcome.job.id, None)
            self._reported.pop(outcome.job.id, None)
            early = outcome.status == "pruned"
            self._tell_late(outcome.job.id)
            self._stopper.end(outcome.job.id, outcome.objective, early)

    def pause(self, outcome: Outcome) -> None:
        """Tell the rule of an evaluation that is paused."""
        if self._stopper is not None:
            id_ = outcome.job.id
            self._paused_at[id_] = outcome.step or 0
            self._reported.pop(id_, None)
            self._stopper.pause(id_)

    def put_back(self, id_: str) -> None:
        """Tell the rule that an evaluation that it has taken up stays paused."""
        if self._stopper is not None:
            self._stopper.put_back(id_)

    def take_up(self, proposal: Proposal | None, paused: Container[str]) -> str | None:
        """Return the paused evaluation to continue in place of a new one.

        Args:
            proposal: see :meth:`.Stopper.take_up`.
            paused: ids of all that are paused.

        Raises:
            SettingsError: if it is none of these.
        """
        if self._stopper is None:
            return None
        id_ = self._stopper.take_up(proposal)
        if id_ is not None:
            self._tell_late(id_)
        if id_ is not None and id_ not in paused:
            raise SettingsError(
                f"the stopper takes up {id_!r}, which is not the id of a paused evaluation; fix "
                "its method take_up, or use another stopper"
            )
        return id_

    def _tell_late(self, id_: str) -> None:
        """Tell the rule of reports that came after an evaluation was asked to end."""
        assert self._stopper is not None
        late = self._late.pop(id_, None)
        for event in late.reports if late is not None else ():
            self._stopper.report(id_, event.step, event.objective)

    def estimates(self, ids: Sequence[str]) -> dict[str, Estimate]:
        """Return what the rule expects of evaluations, by id, where it does, in finite numbers."""
        expected = {} if self._stopper is None or not ids else self._stopper.estimates(ids)
        return {
            id_: estimate
            for id_, estimate in expected.items()
            if math.isfinite(estimate.mean) and math.isfinite(estimate.std)
        }

    def new_estimates(self, num_running: int) -> dict[str, Estimate]:
        """Return what the rule expects of evaluations that run, by id, where that is new.

        Args:
            num_running: evaluations that run.
        """
        ids, self._reported = [*self._reported], {}
        return self.estimates(ids) if num_running <= _MOST_RUNNING else {}
