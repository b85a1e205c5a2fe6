"""Shares of variance of main effects and interactions, with errors by unseen evaluations.

A function is the model plus what the model misses, so the variance of one of its effects is that of
the model's effect, twice its covariance with the missed, and the variance of the missed. The first
term is exact. The other two are estimated from evaluations that the model has not seen, in turns:
what the model has got wrong is put right by them, and how far they scatter is the standard error.
This is the one-step estimate of Williamson, Gilbert, Carone and Simon, "Nonparametric variable
importance assessment using machine learning techniques" (2021), with the rest that they neglect.
What the model itself is unsure of adds to the error, since a search may never have been there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from deephyper.analytics.fanova.dimension import Array, Dimension
from deephyper.analytics.fanova.process import Effect, Likelihood, Posterior
from deephyper.analytics.fanova.sample import spread, weights

_TURNS = 5
MOST_SEEN, _MOST_FITTED = 1000, 250
"""Evaluations that a model sees, and that its parameters are fitted to."""
_MOST_NUMBERS = 800_000
"""Squares of the evaluations that parameters are fitted to, times the dimensions."""
_MOST_UNSEEN = 5000
_MOST_REFITTED = 500
"""Up to so many evaluations, parameters are fitted anew in each turn."""
_MOST_PAIRS = 60
_ITERATIONS, _ITERATIONS_AGAIN = 40, 15
_PAIR_DEGREE = 4
_PER_FUNCTION = 8
"""Evaluations that there should be for each function of a basis."""
_LEAST_FOUND = 0.1
"""Where less of the variance is found, what is missed is like it no longer."""
_LEAST_VARIANCE = 0.25
"""Of the weighted variance of what was measured: the variance over the space is no less."""
_EQUAL = 1e-12
"""Objectives that differ by no more than this share of them are equal."""
SURE = 1.96
"""Standard errors to either side of an interval that holds the truth in 95 of 100 cases."""


@dataclass(frozen=True)
class Share:
    """A part of the variance of the objective.

    Attributes:
        value: of the whole variance, from 0 to 1.
        standard_error: of the value.
    """

    value: float
    standard_error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of an interval that holds the truth with a probability of about 95 %."""
        away = SURE * self.standard_error
        return max(self.value - away, 0.0), min(self.value + away, 1.0)


@dataclass(frozen=True)
class Shares:
    """The variance of the objective, in parts.

    Attributes:
        effects: the share of each main effect, and of each pair that was looked at.
        alone: the share of all main effects together.
        explained: the share that the model explains of the variance of evaluations that it hasn't
            seen; negative for a model that is worse than their mean.
        threshold: the objective up to which all counted as equally bad; None for none.
        num_used: how many evaluations this is from, after those that are nearly equal were thinned
            out.
    """

    effects: dict[Effect, Share]
    alone: Share
    explained: float
    threshold: float | None
    num_used: int


def shares_of_variance(
    dimensions: Sequence[Dimension],
    X: Array,
    y: Array,
    *,
    pairs: bool,
    best: float | None,
    seed: int,
) -> Shares | None:
    """Return the shares of the variance that objectives have over the whole space.

    None stands for no variance.

    Args:
        dimensions: d of them.
        X: points, shape (n, d), without NaN; n is at least 10.
        y: objectives to maximize, shape (n,).
        pairs: whether to look at interactions of two dimensions.
        best: the share of the space, by volume, outside which all objectives count as equally bad;
            None for none.
        seed: decides which evaluations the model sees.
    """
    # At these sizes more threads only wait for one another.
    with threadpool_limits(limits=1, user_api="blas"):
        rng = np.random.default_rng(seed)
        kept = spread(dimensions, X, rng)[:_MOST_UNSEEN]
        X, y = X[kept], y[kept]
        threshold = None
        if best is not None:
            threshold = _quantile(y, weights(dimensions, X), 1 - best)
            y = np.maximum(y, threshold)
        y = y / (np.abs(y).max() or 1.0)  # squares of very large ones would overflow
        if not y.std() > _EQUAL:
            return None
        turn = _Turns(dimensions, X, (y - y.mean()) / y.std())
        effects: list[Effect] = [(k,) for k in range(len(dimensions))]
        if pairs:
            effects += turn.strongest([*combinations(range(len(dimensions)), 2)])
        return turn.shares(effects, threshold)


