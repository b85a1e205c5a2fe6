"""Asynchronous successive halving in its stopping form.

At steps that grow by a factor an evaluation is compared with all that have been there before it,
and ends unless it is among the best share of them (Li et al., 2020, A system for massively parallel
hyperparameter tuning, MLSys). Nothing waits for others: whoever comes first to a step continues.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from deephyper.job import Estimate
from deephyper.objective import Objective
from deephyper.stopper.curves import Curves
from deephyper.stopper.settings import AshaSettings
from deephyper.stopper.stopper import Stopper


class Asha(Stopper):
    """Asynchronous successive halving.

    Args:
        settings: of the rule.
    """

    def __init__(self, settings: AshaSettings) -> None:
        self._first = settings.min_steps
        self._factor = settings.reduction_factor
        self._rungs: dict[int, list[Objective]] = {}  # by number, worst first
        self._curves = Curves()
        self._passed: dict[str, int] = {}  # evaluation -> rungs that it has been compared at

    def report(self, id: str, step: int, objective: Objective) -> bool:
        self._curves.report(id, step, objective)
        rung = self._passed.get(id, 0)
        if step < self._step_of(rung):
            return False
        while step >= self._step_of(rung + 1):  # that it has jumped over
            rung += 1
        self._passed[id] = rung + 1
        found = self._rungs.setdefault(rung, [])
        bisect.insort(found, objective)
        if len(found) < self._factor:
            return False
        kept = max(1, int(len(found) / self._factor))
        return objective < found[-kept]

    def end(self, id: str, objective: Objective | None, pruned: bool) -> None:
        self._passed.pop(id, None)
        if pruned:
            self._curves.end_early()
        else:
            self._curves.end(id, objective)

    def estimate(self, id: str) -> Estimate | None:
        return self.estimates([id]).get(id)

    def estimates(self, ids: Sequence[str]) -> dict[str, Estimate]:
        return self._curves.known_estimates(ids)

    def _step_of(self, rung: int) -> int:
        return math.ceil(self._first * self._factor**rung - 1e-9)
