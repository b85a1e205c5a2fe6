"""How much a candidate promises: the logarithm of expected improvement.

Ament, Daulton, Eriksson, Balandat and Bakshy (2023), Unexpected improvements to expected
improvement for Bayesian optimization: where expected improvement underflows to 0 and every
candidate looks alike, its logarithm still tells them apart.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from deephyper.optimizer.arrays import Array

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_SQRT_HALF_PI = math.sqrt(0.5 * math.pi)
_FAINT = -12.0
"""Log expected improvement below which its size says little."""
_DOUBT = 0.05
"""Deviation of the prediction of failure that remains however many evaluations failed."""


def log_expected_improvement(mean: Array, std: Array, best: float) -> Array:
    """log E[max(f - best, 0)] for normal f, elementwise.

    Args:
        mean: predicted means, shape (n,).
        std: predicted standard deviations, positive, shape (n,).
        best: what is to be exceeded.
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
    return out + np.log(std)


def log_expected_improvement_slopes(
    mean: Array, std: Array, best: float, value: Array
) -> tuple[Array, Array]:
    """Derivatives of log expected improvement, whose value is given, by mean and by deviation."""
    z = (mean - best) / std
    by_mean = np.exp(log_ndtr(z) - value)
    by_std = np.exp(-0.5 * z * z - _LOG_SQRT_2PI - value)
    return by_mean, by_std


def log_feasible(risk: Array, std: Array) -> Array:
    """Log probability that an evaluation doesn't fail, shape (n,).

    Expected improvement is multiplied by it, after Gelbart, Snoek and Adams (2014), Bayesian
    optimization with unknown constraints.

    Failure is predicted like an objective that is 0 or 1, and below a half counts as none: where
    many evaluations failed the deviation is small, and the answer as good as no.

    Args:
        risk: predicted failure, shape (n,).
        std: standard deviation of that prediction, shape (n,).
    """
    out: Array = log_ndtr((0.5 - risk) / np.sqrt(std * std + _DOUBT**2))
    return out


def temper(value: Array) -> Array:
    """Log expected improvement, compressed far below zero; its order stays.

    Where all that is safe is known, its improvement has a logarithm of minus hundreds, and no risk
    of failure would be too high to take instead.
    """
    return np.where(value < _FAINT, _FAINT - np.log1p(np.maximum(_FAINT - value, 0.0)), value)
