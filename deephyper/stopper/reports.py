"""The reports of evaluations, and the steps that these have made."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from deephyper.objective import Objective


class Reports:
    """The reports of a search, all sessions together.

    Attributes:
        curves: the reports of each evaluation, by id.
        steps: that were made in all; where an evaluation has begun anew, its steps count again.
        begun_anew: how often an evaluation that ran again has begun at its first step.
        longest: the last step of the longest evaluation that has finished; None before there is
            one with reports.
    """

    def __init__(self) -> None:
        self.curves: dict[str, Curve] = {}
        self.steps = 0
        self.begun_anew = 0
        self.longest: int | None = None
        self._again: set[str] = set()  # running again, and not yet heard of
        self._rests: dict[str, int] = {}  # of those that run
        self._sum_of_rests = 0

    def begin(self, id_: str) -> None:
        """Take note of an evaluation that runs, for the first time or again."""
        if id_ in self.curves:
            self._again.add(id_)
        self._expect(id_, self.rest(id_))

    def add(self, id_: str, step: int, objective: Objective) -> bool:
        """Take a report of a running evaluation; return whether it has begun anew."""
        curve = self.curves.get(id_)
        if curve is None:
            curve = self.curves[id_] = Curve()
        last = curve.last_step
        before = curve.add(step, objective)
        anew = False
        if id_ in self._again:
            self._again.remove(id_)
            anew = before is None
            self.begun_anew += anew
            # It may also have gone back to a checkpoint that is older than its last report.
            last = before
        self.steps += max(0, step - (last or 0))
        if id_ in self._rests:
            self._expect(id_, self.rest(id_))
        return anew

    def end(self, id_: str, finished: bool = False) -> None:
        """Take note of an evaluation that runs no more.

        Args:
            id_: of the evaluation.
            finished: whether it has come to its end by itself.
        """
        self._expect(id_, 0)
        self._rests.pop(id_, None)
        self._again.discard(id_)
        last = self._last_step(id_)
        if finished and last is not None and (self.longest is None or last > self.longest):
            self.longest = last
            for running in self._rests:
                self._expect(running, self.rest(running))

    def end_all(self) -> None:
        """Take note that nothing runs, as at the beginning of a session."""
        self._again.clear()
        self._rests.clear()
        self._sum_of_rests = 0

    def rest(self, id_: str | None = None) -> int:
        """Return the steps that are probably left to an evaluation; None for a new one.

        The whole is as long as the longest; 0 as long as that is unknown.
        """
        if self.longest is None:
            return 0
        last = None if id_ is None else self._last_step(id_)
        return max(0, self.longest - (last or 0))

    @property
    def steps_ahead(self) -> int:
        """The steps that were made, and those that are left to the evaluations that run."""
        return self.steps + self._sum_of_rests

    def _last_step(self, id_: str) -> int | None:
        curve = self.curves.get(id_)
        return None if curve is None else curve.last_step

    def _expect(self, id_: str, rest: int) -> None:
        self._sum_of_rests += rest - self._rests.get(id_, 0)
        self._rests[id_] = rest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reports) and self._told == other._told

    __hash__ = None  # type: ignore[assignment]

    @property
    def _told(self) -> tuple[object, ...]:
        return self.curves, self.steps, self.begun_anew, self.longest


class Curve:
    """The reports of an evaluation, in the order of their steps."""

    __slots__ = ("_objectives", "_steps")

    def __init__(self) -> None:
        self._steps = array("q")
        self._objectives = array("d")

    def add(self, step: int, objective: Objective) -> int | None:
        """Append a report; where the evaluation has gone back since, it replaces later ones.

        Returns:
            The step of the report before it; None if it is the first one.
        """
        while self._steps and self._steps[-1] >= step:
            self._steps.pop()
            self._objectives.pop()
        before = self.last_step
        self._steps.append(step)
        self._objectives.append(objective)
        return before

    @property
    def last(self) -> tuple[int, Objective] | None:
        """Step and objective of the last report."""
        return (self._steps[-1], self._objectives[-1]) if self._steps else None

    @property
    def last_step(self) -> int | None:
        """The step of the last report."""
        return self._steps[-1] if self._steps else None

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[tuple[int, Objective]]:
        return zip(self._steps, self._objectives, strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Curve) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]
