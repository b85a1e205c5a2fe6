"""Points as the Gaussian process sees them."""

from __future__ import annotations

import math

import numpy as np

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.encoding import SpaceEncoding


class Features:
    """Turns vectors into rows of features and says which belong to which hyperparameter.

    A number is one feature in [0, 1] (log where it is log). A category is one-hot, scaled so that
    two different categories are at distance 1. Inactive: a number stands at 0.5, a category is one
    more category. Hyperparameters with one value have no feature.

    Args:
        encoding: of the space.

    Attributes:
        n_groups: hyperparameters that have features, numbers first; called d below.
        n_numbers: how many of them are numbers.
        n_features: features in all, those of numbers first; called p below.
        group_of: group of each feature, shape (p,).
    """

    def __init__(self, encoding: SpaceEncoding) -> None:
        columns = encoding.columns
        self._encoding = encoding
        self.n_numbers = len(encoding.numbers)
        self.n_groups = self.n_numbers + len(encoding.categories)
        self._sizes = np.array([columns[i].size for i in encoding.categories], dtype=int)
        # one more level for inactive, where that can be
        levels = [
            int(columns[i].size) + (i in encoding.can_be_inactive) for i in encoding.categories
        ]
        groups = list(range(self.n_numbers))
        for g, n in enumerate(levels):
            groups += [self.n_numbers + g] * n
        self.group_of = np.array(groups, dtype=int)
        self.n_features = len(groups)
        self._starts = self.n_numbers + np.cumsum([0, *levels])[:-1].astype(int)

    def __call__(self, vectors: Array) -> Array:
        """Return the features, shape (n, p), of vectors of shape (n, d)."""
        x = np.zeros((len(vectors), self.n_features))
        units = vectors[:, self._encoding.numbers] * self._encoding.unit_scale
        x[:, : self.n_numbers] = np.where(np.isnan(units), 0.5, units)
        if self._encoding.categories:
            codes = vectors[:, self._encoding.categories]
            codes = np.where(np.isnan(codes), self._sizes, codes).astype(int)
            x[np.arange(len(x))[:, None], self._starts + codes] = math.sqrt(0.5)
        return x

    def distances(self, x: Array) -> Array:
        """Return the distance of each pair of rows in each group, shape (d, n (n - 1) / 2)."""
        first, second = np.triu_indices(len(x), 1)
        out = np.empty((self.n_groups, len(first)))
        for g in range(self.n_numbers):
            out[g] = np.abs(x[first, g] - x[second, g])
        codes = [x[:, self.group_of == g].argmax(1) for g in range(self.n_numbers, self.n_groups)]
        for g, code in enumerate(codes, start=self.n_numbers):
            out[g] = code[first] != code[second]
        return out
