"""The evaluations of a search as a matrix of numbers whose columns know what they stand for.

A journal beside the results says what the space is. Without one, it is inferred from the columns.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deephyper.checks import user_path
from deephyper.errors import ResultsError
from deephyper.objective import Direction
from deephyper.search.results import Row, Table, read_table
from deephyper.sheet import left_out_phrase

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["float", "int", "ordered", "category"]
"""float, int: a range of numbers; ordered: a few values in an order; category: in none."""

_LOG_RATIO = 100.0
"""Ends of a range that was inferred differ by more than this factor if it is logarithmic."""
_FEW_NUMBERS = 10
"""So many different numbers at most, each seen several times, are a few values in an order."""
_MOST_TEXTS = 50
"""A column with more different texts tells of evaluations and not of choices."""


@dataclass(frozen=True)
class Column:
    """A hyperparameter.

    Attributes:
        name: its name.
        kind: see :data:`Kind`.
        lower, upper: ends of a range of numbers, both included; 0.0 for values.
        log: whether equal steps multiply a number by equal factors.
        values: a few values; empty for a range.
        conditional: whether there are points without it.
    """

    name: str
    kind: Kind
    lower: float = 0.0
    upper: float = 0.0
    log: bool = False
    values: tuple[Any, ...] = ()
    conditional: bool = False

    @property
    def size(self) -> float:
        """The number of values; infinite for a range of floats."""
        if self.kind == "float":
            return math.inf if self.upper > self.lower else 1
        if self.kind == "int":
            return self.upper - self.lower + 1
        return len(self.values)

    def place(self, value: Any) -> float:
        """Return the place of a value: from 0 to 1 in its order, or the number of its category.

        Equal steps of it are equally probable in the space. It is NaN for what isn't one of the
        hyperparameter's values.
        """
        if self.values:
            at = next((i for i, each in enumerate(self.values) if _equal(each, value)), math.nan)
            return at if self.kind == "category" else at / max(len(self.values) - 1, 1)
        number = _as_number(value)
        slack = 1e-9 * (self.upper - self.lower)
        if not self.lower - slack <= number <= self.upper + slack:
            return math.nan
        low, high = self._ends
        return min(max((self._scaled(number) - low) / ((high - low) or 1.0), 0.0), 1.0)

    def places_of(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the places of numbers in a range, likewise; shapes (n,)."""
        import numpy as np

        slack = 1e-9 * (self.upper - self.lower)
        inside = (numbers >= self.lower - slack) & (numbers <= self.upper + slack)
        low, high = self._ends
        places = np.full(len(numbers), math.nan)
        scaled = np.log(numbers[inside]) if self.log else numbers[inside]
        places[inside] = np.clip((scaled - low) / ((high - low) or 1.0), 0.0, 1.0)
        return places

    def value_at(self, place: float) -> float | int:
        """Return the number at a place of a range; see :meth:`place`."""
        low, high = self._ends
        scaled = low + place * (high - low)
        number = math.exp(scaled) if self.log else scaled
        number = min(max(number, self.lower), self.upper)
        return round(number) if self.kind == "int" else number

    def places(self) -> list[tuple[float, float]]:
        """Return the places of all values and their masses, which sum to 1; not of floats.

        The masses of ints are the shares of the scale that are nearest to each value.
        """
        if self.values:
            return [(self.place(each), 1 / len(self.values)) for each in self.values]
        low, high = self._ends
        edges = [self._scaled(n + 0.5) for n in range(int(self.lower) - 1, int(self.upper) + 1)]
        masses = [(b - a) / (high - low) for a, b in pairwise(edges)]
        numbers = range(int(self.lower), int(self.upper) + 1)
        return [(self.place(n), mass) for n, mass in zip(numbers, masses, strict=True)]

    @property
    def _ends(self) -> tuple[float, float]:
        half = 0.5 if self.kind == "int" else 0.0
        return self._scaled(self.lower - half), self._scaled(self.upper + half)

    def _scaled(self, number: float) -> float:
        return math.log(number) if self.log else float(number)


