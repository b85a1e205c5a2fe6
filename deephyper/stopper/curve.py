"""The rule that predicts the rest of each learning curve, and pauses what can't win.

At checkpoints the objective at the end is predicted from all curves of the search
(curve_prediction.py). An evaluation is paused that has next to no chance to become the best. It may
be continued later: when the search expects more of it than of a new point, for each step that
either still takes, or when no new one may begin. So a training is given up only for something
better, as in freeze-thaw Bayesian optimization (Swersky, Snoek and Adams, 2014, arXiv 1406.3896).

As long as only a few whole curves are known, the better half of many that were begun continues.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

from scipy.special import ndtr

from deephyper.job import Estimate, Proposal
from deephyper.objective import Objective
from deephyper.stopper.curves import Curves
from deephyper.stopper.settings import CurveSettings
from deephyper.stopper.stopper import Stopper

_FIRST_HALVED = 3
"""Step from which the better half continues while no whole curve is known."""
_MANY = 16
"""Evaluations that have come to a step before the better half of them continues."""
_AGAIN = 2.0
"""What is paused has to have this many times the chance at which it would be paused to continue."""
_MOST_PAUSED = 300
"""Of twice as many paused evaluations, so many may continue: the most promising ones."""
_CERTAIN = 0.5
"""With a better chance than this nothing is paused, whatever is wanted."""


@dataclass(frozen=True)
class _Chance:
    """The prospects of an evaluation.

    Attributes:
        of_best: probability that it becomes the best.
        gain: expected improvement of the best objective.
    """

    of_best: float
    gain: float

    @classmethod
    def of(cls, expected: Estimate, best: Objective) -> _Chance:
        """Return the chance of an evaluation against the best objective."""
        std = max(expected.std, 1e-300)
        ahead = (expected.mean - best) / std
        of_best = float(ndtr(ahead))
        density = math.exp(-0.5 * min(ahead * ahead, 1400.0)) / math.sqrt(2.0 * math.pi)
        return cls(of_best, max(std * (ahead * of_best + density), 0.0))


class CurveRule(Stopper):
    """Pauses evaluations that won't become the best.

    Args:
        settings: of the rule.
    """

    pauses: ClassVar[bool] = True

    def __init__(self, settings: CurveSettings) -> None:
        self._settings = settings
        self._curves = Curves()
        self._paused: dict[str, _Chance | None] = {}  # None where it isn't known yet

    def report(self, id: str, step: int, objective: Objective) -> bool:
        curves = self._curves
        if not curves.report(id, step, objective) or step < self._settings.min_steps:
            return False
        if len(curves.whole) < self._settings.startup_evals:
            if step < _FIRST_HALVED:
                return False
            others = curves.at_last_checkpoint(id)
            return len(others) >= _MANY and objective < median(others)
        if step >= curves.length:
            return False
        chance = _Chance.of(curves.estimates([id])[0], curves.best)
        return chance.of_best < min(self._settings.min_chance, _CERTAIN)

    def recall(self, id: str, reports: Iterable[tuple[int, Objective]]) -> None:
        for step, objective in reports:
            self._curves.report(id, step, objective)

    def end(self, id: str, objective: Objective | None, pruned: bool) -> None:
        self._paused.pop(id, None)
        if not pruned:  # otherwise its curve still says how others go on
            self._curves.end(id, objective)
            self._paused = dict.fromkeys(self._paused)

    def pause(self, id: str) -> None:
        self._paused[id] = None
        if self._curves.end_early():
            self._paused = dict.fromkeys(self._paused)

    def take_up(self, proposal: Proposal | None) -> str | None:
        curves = self._curves
        if not self._paused or (proposal is not None and proposal.prediction is None):
            return None
        if not curves.whole:
            return self._leading() if proposal is None else None
        id, rate = "", 0.0
        for each, chance in self._chances().items():
            if chance.of_best < min(_AGAIN * self._settings.min_chance, _CERTAIN):
                continue
            its_rate = chance.gain / max(curves.length - curves.unfinished[each].step, 1)
            if its_rate > rate:
                id, rate = each, its_rate
        if proposal is not None and proposal.prediction is not None:
            new = Estimate(proposal.prediction.mean, proposal.prediction.std)
            if rate <= _Chance.of(new, curves.best).gain / curves.length:
                return None
        if not id:
            return None
        del self._paused[id]
        return id

    def put_back(self, id: str) -> None:
        self._paused[id] = None  # no curve has ended by it

    def estimate(self, id: str) -> Estimate | None:
        return self.estimates([id]).get(id)

    def estimates(self, ids: Sequence[str]) -> dict[str, Estimate]:
        return self._curves.known_estimates(ids)

    def _leading(self) -> str:
        """Return the paused evaluation with the best objective, paused no longer."""
        id = max(self._paused, key=lambda each: self._curves.unfinished[each].objective)
        del self._paused[id]
        return id

    def _chances(self) -> dict[str, _Chance]:
        """Return the chances of the paused evaluations.

        Of very many the least promising are given up, so that none costs the more for the others.
        """
        unknown = [id for id, chance in self._paused.items() if chance is None]
        if unknown:
            estimates = self._curves.estimates(unknown)
            for id, estimate in zip(unknown, estimates, strict=True):
                self._paused[id] = _Chance.of(estimate, self._curves.best)
        known = {id: chance for id, chance in self._paused.items() if chance is not None}
        if len(known) > 2 * _MOST_PAUSED:
            promising = sorted(known, key=lambda id: known[id].gain, reverse=True)[:_MOST_PAUSED]
            known = {id: known[id] for id in promising}
            self._paused = dict(known)
        return known
