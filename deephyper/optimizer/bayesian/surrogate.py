"""What the model says about candidates: the factor, the values of its points, the incumbent.

Everything here is in units of the transformed objective; the factor's are those of its prior, and
the signal variance stands between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.acquisition import (
    log_expected_improvement,
    log_expected_improvement_slopes,
    log_feasible,
    temper,
)
from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.kernel import SIGNAL_WEIGHT
from deephyper.optimizer.bayesian.posterior import Belief

_MIN_VARIANCE = 1e-10


@dataclass
class Outlook:
    """Prediction at m candidates.

    Attributes:
        mean, std: of the transformed objective, shape (m,).
        risk, risk_std: prediction of failure (1, no failure is 0) and its deviation, shape (m,);
            None when nothing failed so far.
    """

    mean: Array
    std: Array
    risk: Array | None = None
    risk_std: Array | None = None

    def acquisition(self, best: float) -> Array:
        """Log expected improvement over `best`, times the probability that it doesn't fail."""
        return self.weigh_risk(log_expected_improvement(self.mean, self.std, best))

    def weigh_risk(self, value: Array) -> Array:
        """Log expected improvement times the probability that the evaluation doesn't fail."""
        if self.risk is None or self.risk_std is None:
            return value
        return temper(value) + log_feasible(self.risk, self.risk_std)


class Surrogate:
    """A factor and what is known at its points: results, failures, or nothing yet.

    Args:
        factor: over all points: first those with results, then failed, then pending ones.
        values: the results, transformed, shape (k,).
        n_failed: how many failed points follow them.
    """

    def __init__(self, factor: Factor, values: Array, n_failed: int) -> None:
        self.factor = factor
        n = len(values)
        self._known = np.zeros(factor.capacity, dtype=bool)
        self._known[:n] = True
        self._objective = Belief(factor, values[None, :])
        self._failure: Belief | None = None
        """Of two quantities, that a point failed (1 or 0) and that it was told (1)."""
        if n_failed:
            told = np.ones((2, n + n_failed))
            told[0, :n] = 0.0
            self._failure = Belief(factor, told)
        self._n_known, self._n_failed = n, n_failed
        self._z = np.zeros((1, 0))
        self._stale = True

    @property
    def knows_failures(self) -> bool:
        """Whether it predicts failure; it does when some points had failed when it was made."""
        return self._failure is not None

    def append(self, x: Array) -> tuple[Array, float]:
        """Append a pending point, shape (p,); returns what `Factor.append` does."""
        # Its value is what the model predicts there: nothing changes for the mean elsewhere, and
        # its own row has nothing to say.
        row, diagonal = self.factor.append(x)
        self._objective.append()
        if self._failure is not None:
            self._failure.append()
        if not self._stale:
            self._z = np.concatenate([self._z, np.zeros((len(self._z), 1))], axis=1)
        return row, diagonal

    def set_result(self, row: int, value: float) -> None:
        """The result of a pending point, transformed."""
        self._objective.learn(row, np.array([value]))
        if self._failure is not None:
            self._failure.learn(row, np.array([0.0, 1.0]))
        self._known[row] = self._stale = True
        self._n_known += 1

    def set_failed(self, row: int) -> None:
        """A pending point's evaluation failed; for surrogates that know failures."""
        assert self._failure is not None
        self._failure.learn(row, np.array([1.0, 1.0]))
        self._stale = True
        self._n_failed += 1

    def std_without(self, row: int) -> float:
        """Standard deviation at a point that is in the model, as if it weren't."""
        of_noisy = 1.0 / float(np.square(self.factor.inverse[:, row]).sum())
        rest = max(of_noisy - (self.factor.variance - 1.0), _MIN_VARIANCE)
        self._condition()
        return math.sqrt(rest * self._signal)

    @property
    def best(self) -> float:
        """The highest posterior mean at a finished point: noise doesn't make an incumbent."""
        self._condition()
        return self._best

    @property
    def z(self) -> Array:
        """Rows that turn solves into means: of the objective and, if any failed, of failure."""
        self._condition()
        return self._z

    def outlook(self, means: Array, explained: Array) -> Outlook:
        """Prediction from z times the solves, shape (1 or 2, m), and their squared norms, (m,)."""
        rest = np.sqrt(np.maximum(1.0 - explained, _MIN_VARIANCE))
        std = rest * math.sqrt(self._signal)
        if len(means) == 1:
            return Outlook(means[0], std)
        spread = math.sqrt(self._rate * (1.0 - self._rate))
        return Outlook(means[0], std, means[1] + self._rate, rest * spread)

    def outlook_at(self, solves: Array) -> Outlook:
        """Prediction from the solves of candidates, shape (n, m)."""
        return self.outlook(self.z @ solves, np.einsum("ij,ij->j", solves, solves))

    def slope(self, x: Array, best: float) -> tuple[Array, Array]:
        """Acquisition of a few rows of features, shape (m,), and its gradient by their numbers.

        The gradient, shape (m, n_numbers), leaves the risk of failure out of account.
        """
        factor, z = self.factor, self.z
        k, gradient = factor.covariance.with_slopes(factor.x, x)
        a = factor.inverse
        solves = a @ k
        outlook = self.outlook_at(solves)
        value = log_expected_improvement(outlook.mean, outlook.std, best)
        by_mean, by_std = log_expected_improvement_slopes(outlook.mean, outlook.std, best, value)
        # d mean = dk' A'z, and d std = - signal dk' A'A k / std
        back = np.concatenate([z[:1].T, solves], axis=1)
        back = a.T @ back
        weights = by_mean * back[:, :1] - by_std * (self._signal / outlook.std) * back[:, 1:]
        return outlook.weigh_risk(value), gradient(weights)

    def _condition(self) -> None:
        """Means, signal variance and incumbent from what is known now."""
        if not self._stale:
            return
        factor, n = self.factor, self.factor.n
        values = self._objective.values[0]
        z = factor.inverse @ values
        # Points without a result contribute nothing to z'z.
        self._signal = (float(z @ z) + SIGNAL_WEIGHT) / (self._n_known + SIGNAL_WEIGHT)
        noise = factor.variance - 1.0
        smoothed = values - noise * (z @ factor.inverse)
        known = self._known[:n]
        self._best = float(smoothed[known].max()) if self._n_known else 0.0
        if self._failure is not None:
            self._rate = (self._n_failed + 0.5) / (self._n_known + self._n_failed + 1.0)
            failed, told = self._failure.values
            self._z = np.stack([z, factor.inverse @ (failed - self._rate * told)])
        else:
            self._z = z[None, :]
        self._stale = False
