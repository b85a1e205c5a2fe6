"""The Gaussian process: its kernel, the likelihood of its parameters, and their fit.

The kernel is a joint and an additive part, (1 - a) k(all hyperparameters) + a mean_g k(one), each
a Matern 5/2 with its own length scale per hyperparameter. Tuning landscapes are mostly sums of
low-order effects (Hutter, Hoos and Leyton-Brown, 2014, An efficient approach for assessing
hyperparameter importance), which the additive part learns from few points (Duvenaud, Nickisch and
Rasmussen, 2011, Additive Gaussian processes), while the joint part keeps interactions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from deephyper.optimizer.arrays import Array, Indices
from deephyper.optimizer.bayesian.features import Features

_Float = TypeVar("_Float", np.float32, np.float64)
_SQRT5 = math.sqrt(5.0)

# Priors, as (mean, standard deviation): lengths and noise on a log scale, the share as a logit.
# They were chosen by how well the next results of searches are predicted, and by searches
# themselves, on the design half of the benchmark; see RESULTS.md there.
_LOG_LENGTH_SD = 0.6
_LOG_ADDITIVE_LENGTH = math.log(0.5)
_LOG_NOISE = (-4.0, 2.0)
_LOGIT_SHARE = (0.0, 1.5)
SIGNAL_WEIGHT = 2.0
"""The signal variance is 1, that of the objectives, with the weight of so many results."""
_ENOUGH = 1e-5
"""A fit ends when an iteration gains less than this share of the log density."""
MIN_NOISE = 1e-6
"""Noise never falls below this share of the signal, so that every matrix can be factorized."""


@dataclass(frozen=True)
class Parameters:
    """Parameters of the kernel, for d hyperparameters.

    Attributes:
        joint: length scale of each hyperparameter in the joint part, shape (d,).
        additive: the same in the additive part, shape (d,).
        share: weight of the additive part, in (0, 1).
        noise: variance of the noise, relative to that of the signal.
    """

    joint: Array
    additive: Array
    share: float
    noise: float

    @classmethod
    def initial(cls, d: int) -> Parameters:
        """Return the center of the prior."""
        return cls(
            np.full(d, _joint_center(d)),
            np.full(d, math.exp(_LOG_ADDITIVE_LENGTH)),
            0.5,
            math.exp(_LOG_NOISE[0]),
        )

    def to_vector(self) -> Array:
        """Return the unconstrained form, shape (2 d + 2,)."""
        return np.concatenate(
            [
                np.log(self.joint),
                np.log(self.additive),
                [math.log(self.share / (1.0 - self.share)), math.log(self.noise)],
            ]
        )

    @classmethod
    def from_vector(cls, theta: Array) -> Parameters:
        """Return the parameters of an unconstrained form, shape (2 d + 2,)."""
        d = (len(theta) - 2) // 2
        share = 1.0 / (1.0 + math.exp(-theta[-2]))
        return cls(np.exp(theta[:d]), np.exp(theta[d : 2 * d]), share, math.exp(theta[-1]))


def _joint_center(d: int) -> float:
    return 0.35 * math.sqrt(max(d, 1))


def matern(s: NDArray[_Float]) -> NDArray[_Float]:
    """Turn scaled distances s = sqrt(5) r / length into Matern 5/2 correlations, in place."""
    decay = np.exp(-s)
    polynomial = s * (1.0 / 3.0)
    polynomial += 1.0
    s *= polynomial
    s += 1.0
    s *= decay
    return s


@dataclass
class ScaledRows:
    """Rows of features in the units of a kernel's length scales; m of them.

    Attributes:
        joint: for the joint part, shape (m, p).
        squares: squared norms of those, shape (m,).
        numbers: the numbers for the additive part, shape (n_numbers, m).
        categories: the categories for the additive part, shape (m, p - n_numbers).
    """

    joint: Array
    squares: Array
    numbers: NDArray[np.float32]
    categories: Array

    def replace(self, rows: Indices, new: ScaledRows) -> None:
        """Put new rows in the place of those at the given positions."""
        self.joint[rows] = new.joint
        self.squares[rows] = new.squares
        self.numbers[:, rows] = new.numbers
        self.categories[rows] = new.categories


class Covariance:
    """The prior covariance for given parameters, the signal variance being 1.

    Args:
        features: which features belong together.
        parameters: of the kernel.
    """

    def __init__(self, features: Features, parameters: Parameters) -> None:
        d, n_numbers = features.n_groups, features.n_numbers
        self.parameters = parameters
        self._n_numbers = n_numbers
        self._joint_scale = _SQRT5 / parameters.joint[features.group_of]
        self._number_scale = _SQRT5 / parameters.additive[:n_numbers]
        # Within a category the additive part takes two values, so all of them are one product:
        # apart + (1 - apart) [same], with [same] = 2 a.b for one-hot rows scaled by sqrt(1/2).
        apart = matern(_SQRT5 / parameters.additive[n_numbers:])
        self._share = parameters.share / max(d, 1)
        self._apart = self._share * float(apart.sum())
        self._same_scale = np.sqrt(2.0 * self._share * (1.0 - apart))[
            features.group_of[n_numbers:] - n_numbers
        ]
        self._trivial = d == 0

    def __call__(self, x: Array, z: Array) -> Array:
        """Return the covariance, shape (n, m), of rows of features, shapes (n, p) and (m, p)."""
        if self._trivial:
            return np.ones((len(x), len(z)))
        a, b = x * self._joint_scale, z * self._joint_scale
        squared = a @ b.T
        squared *= -2.0
        squared += (a * a).sum(1)[:, None]
        squared += (b * b).sum(1)
        out = self._joint(squared)
        n_numbers = self._n_numbers
        if n_numbers:
            out += self._numbers(x[:, :n_numbers], z[:, :n_numbers])
        total = out.astype(np.float64)
        if n_numbers < x.shape[1]:
            total += self._apart
            total += (x[:, n_numbers:] * self._same_scale) @ (z[:, n_numbers:] * self._same_scale).T
        return total

    def to_all(self, x: Array, rows: ScaledRows) -> Array:
        """Return the covariance, shape (m,), of one row of features, shape (p,), with many."""
        if self._trivial:
            return np.ones(len(rows.joint))
        a = x * self._joint_scale
        out = self._joint(float(a @ a) - 2.0 * (rows.joint @ a) + rows.squares)
        n_numbers = self._n_numbers
        if n_numbers:
            s = rows.numbers - (x[:n_numbers] * self._number_scale).astype(np.float32)[:, None]
            np.abs(s, out=s)
            out += matern(s).sum(0) * np.float32(self._share)
        total = out.astype(np.float64)
        if n_numbers < len(x):
            total += self._apart
            total += rows.categories @ (x[n_numbers:] * self._same_scale)
        return total

    def scaled(self, x: Array) -> ScaledRows:
        """Return what `to_all` needs of rows of features, shape (m, p)."""
        joint = x * self._joint_scale
        numbers = (x[:, : self._n_numbers] * self._number_scale).T
        return ScaledRows(
            joint,
            (joint * joint).sum(1),
            np.ascontiguousarray(numbers, dtype=np.float32),
            x[:, self._n_numbers :] * self._same_scale,
        )

    def _joint(self, squared: Array) -> NDArray[np.float32]:
        """Return the joint part at squared scaled distances, which are overwritten."""
        np.maximum(squared, 0.0, out=squared)
        # Single precision is enough from here on, and half the time.
        out = matern(np.sqrt(squared, out=squared).astype(np.float32))
        out *= np.float32(1.0 - self.parameters.share)
        return out

    def with_slopes(self, x: Array, z: Array) -> tuple[Array, Callable[[Array], Array]]:
        """Return the covariance with few rows z, shape (m, p), and a function for its gradient.

        Returns:
            The covariance, shape (n, m), and a function from weights c, shape (n, m), to the
            gradient of sum_i c_ij k(x_i, z_j) with respect to the numbers of z_j, shape
            (m, n_numbers).
        """
        n_numbers, p = self._n_numbers, self.parameters
        a, b = x * self._joint_scale, z * self._joint_scale
        squared = -2.0 * (a @ b.T) + (a * a).sum(1)[:, None] + (b * b).sum(1)
        s = np.sqrt(np.maximum(squared, 0.0))
        decay = np.exp(-s)
        joint_slope = (1.0 + s) * decay
        k = (1.0 - p.share) * (joint_slope + s * s / 3.0 * decay)
        k += self._apart
        k += (x[:, n_numbers:] * self._same_scale) @ (z[:, n_numbers:] * self._same_scale).T
        scale = self._number_scale[:, None, None]
        t = (z[None, :, :n_numbers].transpose(2, 0, 1) - x.T[:n_numbers, :, None]) * scale
        size = np.abs(t)
        decay = np.exp(-size)
        slope = (1.0 + size) * decay
        k += self._share * (slope + t * t / 3.0 * decay).sum(0)
        # dk/dz of a Matern 5/2 is -(1 + s) exp(-s) / 3 times 5 (z - x) / length^2
        t *= slope
        square_scale = self._joint_scale[:n_numbers] ** 2

        def gradient(c: Array) -> Array:
            q = c * joint_slope
            joint = z[:, :n_numbers] * q.sum(0)[:, None] - q.T @ x[:, :n_numbers]
            additive = np.einsum("gnm,nm->mg", t, c) * self._number_scale
            out: Array = (1.0 - p.share) * square_scale * joint + self._share * additive
            return -out / 3.0

        return k, gradient

    def _numbers(self, x: Array, z: Array) -> NDArray[np.float32]:
        """Return the additive part of the numbers."""
        a = np.ascontiguousarray((x * self._number_scale).T, dtype=np.float32)
        b = np.ascontiguousarray((z * self._number_scale).T, dtype=np.float32)
        total = np.zeros((len(x), len(z)), dtype=np.float32)
        s, decay = np.empty_like(total), np.empty_like(total)
        third, one = np.float32(1.0 / 3.0), np.float32(1.0)
        for one_a, one_b in zip(a, b, strict=True):
            np.subtract(one_a[:, None], one_b, out=s)
            np.abs(s, out=s)
            np.negative(s, out=decay)
            np.exp(decay, out=decay)
            total += decay  # (1 + s + s^2 / 3) decay, as decay + s decay (1 + s / 3)
            decay *= s
            s *= third
            s += one
            decay *= s
            total += decay
        total *= np.float32(self._share)
        return total


class Likelihood:
    """Negative log posterior density of the parameters, the signal variance profiled out.

    With SIGNAL_WEIGHT = w and q = y' K^-1 y, the signal variance is (q + w) / (n + w).

    Args:
        features: which features belong together.
        x: features of the finished points, shape (n, p).
        y: their objectives, centered, shape (n,).
        own_noise: variances of the noise that each has beside that of all, shape (n,).
    """

    def __init__(self, features: Features, x: Array, y: Array, own_noise: Array) -> None:
        self.n, self.d = len(x), features.n_groups
        self._y = y
        self._own_noise = own_noise
        self._pairs = np.triu_indices(self.n, 1)
        self._absolute = features.distances(x)
        self._squared = self._absolute**2

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Return value and gradient at unconstrained parameters, shape (2 d + 2,)."""
        n, d = self.n, self.d
        p = Parameters.from_vector(theta)
        inverse_square = 5.0 / p.joint**2
        s = np.sqrt(inverse_square @ self._squared)
        decay = np.exp(-s)
        joint_slope = (1.0 + s) * decay
        joint = joint_slope + s * s / 3.0 * decay
        t = self._absolute * (_SQRT5 / p.additive)[:, None]
        decay = np.exp(-t)
        slopes = (1.0 + t) * decay
        t *= t
        decay *= t
        decay /= 3.0
        decay += slopes
        additive = decay.sum(0) / d
        correlation = (1.0 - p.share) * joint + p.share * additive
        k = np.zeros((n, n))
        k[self._pairs] = correlation
        noise = p.noise + MIN_NOISE
        k[np.diag_indices(n)] = 1.0 + noise + self._own_noise
        factor, info = lapack.dpotrf(k.T, lower=1, clean=0, overwrite_a=1)
        if info:
            return 1e25, np.zeros_like(theta)
        log_det = 2.0 * np.log(np.diagonal(factor)).sum()
        inverse, _ = lapack.dpotri(factor, lower=1)
        inverse = inverse.T  # its upper triangle is what counts
        weights = inverse[self._pairs]
        alpha, _ = lapack.dpotrs(factor, self._y, lower=1)
        q = float(self._y @ alpha)
        signal = (q + SIGNAL_WEIGHT) / (n + SIGNAL_WEIGHT)
        value = 0.5 * (n + SIGNAL_WEIGHT) * math.log(signal) + 0.5 * log_det
        # W = (K^-1 - alpha alpha' / signal) / 2; every pair stands for two entries.
        weights -= alpha[self._pairs[0]] * alpha[self._pairs[1]] / signal
        gradient = np.empty_like(theta)
        gradient[:d] = (
            (1.0 - p.share) / 3.0 * inverse_square * (self._squared @ (weights * joint_slope))
        )
        t *= slopes
        gradient[d : 2 * d] = p.share / (3.0 * d) * (t @ weights)
        gradient[-2] = p.share * (1.0 - p.share) * float(weights @ (additive - joint))
        diagonal = np.diagonal(inverse) - alpha**2 / signal
        gradient[-1] = 0.5 * p.noise * float(diagonal.sum())
        prior, prior_gradient = _prior(theta, d)
        return value + prior, gradient + prior_gradient


