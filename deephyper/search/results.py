"""Reading ``results.csv``, also a file that was edited, or that another tool wrote.

Nothing is left out in silence: a row that can't be used is there with the reason. A row is a
failure only if it says so. The columns are those of :mod:`deephyper.search.results_file`.
"""

from __future__ import annotations

import math
import os
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from deephyper.cell import NOTHING, parse_cell
from deephyper.checks import user_path
from deephyper.errors import ResultsError
from deephyper.objective import FAILURE_PREFIX, Direction, Objective, objective_from_cell
from deephyper.search.results_file import COLUMNS, DIRECTION, FILE_NAME
from deephyper.sheet import Best, LeftOut, Record, Score, Sheet, count, quoted, read_sheet

Status = Literal["finished", "failed", "pruned", "stopped", "unreadable"]
"""finished: with an objective; pruned: ended early, with the objective of a step; stopped: ended
with the search; unreadable: the row doesn't say what came of it."""

_STATUSES: tuple[Status, ...] = ("finished", "failed", "pruned", "stopped")
# The index that pandas writes; and what DeepHyper's other versions write after the objective.
_INDEX = re.compile(r"|Unnamed: \d+")
_ELSEWHERE = re.compile(r"job_id|job_status|m:.*")
_METRIC_PREFIX = "m:"


@dataclass(frozen=True)
class Row:
    """One evaluation read from a results file.

    Attributes:
        point: the active hyperparameters, and whatever else the file has columns for.
        objective: None where there is none that can be read.
        columns: the other columns, as values.
        cells: column -> its text, of all columns; empty ones are absent.
        line: number of its first line, counted from 1.
        status: what came of the evaluation.
        reason: why the row is unreadable; empty otherwise.
        metrics: those of the other columns that are metrics, by name; of a pruned evaluation its
            step too.
    """

    point: dict[str, Any]
    objective: Objective | None
    columns: dict[str, Any]
    cells: dict[str, str]
    line: int
    status: Status
    reason: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """True for a whole evaluation with an objective, not failed and not ended early."""
        return self.status == "finished"


@dataclass(frozen=True)
class Table:
    """A results file that was read.

    Attributes:
        header: names of the columns, in their order.
        rows: the rows, unreadable ones included; not all of them where some were wanted.
        broken: lines that are not rows.
        sheet: the text that it was read from.
        direction: says which of its objectives are better.
        passed_over: how many rows are not here, because not all of them were wanted.
    """

    header: list[str]
    rows: list[Row]
    broken: list[LeftOut]
    sheet: Sheet
    direction: Direction = "maximize"
    passed_over: int = 0

    @property
    def left_out(self) -> list[LeftOut]:
        """Everything that says nothing, in the order of the file."""
        unreadable = [LeftOut(r.line, r.reason) for r in self.rows if r.status == "unreadable"]
        return sorted([*self.broken, *unreadable], key=lambda each: each.line)

    @property
    def total(self) -> int:
        """Number of results: rows, and lines that are not rows."""
        return len(self.rows) + count(self.broken) + self.passed_over


def read_results(path: str | Path) -> list[Row]:
    """Read the rows of a results file, also one that an older deephyper or another tool wrote.

    Args:
        path: the file, or the log directory that holds it.

    Raises:
        ResultsError: if it isn't there, isn't a CSV file, or has no objective.
        SettingsError: if it isn't a path.
    """
    return read_table(path).rows


