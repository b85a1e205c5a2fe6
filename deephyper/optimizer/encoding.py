"""Points as arrays: what every optimizer here computes with.

A *vector* is a row of ConfigSpace's own vector representation, one column a hyperparameter in the
space's order: a number in [0, 1] for a float or an integer (log-scaled where it is log), an index
for a category or an ordinal, NaN where the hyperparameter is inactive. Whole arrays of vectors are
sampled, completed and checked at once, since making ConfigSpace's configurations one by one costs
more than everything else in a proposal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace

from deephyper.errors import ProblemError
from deephyper.optimizer.arrays import Array, Mask
from deephyper.optimizer.columns import Column, make_column
from deephyper.problem.translation import corrected, hyperparameters_in

Key = tuple[Any, ...]
"""What identifies a point; equal for equal points."""

_WIDE = 65_536
"""Integer ranges wider than this are walked through by samples."""
_ROUNDS = 60
"""Rounds of rejection sampling before the valid part of a space is declared too small to hit."""
_ROWS = 65_536
"""Vectors that are grown at a time where a space is listed or walked through."""
_DRAWS = 64
"""Values that a walk tries of a hyperparameter with too many of them."""
_WANDERED = 4_096
"""Valid vectors that are remembered of a space that sampling misses."""
_PATIENCE = 2_000_000
"""Vectors that a walk grows without coming to a valid one before it gives up, and a list in all."""


class SpaceEncoding:
    """Vectorised view of a ConfigSpace space.

    Args:
        space: the space; it must not change afterwards.

    Raises:
        ProblemError: when the space has no hyperparameter or one of an unknown kind.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        if len(space) == 0:
            raise ProblemError("the search space is empty; add a hyperparameter to the problem")
        self.space = space
        hyperparameters = list(space.values())  # parents before children
        self.names = [hp.name for hp in hyperparameters]
        self.columns: list[Column] = [make_column(hp) for hp in hyperparameters]
        self.index = {name: i for i, name in enumerate(self.names)}
        conditions = [self._indexed(corrected(condition)) for condition in space.conditions]
        clauses = [self._indexed(corrected(clause)) for clause in space.forbidden_clauses]
        self._conditions: list[tuple[int, Callable[[Array], Mask]]] = [
            (self.index[condition.child.name], condition.satisfied_by_vector_array)
            for condition in conditions
        ]
        self._conditions.sort(key=lambda pair: pair[0])
        self._conditions_of = dict(self._conditions)
        self.can_be_inactive = frozenset(self._conditions_of)
        self._clauses: list[tuple[int, Callable[[Array], Mask]]] = [
            (
                max(self.index[name] for name in hyperparameters_in(clause)),
                clause.is_forbidden_vector_array,
            )
            for clause in clauses
        ]
        # Floats that a clause or a condition looks at are rounded as ConfigSpace rounds values, so
        # that what is decided here is what ConfigSpace decides about the finished point.
        looked_at: set[str] = set()
        for constraint in (*clauses, *conditions):
            looked_at.update(hyperparameters_in(constraint))
        self._rounded = [
            i
            for i, column in enumerate(self.columns)
            if not column.discrete and column.name in looked_at
        ]
        self._rare: Array | None = None
        """Valid vectors, once sampling has failed to find any."""
        self._discrete = [i for i, column in enumerate(self.columns) if column.discrete]

    def _indexed(self, constraint: Any) -> Any:
        constraint.set_vector_idx(self.index)
        return constraint

    @property
    def n_dims(self) -> int:
        """Number of hyperparameters."""
        return len(self.columns)

    @property
    def conditional(self) -> bool:
        """Whether some hyperparameter can be inactive."""
        return bool(self._conditions)

    @property
    def constrained(self) -> bool:
        """Whether the space has forbidden clauses."""
        return bool(self._clauses)

    @property
    def finite(self) -> bool:
        """Whether every hyperparameter has finitely many values."""
        return all(column.discrete for column in self.columns)

    # -- arrays of vectors ----------------------------------------------------------------------

    def complete(self, vectors: Array, rng: np.random.Generator) -> Array:
        """Drop inactive values and draw the missing active ones, in place."""
        for i, condition in self._conditions:
            active = condition(vectors.T)
            column = vectors[:, i]
            column[~active] = np.nan
            missing = np.flatnonzero(active & np.isnan(column))
            if missing.size:
                column[missing] = self.columns[i].snap(self.columns[i].sample(missing.size, rng))
        return vectors

    def drop_inactive(self, vectors: Array) -> Array:
        """Set the values of inactive hyperparameters to NaN, in place."""
        for i, condition in self._conditions:
            vectors[~condition(vectors.T), i] = np.nan
        return vectors

    def active(self, vectors: Array) -> Mask:
        """Which hyperparameters must have a value, shape (n, d), given complete vectors."""
        mask = np.ones(vectors.shape, dtype=bool)
        for i, condition in self._conditions:
            mask[:, i] = condition(vectors.T)
        return mask

    def forbidden(self, vectors: Array) -> Mask:
        """Which vectors a forbidden clause rules out, shape (n,)."""
        mask = np.zeros(len(vectors), dtype=bool)
        for _, is_forbidden in self._clauses:
            mask |= is_forbidden(vectors.T)
        return mask

    def repair(self, vectors: Array, rng: np.random.Generator, on_grid: bool = False) -> Array:
        """Valid vectors out of rough ones: on their grids, completed, forbidden ones left out.

        Args:
            vectors: changed in place, shape (n, d).
            rng: draws values that became active.
            on_grid: whether discrete columns are on their grids already.
        """
        for i in self._rounded if on_grid else self._rounded + self._discrete:
            vectors[:, i] = self.columns[i].snap(vectors[:, i])
        vectors = self.complete(vectors, rng)
        if self._clauses:
            vectors = vectors[~self.forbidden(vectors)]
        return vectors

    def fill(self, units: Array, rng: np.random.Generator) -> Array:
        """Valid vectors from points of the unit cube, shape (n, d): one number a hyperparameter.

        Forbidden ones are left out, so that fewer than n may come back.
        """
        vectors = np.empty(units.shape)
        for i, column in enumerate(self.columns):
            vectors[:, i] = column.from_unit(units[:, i])
        return self.repair(vectors, rng, on_grid=True)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n valid vectors, independently, from the space's own distributions.

        Raises:
            ProblemError: when the forbidden clauses leave nothing that can be found.
        """
        if n <= 0:
            return np.empty((0, self.n_dims))
        if self._rare is not None:
            return self._wander(n, rng)
        found: list[Array] = []
        missing, batch = n, n
        for _ in range(_ROUNDS):
            vectors = np.empty((batch, self.n_dims))
            for i, column in enumerate(self.columns):
                vectors[:, i] = column.sample(batch, rng)
            vectors = self.repair(vectors, rng, on_grid=True)[:missing]
            found.append(vectors)
            missing -= len(vectors)
            if missing <= 0:
                return found[0] if len(found) == 1 else np.concatenate(found)
            hit = max(len(vectors), 1) / batch
            batch = int(min(max(1.2 * missing / hit, 16), 20_000))
        if missing < n:
            # A space that rejection hits rarely: repeat what there is rather than fail.
            valid = np.concatenate(found)
            return np.concatenate([valid, valid[rng.integers(len(valid), size=missing)]])
        found.append(next(self.walk(rng), np.empty((0, self.n_dims))))
        if not len(found[-1]):
            found.append(self._known_valid())
        self._rare = found[-1]
        if not len(self._rare):
            raise ProblemError(
                "no valid point was found in the search space; its forbidden clauses exclude "
                "(nearly) everything, so loosen them"
            )
        return self._wander(n, rng)

    def _known_valid(self) -> Array:
        """The default point, which is valid where ConfigSpace says so, shape (0 or 1, d)."""
        try:
            default = dict(self.space.get_default_configuration())
        except ValueError:
            return np.empty((0, self.n_dims))
        return self.vectors([default])

    def _wander(self, n: int, rng: np.random.Generator) -> Array:
        """Valid vectors of a space that sampling misses, by changing known ones value by value."""
        assert self._rare is not None
        for _ in range(_ROUNDS):
            base = self._rare[rng.integers(len(self._rare), size=4 * n + 64)]
            changed = rng.integers(self.n_dims, size=len(base))
            for i, column in enumerate(self.columns):
                rows = np.flatnonzero((changed == i) & ~np.isnan(base[:, i]))
                base[rows, i] = column.sample(len(rows), rng)
            new = self.repair(base, rng, on_grid=True)
            self._rare = np.unique(np.concatenate([self._rare, new]), axis=0)
            if len(self._rare) >= 4 * n:
                break
        if len(self._rare) > _WANDERED:
            self._rare = self._rare[rng.permutation(len(self._rare))[:_WANDERED]]
        chosen = rng.permutation(len(self._rare))[:n]
        if len(chosen) < n:
            chosen = np.append(chosen, rng.integers(len(self._rare), size=n - len(chosen)))
        return self._rare[chosen]

    # -- finite spaces ----------------------------------------------------------------------------

    def enumerate(self, limit: int) -> Array | None:
        """All valid distinct vectors of a finite space, or None if there are more than `limit`.

        Also None where it would take long to find the few valid ones among very many.
        """
        if not self.finite:
            return None
        vectors = np.full((1, self.n_dims), np.nan)
        work = 0
        for i, column in enumerate(self.columns):
            if column.size > limit:
                return None  # before its grid is made; it can be huge
            step = max(1, _ROWS // int(column.size))
            grown: list[Array] = []
            count = 0
            for start in range(0, len(vectors), step):
                part = vectors[start : start + step]
                grown.append(self._expand(part, i))
                count += len(grown[-1])
                work += len(part) * int(column.size)
                if count > limit or work > _PATIENCE:
                    return None
            vectors = np.concatenate(grown) if grown else vectors
        return vectors

    def walk(self, rng: np.random.Generator | None = None) -> Iterator[Array]:
        """Go through all valid vectors depth first, some at a time; continuous ones by samples.

        Memory stays bounded whatever the size of the space, so this also ends where enumeration
        would not fit. It gives up where it meets nothing valid for long.
        """
        stack: list[tuple[int, Array]] = [(0, np.full((1, self.n_dims), np.nan))]
        in_vain = 0
        while stack and in_vain < _PATIENCE:
            depth, rows = stack.pop()
            if depth == self.n_dims:
                in_vain = 0
                yield rows
                continue
            expanded = self._expand(rows, depth, rng)
            in_vain += len(rows) * self._width(depth, rng)
            if rng is not None:
                expanded = expanded[rng.permutation(len(expanded))]
            step = 4096
            if depth + 1 < self.n_dims:
                step = max(1, _ROWS // self._width(depth + 1, rng))
            stack.extend((depth + 1, expanded[i : i + step]) for i in range(0, len(expanded), step))

    def _width(self, i: int, rng: np.random.Generator | None) -> int:
        """Values that a walk tries for a hyperparameter."""
        column = self.columns[i]
        listed = column.discrete and (rng is None or column.size <= _WIDE)
        return int(column.size) if listed else _DRAWS

    def _expand(self, rows: Array, i: int, rng: np.random.Generator | None = None) -> Array:
        condition = self._conditions_of.get(i)
        active = condition(rows.T) if condition else np.ones(len(rows), dtype=bool)
        column = self.columns[i]
        if column.discrete and (rng is None or column.size <= _WIDE):
            grid = column.grid()
        else:
            assert rng is not None
            grid = np.unique(column.snap(column.sample(_DRAWS, rng)))
        grown = np.repeat(rows[active], len(grid), axis=0)
        grown[:, i] = np.tile(grid, int(active.sum()))
        vectors = np.concatenate([rows[~active], grown]) if not active.all() else grown
        for last, is_forbidden in self._clauses:
            if last == i:
                vectors = vectors[~is_forbidden(vectors.T)]
        return vectors

    # -- points -----------------------------------------------------------------------------------

    def points(self, vectors: Array) -> list[dict[str, Any]]:
        """Plain points, inactive hyperparameters absent."""
        return [
            {
                column.name: column.value(v)
                for column, v in zip(self.columns, row, strict=True)
                if v == v
            }
            for row in vectors.tolist()
        ]

    def vectors(self, points: Sequence[dict[str, Any]]) -> Array:
        """Vectors of points that are legal, shape (n, d)."""
        vectors = np.full((len(points), self.n_dims), np.nan)
        for i, column in enumerate(self.columns):
            active = [j for j, point in enumerate(points) if column.name in point]
            if active:
                vectors[active, i] = column.vectors([points[j][column.name] for j in active])
        return vectors

    def key(self, point: dict[str, Any]) -> Key:
        """What makes a point the same as another: equal for equal values, whatever their type."""
        return tuple(
            column.code(point[column.name]) if column.name in point else None
            for column in self.columns
        )