def _prior(theta: Array, d: int) -> tuple[float, Array]:
    """Return the negative log density of the prior, but for a constant, and its gradient."""
    center = np.concatenate(
        [
            np.full(d, math.log(_joint_center(d))),
            np.full(d, _LOG_ADDITIVE_LENGTH),
            [_LOGIT_SHARE[0], _LOG_NOISE[0]],
        ]
    )
    sd = np.concatenate([np.full(2 * d, _LOG_LENGTH_SD), [_LOGIT_SHARE[1], _LOG_NOISE[1]]])
    z = (theta - center) / sd
    return 0.5 * float(z @ z), z / sd


def fit(
    features: Features,
    x: Array,
    y: Array,
    own_noise: Array,
    start: Parameters,
    iterations: int,
) -> tuple[Parameters, float]:
    """Return parameters of high posterior density near a start, and their negative log density.

    Args:
        features: which features belong together.
        x: features of the finished points, shape (n, p).
        y: their objectives, centered, shape (n,).
        own_noise: variances of the noise that each has beside that of all, shape (n,).
        start: where the climb begins.
        iterations: of L-BFGS.
    """
    if features.n_groups == 0 or float(y @ y) <= 1e-12:
        return start, math.inf
    # Its import takes as long as several proposals, and many processes that propose never fit.
    from scipy.optimize import minimize

    likelihood = Likelihood(features, x, y, own_noise)
    bounds = [(-4.5, 4.5)] * (2 * features.n_groups) + [(-6.0, 6.0), (-13.0, 2.0)]
    result = minimize(
        likelihood,
        start.to_vector(),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": iterations, "maxfun": 2 * iterations, "ftol": _ENOUGH},
    )
    low, high = np.array(bounds).T
    return Parameters.from_vector(np.clip(result.x, low, high)), float(result.fun)
