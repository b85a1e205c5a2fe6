"""One hyperparameter as a column of numbers: its grid, its distribution, its plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    FloatHyperparameter,
    Hyperparameter,
    IntegerHyperparameter,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from numpy.typing import NDArray

from deephyper.errors import ProblemError
from deephyper.optimizer.arrays import Array

_PLACES = 13
"""Decimal places to which ConfigSpace rounds the value of a float."""
_TABLE = 65_536
"""Largest integer range whose grid is kept as a table."""


class Column:
    """What every kind of hyperparameter can do; vectors are ConfigSpace's.

    Attributes:
        name: name of the hyperparameter.
        discrete: whether it has finitely many values.
        size: how many values, or infinity.
        categorical: whether its values have no order.
        unit_scale: what a vector is multiplied by to lie in [0, 1].
    """

    discrete = True
    categorical = False
    size: float = 1
    unit_scale = 1.0

    def __init__(self, hyperparameter: Hyperparameter) -> None:
        self.name: str = hyperparameter.name
        self.hyperparameter = hyperparameter

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n vectors from the hyperparameter's own distribution."""
        raise NotImplementedError

    def from_unit(self, units: Array) -> Array:
        """Vectors from numbers in [0, 1), so that uniform numbers give uniform values."""
        raise NotImplementedError

    def snap(self, vectors: Array) -> Array:
        """The nearest vectors that are exactly those of values; NaN stays NaN."""
        raise NotImplementedError

    def step(self, vectors: Array, signs: Array) -> Array:
        """The next value up (+1) or down (-1), for a discrete kind with an order."""
        raise NotImplementedError

    def grid(self) -> Array:
        """Vectors of all values, for a discrete hyperparameter."""
        raise NotImplementedError

    def value(self, vector: float) -> Any:
        """The plain value of a vector."""
        raise NotImplementedError

    def vectors(self, values: Sequence[Any]) -> Array:
        """The vectors of legal values."""
        raise NotImplementedError

    def code(self, value: Any) -> Any:
        """A hashable stand-in for the value, the same for all spellings of it."""
        raise NotImplementedError


class ConstantColumn(Column):
    """A hyperparameter with one value."""

    def __init__(self, hyperparameter: Constant) -> None:
        super().__init__(hyperparameter)
        self._value = _plain(hyperparameter.value)
        self._vector = float(hyperparameter.to_vector(hyperparameter.value))

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return np.full(n, self._vector)

    def from_unit(self, units: Array) -> Array:
        return np.full(len(units), self._vector)

    def snap(self, vectors: Array) -> Array:
        return np.where(np.isnan(vectors), np.nan, self._vector)

    def grid(self) -> Array:
        return np.array([self._vector])

    def value(self, vector: float) -> Any:
        return self._value

    def vectors(self, values: Sequence[Any]) -> Array:
        return np.full(len(values), self._vector)

    def code(self, value: Any) -> Any:
        return 0


class ChoiceColumn(Column):
    """A category or an ordinal: vectors are indices."""

    def __init__(self, hyperparameter: CategoricalHyperparameter | OrdinalHyperparameter) -> None:
        super().__init__(hyperparameter)
        if isinstance(hyperparameter, CategoricalHyperparameter):
            self.categorical = True
            values = hyperparameter.choices
            p = np.asarray(hyperparameter.probabilities, dtype=float)
        else:
            values = hyperparameter.sequence
            p = np.ones(len(values))
        self.values = [_plain(value) for value in values]
        self.size = len(self.values)
        self.unit_scale = 1.0 / max(self.size - 1, 1)
        self._index = {value: i for i, value in enumerate(self.values)}
        self._edges = np.cumsum(p / p.sum())[:-1]
        self._possible = np.flatnonzero(p > 0).astype(float)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.from_unit(rng.random(n))

    def from_unit(self, units: Array) -> Array:
        return np.searchsorted(self._edges, units, side="right").astype(float)

    def snap(self, vectors: Array) -> Array:
        return np.clip(np.rint(vectors), 0, self.size - 1)

    def step(self, vectors: Array, signs: Array) -> Array:
        return np.clip(vectors + signs, 0, self.size - 1)

    def grid(self) -> Array:
        return self._possible

    def value(self, vector: float) -> Any:
        return self.values[round(vector)]

    def vectors(self, values: Sequence[Any]) -> Array:
        return np.array([self._index[value] for value in values], dtype=float)

    def code(self, value: Any) -> Any:
        return self._index[value]


