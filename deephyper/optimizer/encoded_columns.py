"""One hyperparameter as a column of numbers: its grid, its distribution, its plain values.

Vectors are ConfigSpace's: a number in [0, 1] for a float or an integer (log-scaled where it is
log), an index for a category or an ordinal.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from numpy.typing import NDArray

from deephyper.optimizer.arrays import Array
from deephyper.problem.domain import DECIMALS, Choices, Range, domain_of

_SHIFT = 10.0**DECIMALS
_WHOLE = 2.0**53
"""From here on every float is a whole number."""
_TABLE = 65_536
"""Largest number of values of a range whose grid is kept as a table."""


class Column(ABC):
    """The interface of every kind of hyperparameter.

    Attributes:
        name: name of the hyperparameter.
        discrete: whether it has finitely many values.
        size: number of values, or infinity.
        categorical: whether its values have no order.
        log: whether equal steps of its vector multiply the value by equal factors.
        unit_scale: factor that brings a vector into [0, 1].
    """

    discrete: ClassVar[bool] = False
    categorical: bool = False
    log: bool = False
    size: float = math.inf
    unit_scale: float = 1.0

    def __init__(self, hyperparameter: Hyperparameter[Any, Any]) -> None:
        self.name: str = hyperparameter.name
        self._hyperparameter = hyperparameter
        self._uniform = isinstance(
            hyperparameter, (UniformFloatHyperparameter, UniformIntegerHyperparameter)
        )

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n vectors from the hyperparameter's own distribution."""

    @abstractmethod
    def from_unit(self, units: Array) -> Array:
        """Return vectors for numbers in [0, 1): uniform numbers give the own distribution."""

    @abstractmethod
    def snap(self, vectors: Array) -> Array:
        """Return the nearest vectors that are exactly those of values; NaN stays NaN."""

    @abstractmethod
    def value(self, vector: float) -> Any:
        """Return the plain value of a vector."""

    @abstractmethod
    def vectors(self, values: Sequence[Any]) -> Array:
        """Return the vectors of legal values."""

    @abstractmethod
    def code(self, value: Any) -> float:
        """Return a number that stands for a value, the same for all spellings of it."""

    @abstractmethod
    def decode(self, code: float) -> Any:
        """Return the plain value that a number of :meth:`code` stands for."""

    def _draw(self, n: int, rng: np.random.Generator) -> Array:
        """Draw n vectors by ConfigSpace, of a distribution that isn't uniform."""
        seed = np.random.RandomState(int(rng.integers(2**31)))
        return np.asarray(self._hyperparameter.sample_vector(n, seed=seed), dtype=float)

    def _quantiles(self, units: Array) -> Array:
        """Return vectors at these quantiles of the distribution, from a sample of it."""
        sample = self._hyperparameter.sample_vector(2048, seed=np.random.RandomState(0))
        quantiles = np.quantile(np.asarray(sample, dtype=float), units)
        return np.asarray(np.clip(quantiles, 0.0, 1.0))


class DiscreteColumn(Column):
    """A hyperparameter with finitely many values."""

    discrete = True

    @abstractmethod
    def grid(self) -> Array:
        """Return the vectors of all values that can be drawn."""


class ConstantColumn(DiscreteColumn):
    """A hyperparameter with one value."""

    size = 1

    def __init__(self, hyperparameter: Hyperparameter[Any, Any], domain: Choices) -> None:
        super().__init__(hyperparameter)
        (self._value,) = domain.values
        self._vector = float(hyperparameter.to_vector(self._value))

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

    def code(self, value: Any) -> float:
        return 0.0

    def decode(self, code: float) -> Any:
        return self._value


class ChoiceColumn(DiscreteColumn):
    """A category or an ordinal: vectors are indices."""

    def __init__(self, hyperparameter: Hyperparameter[Any, Any], domain: Choices) -> None:
        super().__init__(hyperparameter)
        self._values = domain.values
        p = np.ones(len(self._values))
        if isinstance(hyperparameter, CategoricalHyperparameter):
            self.categorical = True
            p = np.asarray(hyperparameter.probabilities, dtype=float)
        self.size = len(self._values)
        self.unit_scale = 1.0 / max(self.size - 1, 1)
        self._index = {value: i for i, value in enumerate(self._values)}
        self._edges = np.cumsum(p / p.sum())[:-1]
        self._possible = np.flatnonzero(p > 0).astype(float)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.from_unit(rng.random(n))

    def from_unit(self, units: Array) -> Array:
        return np.searchsorted(self._edges, units, side="right").astype(float)

    def snap(self, vectors: Array) -> Array:
        return np.clip(np.rint(vectors), 0, self.size - 1)

    def grid(self) -> Array:
        return self._possible

    def value(self, vector: float) -> Any:
        return self._values[round(vector)]

    def vectors(self, values: Sequence[Any]) -> Array:
        return np.array([self._index[value] for value in values], dtype=float)

    def code(self, value: Any) -> float:
        return self._index[value]

    def decode(self, code: float) -> Any:
        return self._values[int(code)]


