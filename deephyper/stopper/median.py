"""The median rule.

An evaluation ends at a step if its best objective until then is worse than the median, over those
that have ended by themselves, of the mean of their objectives up to that step (Golovin et al.,
2017, Google Vizier: a service for black-box optimization, KDD).
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from statistics import median

from deephyper.job import Estimate
from deephyper.objective import Objective
from deephyper.stopper.curves import Curves
from deephyper.stopper.settings import MedianSettings
from deephyper.stopper.stopper import Stopper


class _Curve:
    """The reports of an evaluation."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.means: list[float] = []
        """Mean of the objectives up to each step."""
        self.best = float("-inf")

    def add(self, step: int, objective: Objective) -> None:
        number = len(self.steps)
        mean = self.means[-1] if number else 0.0
        self.steps.append(step)
        self.means.append(mean + (objective - mean) / (number + 1))
        self.best = max(self.best, objective)

    def mean_until(self, step: int) -> float | None:
        """Return the mean of the objectives up to a step; None if there is none."""
        place = bisect.bisect_right(self.steps, step)
        return self.means[place - 1] if place else None


class MedianRule(Stopper):
    """The median rule.

    Args:
        settings: of the rule.
    """

    def __init__(self, settings: MedianSettings) -> None:
        self._settings = settings
        self._running: dict[str, _Curve] = {}
        self._whole: list[_Curve] = []
        self._curves = Curves()

    def report(self, id: str, step: int, objective: Objective) -> bool:
        self._curves.report(id, step, objective)
        curve = self._running.setdefault(id, _Curve())
        if curve.steps and step <= curve.steps[-1]:  # it has begun anew
            curve = self._running[id] = _Curve()
        curve.add(step, objective)
        if step < self._settings.min_steps or len(self._whole) < self._settings.startup_evals:
            return False
        means = [mean for each in self._whole if (mean := each.mean_until(step)) is not None]
        return bool(means) and curve.best < median(means)

    def end(self, id: str, objective: Objective | None, pruned: bool) -> None:
        curve = self._running.pop(id, None)
        if pruned:
            self._curves.end_early()
            return
        self._curves.end(id, objective)
        if curve is not None and objective is not None:
            self._whole.append(curve)

    def estimate(self, id: str) -> Estimate | None:
        return self.estimates([id]).get(id)

    def estimates(self, ids: Sequence[str]) -> dict[str, Estimate]:
        return self._curves.known_estimates(ids)
