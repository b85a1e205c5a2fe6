"""Partial dependence: the mean of the objective where one or two hyperparameters are given.

The mean is over the whole space, as that of Friedman, "Greedy function approximation: a gradient
boosting machine" (2001), but in closed form and with an error, because the model is a Gaussian
process that splits into effects; see :mod:`deephyper.analytics.fanova.process`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from deephyper.analytics.fanova.dimension import Array
from deephyper.analytics.fanova.importance import FEWEST
from deephyper.analytics.fanova.matrix import dimension_of, without_gaps
from deephyper.analytics.fanova.process import Posterior
from deephyper.analytics.fanova.sample import spread
from deephyper.analytics.fanova.shares import MOST_SEEN, fitted
from deephyper.analytics.points import Column, Points
from deephyper.errors import ResultsError

_ALONE, _IN_PAIR = 101, 41
"""Places along a range."""


@dataclass(frozen=True)
class Dependence:
    """The objective where some hyperparameters are given, on average over all others.

    Attributes:
        columns: the hyperparameters, one or two.
        places: of their values, see :meth:`deephyper.analytics.points.Column.place`; shapes (a,)
            and (b,).
        mean: the expected mean of the objective, shape (a,) or (a, b).
        std: its standard deviation, of the same shape.
    """

    columns: tuple[Column, ...]
    places: tuple[Array, ...]
    mean: Array
    std: Array


class DependenceModel:
    """A model of the objective over the whole space.

    Args:
        points: the evaluations.
        worst: an objective; worse ones count as this one.
        seed: of what is drawn at random.

    Raises:
        ResultsError: if there are too few evaluations, or all objectives are equal.
    """

    def __init__(self, points: Points, worst: float, *, seed: int = 0) -> None:
        if len(points.objectives) < FEWEST:
            raise ResultsError(
                f"too little to tell: {len(points.objectives)} finished evaluations, and it takes "
                f"{FEWEST} at least; run more of them"
            )
        better = np.minimum if points.direction == "minimize" else np.maximum
        y = better(points.objectives, worst)
        self._scale = float(np.abs(y).max()) or 1.0  # squares of very large ones would overflow
        y = y / self._scale
        if not np.ptp(y) > 0:
            raise ResultsError("all objectives are equal, so nothing depends on a hyperparameter")
        self._columns = points.columns
        self._dimensions = [dimension_of(column) for column in points.columns]
        X = without_gaps(self._dimensions, points.places, seed)
        with threadpool_limits(limits=1, user_api="blas"):
            kept = spread(self._dimensions, X, np.random.default_rng(seed))[:MOST_SEEN]
            X, y = X[kept], y[kept]
            parameters = fitted(self._dimensions, X, y, None)
            self._posterior = Posterior(self._dimensions, parameters, X, y)

    def strongest(self) -> list[int]:
        """Return the hyperparameters, by number, those first that make most difference alone."""
        own = [self._posterior.variance((k,)) for k in range(len(self._columns))]
        return sorted(range(len(own)), key=lambda k: own[k], reverse=True)

    def of(self, chosen: Sequence[int]) -> Dependence:
        """Return how the objective depends on one or two hyperparameters, given by number."""
        size = _ALONE if len(chosen) == 1 else _IN_PAIR
        places = [self._places(k, size) for k in chosen]
        mean, std = self._posterior.dependence((*chosen,), places)
        columns = tuple(self._columns[k] for k in chosen)
        return Dependence(columns, (*places,), mean * self._scale, std * self._scale)

    def _places(self, k: int, size: int) -> Array:
        nodes = self._dimensions[k].rule.nodes
        return np.linspace(0.0, 1.0, size) if self._dimensions[k].is_continuous else nodes
