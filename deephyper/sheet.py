"""Tables of text: CSV files as searches, spreadsheets and other tools save them.

What is unambiguous is read: UTF-8 or UTF-16 with a byte order mark, cells separated by commas,
semicolons or tabs, decimal commas where commas don't separate cells. Every line is accounted for.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import heapq
import io
import math
import os
import re
import select
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deephyper.errors import ResultsError
from deephyper.printable import printable

_DELIMITERS = (",", ";", "\t")
_SEP_LINE = re.compile(r'"?sep=(.)"?[,;\t]*\r?\n?', re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)
_POINT_NUMBER = re.compile(r"\s*[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\s*", re.ASCII)
# 1,234 or 1.234: also a number of thousands.
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(?:[,.]\d{3})+\s*", re.ASCII)

_BLANK_LINES = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))*")
_HEAD = 10_000  # characters in which a header is looked for

_PIPE_SECONDS = 10.0
_LARGEST = 1 << 30

DecimalMark = Literal["point", "comma", "mixed"]
"""How a file writes numbers that aren't whole; mixed: some with a point, some with a comma."""


@dataclass(frozen=True)
class LeftOut:
    """Lines of a file that can't be used.

    Attributes:
        line: number of the first, counted from 1.
        reason: in a few words.
        lines: how many they are.
    """

    line: int
    reason: str
    lines: int = 1


@dataclass(frozen=True)
class Record:
    """The cells of one row.

    Attributes:
        line: number of its first line, counted from 1.
        cells: as many as the header has.
        given: how many of them the file has; the others are empty.
        lines: how many lines it spans.
    """

    line: int
    cells: list[str]
    given: int
    lines: int = 1


@dataclass(frozen=True)
class Sheet:
    """A table of text.

    Attributes:
        header: names of the columns.
        records: rows that have cells for these columns and no others.
        broken: lines that are not such rows.
        unfinished: the last row, if it is short and its line has no end.
        mark: how numbers are written.
        passed_over: how many rows were read and are not kept, see :func:`read_sheet`.
    """

    header: list[str]
    records: list[Record]
    broken: list[LeftOut]
    unfinished: Record | None
    mark: DecimalMark
    passed_over: int = 0

    def number(self, cell: str) -> str:
        """Return a cell with a decimal point, where it is a number with a decimal comma."""
        if self.mark == "point" or not _COMMA_NUMBER.fullmatch(cell) or self.is_ambiguous(cell):
            return cell
        return cell.replace(",", ".")

    def is_ambiguous(self, cell: str) -> bool:
        """Return whether a cell may be a number or a thousand times as much."""
        return self.mark == "mixed" and _THOUSANDS.fullmatch(cell) is not None


Score = Callable[[list[str]], float | None]
"""Gives the number that the cells of a row are ranked by; None for a row to look at closely."""


@dataclass(frozen=True)
class Best:
    """The rows that are wanted of a table of which most are not.

    Attributes:
        k: how many: those with the highest scores, of equals the earlier ones, and all without one.
        score: gives what scores the rows under a header; None where each has to be looked at.
    """

    k: int
    score: Callable[[list[str]], Score | None]


def read_sheet(path: Path, column: str, best: Best | None = None) -> Sheet:
    """Read a table.

    Args:
        path: the file.
        column: name of a column that it has.
        best: the rows to keep, where cells are separated by commas; None for all.

    Raises:
        ResultsError: if it can't be read, isn't a table, lacks the column, or has one twice.
    """
    whole = _read_text(path)
    separator = _SEP_LINE.match(whole)
    text = whole[separator.end() :] if separator is not None else whole
    text = text[_BLANK_LINES.match(text).end() :]  # type: ignore[union-attr]  # it always matches
    before = len(whole[: len(whole) - len(text)].splitlines())
    del whole
    with _any_length():
        for delimiter in _DELIMITERS if separator is None else (separator[1],):
            rows = csv.reader(_lines(text), delimiter=delimiter, strict=True)
            header = _header(rows, column)
            if column in header:
                break
        else:
            raise ResultsError(
                f"'{path}' has no column '{column}'; {_remedy(text, column, before)}"
            )
        # Spreadsheets add columns without a name.
        twice = next((name for name in header if name and header.count(name) > 1), None)
        if twice is not None:
            raise ResultsError(
                f"'{path}' has the column {quoted(twice)} twice; remove or rename one of them"
            )
        score = best.score(header) if best is not None and delimiter == "," else None
        if best is None or score is None:
            found, passed_over = list(_records(rows, before)), 0
        else:
            ranking = _Ranking(best.k, score)
            for row in _records(rows, before, ranking.passes_over):
                ranking.take(row)
            found, passed_over = ranking.kept, ranking.num_passed_over
        lines = before + rows.line_num
    whole_end = text.endswith(("\n", "\r"))
    last = None if whole_end else _cut_off(found, len(header), lines)
    records: list[Record] = []
    broken: list[LeftOut] = []
    for each in found if last is None else found[:-1]:
        fitted = each
        if isinstance(each, Record):
            if _is_empty(each.cells) or each.cells == header:
                continue  # nothing, or the header of a file that was added to this one
            if column in each.cells and not any(map(_is_number, each.cells)):
                raise ResultsError(
                    f"'{path}' has another header in line {each.line}; split it into two files"
                )
            fitted = _fit(each, len(header), delimiter)
        if isinstance(fitted, LeftOut):
            broken.append(fitted)
        else:
            records.append(fitted)
    return Sheet(
        header,
        records,
        broken,
        last if isinstance(last, Record) else None,
        _decimal_mark(records, delimiter),
        passed_over,
    )


