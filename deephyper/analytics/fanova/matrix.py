"""Evaluations as the model sees them: a matrix of numbers, and the dimensions of its columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deephyper.analytics.fanova.dimension import (
    MOST_NODES,
    Array,
    Dimension,
    categorical,
    continuous,
    discrete,
)
from deephyper.analytics.fanova.sample import draw
from deephyper.analytics.points import Column


def dimension_of(column: Column) -> Dimension:
    """Return a hyperparameter as the model sees it."""
    if column.kind == "category":
        return categorical(len(column.values))
    if column.size > MOST_NODES:
        return continuous()
    nodes, masses = np.array(column.places()).T
    return discrete(nodes, masses)


def without_gaps(dimensions: Sequence[Dimension], places: Array, seed: int) -> Array:
    """Return places with values drawn at random where a hyperparameter is inactive.

    Whatever it would be there makes no difference, and that is what the model is to see.

    Args:
        dimensions: d of them.
        places: see :class:`deephyper.analytics.points.Points`, shape (n, d).
        seed: of the values.
    """
    rng = np.random.default_rng(seed)
    filled = places.copy()
    for column, dimension in zip(filled.T, dimensions, strict=True):
        gaps = np.isnan(column)
        column[gaps] = draw(dimension, int(gaps.sum()), rng)
    return filled
