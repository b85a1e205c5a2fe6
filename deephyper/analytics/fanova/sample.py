"""Evaluations as a sample of the whole space, which a search that looks for the best doesn't draw.

Such a search evaluates thousands of nearly equal points, which say hardly more of the space than
one of them. Those are thinned out until neighbors are as far apart as in a random sample, and what
is left is weighted so that every part of each range counts alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from deephyper.analytics.fanova.dimension import Array, Dimension

_CLOSEST = 0.05
"""Share of a random sample whose nearest neighbor is closer than what is thinned out."""
_FEWEST = 20
"""Points that are left, whatever their distances."""
_ROUNDS, _SWEEPS = 20, 50
_BINS, _PER_BIN = 6, 25
"""Bins of a range, and the evaluations that there should be for each."""
_PER_CONSTRAINT = 4
"""Evaluations that there should be for each bin of each dimension after its first."""


def spread(dimensions: Sequence[Dimension], X: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the indices of points that are no closer to one another than those of a random sample.

    Args:
        dimensions: d of them.
        X: points, shape (n, d).
        rng: decides which of close points stay.
    """
    kept = rng.permutation(len(X))
    for _ in range(_ROUNDS):
        uniform = np.column_stack([draw(each, len(kept), rng) for each in dimensions])
        nearest = cKDTree(_placed(dimensions, uniform)).query(_placed(dimensions, uniform), k=2)
        apart = float(np.quantile(nearest[0][:, 1], _CLOSEST))
        fewer = kept if apart == 0 else kept[_apart(_placed(dimensions, X[kept]), apart)]
        if len(fewer) == len(kept) or len(fewer) < _FEWEST:
            break
        few_enough = len(fewer) > 0.95 * len(kept)
        kept = fewer
        if few_enough:
            break
    return kept


def weights(dimensions: Sequence[Dimension], X: Array) -> Array:
    """Return weights of points, of mean 1, with which each part of each dimension counts alike.

    They are raked: adapted to one dimension after another, until they fit all (Deming and Stephan,
    1940).

    Args:
        dimensions: d of them.
        X: points, shape (n, d).
    """
    n = len(X)
    bins = min(_BINS, n // _PER_BIN, 1 + n // (_PER_CONSTRAINT * len(dimensions)))
    found = np.ones(n)
    if bins < 2:
        return found
    parts = [_parts(each, values, bins) for each, values in zip(dimensions, X.T, strict=True)]
    for _ in range(_SWEEPS):
        for part, masses in parts:
            held = np.bincount(part, found, len(masses))
            wanted = np.where(held > 0, masses, 0)
            wanted *= n / wanted.sum()
            found *= (wanted / np.where(held > 0, held, 1))[part]
    return found


def draw(dimension: Dimension, n: int, rng: np.random.Generator) -> Array:
    """Return values drawn from the measure of a dimension, shape (n,)."""
    if dimension.is_continuous:
        return rng.random(n)
    return rng.choice(dimension.rule.nodes, n, p=dimension.rule.masses)


def _parts(dimension: Dimension, values: Array, bins: int) -> tuple[NDArray[np.intp], Array]:
    """Return the part of a dimension that each value is in, and the masses of the parts."""
    if dimension.is_categorical:
        return values.astype(np.intp), dimension.rule.masses
    if len(dimension.rule.nodes) <= bins:
        nodes = dimension.rule.nodes
        return np.abs(values[:, None] - nodes).argmin(axis=1), dimension.rule.masses
    edges = np.arange(1, bins) / bins
    if dimension.is_continuous:
        return np.searchsorted(edges, values), np.full(bins, 1 / bins)
    of_nodes = np.searchsorted(edges, dimension.rule.nodes)
    masses = np.bincount(of_nodes, dimension.rule.masses, minlength=bins)
    return np.searchsorted(edges, values), masses.astype(float)


def _placed(dimensions: Sequence[Dimension], X: Array) -> Array:
    """Return points with Euclidean distances: two categories are as far apart as half a range."""
    columns: list[Array] = []
    for dimension, values in zip(dimensions, X.T, strict=True):
        if dimension.is_categorical:
            levels = np.arange(dimension.categories)
            columns += [*((values == levels[:, None]) * np.sqrt(0.125))]
        else:
            columns.append(values)
    return np.column_stack(columns)


def _apart(points: Array, distance: float) -> NDArray[np.intp]:
    """Return the indices of points of which none is closer than the distance to an earlier one."""
    tree = cKDTree(points)
    free, kept = np.ones(len(points), dtype=bool), []
    closer = distance * (1 - 1e-9)  # on a grid, many are exactly as far as that
    for i, point in enumerate(points):
        if free[i]:
            kept.append(i)
            free[tree.query_ball_point(point, closer)] = False
    return np.array(kept, dtype=np.intp)