def _lines(text: str) -> Iterator[str]:
    """Return the lines of a text with their ends, whichever these are."""
    # A StringIO would take four bytes a character.
    return io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="")


class _Ranking:
    """Keeps the best rows and all without a score, and counts the others.

    Args:
        k: how many of those with a score to keep.
        score: gives it.
    """

    def __init__(self, k: int, score: Score) -> None:
        self._k = k
        self._score = score
        self._others: list[Record | LeftOut] = []
        self._records: dict[int, Record] = {}  # by line
        self._best: list[tuple[float, int]] = []  # their scores and lines, the worst one first
        self._bar = -math.inf
        """The score that the next row to keep has to exceed."""
        self.num_passed_over = 0

    def passes_over(self, cells: list[str]) -> bool:
        """Return whether a row, which is on one line, is not among the best so far."""
        if len(self._best) < self._k:
            return False
        value = self._score(cells)
        if value is None or value > self._bar:
            return False
        self.num_passed_over += 1
        return True

    def take(self, row: Record | LeftOut) -> None:
        """Take a row that is not passed over."""
        is_single = isinstance(row, Record) and row.lines == 1
        value = self._score(row.cells) if is_single and isinstance(row, Record) else None
        if value is None or not isinstance(row, Record):
            self._others.append(row)
            return
        self._records[row.line] = row
        heapq.heappush(self._best, (value, -row.line))
        if len(self._best) > self._k:
            del self._records[-heapq.heappop(self._best)[1]]
            self.num_passed_over += 1
        if len(self._best) == self._k:
            self._bar = self._best[0][0]

    @property
    def kept(self) -> list[Record | LeftOut]:
        """The rows, in their order."""
        return sorted([*self._others, *self._records.values()], key=lambda row: row.line)


def _header(rows: Iterator[list[str]], column: str) -> list[str]:
    """Return the first row; without spaces around names where these hide the column."""
    try:
        header = next(rows, [])
    except csv.Error:
        return []
    return header if column in header else [name.strip() for name in header]


def _remedy(text: str, column: str, before: int) -> str:
    """Return what to do about a table without a column, or with something above its header.

    Args:
        text: the table.
        column: name of the column.
        before: lines before the text.
    """
    if "\0" in text:
        return "save it as CSV in UTF-8"
    for number, line in enumerate(io.StringIO(text[:_HEAD]), before + 1):
        for delimiter in _DELIMITERS:
            names = [name.strip(' "\r\n') for name in line.split(delimiter)]
            if len(names) > 1 and column in names:
                return f"its header seems to be line {number}: remove the lines above it"
        if number > before + 1:
            continue
        found = re.search(rf"\b{re.escape(column)}\b", line, re.IGNORECASE)
        if found is not None and found[0] != column:
            return f"its header has '{found[0]}': rename that"
        if found is not None:
            return "separate its cells with commas, semicolons or tabs"
    return "give the results.csv of a search"


def _cut_off(found: list[Record | LeftOut], columns: int, lines: int) -> Record | LeftOut | None:
    """Return the last row of a file whose last line has no end, if only half of it is there.

    Args:
        found: the rows.
        columns: how many the header has.
        lines: how many the file has.
    """
    last = found[-1] if found else None
    if last is None or last.lines > 1 or (isinstance(last, Record) and last.given >= columns):
        return None
    return last if last.line >= lines else None  # a whole row that was passed over came after it


