"""Points as arrays, with which every optimizer here computes.

A *vector* is a row of ConfigSpace's own vector representation, one column a hyperparameter in the
space's order: a number in [0, 1] for a float or an integer (log-scaled where it is log), an index
for a category or an ordinal, NaN where the hyperparameter is inactive. Whole arrays of vectors are
converted and checked at once, since making ConfigSpace's configurations one by one costs more than
everything else in a proposal. What is drawn at random is in sampling.py.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace

from deephyper.errors import ProblemError
from deephyper.optimizer.arrays import Array, Mask
from deephyper.optimizer.encoded_columns import Column, FewFloatsColumn, make_column
from deephyper.problem.point import Point
from deephyper.problem.translation import corrected, hyperparameters_in

Key = bytes
"""Identity of a point; equal for equal points. A long search has very many, so they are small."""


class SpaceEncoding:
    """Vectorized view of a ConfigSpace space.

    Args:
        space: the space; it must not change afterwards.

    Attributes:
        space: as given.
        names: of the hyperparameters, parents before their children.
        columns: of the hyperparameters, in the same order; d in all.
        index: position of each name.
        numbers: positions of those with an order and more than one value.
        categories: positions of those without an order and more than one value.
        unit_scale: factors that bring the columns in `numbers` into [0, 1].
        conditions: position of each hyperparameter that has a condition, parents before children,
            and which of the vectors, given as shape (d, n), meet it.

    Raises:
        ProblemError: when the space has no hyperparameter or one of an unknown kind.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        if len(space) == 0:
            raise ProblemError("the search space is empty; add a hyperparameter to the problem")
        self.space = space
        self.columns: list[Column] = [make_column(hp) for hp in space.values()]
        self.names = [column.name for column in self.columns]
        self.index = {name: i for i, name in enumerate(self.names)}
        self._codes = [(column.name, column.code) for column in self.columns]
        self._key = struct.Struct(f"{len(self.columns)}d")
        several = [i for i, column in enumerate(self.columns) if column.size > 1]
        self.numbers = [i for i in several if not self.columns[i].categorical]
        self.categories = [i for i in several if self.columns[i].categorical]
        self.unit_scale = np.array([self.columns[i].unit_scale for i in self.numbers])
        conditions = [self._indexed(corrected(condition)) for condition in space.conditions]
        clauses = [self._indexed(corrected(clause)) for clause in space.forbidden_clauses]
        self.conditions: list[tuple[int, Callable[[Array], Mask]]] = [
            (self.index[condition.child.name], condition.satisfied_by_vector_array)
            for condition in conditions
        ]
        self.conditions.sort(key=lambda pair: pair[0])
        self._condition_of = dict(self.conditions)
        names_of = [hyperparameters_in(clause) for clause in clauses]
        self._clauses: list[tuple[int, Callable[[Array], Mask]]] = [
            (max(self.index[name] for name in names), clause.is_forbidden_vector_array)
            for clause, names in zip(clauses, names_of, strict=True)
        ]
        # Floats that a clause or a condition looks at are rounded as ConfigSpace rounds values, so
        # that what is decided here is what ConfigSpace decides about the finished point. Those
        # that can be counted are, so that each is one point.
        looked_at: set[str] = set().union(*names_of, *map(hyperparameters_in, conditions))
        self._rounded = [
            i
            for i, column in enumerate(self.columns)
            if (not column.discrete and column.name in looked_at)
            or isinstance(column, FewFloatsColumn)
        ]
        self._discrete = [
            i
            for i, column in enumerate(self.columns)
            if column.discrete and not isinstance(column, FewFloatsColumn)
        ]

    def _indexed(self, constraint: Any) -> Any:
        constraint.set_vector_idx(self.index)
        return constraint

    @property
    def n_dims(self) -> int:
        """Number of hyperparameters, d."""
        return len(self.columns)

    @property
    def can_be_inactive(self) -> frozenset[int]:
        """Positions of the hyperparameters with a condition."""
        return frozenset(self._condition_of)

    @property
    def conditional(self) -> bool:
        """True if some hyperparameter can be inactive."""
        return bool(self.conditions)

    @property
    def constrained(self) -> bool:
        """True if the space has forbidden clauses."""
        return bool(self._clauses)

    @property
    def finite(self) -> bool:
        """True if every hyperparameter has finitely many values."""
        return all(column.discrete for column in self.columns)

    # -- points and vectors -----------------------------------------------------------------------

    def points(self, vectors: Array) -> list[Point]:
        """Return plain points, inactive hyperparameters absent, of vectors of shape (n, d)."""
        return list(self.iterate(vectors))

    def iterate(self, vectors: Array) -> Iterator[Point]:
        """Yield the same one by one, each made when it is wanted."""
        for row in vectors.tolist():
            yield {
                column.name: column.value(v)
                for column, v in zip(self.columns, row, strict=True)
                if v == v
            }

    def vectors(self, points: Sequence[Mapping[str, Any]]) -> Array:
        """Return the vectors of points that are legal, shape (n, d)."""
        vectors = np.full((len(points), self.n_dims), np.nan)
        for i, column in enumerate(self.columns):
            active = [j for j, point in enumerate(points) if column.name in point]
            if active:
                vectors[active, i] = column.vectors([points[j][column.name] for j in active])
        return vectors

    def key(self, point: Mapping[str, Any]) -> Key:
        """Return the identity of a point: equal for equal values, whatever their type."""
        return self._key.pack(
            *[code(point[name]) if name in point else math.nan for name, code in self._codes]
        )

    def point(self, key: Key) -> Point:
        """Return the point that a key is of."""
        return {
            column.name: column.decode(code)
            for column, code in zip(self.columns, self._key.unpack(key), strict=True)
            if code == code
        }

    # -- rules of the space -----------------------------------------------------------------------

    def snap(self, vectors: Array, *, on_grid: bool = False) -> None:
        """Move vectors, shape (n, d), to those that are exactly of values, in place.

        Floats that no clause or condition looks at stay where they are.

        Args:
            vectors: rough ones.
            on_grid: whether discrete columns are on their grids already.
        """
        for i in self._rounded if on_grid else self._rounded + self._discrete:
            vectors[:, i] = self.columns[i].snap(vectors[:, i])

    def drop_inactive(self, vectors: Array) -> Array:
        """Set the values of inactive hyperparameters to NaN, in place."""
        for i, is_active in self.conditions:
            vectors[~is_active(vectors.T), i] = np.nan
        return vectors

    def allowed(self, vectors: Array) -> Array:
        """Return the vectors that no forbidden clause rules out."""
        if not self._clauses:
            return vectors
        forbidden = np.zeros(len(vectors), dtype=bool)
        for _, is_forbidden in self._clauses:
            forbidden |= is_forbidden(vectors.T)
        return vectors[~forbidden]

    def expand(self, vectors: Array, i: int, grid: Array) -> Array:
        """Return valid vectors that are one hyperparameter longer.

        Args:
            vectors: with values of the hyperparameters before i, shape (n, d).
            i: position of the hyperparameter.
            grid: the vectors of its values, shape (k,); each is combined with each of those where
                it is active.
        """
        condition = self._condition_of.get(i)
        active = condition(vectors.T) if condition else np.ones(len(vectors), dtype=bool)
        grown = np.repeat(vectors[active], len(grid), axis=0)
        grown[:, i] = np.tile(grid, int(active.sum()))
        out = np.concatenate([vectors[~active], grown]) if not active.all() else grown
        for last, is_forbidden in self._clauses:
            if last == i:
                out = out[~is_forbidden(out.T)]
        return out