class _Turns:
    """Models of which each has seen other evaluations.

    Args:
        dimensions: d of them.
        X: points, shape (n, d), in random order.
        y: objectives, standardized, shape (n,).
    """

    def __init__(self, dimensions: Sequence[Dimension], X: Array, y: Array) -> None:
        self._dimensions, self._X, self._y = dimensions, X, y
        self._turn = np.arange(len(y)) % _TURNS
        self._weights = weights(dimensions, X)
        start = fitted(dimensions, X, y, None)
        self._models = [self._model(turn, start) for turn in range(_TURNS)]

    def _model(self, turn: int, start: Array) -> Posterior:
        """Return the model that has seen the evaluations of all other turns."""
        seen = np.flatnonzero(self._turn[:MOST_SEEN] != turn)
        X, y = self._X[seen], self._y[seen]
        if len(self._y) <= _MOST_REFITTED:
            start = fitted(self._dimensions, X, y, start)
        return Posterior(self._dimensions, start, X, y)

    def strongest(self, effects: Sequence[Effect]) -> list[Effect]:
        """Return the effects that have most variance in the models, if there are very many."""
        if len(effects) <= _MOST_PAIRS:
            return list(effects)
        order = sorted(effects, key=self._models[0].variance, reverse=True)
        return sorted(order[:_MOST_PAIRS])

    def shares(self, effects: Sequence[Effect], threshold: float | None) -> Shares:
        """Return the shares of effects; the threshold is passed on."""
        whole, parts, missed = self._unseen(effects)
        w = self._weights
        rest = float(np.average(missed**2, weights=w))
        # How much each evaluation moves the estimated variances.
        moves_whole = w * (2 * whole * missed + missed**2)
        moves = w * 2 * parts * missed
        measured = float(np.average((self._y - np.average(self._y, weights=w)) ** 2, weights=w))
        variance = float(np.mean([m.total_variance() for m in self._models]) + moves_whole.mean())
        # What was measured says little of parts that were hardly seen, but it bounds a wild model.
        variance = max(variance, _LEAST_VARIANCE * measured)
        values, doubts = [], []
        for effect, move in zip(effects, moves, strict=True):
            own = float(np.mean([model.variance(effect) for model in self._models]))
            more, doubt = self._missed_variance(effect, missed, rest)
            values.append((own + move.mean() + more) / variance)
            doubts.append(float(np.hypot(doubt, self._models[0].doubt(effect))))
        # Of what is missed and isn't noise, each effect may have as much as of what is found, and
        # one of which little is found as much as if all had random parts.
        noise = float(np.mean([model.noise for model in self._models]))
        excess = max(rest - noise, 0.0)
        found = max(sum(max(value, 0.0) for value in values), _LEAST_FOUND)
        least = found / math.sqrt(len(effects))
        d = len(self._dimensions)
        alone = (moves[:d].sum(axis=0), sum(values[:d]), float(np.hypot.reduce(doubts[:d])))
        shares = []
        for move, value, doubt in [*zip(moves, values, doubts, strict=True), alone]:
            each = move - value * moves_whole
            scatter = float(each.std()) / math.sqrt(len(each))
            error = math.hypot(scatter, doubt, excess * max(value, least) / found) / variance
            shares.append(Share(float(min(max(value, 0.0), 1.0)), min(error, 1.0)))
        return Shares(
            effects=dict(zip(effects, shares[:-1], strict=True)),
            alone=shares[-1],
            explained=1 - rest / variance,
            threshold=threshold,
            num_used=len(missed),
        )

    def _unseen(self, effects: Sequence[Effect]) -> tuple[Array, Array, Array]:
        """Return what models that haven't seen them say of evaluations.

        Returns:
            The expected objectives without their mean, shape (n,); the effects in these, shape
            (e, n); and by how much the true objectives differ, without the mean of that.
        """
        n = len(self._y)
        whole, parts, missed = np.empty(n), np.empty((len(effects), n)), np.empty(n)
        for turn, model in enumerate(self._models):
            unseen = self._turn == turn
            whole[unseen], parts[:, unseen] = model.effects(self._X[unseen], effects)
            missed[unseen] = self._y[unseen] - model.mean - whole[unseen]
        return whole, parts, missed - np.average(missed, weights=self._weights)

    def _missed_variance(self, effect: Effect, missed: Array, rest: float) -> tuple[float, float]:
        """Return the variance of an effect of what the models miss, and its standard error.

        The variance is looked for in as many functions as there is data for, the error is that of
        functions of all degrees.

        Args:
            effect: the effect.
            missed: by the models, of mean 0.
            rest: the variance of that.
        """
        bases = [self._dimensions[k].basis()(self._X[:, k]) for k in effect]
        few = max(1, len(self._y) // _PER_FUNCTION)
        if len(bases) == 1:
            whole, some = bases[0], bases[0][:, :few]
        else:
            each = min(_PAIR_DEGREE, math.isqrt(few))
            first, second = bases
            whole, some = (_products(first, second, degree) for degree in (_PAIR_DEGREE, each))
        _, error = self._square(whole, missed)
        value, own_error = self._square(some, missed)
        value *= value**2 / (value**2 + own_error**2) if value > 0 else 0.0
        return min(value, rest), min(error, rest / 2)

    def _square(self, basis: Array, missed: Array) -> tuple[float, float]:
        """Return the variance of what is missed in the span of a basis, and its standard error.

        It is estimated by products of two different unseen evaluations, in which noise cancels out.
        """
        total = error = mass = 0.0
        for turn in range(_TURNS):
            unseen = self._turn == turn
            weights = self._weights[unseen]
            each = (weights * missed[unseen])[:, None] * basis[unseen]
            products = each.T @ each
            own = (each**2).sum(axis=1)
            total += float((each.sum(axis=0) ** 2).sum() - own.sum())
            error += 2 * max(float((products**2).sum() - own @ own), 0.0)
            mass += float(weights.sum()) ** 2
        return max(total, 0.0) / mass, math.sqrt(error) / mass


def _products(one: Array, other: Array, degree: int) -> Array:
    """Return the products of the first functions of two bases, shape (n, degree ** 2)."""
    products = one[:, :degree, None] * other[:, None, :degree]
    return products.reshape(len(one), -1)


def _quantile(values: Array, masses: Array, share: float) -> float:
    """Return the value below which a share of the mass is."""
    order = np.argsort(values)
    below = np.cumsum(masses[order]) / masses.sum()
    return float(values[order][min(int(np.searchsorted(below, share)), len(values) - 1)])


def fitted(
    dimensions: Sequence[Dimension], X: Array, y: Array, start: Array | None
) -> NDArray[np.float64]:
    """Return parameters that are fitted to the first of some evaluations.

    Args:
        dimensions: d of them.
        X: points, shape (n, d), in random order.
        y: objectives, shape (n,).
        start: what the search for the parameters begins with, or None.
    """
    most = min(_MOST_FITTED, math.isqrt(_MOST_NUMBERS // len(dimensions)))
    X, y = X[:most], y[:most]
    likelihood = Likelihood(dimensions, X, (y - y.mean()) / (y.std() or 1.0))
    return likelihood.maximize(start, _ITERATIONS if start is None else _ITERATIONS_AGAIN)
