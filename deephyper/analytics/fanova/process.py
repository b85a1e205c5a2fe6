"""A Gaussian process whose functions split exactly into main effects and interactions.

Its kernel is the product over the dimensions of ``1 + theta_i k_i``, with kernels ``k_i`` of mean
0. Multiplied out, each product of some ``theta_i k_i`` is the kernel of one interaction of these
dimensions alone, so that the effects of the posterior and their variances are sums in closed form
(Durrande et al., 2013).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve, lapack

from deephyper.analytics.fanova.dimension import Array, Centered, Dimension

_LENGTHS, _THETAS, _NOISES = (0.03, 10.0), (1e-4, 30.0), (1e-7, 1e3)
# Medians and logarithmic standard deviations of the prior, which decides where data say little.
_LENGTH_PRIOR, _THETA_PRIOR, _NOISE_PRIOR = (0.5, 1.0), (0.3, 2.0), (1e-3, 4.0)
_STARTS = (1.0, 1e-2, 1e-5)
"""Noise that a first search for the best parameters starts with."""
_CHUNK = 1 << 21
"""Largest size of the matrices of a prediction."""

Effect = tuple[int, ...]
"""The dimensions of an effect: one for a main effect, two for an interaction of two."""


class Likelihood:
    """The posterior density of a process's parameters, which are logarithms of these: the length of
    each dimension, theta of each, and the variance of the noise as a multiple of the signal's.

    Args:
        dimensions: d of them.
        X: points, shape (n, d).
        y: objectives of mean 0 and variance 1, shape (n,).
    """

    def __init__(self, dimensions: Sequence[Dimension], X: Array, y: Array) -> None:
        self._dimensions = dimensions
        self._X, self._y = X, y
        self._pairs = np.tril_indices(len(y))
        i, j = self._pairs
        self._distances = [np.abs(column[i] - column[j]) for column in X.T]
        self._diagonal = np.flatnonzero(i == j)
        self._multiplicity = np.where(i == j, 1.0, 2.0)

    def maximize(self, start: Array | None, iterations: int) -> Array:
        """Return the best parameters that a search finds from ``start``, or from some places."""
        from scipy.optimize import minimize

        d = len(self._dimensions)
        bounds = [_LENGTHS] * d + [_THETAS] * d + [_NOISES]
        starts = [start] if start is not None else [_start(d, noise) for noise in _STARTS]
        found = [
            minimize(
                self.negative,
                each,
                jac=True,
                method="L-BFGS-B",
                bounds=np.log(bounds),
                options={"maxiter": iterations},
            )
            for each in starts
        ]
        return np.asarray(min(found, key=lambda each: float(each.fun)).x)

    def negative(self, parameters: Array) -> tuple[float, Array]:
        """Return the negative logarithm of the density, and its gradient."""
        n, d = len(self._y), len(self._dimensions)
        lengths, thetas, noise = _unpacked(parameters)
        kernels, slopes, before = [], [], [np.ones(len(self._pairs[0]))]
        for k, dimension in enumerate(self._dimensions):
            centered = Centered(dimension, lengths[k])
            kernel, slope = centered.packed(self._X[:, k], self._distances[k], self._pairs)
            kernels.append(kernel)
            slopes.append(slope)
            before.append(before[-1] * (1 + thetas[k] * kernel))
        covariance = np.zeros((n, n))
        covariance[self._pairs] = before[-1]
        covariance[np.diag_indices(n)] += noise
        factor, failed = lapack.dpotrf(covariance, lower=1)
        if failed:
            return 1e10, np.zeros_like(parameters)
        inverse = lapack.dpotri(factor, lower=1)[0][self._pairs]
        alpha = cho_solve((factor, True), self._y)
        variance = max(float(self._y @ alpha) / n, 1e-12)
        value = -n / 2 * np.log(variance) - float(np.log(np.diag(factor)).sum())
        i, j = self._pairs
        weight = (alpha[i] * alpha[j] / variance - inverse) * self._multiplicity
        gradient = np.empty_like(parameters)
        gradient[-1] = 0.5 * noise * weight[self._diagonal].sum()
        for k in reversed(range(d)):
            partial = before[k] * weight
            gradient[d + k] = 0.5 * thetas[k] * (partial @ kernels[k])
            gradient[k] = 0.5 * thetas[k] * (partial @ slopes[k])
            weight *= 1 + thetas[k] * kernels[k]
        medians, deviations = _prior(d)
        away = (parameters - medians) / deviations
        return -(value - 0.5 * float(away @ away)), -(gradient - away / deviations)


class Posterior:
    """A process that has seen evaluations.

    Args:
        dimensions: d of them.
        parameters: as :meth:`Likelihood.maximize` returns them.
        X: points, shape (n, d).
        y: their objectives, shape (n,).

    Attributes:
        mean: of the posterior over the whole space.
        noise: its variance.
    """

    def __init__(
        self, dimensions: Sequence[Dimension], parameters: Array, X: Array, y: Array
    ) -> None:
        lengths, self._thetas, noise = _unpacked(parameters)
        self._dimensions = dimensions
        self._kernels = [Centered(d, length) for d, length in zip(dimensions, lengths, strict=True)]
        self._X = X
        center, scale = float(y.mean()), float(y.std()) or 1.0
        covariance = np.ones((len(y), len(y)))
        for k, values in enumerate(X.T):
            covariance *= 1 + self._thetas[k] * self._kernels[k].between(values, values)
        covariance[np.diag_indices(len(y))] += noise
        self._factor = cho_factor(covariance, lower=True)
        standardized = (y - center) / scale
        weights = cho_solve(self._factor, standardized)
        self._signal = scale**2 * float(standardized @ weights) / len(y)
        self._weights = weights * scale
        self.noise = noise * self._signal
        self._center = center
        self.mean = center + float(self._weights.sum())
        self._profiles = [self._profile(k, d.rule.nodes) for k, d in enumerate(dimensions)]

    def _profile(self, k: int, values: Array) -> Array:
        """Return the kernel of a dimension between values and the points, shape (m, n)."""
        return float(self._thetas[k]) * self._kernels[k].between(values, self._X[:, k])

    def effects(self, X: Array, effects: Sequence[Effect]) -> tuple[Array, Array]:
        """Return what the posterior mean has more than its mean at points, and effects of it there.

        Args:
            X: points, shape (m, d).
            effects: e of them.

        Returns:
            Arrays of shape (m,) and (e, m).
        """
        whole, parts = np.empty(len(X)), np.empty((len(effects), len(X)))
        step = max(1, _CHUNK // (len(self._X) * len(self._dimensions)))
        for begin in range(0, len(X), step):
            some = slice(begin, begin + step)
            profiles = [self._profile(k, values) for k, values in enumerate(X[some].T)]
            product = np.ones_like(profiles[0])
            for profile in profiles:
                product *= 1 + profile
            whole[some] = (product - 1) @ self._weights
            for row, effect in enumerate(effects):
                parts[row, some] = _product([profiles[k] for k in effect]) @ self._weights
        return whole, parts

    def dependence(self, effect: Effect, values: Sequence[Array]) -> tuple[Array, Array]:
        """Return the mean over all other dimensions where some have given values.

        Args:
            effect: the dimensions with given values.
            values: those of each dimension, of shapes (a,), (b,), and so on.

        Returns:
            The expected mean and its standard deviation, both of shape (a, b, ...).
        """
        profile: Array = np.ones((1, len(self._X)))
        own: Array = np.ones(1)
        for k, each in zip(effect, values, strict=True):
            here = 1 + self._profile(k, each)
            profile = (profile[:, None] * here).reshape(-1, len(self._X))
            kernel = np.array([self._kernels[k].between(v, v)[0, 0] for v in each[:, None]])
            own = np.asarray(np.kron(own, 1 + float(self._thetas[k]) * kernel), dtype=float)
        mean = self._center + profile @ self._weights
        left = own - np.sum(profile.T * cho_solve(self._factor, profile.T), axis=0)
        shape = tuple(len(each) for each in values)
        deviation = np.sqrt(self._signal * np.maximum(left, 0.0))
        return mean.reshape(shape), deviation.reshape(shape)

    def total_variance(self) -> float:
        """Return the variance of the posterior mean over the space."""
        product = np.ones((len(self._X), len(self._X)))
        for profile, dimension in zip(self._profiles, self._dimensions, strict=True):
            product *= 1 + (profile.T * dimension.rule.masses) @ profile
        return max(float(self._weights @ (product - 1) @ self._weights), 0.0)

    def variance(self, effect: Effect) -> float:
        """Return the variance of an effect of the posterior mean over the space."""
        first, *second = effect
        masses = self._dimensions[first].rule.masses
        if not second:
            return float(masses @ (self._profiles[first] @ self._weights) ** 2)
        values = (self._profiles[first] * self._weights) @ self._profiles[second[0]].T
        return float(masses @ values**2 @ self._dimensions[second[0]].rule.masses)

    def doubt(self, effect: Effect) -> float:
        """Return the standard deviation of the variance of an effect, of functions drawn from here.

        That variance is a quadratic form of normal numbers.
        """
        rules = [self._dimensions[k].coarse for k in effect]
        covariance, profile = np.ones((1, 1)), np.ones((1, len(self._X)))
        masses: Array = np.ones(1)
        for k, rule in zip(effect, rules, strict=True):
            own = self._thetas[k] * self._kernels[k].between(rule.nodes, rule.nodes)
            covariance = np.kron(covariance, own)
            here = self._profile(k, rule.nodes)
            profile = (profile[:, None] * here).reshape(-1, len(self._X))
            masses = np.asarray(np.kron(masses, rule.masses), dtype=float)
        covariance = self._signal * (covariance - profile @ cho_solve(self._factor, profile.T))
        weighted = masses[:, None] * covariance
        values = masses * (profile @ self._weights)
        spread = 2 * float((weighted * weighted.T).sum()) + 4 * float(values @ covariance @ values)
        return float(np.sqrt(max(spread, 0.0)))


def _product(arrays: Sequence[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else arrays[0] * arrays[1]


def _unpacked(parameters: Array) -> tuple[Array, Array, float]:
    values = np.exp(parameters)
    d = len(values) // 2
    return values[:d], values[d : 2 * d], float(values[-1])


def _start(d: int, noise: float) -> Array:
    return np.log([_LENGTH_PRIOR[0]] * d + [_THETA_PRIOR[0]] * d + [noise])


def _prior(d: int) -> tuple[Array, Array]:
    each = [_LENGTH_PRIOR] * d + [_THETA_PRIOR] * d + [_NOISE_PRIOR]
    medians, deviations = np.array(each).T
    return np.log(medians), deviations
