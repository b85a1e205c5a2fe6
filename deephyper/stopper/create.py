"""The choice of the rule that ends evaluations early."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from deephyper.errors import SettingsError
from deephyper.job import Estimate, Proposal
from deephyper.objective import Direction, Objective
from deephyper.registry import STOPPERS
from deephyper.stopper.settings import StopperSettings
from deephyper.stopper.stopper import Stopper

Given = str | StopperSettings | Stopper | None
"""The name of a registered rule, the settings of one, one of your own, or none."""


def read_stopper(given: Given) -> StopperSettings | Stopper | None:
    """Return the settings that a name stands for, and anything else as it is, checked.

    Raises:
        SettingsError: if the name isn't registered, or it is something else.
        DeepHyperError: if the rule is another package's and can't be used.
    """
    if given is None or isinstance(given, (StopperSettings, Stopper)):
        return given
    if given not in STOPPERS:
        known = ", ".join(STOPPERS.names)
        raise SettingsError(f"unknown stopper {given!r}; choose one of {known}")
    settings: StopperSettings = STOPPERS.load(given)()
    return settings


def made_stopper(chosen: StopperSettings | Stopper | None, direction: Direction) -> Stopper | None:
    """Return the rule itself, a new one for settings; it may be told objectives as they are."""
    stopper = chosen.create() if isinstance(chosen, StopperSettings) else chosen
    if stopper is None or direction == "maximize":
        return stopper
    return _MinimizedPausing(stopper) if stopper.pauses else _Minimized(stopper)


class _Minimized(Stopper):
    """A rule that is told objectives with the other sign."""

    def __init__(self, stopper: Stopper) -> None:
        self._stopper = stopper

    def report(self, id: str, step: int, objective: Objective) -> bool:
        return self._stopper.report(id, step, -objective)

    def recall(self, id: str, reports: Iterable[tuple[int, Objective]]) -> None:
        self._stopper.recall(id, [(step, -objective) for step, objective in reports])

    def end(self, id: str, objective: Objective | None, pruned: bool) -> None:
        self._stopper.end(id, None if objective is None else -objective, pruned)

    def pause(self, id: str) -> None:
        self._stopper.pause(id)

    def take_up(self, proposal: Proposal | None) -> str | None:
        if proposal is not None and proposal.prediction is not None:
            expected = proposal.prediction
            proposal = replace(proposal, prediction=replace(expected, mean=-expected.mean))
        return self._stopper.take_up(proposal)

    def put_back(self, id: str) -> None:
        self._stopper.put_back(id)

    def estimate(self, id: str) -> Estimate | None:
        return self.estimates([id]).get(id)

    def estimates(self, ids: Sequence[str]) -> dict[str, Estimate]:
        expected = self._stopper.estimates(ids)
        return {id: replace(each, mean=-each.mean) for id, each in expected.items()}


class _MinimizedPausing(_Minimized):
    pauses = True
