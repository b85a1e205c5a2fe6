"""Noise among the best evaluations, and those that it leaves equal.

Of neighboring points the objectives differ by the noise, however near they are, and by what the
objective does between them, which vanishes with the distance. So half of the mean square of their
differences is the variance of the noise where it is as large for the nearest neighbors as for some
that are much further (Koncar, Stefansson and Jones, "A note on the Gamma test", 1997).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deephyper.analytics.points import Points

FEWEST = 30
"""Evaluations among the best that it takes to tell."""
_SHARE, _MOST = 0.25, 400
_NEAR, _FAR = (0, 2), (6, 12)
"""Neighbors whose differences are compared, from the nearest on."""
_CLOSE, _CROWD = 0.25, 10
"""Distance within which all these neighbors are, and the fewest evaluations of which they are."""
_MEDIAN = 0.4549
"""Of the square of a normal number of mean 0 and variance 1."""
_SAME = 0.6
"""Differences of near neighbors are noise if they are no smaller than this part of far ones'."""
_APART = 2.0
"""Standard deviations of a difference within which two objectives are tied."""


@dataclass(frozen=True)
class Ties:
    """Evaluations that are tied with the best, within the noise.

    Attributes:
        noise: standard deviation of an objective among the best.
        equal: how many evaluations are within the noise of the best one, itself included.
    """

    noise: float
    equal: int


def ties(points: Points) -> Ties | None:
    """Return what is tied with the best, or None if nothing says that there is noise.

    Args:
        points: the evaluations.
    """
    sign = -1.0 if points.direction == "minimize" else 1.0
    scores = sign * points.objectives
    number = min(max(FEWEST, math.ceil(_SHARE * len(scores))), _MOST)
    if len(scores) < number:
        return None
    # Those around the best one: the best ones would have been chosen for their noise.
    best = np.array([int(np.argmax(scores))])
    around = np.argsort(_distances(points, best, np.arange(len(scores)))[0], kind="stable")[:number]
    y, distances = scores[around], _distances(points, around, around)
    np.fill_diagonal(distances, -1.0)  # so that each is its own nearest neighbor
    order = np.argsort(distances, axis=1, kind="stable")
    crowded = np.flatnonzero(np.sort(distances, axis=1)[:, _FAR[1]] <= _CLOSE)
    if len(crowded) < _CROWD:
        return None
    near, far = (_variance(y, crowded, order[crowded, 1 + a : 1 + b]) for a, b in (_NEAR, _FAR))
    if far <= 0 or near < _SAME * far:
        return None
    noise = math.sqrt(near)
    equal = int((scores >= scores.max() - _APART * math.sqrt(2.0) * noise).sum())
    return Ties(noise, equal) if equal > 1 else None


def _distances(
    points: Points, one: NDArray[np.intp], other: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the distances between points: of different categories 1, and of inactive ones."""
    total = np.zeros((len(one), len(other)))
    for k, column in enumerate(points.columns):
        first, second = points.places[one, k][:, None], points.places[other, k][None, :]
        difference = np.abs(first - second)
        if column.kind == "category":
            difference = (difference > 0).astype(float)
        difference[np.isnan(first) != np.isnan(second)] = 1.0
        difference[np.isnan(first) & np.isnan(second)] = 0.0
        total += difference**2
    return np.sqrt(total)


def _variance(
    y: NDArray[np.float64], chosen: NDArray[np.intp], neighbors: NDArray[np.intp]
) -> float:
    """Return the variance of noise that would be behind the differences between neighbors.

    It is that of normal numbers, by the median of the squares: some neighbors differ by more.
    """
    return float(np.median((y[chosen][:, None] - y[neighbors]) ** 2)) / (2.0 * _MEDIAN)