def count(left_out: Sequence[LeftOut]) -> int:
    """Return how many lines were left out."""
    return sum(each.lines for each in left_out)


def left_out_phrase(left_out: Sequence[LeftOut]) -> str:
    """Return how many lines were left out, and why the first was."""
    first = min(left_out, key=lambda each: each.line)
    return f"{count(left_out)} left out (line {first.line}: {first.reason})"


def quoted(cell: str) -> str:
    """Return a cell in quotes on one short line that can be printed, for messages."""
    text = printable(cell[:61])
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"


def _read_text(path: Path) -> str:
    """Return what a text file holds; of a character that is being written, nothing."""
    try:
        data = _read_bytes(path)
    except FileNotFoundError as error:
        raise ResultsError(f"there is no file '{path}'; check the path") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ResultsError(f"'{path}' can't be read: {reason}") from error
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if utf_16 else "utf-8-sig"
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = data.count(b"\n", 0, start) + 1
        where = "" if utf_16 else f" (line {line} has the byte 0x{data[start]:02x})"
        raise ResultsError(f"'{path}' is not a CSV file in UTF-8{where}; save it as one") from error


def _read_bytes(path: Path) -> bytes:
    """Return what a file holds, or what comes through a pipe.

    Raises:
        ResultsError: if it is a device, a pipe into which nobody writes, or too large.
        OSError: if it can't be read.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_ISFIFO(status.st_mode):
            if not select.select([file], [], [], _PIPE_SECONDS)[0]:
                raise ResultsError(
                    f"'{path}' is a pipe, and for {_PIPE_SECONDS} s nothing was written into it; "
                    "give a file"
                )
        elif not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise ResultsError(f"'{path}' is a device; give a file")
        os.set_blocking(file.fileno(), True)
        data = bytearray()
        while chunk := file.read(1 << 20):
            data += chunk
            if len(data) > _LARGEST:
                raise ResultsError(
                    f"'{path}' is larger than {_LARGEST >> 30} GiB; give the results.csv of a "
                    "search"
                )
    return bytes(data)


def _records(
    rows: Any, before: int, passes_over: Callable[[list[str]], bool] | None = None
) -> Iterator[Record | LeftOut]:
    """Give the rows that a csv.reader finds, and the lines that quotes make unreadable.

    Args:
        rows: the reader, which has read the header.
        before: lines before those that it reads.
        passes_over: returns whether the cells of a line are not wanted; None for all of them.
    """
    while True:
        begin = rows.line_num
        try:
            for cells in rows:
                lines = rows.line_num - begin
                if passes_over is None or lines > 1 or not passes_over(cells):
                    yield Record(before + begin + 1, cells, len(cells), lines)
                begin += lines
        except csv.Error:
            lines = max(rows.line_num - begin, 1)
            yield LeftOut(before + begin + 1, "a quotation mark is out of place", lines)
            continue
        return


def _fit(record: Record, columns: int, delimiter: str) -> Record | LeftOut:
    """Return a record with the cells of the header."""
    cells = record.cells
    if not _is_empty(cells[columns:]):
        return LeftOut(
            record.line, f"it has {len(cells)} cells, the header has {columns}", record.lines
        )
    swallowed = record.lines > 1 and any(
        line.count(delimiter) >= max(columns - 1, 1)
        for cell in cells
        for line in cell.splitlines()[1:]
    )
    if swallowed or (record.lines > 1 and len(cells) < columns):
        # A quotation mark too many makes one cell of several rows.
        return LeftOut(record.line, "a quotation mark seems to be out of place", record.lines)
    given = min(len(cells), columns)
    padded = [*cells[:columns], *[""] * (columns - given)]
    return Record(record.line, padded, given, record.lines)


def _decimal_mark(records: list[Record], delimiter: str) -> DecimalMark:
    if delimiter == ",":
        return "point"
    cells = [cell for record in records for cell in record.cells]
    commas = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
    if not commas:
        return "point"
    if any(_POINT_NUMBER.fullmatch(cell) for cell in cells):
        return "mixed"
    # Only where commas are decimal do spreadsheets separate cells by semicolons.
    if delimiter == ";" or not all(_THOUSANDS.fullmatch(cell) for cell in commas):
        return "comma"
    return "mixed"


def _is_empty(cells: list[str]) -> bool:
    return not any(cell.strip() for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


@contextlib.contextmanager
def _any_length() -> Iterator[None]:
    """Let cells be as long as what a choice or a message of the user's is."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