@dataclass(frozen=True)
class Points:
    """Finished evaluations of a search.

    Attributes:
        columns: the hyperparameters that have more than one value, d of them.
        places: the place of each value, see :meth:`Column.place`, shape (n, d); NaN where a
            hyperparameter is inactive.
        objectives: with the user's own sign, shape (n,).
        direction: says which of them are better.
        constants: names of the hyperparameters with one value.
        num_read: how many rows were read.
        total: how many the file has.
        left_out: how many of those that were read are not here, by the reason: "failed", "pruned",
            "stopped", "unreadable" or "not in the space".
        from_journal: whether a journal told of the space.
    """

    columns: tuple[Column, ...]
    places: NDArray[np.float64]
    objectives: NDArray[np.float64]
    direction: Direction
    constants: tuple[str, ...]
    num_read: int
    total: int
    left_out: dict[str, int]
    from_journal: bool


def read_points(
    results: str | Path,
    *,
    most: int | None = None,
    seed: int = 0,
    on_notice: Callable[[str], None] = lambda _: None,
) -> Points:
    """Read the finished evaluations of a search.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        most: how many rows to read, chosen at random if there are more; None for all.
        seed: of that choice.
        on_notice: called with one line for what had to be left out or guessed.

    Raises:
        ResultsError: if the file can't be read, or no evaluation in it has finished.
        SettingsError: if it isn't a path.
    """
    table = read_table(results, sample=None if most is None else (most, seed))
    return points_of(table, results, on_notice)


def points_of(table: Table, results: str | Path, on_notice: Callable[[str], None]) -> Points:
    """Return the finished evaluations of a table; see :func:`read_points`.

    Args:
        table: the results.
        results: where they are from.
        on_notice: called with one line for what had to be left out or guessed.

    Raises:
        ResultsError: if no evaluation has finished.
    """
    left_out_rows = left_out_phrase(table.left_out) if table.left_out else ""
    rows = [row for row in table.rows if row.is_finished]
    if not rows:
        raise ResultsError(
            f"'{results}' has no finished evaluation; wait for one, or look at its column 'failure'"
            + (f"; {left_out_rows}" if left_out_rows else "")
        )
    if left_out_rows:
        on_notice(f"of the {table.total} rows of '{results}', {left_out_rows}")
    import numpy as np

    columns, from_journal = columns_of(table, results, rows, on_notice)
    varied = tuple(column for column in columns if column.size > 1)
    places = np.empty((len(rows), len(varied)))
    fits = np.ones(len(rows), dtype=bool)
    for k, column in enumerate(varied):
        places[:, k] = _places(column, rows)
        given = np.array([column.name in row.point for row in rows])
        fits &= ~(given & np.isnan(places[:, k]))
    left_out = Counter(str(row.status) for row in table.rows if not row.is_finished)
    if not fits.all():
        first = rows[int(np.argmin(fits))].line
        count = int((~fits).sum())
        on_notice(f"{count} rows are not in the space of the search, the first in line {first}")
    return Points(
        columns=varied,
        places=places[fits],
        objectives=np.array([row.objective for row in rows])[fits],
        direction=table.direction,
        constants=tuple(column.name for column in columns if column.size <= 1),
        num_read=len(table.rows),
        total=table.total,
        left_out={**left_out, **({} if fits.all() else {"not in the space": int((~fits).sum())})},
        from_journal=from_journal,
    )


def columns_of(
    table: Table, results: str | Path, rows: Sequence[Row], on_notice: Callable[[str], None]
) -> tuple[list[Column], bool]:
    """Return the hyperparameters of a table, and whether a journal told of them.

    Args:
        table: the results.
        results: where they are from.
        rows: of the table, from which they are inferred where there is no journal.
        on_notice: called with one line for what had to be guessed.
    """
    space = _space_beside(results, table, on_notice)
    return (_inferred(rows, on_notice), False) if space is None else ([*_described(space)], True)


