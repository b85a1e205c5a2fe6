"""The table of evaluations, column by column."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from deephyper.analytics.report.arrays import Arrays
from deephyper.cell import format_cell
from deephyper.search.results import Row, Table

_MISSING: Any = object()
_LONGEST_TEXT = 200
_MOST_FAILURES = 2_000
"""Different texts of failures up to which each is shown as it is; then those of their groups."""
_EXACT = 2**53
"""Whole numbers up to this one are exact as floats."""
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")

# The title of each column that isn't a hyperparameter or a metric.
_TITLES = {
    "id": "id",
    "elapsed_sec": "seconds",
    "worker": "worker",
    "predicted": "predicted",
    "predicted_std": "predicted std",
}


class FailureGroups:
    """Failures that differ in numbers alone, together.

    Attributes:
        titles: of each group, the text of its first failure.
        sizes: how many failures each has.
    """

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.sizes: list[int] = []
        self._numbers: dict[str, int] = {}

    def add(self, text: str) -> int:
        """Take a failure; return the number of its group."""
        key = _NUMBER.sub("0", text)
        number = self._numbers.setdefault(key, len(self.titles))
        if number == len(self.titles):
            self.titles.append(text)
            self.sizes.append(0)
        self.sizes[number] += 1
        return number

    def of(self, text: str) -> int | None:
        """Return the number of the group that a failure belongs to; None if none was added."""
        return self._numbers.get(_NUMBER.sub("0", text))


def columns_of_table(
    table: Table,
    names: Sequence[str],
    order: dict[str, Sequence[Any]],
    groups: FailureGroups,
    arrays: Arrays,
) -> list[dict[str, Any]]:
    """Return the columns of a page's table.

    Args:
        table: the results.
        names: the hyperparameters.
        order: name -> the values of a hyperparameter that has a few, in their order.
        groups: takes the failures.
        arrays: takes the numbers.
    """
    rows = table.rows
    found = []

    def add(role: str, title: str, values: Iterable[Any], first: Sequence[Any] = ()) -> None:
        column = _column([*values], first, arrays)
        if column is not None:
            found.append({"role": role, "title": title, **column})

    add("status", "status", (row.status for row in rows))
    add("objective", "objective", (_or_missing(row.objective) for row in rows))
    for name in names:
        values = (row.point.get(name, _MISSING) for row in rows)
        add("hyperparameter", name, values, order.get(name, ()))
    for name in dict.fromkeys(name for row in rows for name in row.metrics):
        add("metric", name, (row.metrics.get(name, _MISSING) for row in rows))
    for name, title in _TITLES.items():
        add(name, title, _own(rows, name))
    first = first_time(table) or 0.0
    for name in ("start", "end"):
        times = (_time(value, first) for value in _own(rows, name))
        add(name, f"{name} (s)", times)
    failures = [*_failures(rows, groups)]
    add("group", "group", (_MISSING if f is None else groups.of(f) for f in failures))
    texts = {text for text in failures if text is not None}
    shown: Callable[[str], str] = str
    if len(texts) > _MOST_FAILURES:
        shown = lambda text: groups.titles[groups.of(text) or 0]  # noqa: E731
    add("failure", "failure", (_MISSING if f is None else shown(f) for f in failures))
    return found


def first_time(table: Table) -> float | None:
    """Return when the first evaluation was started, or ended where no start is told.

    Returns:
        Seconds since the epoch; None where there are no times.
    """
    for name in ("start", "end"):
        times = [value for value in _own(table.rows, name) if _is_time(value)]
        if times:
            return float(min(times))
    return None


def failure_text(kind: str, message: str) -> str:
    """Return a failure as it is in a results file."""
    return f"{kind}: {message}"


def _failures(rows: Sequence[Row], groups: FailureGroups) -> Iterable[str | None]:
    for row in rows:
        text: str | None = None
        if row.status == "failed":
            text = str(row.columns.get("failure") or "") or "no reason is given"
            groups.add(text)
        elif row.status == "unreadable":
            text = row.reason
            groups.add(text)
        yield text


def _own(rows: Iterable[Row], name: str) -> Iterable[Any]:
    return (_or_missing(row.columns.get(name)) for row in rows)


def _or_missing(value: Any) -> Any:
    return _MISSING if value is None else value


def _is_time(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value)


def _time(value: Any, first: float) -> Any:
    """Return a time relative to the first start, to the millisecond."""
    return round(value - first, 3) if _is_time(value) else _MISSING


def _column(values: list[Any], first: Sequence[Any], arrays: Arrays) -> dict[str, Any] | None:
    """Return the values of a column for the page; None if there are none.

    A number that is missing is NaN, and the rows of those that are NaN are told.
    """
    kinds = {type(value) for value in values if value is not _MISSING}
    if not kinds:
        return None
    if kinds <= {int, float} and not _exceeds(values, kinds):
        missing = math.nan
        numbers = np.array([missing if v is _MISSING else v for v in values], dtype=np.float64)
        nans = [int(i) for i in np.flatnonzero(np.isnan(numbers)) if values[i] is not _MISSING]
        return {"type": "number", "data": arrays.add(numbers), "nans": nans}
    texts: dict[str, int] = {text_of(value): i for i, value in enumerate(first)}
    known: dict[tuple[type, Any], int] = {}
    codes = np.full(len(values), -1)
    for i, value in enumerate(values):
        if value is _MISSING:
            continue
        key = (type(value), value)
        if key not in known:
            known[key] = texts.setdefault(text_of(value), len(texts))
        codes[i] = known[key]
    return {"type": "text", "texts": [*texts], "data": arrays.add(codes)}


def _exceeds(values: list[Any], kinds: set[type]) -> bool:
    """Return whether some whole numbers are not exact as floats."""
    return int in kinds and any(type(v) is int and abs(v) > _EXACT for v in values)


def text_of(value: Any) -> str:
    """Return a value as the text that stands for it in a results file, cut off if it is long."""
    text = format_cell(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return True
    return isinstance(value, int) and not isinstance(value, bool)
