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
        # Rounding can leave less of a variance than the noise that is in each.
        gain = covariance[j] / max(covariance[j, j], 0.5 * self._factor.noise)
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
