"""Points as scikit-optimize sees them: rows of values, one a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np
from skopt.space import Categorical, Dimension, Integer, Real

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.encoded_columns import (
    ChoiceColumn,
    Column,
    FewFloatsColumn,
    FloatColumn,
    IntegerColumn,
)
from deephyper.optimizer.sampling import Sampler
from deephyper.problem.point import Point


class Rows:
    """Turns vectors into rows of values, and a row into a point.

    Choices become indices, inactive hyperparameters their defaults, and hyperparameters with one
    value are left out.

    Args:
        sampler: of the space.

    Attributes:
        dimensions: scikit-optimize's description of the space.
    """

    def __init__(self, sampler: Sampler) -> None:
        encoding = sampler.encoding
        self._sampler = sampler
        self._variable = [(i, c) for i, c in enumerate(encoding.columns) if c.size > 1]
        defaults = {name: encoding.space[name].default_value for name in encoding.names}
        self._defaults = encoding.vectors([defaults])[0]
        self.dimensions: list[Dimension] = [_dimension(column) for _, column in self._variable]

    def __call__(self, vectors: Array) -> list[list[Any]]:
        """Return the rows of vectors, shape (n, d)."""
        vectors = np.where(np.isnan(vectors), self._defaults, vectors)
        columns: list[list[Any]] = []
        for i, column in self._variable:
            choice = isinstance(column, ChoiceColumn)
            columns.append([int(v) if choice else column.value(v) for v in vectors[:, i].tolist()])
        return [list(row) for row in zip(*columns, strict=True)]

    def point(self, row: list[Any]) -> Point | None:
        """Return the point of a row; None for a forbidden one."""
        vector = self._defaults.copy()
        for value, (i, column) in zip(row, self._variable, strict=True):
            vector[i] = value if isinstance(column, ChoiceColumn) else column.vectors([value])[0]
        points = self._sampler.encoding.points(self._sampler.repair(vector[None, :]))
        return points[0] if points else None


def _dimension(column: Column) -> Dimension:
    if isinstance(column, (IntegerColumn, FloatColumn, FewFloatsColumn)):
        kind = Integer if isinstance(column, IntegerColumn) else Real
        prior = "log-uniform" if column.log else "uniform"
        return kind(column.lower, column.upper, prior=prior, name=column.name)
    if column.categorical:
        return Categorical(list(range(int(column.size))), name=column.name)
    return Integer(0, int(column.size) - 1, name=column.name)