class FloatColumn(Column):
    """A number with a range: vectors are in [0, 1].

    Attributes:
        lower, upper: the range, both included.
    """

    def __init__(self, hyperparameter: Hyperparameter[Any, Any], domain: Range) -> None:
        super().__init__(hyperparameter)
        self.lower, self.upper = domain.lower, domain.upper
        self.log = bool(getattr(hyperparameter, "log", False))
        ends = np.array([self.lower, self.upper])
        self._ends: tuple[float, float] = tuple((np.log(ends) if self.log else ends).tolist())

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        if self._uniform:
            return rng.random(n)
        return np.clip(self._draw(n, rng), 0.0, 1.0)

    def from_unit(self, units: Array) -> Array:
        return units.copy() if self._uniform else self._quantiles(units)

    def snap(self, vectors: Array) -> Array:
        values = self._hyperparameter.to_value(np.clip(vectors, 0.0, 1.0))
        rounded = np.round(values, DECIMALS)
        return np.asarray(self._hyperparameter.to_vector(rounded), dtype=float)

    def value(self, vector: float) -> float:
        unit = min(max(vector, 0.0), 1.0)
        if not self._uniform:
            value = self._hyperparameter.to_value(np.array([unit]))
            return float(np.round(value, DECIMALS)[0])
        # As ConfigSpace computes it, but for one number: the calls would take most of an ask.
        low, high = self._ends
        scaled = unit * (high - low) + low
        number = float(np.exp(scaled)) if self.log else scaled
        shifted = min(max(number, self.lower), self.upper) * _SHIFT
        return round(shifted) / _SHIFT if abs(shifted) < _WHOLE else shifted / _SHIFT

    def vectors(self, values: Sequence[Any]) -> Array:
        numbers = np.array([float(value) for value in values])
        return np.asarray(self._hyperparameter.to_vector(numbers), dtype=float)

    def code(self, value: Any) -> float:
        return float(value) + 0.0  # of -0.0, which equals it, 0.0

    def decode(self, code: float) -> float:
        return code


class FewFloatsColumn(DiscreteColumn):
    """A float in a range so narrow that it can be counted: vectors are in [0, 1], on a grid.

    Attributes:
        lower, upper: the range, both included.
    """

    def __init__(
        self, hyperparameter: Hyperparameter[Any, Any], domain: Range, values: Array
    ) -> None:
        super().__init__(hyperparameter)
        self.lower, self.upper = domain.lower, domain.upper
        self.log = bool(getattr(hyperparameter, "log", False))
        vectors = np.clip(np.asarray(hyperparameter.to_vector(values), dtype=float), 0.0, 1.0)
        # Two values may have one vector, where the logarithm can't tell them apart.
        self._grid, rows = np.unique(vectors, return_index=True)
        self._values = values[rows]
        self.size = len(self._grid)
        self._middles = 0.5 * (self._grid[1:] + self._grid[:-1])

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return self.snap(rng.random(n) if self._uniform else self._draw(n, rng))

    def from_unit(self, units: Array) -> Array:
        return self.snap(units if self._uniform else self._quantiles(units))

    def snap(self, vectors: Array) -> Array:
        return np.where(np.isnan(vectors), np.nan, self._grid[self._nearest(vectors)])

    def step(self, vectors: Array, signs: Array) -> Array:
        """Return the vectors of the next values up (+1) or down (-1)."""
        rows = self._nearest(vectors) + signs.astype(int)
        stepped: Array = self._grid[np.clip(rows, 0, len(self._grid) - 1)]
        return stepped

    def grid(self) -> Array:
        return self._grid

    def value(self, vector: float) -> float:
        return float(self._values[self._nearest(np.array([vector]))[0]])

    def vectors(self, values: Sequence[Any]) -> Array:
        numbers = np.array([float(value) for value in values])
        return self.snap(np.asarray(self._hyperparameter.to_vector(numbers), dtype=float))

    def code(self, value: Any) -> float:
        return self.value(float(self._hyperparameter.to_vector(float(value))))

    def decode(self, code: float) -> float:
        return code

    def _nearest(self, vectors: Array) -> NDArray[np.intp]:
        return np.searchsorted(self._middles, vectors)


