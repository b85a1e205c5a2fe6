"""Random changes that lead from a valid vector to valid neighbors."""

from __future__ import annotations

import numpy as np

from deephyper.optimizer.arrays import Array, Mask
from deephyper.optimizer.encoded_columns import ChoiceColumn, FewFloatsColumn, IntegerColumn
from deephyper.optimizer.sampling import Sampler


class Neighbors:
    """Makes neighbors of valid vectors.

    Args:
        sampler: of the space.
    """

    def __init__(self, sampler: Sampler) -> None:
        encoding = sampler.encoding
        self._sampler = sampler
        self._rng = sampler.rng
        self._numbers = encoding.numbers
        self._unit_scale = encoding.unit_scale
        self._categories = {
            i: column
            for i in encoding.categories
            if isinstance(column := encoding.columns[i], ChoiceColumn)
        }
        self._sizes = np.array([column.size for column in self._categories.values()], dtype=float)
        numbers = [encoding.columns[i] for i in self._numbers]
        self._uneven: list[tuple[int, IntegerColumn | FewFloatsColumn]] = [
            (j, column)
            for j, column in enumerate(numbers)
            if (isinstance(column, IntegerColumn) and column.log)
            or isinstance(column, FewFloatsColumn)
        ]
        """Positions among the numbers, here and below."""
        uneven = {j for j, _ in self._uneven}
        self._even = np.flatnonzero(
            [column.discrete and j not in uneven for j, column in enumerate(numbers)]
        )
        """Numbers whose values are evenly spaced."""
        self._intervals = np.array([numbers[j].size - 1.0 for j in self._even])
        self._ordinal = [j for j, column in enumerate(numbers) if isinstance(column, ChoiceColumn)]

    def perturb(self, bases: Array, scales: Array) -> Array:
        """Return one valid neighbor of each base; forbidden ones are left out.

        Args:
            bases: valid vectors, shape (n, d).
            scales: standard deviation of the change of a number in [0, 1], shape (n,); infinite
                for a value anywhere in its range.
        """
        rng = self._rng
        n, n_free = len(bases), len(self._numbers) + len(self._categories)
        if n_free == 0 or n == 0:
            return bases.copy()
        # Few hyperparameters more often than many: at least one, and all of them now and then.
        share = np.maximum(rng.random(n) ** 2, 1.0 / n_free)
        # A value from anywhere in the range is for one or two hyperparameters at a time.
        share[np.isinf(scales)] = 0.5 / n_free
        moved = rng.random((n, n_free)) < share[:, None]
        moved[np.arange(n), rng.integers(n_free, size=n)] = True
        return self._moved(bases, moved, scales)

    def change_one(self, bases: Array, scales: Array) -> Array:
        """Return valid neighbors in which one active hyperparameter was changed, as `perturb`.

        What that activates is drawn anew.
        """
        free = bases[:, [*self._numbers, *self._categories]]
        if not free.size:
            return bases.copy()
        order = np.where(np.isnan(free), -1.0, self._rng.random(free.shape))
        moved = np.zeros(free.shape, dtype=bool)
        moved[np.arange(len(free)), np.argmax(order, axis=1)] = True
        return self._moved(bases, moved, scales)

    def _moved(self, bases: Array, moved: Mask, scales: Array) -> Array:
        """Return valid vectors, the marked of whose numbers, then categories, are changed."""
        rng, out, n_numbers = self._rng, bases.copy(), len(self._numbers)
        if n_numbers:
            out[:, self._numbers] = self._move_numbers(
                bases[:, self._numbers] * self._unit_scale, moved[:, :n_numbers], scales
            )
            for j, column in self._uneven:
                i = self._numbers[j]
                snapped = column.snap(out[:, i])
                stuck = np.flatnonzero(moved[:, j] & (snapped == bases[:, i]))
                snapped[stuck] = column.step(snapped[stuck], rng.choice([-1.0, 1.0], len(stuck)))
                out[:, i] = snapped
        if self._categories:
            positions = list(self._categories)
            codes = bases[:, positions]
            shifted = codes + 1.0 + np.floor(rng.random(codes.shape) * (self._sizes - 1.0))
            shifted = np.where(shifted >= self._sizes, shifted - self._sizes, shifted)
            out[:, positions] = np.where(moved[:, n_numbers:], shifted, codes)
            for i, category in self._categories.items():
                self._replace_impossible(out[:, i], category)
        return self._sampler.repair(out, on_grid=True)

    def cross(self, first: Array, second: Array) -> Array:
        """Return a valid vector of each pair, every value from one or the other; shapes (n, d)."""
        rng = self._rng
        mixed = np.where(rng.random(first.shape) < rng.random((len(first), 1)), first, second)
        return self._sampler.repair(mixed, on_grid=True)

    def exchange(self, base: Array) -> Array:
        """Return all valid vectors that differ from a base, shape (d,), in one category."""
        rows = []
        for i, category in self._categories.items():
            if not np.isnan(base[i]):
                others = category.grid()
                others = others[others != base[i]]
                changed = np.repeat(base[None, :], len(others), axis=0)
                changed[:, i] = others
                rows.append(changed)
        if not rows:
            return np.empty((0, len(base)))
        return self._sampler.repair(np.concatenate(rows), on_grid=True)

    def _replace_impossible(self, codes: Array, column: ChoiceColumn) -> None:
        """Draw values in the place of those of weight 0, which are never proposed, in place."""
        if len(column.grid()) < column.size:
            wrong = np.flatnonzero(~np.isin(codes, column.grid()) & ~np.isnan(codes))
            codes[wrong] = column.sample(len(wrong), self._rng)

    def _move_numbers(self, units: Array, moved: Mask, scales: Array) -> Array:
        """Return the vectors of numbers in [0, 1], shape (n, k), moved by normal steps."""
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
        out: Array = new / self._unit_scale
        # Indices, not numbers that are an index but for their last bit.
        out[:, self._ordinal] = np.rint(out[:, self._ordinal])
        return out
