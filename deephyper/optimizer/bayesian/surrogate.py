"""The model's prediction for candidates, from the factor and the values of its points.

Everything here is in units of the transformed objective; the factor's are those of its prior, and
the signal variance stands between them.
"""

from __future__ import annotations

import math

import numpy as np

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.acquisition import Acquisition, PosteriorMoments
from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.kernel import SIGNAL_WEIGHT
from deephyper.optimizer.bayesian.posterior import Posterior

_MIN_VARIANCE = 1e-10


class Surrogate:
    """A factor and the results at its points, which may be failures or still be missing.

    Args:
        factor: over all points: first those with results, then failed, then pending ones.
        values: the results, transformed, shape (k,).
        n_failed: how many failed points follow them.
        learns: whether results of pending points can be set. Without that, appending is cheaper.

    Attributes:
        factor, learns: as given.
    """

    def __init__(
        self, factor: Factor, values: Array, n_failed: int, *, learns: bool = True
    ) -> None:
        self.factor = factor
        self.learns = learns
        n = len(values)
        self._known = np.zeros(factor.capacity, dtype=bool)
        self._known[:n] = True
        self._objective = Posterior(factor, values[None, :])
        self._failure: Posterior | None = None
        """Of two quantities: that a point failed (1 or 0), and that it was observed (1)."""
        if n_failed:
            observed = np.ones((2, n + n_failed))
            observed[0, :n] = 0.0
            self._failure = Posterior(factor, observed)
        self._n_known, self._n_failed = n, n_failed
        self._worth: dict[int, float] = {}
        """What the estimates are worth, in results, by row."""
        self._z = np.zeros((1 if self._failure is None else 2, factor.capacity))
        """What is not yet appended is 0."""
        self._stale = True

    @property
    def models_failures(self) -> bool:
        """True if it predicts failure: if some points had failed when it was made."""
        return self._failure is not None

    def append(self, x: Array, solve: Array | None = None) -> tuple[Array, float]:
        """Append a pending point; arguments and return value are those of `Factor.append`."""
        # Its value is what the model predicts there, which changes the mean nowhere.
        if not self.learns:
            self._condition()  # while every value is known
            return self.factor.append(x, solve)
        row, diagonal = self.factor.append(x, solve)
        self._objective.append()
        if self._failure is not None:
            self._failure.append()
        return row, diagonal

    def set_result(self, row: int, value: float) -> None:
        """Set the result of a pending point, transformed."""
        self._worth.pop(row, None)
        self._objective.observe(row, np.array([value]))
        if self._failure is not None:
            self._failure.observe(row, np.array([0.0, 1.0]))
        self._known[row] = self._stale = True
        self._n_known += 1

    def set_estimate(self, row: int, value: float, std: float) -> bool:
        """Set what is expected of a pending point's result, transformed, and how surely.

        It replaces what was expected of it before. The mean of the model is what it would be with
        an observation of so much noise there. Its standard deviation is that of a model that will
        know the result, as at all pending points.

        Returns:
            False, and nothing has changed, if a new surrogate has to be made for it.
        """
        self._condition()
        variance = std * std / self._signal
        worth = self._objective.estimate(row, np.array([value]), variance)
        if worth is None:
            return False
        self._worth[row] = worth
        self._stale = True
        return True

    def set_failed(self, row: int) -> bool:
        """Set a pending point's evaluation to failed; for surrogates that model failures.

        Returns:
            False, and nothing has changed, if a new surrogate has to be made for it.
        """
        assert self._failure is not None
        if not self._objective.withdraw(row):
            return False
        self._worth.pop(row, None)
        self._failure.observe(row, np.array([1.0, 1.0]))
        self._stale = True
        self._n_failed += 1
        return True

    def std_without(self, row: int) -> float:
        """Return the standard deviation at a point of the model as if it weren't one."""
        of_noisy = 1.0 / float(np.square(self.factor.inverse[:, row]).sum())
        rest = max(of_noisy - self.factor.noise, _MIN_VARIANCE)
        self._condition()
        return math.sqrt(rest * self._signal)

    @property
    def best(self) -> float:
        """The incumbent: the highest posterior mean at a finished point, free of its noise."""
        self._condition()
        return self._best

    @property
    def z(self) -> Array:
        """Rows that turn solves into means: of the objective and, if any failed, of failure."""
        self._condition()
        return self._z[:, : self.factor.n]

    def moments(self, means: Array, explained: Array) -> PosteriorMoments:
        """Return the prediction at m candidates.

        Args:
            means: z times their solves, shape (1 or 2, m).
            explained: squared norms of their solves, shape (m,).
        """
        rest = np.sqrt(np.maximum(1.0 - explained, _MIN_VARIANCE))
        std = rest * math.sqrt(self._signal)
        if len(means) == 1:
            return PosteriorMoments(means[0], std)
        spread = math.sqrt(self._rate * (1.0 - self._rate))
        return PosteriorMoments(means[0], std, means[1] + self._rate, rest * spread)

    def moments_at(self, solves: Array) -> PosteriorMoments:
        """Return the prediction at candidates, given their solves, shape (n, m)."""
        return self.moments(self.z @ solves, np.einsum("ij,ij->j", solves, solves))

    def slope(self, x: Array, acquisition: Acquisition, best: float) -> tuple[Array, Array]:
        """Return the acquisition of candidates, and its gradient with respect to their numbers.

        Args:
            x: their features, shape (m, p); a few rows.
            acquisition: the acquisition function.
            best: the objective to be exceeded, transformed.

        Returns:
            The values, shape (m,), and the gradient, shape (m, n_numbers), which leaves the risk of
            failure out of account.
        """
        factor, z = self.factor, self.z
        k, gradient = factor.covariance.with_slopes(factor.x, x)
        a = factor.inverse
        solves = a @ k
        moments = self.moments_at(solves)
        value, by_mean, by_std = acquisition.slopes(moments, best)
        # d mean = dk' A'z, and d std = - signal dk' A'A k / std
        back = np.concatenate([z[:1].T, solves], axis=1)
        back = a.T @ back
        weights = by_mean * back[:, :1] - by_std * (self._signal / moments.std) * back[:, 1:]
        return value, gradient(weights)

    def _condition(self) -> None:
        """Update means, signal variance and incumbent to the results so far."""
        if not self._stale:
            return
        factor, n = self.factor, self.factor.n
        values = self._objective.values[0]
        z = factor.inverse @ values
        # Points without a result contribute nothing to z'z, and those with an estimate a part.
        n_worth = self._n_known + sum(self._worth.values()) + SIGNAL_WEIGHT
        self._signal = (float(z @ z) + SIGNAL_WEIGHT) / n_worth
        smoothed = values - factor.noise * (z @ factor.inverse)
        known = self._known[:n]
        self._best = float(smoothed[known].max()) if self._n_known else 0.0
        if self._failure is not None:
            self._rate = (self._n_failed + 0.5) / (self._n_known + self._n_failed + 1.0)
            failed, observed = self._failure.values
            self._z[1, :n] = factor.inverse @ (failed - self._rate * observed)
        self._z[0, :n] = z
        self._stale = False
