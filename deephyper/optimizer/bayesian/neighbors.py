"""Random changes that lead from a valid point to valid neighbours."""

from __future__ import annotations

import numpy as np

from deephyper.optimizer.arrays import Array, Mask
from deephyper.optimizer.columns import ChoiceColumn, Column, IntegerColumn
from deephyper.optimizer.encoding import SpaceEncoding


class Moves:
    """Makes neighbours of valid vectors.

    Args:
        encoding: of the space.
        rng: source of the changes.
    """

    def __init__(self, encoding: SpaceEncoding, rng: np.random.Generator) -> None:
        self._encoding = encoding
        self._rng = rng
        columns = encoding.columns
        self._numbers = [i for i, c in enumerate(columns) if c.size > 1 and not c.categorical]
        self._categories = [i for i, c in enumerate(columns) if c.size > 1 and c.categorical]
        self._sizes = np.array([columns[i].size for i in self._categories], dtype=float)
        self._weighted = [i for i in self._categories if len(columns[i].grid()) < columns[i].size]
        """Categories some of whose values have the weight 0: those are never proposed."""
        self._unit_scale = np.array([columns[i].unit_scale for i in self._numbers])
        curved = [isinstance(c, IntegerColumn) and c.log for c in columns]
        even = [columns[i].discrete and not curved[i] for i in self._numbers]
        self._even = np.flatnonzero(even)
        """Positions among the numbers of those whose values are evenly spaced."""
        self._intervals = np.array([columns[self._numbers[j]].size - 1.0 for j in self._even])
        self._ordinal = [
            j for j, i in enumerate(self._numbers) if isinstance(columns[i], ChoiceColumn)
        ]
        self._curved = [(j, i) for j, i in enumerate(self._numbers) if curved[i]]

    def perturb(self, bases: Array, scales: Array) -> Array:
        """One valid neighbour of each base; forbidden ones are left out.

        Args:
            bases: valid vectors, shape (n, d).
            scales: standard deviation of the change of a number in [0, 1], shape (n,); infinite
                for a value anywhere in its range.
        """
        rng = self._rng
        n, n_numbers = len(bases), len(self._numbers)
        n_free = n_numbers + len(self._categories)
        out = bases.copy()
        if n_free == 0 or n == 0:
            return out
        # Few hyperparameters more often than many: at least one, and all of them now and then.
        share = np.maximum(rng.random(n) ** 2, 1.0 / n_free)
        # A value from anywhere in the range is for one or two hyperparameters at a time.
        share[np.isinf(scales)] = 0.5 / n_free
        moved = rng.random((n, n_free)) < share[:, None]
        moved[np.arange(n), rng.integers(n_free, size=n)] = True
        if n_numbers:
            out[:, self._numbers] = self._move_numbers(
                bases[:, self._numbers] * self._unit_scale, moved[:, :n_numbers], scales
            )
            for j, i in self._curved:
                column = self._encoding.columns[i]
                snapped = column.snap(out[:, i])
                stuck = np.flatnonzero(moved[:, j] & (snapped == bases[:, i]))
                snapped[stuck] = column.step(snapped[stuck], rng.choice([-1.0, 1.0], len(stuck)))
                out[:, i] = snapped
        if self._categories:
            codes = bases[:, self._categories]
            shifted = codes + 1.0 + np.floor(rng.random(codes.shape) * (self._sizes - 1.0))
            shifted = np.where(shifted >= self._sizes, shifted - self._sizes, shifted)
            out[:, self._categories] = np.where(moved[:, n_numbers:], shifted, codes)
            for i in self._weighted:
                self._make_possible(out[:, i], self._encoding.columns[i])
        return self._encoding.repair(out, rng, on_grid=True)

    def cross(self, first: Array, second: Array) -> Array:
        """One valid vector of each pair, every value from one or the other; shapes (n, d)."""
        rng = self._rng
        mixed = np.where(rng.random(first.shape) < rng.random((len(first), 1)), first, second)
        return self._encoding.repair(mixed, rng, on_grid=True)

    def exchange(self, base: Array) -> Array:
        """All valid vectors that differ from a base, shape (d,), in one category."""
        rows = []
        for i in self._categories:
            if not np.isnan(base[i]):
                others = self._encoding.columns[i].grid()
                others = others[others != base[i]]
                changed = np.repeat(base[None, :], len(others), axis=0)
                changed[:, i] = others
                rows.append(changed)
        if not rows:
            return np.empty((0, len(base)))
        return self._encoding.repair(np.concatenate(rows), self._rng, on_grid=True)

    def _make_possible(self, codes: Array, column: Column) -> None:
        """Draw values for what has the weight 0, in place."""
        wrong = np.flatnonzero(~np.isin(codes, column.grid()) & ~np.isnan(codes))
        codes[wrong] = column.sample(len(wrong), self._rng)

    def _move_numbers(self, units: Array, moved: Mask, scales: Array) -> Array:
        """Vectors of numbers in [0, 1], shape (n, k), moved by normal steps."""
        rng = self._rng
        anywhere = np.isinf(scales)
        finite = np.where(anywhere, 0.0, scales)
        new = units + np.where(moved, rng.standard_normal(units.shape) * finite[:, None], 0.0)
        if anywhere.any():
            drawn = rng.random(units.shape)
            new = np.where(moved & anywhere[:, None] & ~np.isnan(units), drawn, new)
        # Reflection keeps moves from piling up at the ends, but optima are often at an end: a
        # quarter of what goes beyond stays there.
        reflected = 1.0 - np.abs(1.0 - np.abs(new))
        new = np.where(rng.random(new.shape) < 0.25, new, reflected)
        np.clip(new, 0.0, 1.0, out=new)
        if len(self._even):
            base = np.rint(units[:, self._even] * self._intervals)
            index = np.rint(new[:, self._even] * self._intervals)
            stuck = moved[:, self._even] & (index == base)
            signs = np.where(rng.random(index.shape) < 0.5, -1.0, 1.0)
            index = np.clip(np.where(stuck, index + signs, index), 0.0, self._intervals)
            new[:, self._even] = index / self._intervals
        out = new / self._unit_scale
        # Indices, not numbers that are an index but for their last bit.
        out[:, self._ordinal] = np.rint(out[:, self._ordinal])
        return out
