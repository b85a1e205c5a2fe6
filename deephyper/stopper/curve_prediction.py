"""The end of a learning curve, predicted from all curves of a search.

Curves are known at checkpoints, steps that grow by a factor. From each checkpoint to the next the
gain is regressed on the curve's slope and on its distance from the best objective. The regressions
are Bayesian, with a prior that lets gains decay, so that a handful of curves suffices. Unfinished
curves count as far as they have come. Chained, the regressions give a mean and a variance at the
end; what the whole curves say about such predictions from each checkpoint corrects both.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_GROWTH = 1.4
"""Of the steps from one checkpoint to the next."""
_DECAY = 0.7, 0.4
"""Prior of the share of the slope that is left at the next checkpoint: mean, standard deviation."""
_DRIFT = 0.2
"""Prior standard deviation of a gain that comes with no slope, in spreads of the objectives."""
_CATCHING_UP = 0.3
"""Prior standard deviation of the share of the distance from the best that is made up for."""
_NOISE_COUNT = 3.0
"""Weight of the prior of a noise variance, in curves."""
_CORRECTION_COUNT = 4.0
"""Weight of the prior of a correction, in whole curves."""
_CAUTION = 1.2
"""Standard deviations are this much larger than whole curves say, which the model knows already; of
n whole curves, by 1 + 3 / n more."""
_FEW = 4
_FARTHEST = 3.0
"""Errors count for no more than so many standard deviations where they decide a mean."""
_FAR_OFF = 1e6
"""Objectives that are farther from the best, in spreads, are taken for this: they are hopeless."""
_OUTLIER = 9.0
"""Squared errors count for no more than so many times their median."""


def checkpoints(last: int) -> list[int]:
    """Return steps from the first to a last one, each about 1.4 times the one before."""
    found = [1]
    while found[-1] < last:
        found.append(min(last, max(found[-1] + 1, round(found[-1] * _GROWTH))))
    return found


class CurvePrediction:
    """Predicts the objectives at the last checkpoint.

    Args:
        curves: objectives at the checkpoints, maximized, shape (n, k); NaN for what is still to
            come. At least one is whole.
        steps: of the checkpoints, shape (k,).
    """

    def __init__(self, curves: Array, steps: Array) -> None:
        self._widths = np.diff(np.log(steps))
        whole = np.isfinite(curves[:, -1])
        self._best = float(curves[whole, -1].max())
        self._spread = _typical_spread(curves, self._best)
        y = self._scaled(curves)
        slopes = np.zeros_like(y)
        slopes[:, 1:] = np.diff(y, axis=1) / self._widths
        k = len(steps)
        self._weights = np.zeros((k - 1, 3))
        self._covariance = np.zeros((k - 1, 3, 3))
        self._noise = np.zeros(k - 1)
        for i in range(k - 1):
            known = np.isfinite(y[:, i + 1])
            self._regress(i, y[known, i], slopes[known, i], y[known, i + 1])
        self._shift = np.zeros(k)
        self._factor = np.ones(k)
        for i in range(k - 1):
            self._correct(i, y[whole, i], slopes[whole, i], y[whole, -1])
        self._factor *= _CAUTION * (1.0 + 3.0 / int(whole.sum()))

    def __call__(self, places: Indices, objectives: Array, before: Array) -> tuple[Array, Array]:
        """Return the mean and the standard deviation at the end of m curves, shapes (m,).

        Args:
            places: the last checkpoint that each has passed.
            objectives: what each had come to there.
            before: its objective at the checkpoint before; at the first one it has no effect.
        """
        y = self._scaled(objectives)
        # Of a single checkpoint there is no width, nor a slope.
        widths = np.append(self._widths, 1.0)[np.maximum(places - 1, 0)]
        slopes = np.where(places > 0, (y - self._scaled(before)) / widths, 0.0)
        mean, std = self._chain(places, y, slopes)
        mean = mean + self._shift[places] * std
        with np.errstate(over="ignore"):
            largest = np.finfo(float).max
            means = np.clip(mean * self._spread + self._best, -largest, largest)
            stds = np.minimum(std * self._factor[places] * self._spread, largest)
        return means, stds

    def _scaled(self, objectives: Array) -> Array:
        """Return objectives in spreads from the best one."""
        with np.errstate(over="ignore"):
            scaled = (objectives - self._best) / self._spread
        return np.clip(scaled, -_FAR_OFF, _FAR_OFF)

    def _regress(self, i: int, y: Array, slopes: Array, later: Array) -> None:
        """Learn the gains from a checkpoint to the next."""
        width = self._widths[i]
        prior = np.array([0.0, _DECAY[0], 0.0])
        precision = np.diag(1.0 / np.array([_DRIFT, _DECAY[1], _CATCHING_UP]) ** 2)
        x = np.stack([np.ones_like(y), slopes, y], axis=1) * width
        error = later - y - x @ prior
        relative = 1.0 / self._noise_scale(i, y, slopes) ** 2
        # What bad curves do says little about good ones.
        counts = np.ones_like(y)
        if len(y) >= _FEW:
            spread = max(2.0 * float(np.std(np.sort(y)[len(y) // 4 :])), 1e-15)
            counts = np.exp(-np.maximum(np.quantile(y, 0.9) - y, 0.0) / spread)
        variance = 1.0
        for _ in range(3):
            weighted = x * (relative * counts / variance)[:, None]
            covariance = np.linalg.inv(weighted.T @ x + precision)
            change = covariance @ (weighted.T @ error)
            squares = relative * (error - x @ change) ** 2
            if len(y) > _FEW:
                squares = np.minimum(squares, _OUTLIER * np.median(squares) + 1e-9)
            total = 0.5 * _NOISE_COUNT + float(counts @ squares)
            variance = max(total / (_NOISE_COUNT + float(counts.sum())), 1e-4)
        self._weights[i] = prior + change
        self._covariance[i] = covariance
        self._noise[i] = math.sqrt(variance)

    def _noise_scale(self, i: int, y: Array, slopes: Array) -> Array:
        """Return what the noise of gains is proportional to."""
        behind = np.maximum(-y, 0.0)
        scale = (0.5 * np.abs(slopes) + 0.3 * behind) * self._widths[i] + 0.03
        # Without a slope little is known.
        found: Array = scale + 0.3 if i == 0 else scale
        return found

    def _chain(self, places: Indices, objectives: Array, slopes: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at the end, as the regressions alone give them."""
        y, s = objectives.copy(), slopes.copy()
        yy, ys, ss = np.zeros_like(y), np.zeros_like(y), np.zeros_like(y)  # covariance of y and s
        first, last = int(places.min()), int(places.max())
        for i in range(first, len(self._noise)):
            now: Any = slice(None) if i >= last else places <= i
            width, c = float(self._widths[i]), self._covariance[i].tolist()
            constant, decay, catching_up = self._weights[i].tolist()
            y_now, s_now, ys_now = y[now], s[now], ys[now]
            noise = self._noise[i] / width * self._noise_scale(i, y_now, s_now)
            of_weights = (
                c[0][0]
                + s_now * (2.0 * c[0][1] + c[1][1] * s_now)
                + y_now * (2.0 * c[0][2] + 2.0 * c[1][2] * s_now + c[2][2] * y_now)
            )
            gain = constant + decay * s_now + catching_up * y_now
            with_gain = decay * ys_now + catching_up * yy[now]
            of_gain = decay**2 * ss[now] + catching_up * (with_gain + decay * ys_now)
            of_gain += of_weights + noise * noise
            yy[now] += width * (2.0 * with_gain + width * of_gain)
            ys[now] = with_gain + width * of_gain
            ss[now] = of_gain
            y[now] = y_now + width * gain
            s[now] = gain
        return y, np.sqrt(np.maximum(yy, 1e-30))

    def _correct(self, i: int, y: Array, slopes: Array, ends: Array) -> None:
        """Learn how far off predictions from a checkpoint are, in standard deviations."""
        mean, std = self._chain(np.full(len(y), i), y, slopes)
        off = (ends - mean) / std
        counts = np.exp(0.5 * ends)
        near = np.clip(off, -_FARTHEST, _FARTHEST)
        self._shift[i] = float(counts @ near) / (float(counts.sum()) + _CORRECTION_COUNT)
        squares = np.minimum((off - self._shift[i]) ** 2, 16.0)
        total = _CORRECTION_COUNT + float(counts @ squares)
        self._factor[i] = math.sqrt(total / (_CORRECTION_COUNT + float(counts.sum())))


def _typical_spread(curves: Array, best: float) -> float:
    """Return the standard deviation of the better half at one of the last checkpoints."""
    spreads = []
    for column in curves.T[-3:]:
        known = column[np.isfinite(column)]
        unit = float(np.abs(known).max()) or 1.0  # so that no square is too large
        spreads.append(unit * float(np.std(known[known >= np.median(known)] / unit)))
    return max(float(np.median(spreads)), 1e-6 * abs(best), 1e-15)