class IntegerColumn(DiscreteColumn):
    """A whole number with a range: vectors are in [0, 1], on the grid of the values.

    Attributes:
        lower, upper: the range, both included.
    """

    def __init__(self, hyperparameter: Hyperparameter[Any, Any], domain: Range) -> None:
        super().__init__(hyperparameter)
        self.lower, self.upper = int(domain.lower), int(domain.upper)
        self.log = bool(getattr(hyperparameter, "log", False))
        self.size = self.upper - self.lower + 1
        # Half a step beyond each end, so that the end values get the share that is theirs.
        ends = np.array([max(self.lower - 0.5, 0.5) if self.log else self.lower - 0.5])
        ends = np.append(ends, self.upper + 0.5)
        self._ends = np.log(ends) if self.log else ends
        self._table = self._all_vectors() if self.size <= _TABLE else None

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        if self._uniform:
            return self.from_unit(rng.random(n))
        return self.snap(self._draw(n, rng))

    def from_unit(self, units: Array) -> Array:
        if not self._uniform:
            return self.snap(self._quantiles(units))
        low, high = self._ends
        numbers = low + units * (high - low)
        return self._snap_numbers(np.exp(numbers) if self.log else numbers)

    def snap(self, vectors: Array) -> Array:
        return self._snap_numbers(self._numbers(vectors))

    def step(self, vectors: Array, signs: Array) -> Array:
        """Return the vectors of the next values up (+1) or down (-1)."""
        return self._snap_numbers(np.rint(self._numbers(vectors)) + signs)

    def grid(self) -> Array:
        return self._all_vectors() if self._table is None else self._table

    def value(self, vector: float) -> int:
        if self.log:
            low, high = math.log(self.lower), math.log(self.upper)
            number = math.exp(low + vector * (high - low))
        else:
            number = self.lower + vector * (self.upper - self.lower)
        return min(max(round(number), self.lower), self.upper)

    def vectors(self, values: Sequence[Any]) -> Array:
        return self._vectors(np.array([round(value) for value in values], dtype=np.int64))

    def code(self, value: Any) -> float:
        return round(float(value))

    def decode(self, code: float) -> int:
        return int(code)

    def _all_vectors(self) -> Array:
        values = np.arange(self.lower, self.upper + 1)
        return np.asarray(self._hyperparameter.to_vector(values), dtype=float)

    def _vectors(self, values: NDArray[np.int64]) -> Array:
        if self._table is not None:
            return self._table[values - self.lower]
        return np.asarray(self._hyperparameter.to_vector(values), dtype=float)

    def _numbers(self, vectors: Array) -> Array:
        """Return numbers, not yet rounded to values."""
        if self.log:
            low, high = math.log(self.lower), math.log(self.upper)
            return np.exp(low + vectors * (high - low))
        return self.lower + vectors * (self.upper - self.lower)

    def _snap_numbers(self, numbers: Array) -> Array:
        missing = np.isnan(numbers)
        whole = np.clip(np.rint(np.where(missing, self.lower, numbers)), self.lower, self.upper)
        vectors = self._vectors(whole.astype(np.int64))
        return np.where(missing, np.nan, vectors) if missing.any() else vectors


def make_column(hyperparameter: Hyperparameter[Any, Any]) -> Column:
    """Return the column of a ConfigSpace hyperparameter.

    Raises:
        ProblemError: for a kind that isn't known, or values that points can't hold.
    """
    domain = domain_of(hyperparameter)
    if isinstance(domain, Choices):
        kind = ConstantColumn if isinstance(hyperparameter, Constant) else ChoiceColumn
        return kind(hyperparameter, domain)
    if domain.integer:
        return IntegerColumn(hyperparameter, domain)
    few = domain.few_values(_TABLE)
    if few is None:
        return FloatColumn(hyperparameter, domain)
    return FewFloatsColumn(hyperparameter, domain, np.array(few))
