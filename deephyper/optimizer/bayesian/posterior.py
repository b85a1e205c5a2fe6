"""What the points with a value say about those without one, kept up to date point by point.

Conditioning a Gaussian on one more value changes the others' means by their covariance with it, and
their covariance by a rank of one (Rasmussen and Williams, 2006, Gaussian Processes for Machine
Learning, A.6). So a result costs the square of the number of points without one, and nothing is
solved anew.
"""

from __future__ import annotations

import numpy as np

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.factor import Factor


class Belief:
    """Values of all points of a factor; those that aren't known are predicted from those that are.

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
        self._open = np.arange(k, n)
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
        # Given all the others, it is their sum with these weights, and noise of this deviation.
        deviation = 1.0 / last[i]
        weights = last[:i] * -deviation
        self._values[:, i] = self._values[:, :i] @ weights
        m = len(self._open)
        covariance = self._covariance
        with_others = covariance[:m, :m] @ weights[self._open]
        covariance[m, :m] = covariance[:m, m] = with_others
        covariance[m, m] = with_others @ weights[self._open] + deviation**2
        self._open = np.append(self._open, i)

    def learn(self, row: int, values: Array) -> None:
        """The values of a point that had none, shape (r,)."""
        m = len(self._open) - 1
        j = int(np.flatnonzero(self._open == row)[0])
        covariance = self._covariance[: m + 1, : m + 1]
        gain = covariance[j] / covariance[j, j]
        surprise = values - self._values[:, row]
        self._values[:, self._open] += surprise[:, None] * gain
        self._values[:, row] = values
        covariance -= gain[:, None] * covariance[j].copy()
        # The last one takes its place.
        covariance[j] = covariance[m]
        covariance[:, j] = covariance[:, m]
        covariance[j, j] = covariance[m, m]
        self._open[j] = self._open[m]
        self._open = self._open[:m]