def read_table(
    path: str | Path, best: int | None = None, sample: tuple[int, int] | None = None
) -> Table:
    """Read a results file: its rows, its columns, and what had to be left out.

    Args:
        path: the file, or the log directory that holds it.
        best: how many of the finished rows are wanted, those with the best objectives; None for
            all rows. Others may be missing, but not from the number of rows and what is left out.
        sample: how many rows are wanted, drawn at random if there are more, and the seed of that;
            None for all rows.

    Raises:
        ResultsError, SettingsError: as :func:`read_results`.
    """
    path = user_path("the results file", path)
    if os.path.isdir(path):  # False for a name that can't be a path
        path /= FILE_NAME
    sheet = read_sheet(path, "objective", None if best is None else Best(best, _score))
    direction = _direction(path, sheet)
    read = _Reader(sheet)
    broken = list(sheet.broken)
    last = sheet.unfinished
    # A search that is running now may have written half a row. Where what came of the evaluation
    # is there already, another tool may have left out the rest.
    if last is not None and "status" in sheet.header and read.has_status(last):
        broken.append(LeftOut(last.line, "it is not whole, as if it were being written"))
    records = sheet.records
    if sample is not None and len(records) > sample[0]:
        chosen = random.Random(sample[1]).sample(range(len(records)), sample[0])
        records = [records[i] for i in sorted(chosen)]
    rows = [read.row(record) for record in records]
    passed_over = sheet.passed_over + len(sheet.records) - len(records)
    return Table(sheet.header, rows, broken, sheet, direction, passed_over)


def _has_direction(header: list[str]) -> bool:
    """Return whether a file says which objectives are better."""
    return DIRECTION in header and COLUMNS[-1] in header[: header.index(DIRECTION)]


def _direction(path: Path, sheet: Sheet) -> Direction:
    """Return which objectives of a file are better.

    Raises:
        ResultsError: if not all of its rows say the same.
    """
    if not _has_direction(sheet.header):
        return "maximize"
    column = sheet.header.index(DIRECTION)
    said = {record.cells[column] for record in sheet.records} - {""}
    if said <= {"minimize"}:
        return "minimize"
    raise ResultsError(
        f"the column '{DIRECTION}' of '{path}' is not 'minimize' in every row; results of searches "
        "that minimize and of others can't be compared: keep them in files of their own"
    )


def _score(header: list[str]) -> Score | None:
    """Return what ranks the rows that are as a search writes them; see :meth:`_Reader.row`."""
    if "status" not in header:
        return None
    columns = len(header)
    objective, status = header.index("objective"), header.index("status")
    minimizes = header.index(DIRECTION) if _has_direction(header) else None
    sign = 1.0 if minimizes is None else -1.0
    failure = header.index("failure") if "failure" in header else None
    points = [header.index(name) for name in _point_columns(header)]

    def score(cells: list[str]) -> float | None:
        if len(cells) != columns or not any(cells[i].strip() for i in points):
            return None
        if minimizes is not None and cells[minimizes] != "minimize":
            return None
        state, text = cells[status], cells[objective]
        if not text:
            return -math.inf if state in ("failed", "stopped") else None
        if state not in ("finished", "pruned") or "_" in text:
            return None
        if failure is not None and cells[failure]:
            return None
        try:
            value = float(text)
        except ValueError:
            return None
        if not math.isfinite(value):
            return None
        return sign * value if state == "finished" else -math.inf

    return score


def _other_columns(header: list[str]) -> set[str]:
    """Return the columns that are neither hyperparameters nor the objective."""
    # Nobody can tell a hyperparameter from another column before the objective; after the
    # columns of a search come metrics.
    after = header[header.index("objective") + 1 :]
    return {
        *COLUMNS,
        *_after_own(header),
        *(name for name in header if _INDEX.fullmatch(name)),
        *(name for name in after if _ELSEWHERE.fullmatch(name)),
    } - {"objective"}


def _after_own(header: list[str]) -> list[str]:
    """Return the columns that follow those of every search."""
    return header[header.index(COLUMNS[-1]) + 1 :] if COLUMNS[-1] in header else []


def _metric_columns(header: list[str]) -> dict[str, str]:
    """Return the columns that are metrics, and the name of each."""
    found = [name for name in _after_own(header) if not _INDEX.fullmatch(name)]
    if _has_direction(header):
        found.remove(DIRECTION)
    after = header[header.index("objective") + 1 :]
    found += [each for each in after if each.startswith(_METRIC_PREFIX) and each not in found]
    return {
        title: name if (name := title.removeprefix(_METRIC_PREFIX)) not in found else title
        for title in found
    }


def _point_columns(header: list[str]) -> set[str]:
    """Return the columns that may be hyperparameters."""
    return {*header} - _other_columns(header) - {"objective", ""}


