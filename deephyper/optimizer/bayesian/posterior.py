"""The values of points without a result, given those with one, kept up to date point by point.

Conditioning a Gaussian on one more value changes the others' means by their covariance with it, and
their covariance by a rank-one update (Rasmussen and Williams, 2006, Gaussian Processes for Machine
Learning, A.6). So a result costs the square of the number of points without one, and no system is
solved again.
"""

from __future__ import annotations

import numpy as np

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.factor import Factor

_LEAST_SCALE = 1e-4
"""Of the variance of a point that an estimate is taken back of, as a share of the one after."""


class Posterior:
    """Values of all points of a factor; unknown ones are predicted from the known ones.

    Args:
        factor: with no point appended yet.
        values: of its first points, shape (r, k): r quantities, of which all k are known.
    """

    def __init__(self, factor: Factor, values: Array) -> None:
        r, k = values.shape
        n, capacity = factor.n, factor.capacity
        self._factor = factor
        self._values = np.zeros((r, capacity))
        self._values[:, :k] = values
        lower = factor.lower
        self._values[:, k:n] = values @ factor.inverse[:k, :k].T @ lower[k:, :k].T
        self._unknown = np.arange(k, n)
        """Points without a value, in the order of the rows of their covariance."""
        self._covariance = np.empty((capacity - k, capacity - k))
        self._covariance[: n - k, : n - k] = lower[k:, k:] @ lower[k:, k:].T
        self._estimates: dict[int, tuple[float, Array]] = {}
        """Precision, and precision times values, of what was taken in for points without any."""

    @property
    def values(self) -> Array:
        """Known and predicted values, shape (r, n)."""
        return self._values[:, : self._factor.n]

    def append(self) -> None:
        """Take in the point that was last appended to the factor; its value isn't known."""
        i = self._factor.n - 1
        last = self._factor.inverse[i]
        # Given all the others, it is their sum with these weights, and noise of this size.
        std = 1.0 / last[i]
        weights = last[:i] * -std
        self._values[:, i] = self._values[:, :i] @ weights
        m = len(self._unknown)
        covariance = self._covariance
        with_others = covariance[:m, :m] @ weights[self._unknown]
        covariance[m, :m] = covariance[:m, m] = with_others
        covariance[m, m] = with_others @ weights[self._unknown] + std**2
        self._unknown = np.append(self._unknown, i)

    def observe(self, row: int, values: Array) -> None:
        """Set the values, shape (r,), of a point that had none."""
        m = len(self._unknown) - 1
        j = int(np.flatnonzero(self._unknown == row)[0])
        covariance = self._covariance[: m + 1, : m + 1]
        precision, _ = self._estimates.pop(row, (0.0, None))
        gain = covariance[j] / max(covariance[j, j], self._least_variance(precision))
        error = values - self._values[:, row]
        self._values[:, self._unknown] += error[:, None] * gain
        self._values[:, row] = values
        covariance -= gain[:, None] * covariance[j].copy()
        # The last one takes its place.
        covariance[j] = covariance[m]
        covariance[:, j] = covariance[:, m]
        covariance[j, j] = covariance[m, m]
        self._unknown[j] = self._unknown[m]
        self._unknown = self._unknown[:m]

    def estimate(self, row: int, values: Array, variance: float) -> float | None:
        """Take in values, shape (r,), that a point without any has give or take a further variance.

        It stays without a value: what is known of it is what the others and this say together. They
        replace those that were taken in for it before.

        Returns:
            How much of a value that is, between 0 and 1. None, and nothing has changed, if those
            before said so much more that rounding would show when they are taken back.
        """
        m = len(self._unknown)
        j = int(np.flatnonzero(self._unknown == row)[0])
        covariance = self._covariance[:m, :m]
        before, sums_before = self._estimates.get(row, (0.0, np.zeros(len(values))))
        # Precisions add up, and so do products of precision and value.
        precision = 1.0 / max(variance, 1e-3 * self._factor.noise)
        own = max(covariance[j, j], self._least_variance(before))
        scale = 1.0 + own * (precision - before)
        if scale < _LEAST_SCALE:
            return None
        error = precision * values - sums_before - (precision - before) * self._values[:, row]
        gain = covariance[j] / scale
        self._values[:, self._unknown] += error[:, None] * gain
        covariance -= (gain * (precision - before))[:, None] * covariance[j].copy()
        self._estimates[row] = precision, precision * values
        alone = own / max(1.0 - own * before, _LEAST_SCALE)  # its variance without any of them
        return float(alone * precision / (1.0 + alone * precision))

    def withdraw(self, row: int) -> bool:
        """Take back the estimate of a point, if there is one; return whether that was possible."""
        return row not in self._estimates or self.estimate(row, self._values[:, row], np.inf) == 0.0

    def _least_variance(self, precision: float) -> float:
        """Return the least variance of a point without a value: rounding can leave less.

        There is noise in each, and an estimate of this precision.
        """
        return 1.0 / (2.0 / self._factor.noise + precision)