class FloatColumn(Column):
    """A number with a range: vectors are in [0, 1]."""

    discrete = False
    size = math.inf

    def __init__(self, hyperparameter: FloatHyperparameter) -> None:
        super().__init__(hyperparameter)
        self._uniform = isinstance(hyperparameter, UniformFloatHyperparameter)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        if self._uniform:
            return rng.random(n)
        seed = np.random.RandomState(int(rng.integers(2**31)))
        return np.clip(self.hyperparameter.sample_vector(n, seed=seed), 0.0, 1.0)

    def from_unit(self, units: Array) -> Array:
        return units.copy() if self._uniform else _quantiles(self.hyperparameter, units)

    def snap(self, vectors: Array) -> Array:
        values = self.hyperparameter.to_value(np.clip(vectors, 0.0, 1.0))
        return np.asarray(self.hyperparameter.to_vector(np.round(values, _PLACES)), dtype=float)

    def value(self, vector: float) -> float:
        value = self.hyperparameter.to_value(np.array([min(max(vector, 0.0), 1.0)]))
        return float(np.round(value, _PLACES)[0])

    def vectors(self, values: Sequence[Any]) -> Array:
        numbers = np.array([float(value) for value in values])
        return np.asarray(self.hyperparameter.to_vector(numbers), dtype=float)

    def code(self, value: Any) -> float:
        return float(value)


class IntegerColumn(Column):
    """A whole number with a range: vectors are in [0, 1], on the grid of the values."""

    def __init__(self, hyperparameter: IntegerHyperparameter) -> None:
        super().__init__(hyperparameter)
        self._uniform = isinstance(hyperparameter, UniformIntegerHyperparameter)
        self._low, self._high = int(hyperparameter.lower), int(hyperparameter.upper)
        self.log = bool(hyperparameter.log)
        self.size = self._high - self._low + 1
        # Half a step beyond each end, so that the end values get the share that is theirs.
        ends = np.array([max(self._low - 0.5, 0.5) if self.log else self._low - 0.5])
        ends = np.append(ends, self._high + 0.5)
        self._ends = np.log(ends) if self.log else ends
        self._table = self._vectors(np.arange(self._low, self._high + 1)) if self._small else None

    @property
    def _small(self) -> bool:
        return self.size <= _TABLE

    def _vectors(self, values: NDArray[np.int64]) -> Array:
        return np.asarray(self.hyperparameter.to_vector(values), dtype=float)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        if self._uniform:
            return self.from_unit(rng.random(n))
        seed = np.random.RandomState(int(rng.integers(2**31)))
        return self.snap(np.asarray(self.hyperparameter.sample_vector(n, seed=seed), dtype=float))

    def from_unit(self, units: Array) -> Array:
        if not self._uniform:
            return self.snap(_quantiles(self.hyperparameter, units))
        low, high = self._ends
        values = low + units * (high - low)
        return self._snap_values(np.exp(values) if self.log else values)

    def snap(self, vectors: Array) -> Array:
        return self._snap_values(self._values(vectors))

    def step(self, vectors: Array, signs: Array) -> Array:
        return self._snap_values(np.rint(self._values(vectors)) + signs)

    def _values(self, vectors: Array) -> Array:
        if self.log:
            low, high = math.log(self._low), math.log(self._high)
            return np.exp(low + vectors * (high - low))
        return self._low + vectors * (self._high - self._low)

    def _snap_values(self, values: Array) -> Array:
        missing = np.isnan(values)
        whole = np.clip(np.rint(np.where(missing, self._low, values)), self._low, self._high)
        numbers = whole.astype(np.int64)
        table = self._table
        vectors = self._vectors(numbers) if table is None else table[numbers - self._low]
        return np.where(missing, np.nan, vectors) if missing.any() else vectors

    def grid(self) -> Array:
        if self._table is not None:
            return self._table
        return self._vectors(np.arange(self._low, self._high + 1))

    def value(self, vector: float) -> int:
        if self.log:
            low, high = math.log(self._low), math.log(self._high)
            value = math.exp(low + vector * (high - low))
        else:
            value = self._low + vector * (self._high - self._low)
        return min(max(round(value), self._low), self._high)

    def vectors(self, values: Sequence[Any]) -> Array:
        numbers = np.array([round(value) for value in values], dtype=np.int64)
        if self._table is not None:
            return self._table[numbers - self._low]
        return self._vectors(numbers)

    def code(self, value: Any) -> int:
        return round(value)


def make_column(hyperparameter: Hyperparameter) -> Column:
    """The column of a ConfigSpace hyperparameter.

    Raises:
        ProblemError: for a kind that isn't known.
    """
    if isinstance(hyperparameter, Constant):
        return ConstantColumn(hyperparameter)
    if isinstance(hyperparameter, CategoricalHyperparameter | OrdinalHyperparameter):
        return ChoiceColumn(hyperparameter)
    if isinstance(hyperparameter, IntegerHyperparameter):
        return IntegerColumn(hyperparameter)
    if isinstance(hyperparameter, FloatHyperparameter):
        return FloatColumn(hyperparameter)
    raise ProblemError(
        f"hyperparameter '{hyperparameter.name}' is of type {type(hyperparameter).__name__}; use a "
        "float, integer, ordinal, categorical or constant one"
    )


def _quantiles(hyperparameter: Hyperparameter, units: Array) -> Array:
    """Vectors at these quantiles of a distribution that isn't uniform, from a sample of it."""
    sample = hyperparameter.sample_vector(2048, seed=np.random.RandomState(0))
    return np.clip(np.quantile(np.asarray(sample, dtype=float), units), 0.0, 1.0)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
