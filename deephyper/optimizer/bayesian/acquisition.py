"""The acquisition function: the logarithm of expected improvement, weighed by feasibility.

Ament, Daulton, Eriksson, Balandat and Bakshy (2023), Unexpected improvements to expected
improvement for Bayesian optimization: where expected improvement underflows to 0 and every
candidate looks alike, its logarithm still tells them apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from deephyper.optimizer.arrays import Array

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_SQRT_HALF_PI = math.sqrt(0.5 * math.pi)
_TAIL = -12.0
"""A log expected improvement v below this becomes _TAIL - log(1 + _TAIL - v)."""
_STEEPEST = 300.0
"""The largest logarithm of a slope, so that the squares of slopes are finite."""
_MIN_RISK_STD = 0.05
"""The standard deviation s of a predicted failure becomes sqrt(s^2 + _MIN_RISK_STD^2)."""


@dataclass
class PosteriorMoments:
    """Means and standard deviations that a surrogate predicts at m candidates.

    Attributes:
        mean, std: of the transformed objective, shape (m,).
        risk, risk_std: of failure, which is 1, and 0 where there is none, shape (m,); None when
            nothing has failed so far.
    """

    mean: Array
    std: Array
    risk: Array | None = None
    risk_std: Array | None = None


class Acquisition(Protocol):
    """A function of the predicted moments by which candidates are ranked; larger is better."""

    def __call__(self, moments: PosteriorMoments, best: float) -> Array:
        """Return the value of each candidate, shape (m,).

        Args:
            moments: of the candidates.
            best: the objective to be exceeded, transformed.
        """
        ...

    def slopes(self, moments: PosteriorMoments, best: float) -> tuple[Array, Array, Array]:
        """Return the values and their derivatives by mean and by standard deviation, shape (m,).

        The derivatives may leave a part of the value out of account: a climb takes no step that
        lowers the value.
        """
        ...


class LogExpectedImprovement:
    """Log expected improvement plus the log probability that the evaluation doesn't fail."""

    def __call__(self, moments: PosteriorMoments, best: float) -> Array:
        return _weigh_risk(log_expected_improvement(moments.mean, moments.std, best), moments)

    def slopes(self, moments: PosteriorMoments, best: float) -> tuple[Array, Array, Array]:
        """Return the values, and the derivatives of log expected improvement alone."""
        mean, std = moments.mean, moments.std
        value = log_expected_improvement(mean, std, best)
        by_mean, by_std = log_expected_improvement_slopes(mean, std, best, value)
        return _weigh_risk(value, moments), by_mean, by_std


def log_expected_improvement(mean: Array, std: Array, best: float) -> Array:
    """Return log E[max(f - best, 0)] for normal f, elementwise.

    Args:
        mean: predicted means, shape (m,).
        std: predicted standard deviations, positive, shape (m,).
        best: the objective to be exceeded.
    """
    z = (mean - best) / std
    out = np.empty_like(z)
    near = z > -1.0
    high = z[near]
    density = np.exp(-0.5 * high * high - _LOG_SQRT_2PI)
    out[near] = np.log(density + high * ndtr(high))
    # h(z) = phi(z) (1 - |z| Phi(z) / phi(z)), and the ratio is a scaled complementary error
    # function; far out, 1 - |z| ratio is 1 / z^2.
    low = -z[~near]
    gap = 1.0 - low * _SQRT_HALF_PI * erfcx(low / math.sqrt(2.0))
    far = low > 1e3
    gap[far] = 1.0 / low[far] ** 2
    out[~near] = -0.5 * low * low - _LOG_SQRT_2PI + np.log(np.maximum(gap, 1e-300))
    return np.asarray(out + np.log(std))


def log_expected_improvement_slopes(
    mean: Array, std: Array, best: float, value: Array
) -> tuple[Array, Array]:
    """Return the derivatives of log expected improvement by mean and by standard deviation.

    Args:
        mean, std, best: as for `log_expected_improvement`.
        value: what that returned, shape (m,).
    """
    z = (mean - best) / std
    # Far out these are differences of huge numbers, of which rounding leaves anything.
    by_mean = np.exp(np.minimum(log_ndtr(z) - value, _STEEPEST))
    by_std = np.exp(np.minimum(-0.5 * z * z - _LOG_SQRT_2PI - value, _STEEPEST))
    return by_mean, by_std


def log_feasible(risk: Array, std: Array) -> Array:
    """Return the log probability that an evaluation doesn't fail, shape (m,).

    Expected improvement is multiplied by the probability, after Gelbart, Snoek and Adams (2014),
    Bayesian optimization with unknown constraints. Failure is predicted like an objective that is 0
    or 1, and counts as none below 1/2: the probability is Phi((1/2 - risk) / std), where std has a
    lower bound so that many failures in one place don't make it a step function.

    Args:
        risk: predicted failure, shape (m,).
        std: standard deviation of that prediction, shape (m,).
    """
    return np.asarray(log_ndtr((0.5 - risk) / np.sqrt(std * std + _MIN_RISK_STD**2)))


def compress_tail(value: Array) -> Array:
    """Return log expected improvements, logarithmically compressed below `_TAIL`; order stays.

    Where everything safe has been tried they are in the negative hundreds, and without compression
    a candidate that is sure to fail would still rank higher than these.
    """
    return np.where(value < _TAIL, _TAIL - np.log1p(np.maximum(_TAIL - value, 0.0)), value)


def _weigh_risk(value: Array, moments: PosteriorMoments) -> Array:
    """Return log expected improvements with the log probability of success added."""
    if moments.risk is None or moments.risk_std is None:
        return value
    return compress_tail(value) + log_feasible(moments.risk, moments.risk_std)
