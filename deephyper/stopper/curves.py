"""The learning curves of a search, and what they say of the unfinished ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from deephyper.job import Estimate
from deephyper.objective import Objective
from deephyper.stopper.curve_prediction import CurvePrediction, checkpoints

_MOST_STEPS = 10**9
_MOST_CURVES = 150
"""Whole curves, and as many others, that a prediction learns from: the last ones."""
_RENEWED = 5
"""So many evaluations that ended early make a new prediction worthwhile, as a whole one does."""


@dataclass
class Curve:
    """The reports of an evaluation.

    Attributes:
        objectives: at the checkpoints that were passed.
        step: of the last report.
        objective: of the last report; of a whole evaluation, what it came to.
    """

    objectives: list[Objective] = field(default_factory=list)
    step: int = 0
    objective: Objective = -math.inf


class Curves:
    """The curves of a search, kept at checkpoints.

    Attributes:
        whole: those of evaluations that have come to their end, by id.
        unfinished: those of evaluations that run or were ended early, by id.
        length: the most steps that a whole evaluation has had; 0 as long as there is none.
        best: the best objective of a whole evaluation; minus infinity as long as there is none.
    """

    def __init__(self) -> None:
        self.whole: dict[str, Curve] = {}
        self.unfinished: dict[str, Curve] = {}
        self.length = 0
        self.best: Objective = -math.inf
        self._checkpoints = checkpoints(_MOST_STEPS)
        self._prediction: CurvePrediction | None = None
        self._since = 0
        """Evaluations that ended early since the prediction was made."""

    def report(self, id_: str, step: int, objective: Objective) -> bool:
        """Take a report; return whether a checkpoint was passed with it."""
        curve = self.unfinished.setdefault(id_, Curve())
        if step <= curve.step:  # it has begun anew
            del curve.objectives[self._num_passed(step - 1) :]
        curve.step, curve.objective = step, objective
        known, passed = len(curve.objectives), self._num_passed(step)
        curve.objectives += [objective] * (passed - known)
        return passed > known

    def end(self, id_: str, objective: Objective | None) -> None:
        """Take note that an evaluation has come to its end, None if it failed."""
        curve = self.unfinished.pop(id_, None)
        if curve is None or objective is None or not curve.step:
            return
        if curve.step > self.length:
            self.length = curve.step
            self._checkpoints = checkpoints(curve.step)
        curve.objective = objective
        self.whole[id_] = curve
        self.best = max(self.best, objective)
        self._forget_prediction()

    def end_early(self) -> bool:
        """Take note that an evaluation ended early; return whether estimates change by it."""
        self._since += 1
        if self._since < _RENEWED:
            return False
        self._forget_prediction()
        return True

    def at_last_checkpoint(self, id_: str) -> list[Objective]:
        """Return what others had come to at the checkpoint that an evaluation has passed last."""
        place = len(self.unfinished[id_].objectives) - 1
        everyone = [*self.unfinished.values(), *self.whole.values()]
        return [c.objectives[place] for c in everyone if len(c.objectives) > place]

    def known_estimates(self, ids: Iterable[str]) -> dict[str, Estimate]:
        """Return what is expected of unfinished evaluations at their ends, by id, where known."""
        curves = ((id_, self.unfinished.get(id_)) for id_ in ids)
        known = [id_ for id_, curve in curves if curve is not None and curve.objectives]
        if not known or not self.whole:
            return {}
        return dict(zip(known, self.estimates(known), strict=True))

    def estimates(self, ids: Sequence[str]) -> list[Estimate]:
        """Return what is expected of evaluations that have passed a checkpoint.

        At least one other has come to its end.
        """
        if self._prediction is None:
            self._prediction = self._predict()
        curves = [self.unfinished[id_] for id_ in ids]
        places = [min(len(c.objectives), len(self._checkpoints)) - 1 for c in curves]
        means, stds = self._prediction(
            np.array(places, dtype=np.intp),
            # Not the last report: that it came to at a later step.
            np.array([c.objectives[i] for c, i in zip(curves, places, strict=True)]),
            np.array([c.objectives[max(i - 1, 0)] for c, i in zip(curves, places, strict=True)]),
        )
        return [Estimate(float(mean), float(std)) for mean, std in zip(means, stds, strict=True)]

    def _num_passed(self, step: int) -> int:
        """Return how many checkpoints there are up to a step."""
        return int(np.searchsorted(self._checkpoints, step, side="right"))

    def _forget_prediction(self) -> None:
        self._prediction = None
        self._since = 0

    def _predict(self) -> CurvePrediction:
        k = len(self._checkpoints)
        whole, parts = (_last(curves.values()) for curves in (self.whole, self.unfinished))
        table = np.full((len(whole) + len(parts), k), np.nan)
        for row, curve in enumerate([*whole, *parts]):
            known = curve.objectives[: k - 1]
            table[row, : len(known)] = known
        for row, curve in enumerate(whole):
            # One that ended before others stays at what it came to.
            table[row, min(len(curve.objectives), k - 1) :] = curve.objective
        return CurvePrediction(table, np.array(self._checkpoints, dtype=float))


def _last(curves: Iterable[Curve]) -> list[Curve]:
    return list(curves)[-_MOST_CURVES:]