class _Reader:
    """Reads the rows of a sheet.

    Args:
        sheet: the sheet.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        header = sheet.header
        self._others = _other_columns(header)
        self._metrics = _metric_columns(header)
        self._numeric = self._numeric_columns()
        self._points = _point_columns(header)
        self._states = sheet.passed_over > 0 or any(map(self._states_status, sheet.records))

    def has_status(self, record: Record) -> bool:
        """Return whether a record reaches its status; True where the file has none."""
        header = self._sheet.header
        return "status" not in header or record.given > header.index("status")

    def _states_status(self, record: Record) -> bool:
        header = self._sheet.header
        return "status" in header and bool(
            _filled({"status": record.cells[header.index("status")]}, "status")
        )

    def row(self, record: Record) -> Row:
        """Return a record as a row."""
        pairs = zip(self._sheet.header, record.cells, strict=True)
        cells = {name: cell for name, cell in pairs if name and cell.strip()}
        values = {name: parse_cell(self._sheet.number(cell)) for name, cell in cells.items()}
        objective = objective_from_cell(values.pop("objective", None))
        columns = {name: values.pop(name) for name in [*values] if name in self._others}
        status, reason = _status(cells, columns, objective)
        if status != "unreadable":
            reason = self._doubt(record, {**values, "objective": objective}, cells)
            status = "unreadable" if reason else status
        metrics = {name: columns[t] for t, name in self._metrics.items() if t in columns}
        return Row(values, objective, columns, cells, record.line, status, reason, metrics)

    def _doubt(self, record: Record, values: dict[str, Any], cells: dict[str, str]) -> str:
        """Return why the cells of a row may not be what they seem; empty if nothing says so."""
        if not self.has_status(record):
            return "it ends before its status"
        if self._points and not values.keys() & self._points:
            return "it has no hyperparameters"
        if values["objective"] is not None and self._states and not self._states_status(record):
            return "its status is empty"
        for name in values:
            if name in cells and self._sheet.is_ambiguous(cells[name]):
                return (
                    f"its {quoted(name)} is {quoted(cells[name])}, and the file has decimal points "
                    "and decimal commas"
                )
        if record.given == len(self._sheet.header):
            return ""
        for name in self._numeric & values.keys():
            if isinstance(values[name], str):
                return f"it has too few cells, and its {quoted(name)} is {quoted(cells[name])}"
        return ""

    def _numeric_columns(self) -> set[str]:
        """Return the columns that hold numbers alone, in rows that are complete."""
        header = self._sheet.header
        whole = [r.cells for r in self._sheet.records if r.given == len(header)]
        if "status" in header or len(whole) == len(self._sheet.records):
            return set()  # where a cell is missing in the middle, it shows at the status

        def numeric(column: int) -> bool:
            cells = [row[column] for row in whole if row[column]]
            values = [parse_cell(self._sheet.number(cell)) for cell in cells]
            return bool(values) and not any(isinstance(value, str) for value in values)

        return {name for i, name in enumerate(header) if name and numeric(i)}


def _status(
    cells: dict[str, str], columns: dict[str, Any], objective: Objective | None
) -> tuple[Status, str]:
    """Return what came of an evaluation, or why nothing shows it."""
    given = _filled(columns, "status").lower()
    known = next((status for status in _STATUSES if status == given), None)
    if given and known is None:
        return "unreadable", f"its status is {quoted(cells['status'])}"
    if known in ("failed", "stopped"):
        return known, ""
    text = cells.get("objective", "").strip()
    failed = bool(_filled(columns, "failure"))
    if objective is not None:
        if failed:
            return "unreadable", "it has an objective and a failure"
        return known or "finished", ""
    if failed or text == "F" or text.startswith(FAILURE_PREFIX):
        return "failed", ""
    if text:
        return "unreadable", f"its objective is {quoted(text)}, not a finite number"
    if known:
        return "unreadable", f"its objective is empty, and its status is {known}"
    return "unreadable", "its objective is empty, and nothing says that it failed"


def _filled(columns: dict[str, Any], name: str) -> str:
    """Return the text of a column; empty for what stands for nothing."""
    value = columns.get(name)
    text = "" if value is None else str(value).strip()
    return "" if text.lower() in NOTHING else text
