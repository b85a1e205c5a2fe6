"""Points as the Gaussian process sees them."""

from __future__ import annotations

import math

import numpy as np

from deephyper.search.hps.optimizer.encoding import Array, SpaceEncoding


class Features:
    """Turns vectors into rows of features and says which belong to which hyperparameter.

    A number is one feature in [0, 1] (log where it is log). A category is one-hot, scaled so that
    two different categories are at distance 1. Inactive: a number stands at 0.5, a category is all
    zeros. Hyperparameters with one value have no feature.

    Attributes:
        n_groups: hyperparameters that have features, numbers first; called d below.
        n_numbers: how many of them are numbers.
        n_features: features in all; called p below.
        group_of: group of each feature, shape (p,).
    """

    def __init__(self, encoding: SpaceEncoding) -> None:
        columns = encoding.columns
        self._numbers = [i for i, c in enumerate(columns) if c.size > 1 and not c.categorical]
        self._categories = [i for i, c in enumerate(columns) if c.size > 1 and c.categorical]
        sizes = [int(columns[i].size) for i in self._categories]
        # Ordinals are indices as vectors; everything else numeric is in [0, 1] already.
        self._scale = np.array([columns[i].unit_scale for i in self._numbers])
        self.n_numbers = len(self._numbers)
        self.n_groups = self.n_numbers + len(sizes)
        groups = list(range(self.n_numbers))
        for g, size in enumerate(sizes):
            groups += [self.n_numbers + g] * size
        self.group_of = np.array(groups, dtype=int)
        self.n_features = len(groups)
        self._starts = self.n_numbers + np.cumsum([0, *sizes])[:-1].astype(int)
        self.slices = [slice(g, g + 1) for g in range(self.n_numbers)]
        self.slices += [slice(s, s + n) for s, n in zip(self._starts, sizes, strict=True)]

    def __call__(self, vectors: Array) -> Array:
        """Features of vectors, shape (n, p)."""
        x = np.zeros((len(vectors), self.n_features))
        units = vectors[:, self._numbers] * self._scale
        x[:, : self.n_numbers] = np.where(np.isnan(units), 0.5, units)
        rows = np.arange(len(vectors))
        for i, start in zip(self._categories, self._starts, strict=True):
            codes = vectors[:, i]
            active = ~np.isnan(codes)
            x[rows[active], start + codes[active].astype(int)] = math.sqrt(0.5)
        return x

    def distances(self, x: Array, z: Array) -> Array:
        """Squared distance in each group, shape (d, n, m)."""
        out = np.empty((self.n_groups, len(x), len(z)))
        for g, part in enumerate(self.slices):
            if g < self.n_numbers:
                np.subtract.outer(x[:, g], z[:, g], out=out[g])
                np.square(out[g], out=out[g])
            else:
                a, b = x[:, part], z[:, part]
                out[g] = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2.0 * (a @ b.T)
        return np.maximum(out, 0.0, out=out)
