"""Valid vectors of a space: drawn at random, or all of them listed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deephyper.errors import ProblemError
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.encoded_columns import ChoiceColumn, DiscreteColumn
from deephyper.optimizer.encoding import SpaceEncoding

_WIDE = 65_536
"""Integer ranges wider than this are walked through by samples."""
_ROUNDS = 60
"""Rounds of rejection sampling before the valid part of a space is declared too small to hit."""
_ROWS = 65_536
"""Vectors that are grown at a time where a space is listed or walked through."""
_DRAWS = 64
"""Values that a walk tries of a hyperparameter with too many of them."""
_REMEMBERED = 4_096
"""Valid vectors that are remembered of a space that sampling misses."""
_PATIENCE = 2_000_000
"""Vectors that a walk grows without coming to a valid one before it gives up, and a list in all."""


class Sampler:
    """Draws valid vectors from the space's own distributions.

    Args:
        encoding: of the space.
        rng: source of everything random.

    Attributes:
        encoding, rng: as given.
    """

    def __init__(self, encoding: SpaceEncoding, rng: np.random.Generator) -> None:
        self.encoding = encoding
        self.rng = rng
        self._known: Array | None = None
        """Valid vectors, once sampling has failed to find any."""

    def sample(self, n: int) -> Array:
        """Draw n valid vectors independently, shape (n, d).

        Raises:
            ProblemError: when the forbidden clauses leave nothing that can be found.
        """
        if n <= 0:
            return np.empty((0, self.encoding.n_dims))
        if self._known is not None:
            return self._random_walk(self._known, n)
        found: list[Array] = []
        missing, batch = n, n
        for _ in range(_ROUNDS):
            vectors = np.empty((batch, self.encoding.n_dims))
            for i, column in enumerate(self.encoding.columns):
                vectors[:, i] = column.sample(batch, self.rng)
            vectors = self.repair(vectors, on_grid=True)[:missing]
            found.append(vectors)
            missing -= len(vectors)
            if missing <= 0:
                return found[0] if len(found) == 1 else np.concatenate(found)
            hit = max(len(vectors), 1) / batch
            batch = int(min(max(1.2 * missing / hit, 16), 20_000))
        if missing < n:
            # A space that rejection hits rarely: repeat what there is rather than fail.
            valid = np.concatenate(found)
            return np.concatenate([valid, valid[self.rng.integers(len(valid), size=missing)]])
        return self._random_walk(self._first_valid(), n)

    def fill(self, units: Array) -> Array:
        """Return valid vectors for points of the unit cube, shape (n, d).

        Forbidden ones are left out, so that fewer than n may come back.
        """
        vectors = np.empty(units.shape)
        for i, column in enumerate(self.encoding.columns):
            vectors[:, i] = column.from_unit(units[:, i])
        return self.repair(vectors, on_grid=True)

    def repair(self, vectors: Array, *, on_grid: bool = False) -> Array:
        """Return valid vectors made of rough ones, shape (n, d); forbidden ones are left out.

        Args:
            vectors: changed in place.
            on_grid: whether discrete columns are on their grids already.
        """
        self.encoding.snap(vectors, on_grid=on_grid)
        self._complete(vectors)
        return self.encoding.allowed(vectors)

    def _complete(self, vectors: Array) -> None:
        """Drop inactive values and draw the missing active ones, in place."""
        for i, is_active in self.encoding.conditions:
            active = is_active(vectors.T)
            column = vectors[:, i]
            column[~active] = np.nan
            missing = np.flatnonzero(active & np.isnan(column))
            if missing.size:
                kind = self.encoding.columns[i]
                column[missing] = kind.snap(kind.sample(missing.size, self.rng))

    def drawable(self, vectors: Array) -> Array:
        """Return the vectors without a value of weight 0, which is never to be proposed."""
        for i in self.encoding.categories:
            column = self.encoding.columns[i]
            if isinstance(column, ChoiceColumn):
                vectors = vectors[np.isnan(vectors[:, i]) | np.isin(vectors[:, i], column.grid())]
        return vectors

    def walk(self) -> Iterator[Array]:
        """Go through all valid vectors depth first, some at a time; continuous ones by samples.

        Memory stays bounded whatever the size of the space, so this also ends where a list would
        not fit. It gives up where it meets nothing valid for long.
        """
        n_dims = self.encoding.n_dims
        stack: list[tuple[int, Array]] = [(0, np.full((1, n_dims), np.nan))]
        in_vain = 0
        while stack and in_vain < _PATIENCE:
            depth, rows = stack.pop()
            if depth == n_dims:
                in_vain = 0
                yield rows
                continue
            expanded = self.encoding.expand(rows, depth, self._values_to_try(depth))
            in_vain += len(rows) * self._width(depth)
            expanded = expanded[self.rng.permutation(len(expanded))]
            step = 4096
            if depth + 1 < n_dims:
                step = max(1, _ROWS // self._width(depth + 1))
            stack.extend((depth + 1, expanded[i : i + step]) for i in range(0, len(expanded), step))

    def _width(self, i: int) -> int:
        """Return the number of values that a walk tries of a hyperparameter."""
        size = self.encoding.columns[i].size
        return int(size) if size <= _WIDE else _DRAWS

    def _values_to_try(self, i: int) -> Array:
        column = self.encoding.columns[i]
        if isinstance(column, DiscreteColumn) and column.size <= _WIDE:
            return column.grid()
        return np.unique(column.snap(column.sample(_DRAWS, self.rng)))

    def _first_valid(self) -> Array:
        """Return some valid vectors of a space that sampling misses, shape (k, d)."""
        valid = next(self.walk(), np.empty((0, self.encoding.n_dims)))
        if not len(valid):
            valid = self._default()
        if not len(valid):
            raise ProblemError(
                "no valid point was found in the search space; its forbidden clauses exclude "
                "(nearly) everything, so loosen them"
            )
        return valid

    def _default(self) -> Array:
        """Return the default point, which ConfigSpace says is valid, shape (0 or 1, d)."""
        try:
            default = dict(self.encoding.space.get_default_configuration())
        except ValueError:
            return np.empty((0, self.encoding.n_dims))
        return self.encoding.vectors([default])

    def _random_walk(self, known: Array, n: int) -> Array:
        """Draw n valid vectors near known ones, by changing these value by value."""
        encoding, rng = self.encoding, self.rng
        for _ in range(_ROUNDS):
            base = known[rng.integers(len(known), size=4 * n + 64)]
            changed = rng.integers(encoding.n_dims, size=len(base))
            for i, column in enumerate(encoding.columns):
                rows = np.flatnonzero((changed == i) & ~np.isnan(base[:, i]))
                base[rows, i] = column.sample(len(rows), rng)
            new = self.repair(base, on_grid=True)
            known = np.unique(np.concatenate([known, new]), axis=0)
            if len(known) >= 4 * n:
                break
        if len(known) > _REMEMBERED:
            known = known[rng.permutation(len(known))[:_REMEMBERED]]
        self._known = known
        chosen = rng.permutation(len(known))[:n]
        if len(chosen) < n:
            chosen = np.append(chosen, rng.integers(len(known), size=n - len(chosen)))
        return known[chosen]


def list_vectors(encoding: SpaceEncoding, limit: int) -> Array | None:
    """Return all valid distinct vectors of a finite space, or None if there are more than `limit`.

    Also None where it would take long to find the few valid ones among very many.
    """
    vectors = np.full((1, encoding.n_dims), np.nan)
    work = 0
    for i, column in enumerate(encoding.columns):
        if not isinstance(column, DiscreteColumn) or column.size > limit:
            return None  # before its grid is made; it can be huge
        step = max(1, _ROWS // int(column.size))
        grown: list[Array] = []
        count = 0
        for start in range(0, len(vectors), step):
            part = vectors[start : start + step]
            grown.append(encoding.expand(part, i, column.grid()))
            count += len(grown[-1])
            work += len(part) * int(column.size)
            if count > limit or work > _PATIENCE:
                return None
        vectors = np.concatenate(grown) if grown else vectors
    return vectors


class Listing:
    """All points of a finite space, and which of them are unseen.

    Args:
        vectors: all of them, shape (n, d).

    Attributes:
        n_unseen: number of unseen points.
    """

    def __init__(self, vectors: Array) -> None:
        self._vectors = vectors
        self._row_of = {row.tobytes(): i for i, row in enumerate(vectors)}
        self._unseen = np.ones(len(vectors), dtype=bool)
        self.n_unseen = len(vectors)

    @property
    def unseen(self) -> Array:
        """The vectors of the unseen points, shape (n_unseen, d)."""
        return self._vectors[self._unseen]

    def mark(self, vector: Array, *, unseen: bool) -> None:
        """Set whether a point, shape (d,), is unseen."""
        row = self._row_of.get(vector.tobytes())
        if row is not None and self._unseen[row] != unseen:
            self._unseen[row] = unseen
            self.n_unseen += 1 if unseen else -1