def _places(column: Column, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Return the places of the rows' values, shape (n,); NaN for what isn't one, or isn't there."""
    import numpy as np

    if column.values:
        return np.fromiter(_places_of_values(column, rows), np.float64, len(rows))
    values = (row.point.get(column.name) for row in rows)
    numbers = np.fromiter(map(_as_number, values), np.float64, len(rows))
    return column.places_of(numbers)


def _places_of_values(column: Column, rows: Sequence[Row]) -> Iterator[float]:
    known: dict[tuple[type, Any], float] = {}
    for row in rows:
        if column.name not in row.point:
            yield math.nan
            continue
        value = row.point[column.name]
        key = (type(value), value)
        if key not in known:
            known[key] = column.place(value)
        yield known[key]


def _as_number(value: Any) -> float:
    """Return a number as a float; NaN for anything else."""
    if type(value) is float:
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and _is_finite(value) else math.nan


def _equal(one: Any, other: Any) -> bool:
    """Return whether two values are the same choice: 1 and 1.0 are, 1 and True aren't."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12)
    return bool(one == other)


# -- the space of a journal ------------------------------------------------------------------------


def _space_beside(
    results: str | Path, table: Table, on_notice: Callable[[str], None]
) -> Mapping[str, Any] | None:
    """Return the description of the space that a journal beside the results begins with, if any."""
    from deephyper.search.events import SearchBegan
    from deephyper.search.log_dir import search_beside
    from deephyper.search.replay import read_events

    directory = search_beside(user_path("the results file", results))
    if directory is None:
        return None
    try:
        first = next(read_events(directory.path), None)
    except ResultsError as error:
        on_notice(f"the space is inferred from the columns, because {error}")
        return None
    if not isinstance(first, SearchBegan):
        return None
    if not first.space["hyperparameters"].keys() <= {*table.header}:
        on_notice("the space is inferred from the columns, because the journal is of another one")
        return None
    return first.space


def _described(space: Mapping[str, Any]) -> Iterator[Column]:
    """Yield the hyperparameters of a description, see :mod:`deephyper.problem.description`."""
    children = {child for each in space["conditions"] for child in _children(each)}
    for name, each in space["hyperparameters"].items():
        kind, conditional = str(each["type"]), name in children
        if kind == "constant":
            yield Column(name, "ordered", values=(each["value"],), conditional=conditional)
        elif kind == "ordinal":
            yield Column(name, "ordered", values=(*each["sequence"],), conditional=conditional)
        elif kind == "categorical":
            yield Column(name, "category", values=(*each["choices"],), conditional=conditional)
        else:
            number: Kind = "int" if kind.endswith("int") else "float"
            low, high = float(each["lower"]), float(each["upper"])
            yield Column(name, number, low, high, bool(each["log"]), (), conditional)


def _children(condition: Any) -> Iterator[str]:
    """Yield the names of what is active under a condition."""
    if isinstance(condition, dict):
        if "child" in condition:
            yield str(condition["child"])
        for part in condition.get("conditions", ()):
            yield from _children(part)


# -- without a journal -----------------------------------------------------------------------------


def _inferred(rows: Sequence[Row], on_notice: Callable[[str], None]) -> list[Column]:
    """Return the hyperparameters that the columns seem to be."""
    columns = []
    for name in dict.fromkeys(name for row in rows for name in row.point):
        values = [row.point[name] for row in rows if name in row.point]
        column = _column(name, values, len(values) < len(rows))
        if len(column.values) > _MOST_TEXTS:
            on_notice(
                f"the column '{name}' is left out, because it has {len(column.values)} different "
                "texts"
            )
            continue
        columns.append(column)
    return columns


def _column(name: str, values: Sequence[Any], conditional: bool) -> Column:
    kinds = {type(value) for value in values}
    if not kinds <= {int, float}:
        different = {(type(value), value): value for value in values}
        texts = sorted(different.values(), key=lambda value: (type(value).__name__, repr(value)))
        return Column(name, "category", values=(*texts,), conditional=conditional)
    numbers = sorted({value for value in values if _is_finite(value)})
    if not numbers:
        return Column(name, "category", conditional=conditional)
    if len(numbers) <= _FEW_NUMBERS and len(values) >= 3 * len(numbers):
        return Column(name, "ordered", values=(*numbers,), conditional=conditional)
    low, high = numbers[0], numbers[-1]
    return Column(
        name,
        "int" if kinds == {int} else "float",
        float(low),
        float(high),
        _is_logarithmic(low, high, statistics.median(values)),
        (),
        conditional,
    )


def _is_logarithmic(low: float, high: float, median: float) -> bool:
    """Return whether numbers seem to be from a logarithmic range.

    That is where its ends are far apart, and the median is nearer to the middle of the logarithms
    than to that of the numbers.
    """
    if low <= 0 or high <= _LOG_RATIO * low:
        return False
    place = (median - low) / (high - low)
    logarithmic_place = math.log(median / low) / math.log(high / low)
    return abs(logarithmic_place - 0.5) < abs(place - 0.5)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond the range of a float
        return False
