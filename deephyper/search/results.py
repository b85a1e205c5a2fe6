"""``results.csv``: one row per evaluation, derived from the journal.

Columns are the hyperparameters, then :data:`COLUMNS`. A cell reads back as the value that was
written: an inactive hyperparameter is an empty cell, None is ``None``, booleans are ``True`` and
``False``, numbers are numbers, and a text that would read as one of these is in JSON's quotes.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from deephyper.errors import ResultsError

if TYPE_CHECKING:
    from deephyper.search.journal import Evaluation

FILE_NAME = "results.csv"
# A text without UTF-8, such as an error message with a broken file name, is no reason to stop.
_ENCODING, _ERRORS = "utf-8", "backslashreplace"
COLUMNS = (
    "objective",
    "id",
    "elapsed_sec",
    "status",
    "worker",
    "start",
    "end",
    "failure",
    "predicted",
    "predicted_std",
)
"""objective: empty where the evaluation failed; elapsed_sec: seconds from start to end; start, end:
seconds since the epoch; failure: kind and message; predicted, predicted_std: what the optimizer's
model expected of the point when it proposed it."""


@dataclass(frozen=True)
class Row:
    """One evaluation read from a results file.

    Attributes:
        point: the active hyperparameters.
        objective: None where the evaluation failed.
        columns: the other columns, as values.
    """

    point: dict[str, Any]
    objective: float | None
    columns: dict[str, Any]


class ResultsWriter:
    """Appends rows to a new results file.

    Args:
        path: the file.
        names: the hyperparameters.
        evaluations: rows to begin with.

    Raises:
        ResultsError: if it can't be written, here and in :meth:`append`.
    """

    def __init__(
        self, path: Path, names: Sequence[str], evaluations: Iterable[Evaluation] = ()
    ) -> None:
        self.path = path
        self._names = names
        partial = path.with_name(path.name + ".partial")
        try:
            with _open(partial, "w") as file:
                file.write(to_text(names, evaluations))
            os.replace(partial, path)
            self._file = _open(path, "a")
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise _cannot_write(path, error) from error

    def append(self, evaluation: Evaluation) -> None:
        """Add the row of an evaluation that has ended."""
        try:
            csv.writer(self._file).writerow(_cells(evaluation, self._names))
            self._file.flush()
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    @property
    def is_deleted(self) -> bool:
        """Whether the file was deleted, or replaced by another of its name."""
        return os.fstat(self._file.fileno()).st_nlink == 0

    def close(self) -> None:
        # What could not be written was reported by append() and stands in the journal.
        with contextlib.suppress(OSError):
            self._file.close()


def to_text(names: Sequence[str], evaluations: Iterable[Evaluation]) -> str:
    """A whole results file as text."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow([*names, *COLUMNS])
    rows.writerows(_cells(evaluation, names) for evaluation in evaluations)
    return text.getvalue()


def set_aside_if_changed(
    path: Path, names: Sequence[str], evaluations: Iterable[Evaluation]
) -> Path | None:
    """Rename a results file that somebody has changed: it is theirs, and must not be replaced.

    Args:
        path: the file, which need not exist.
        names: the hyperparameters.
        evaluations: that it was written from.

    Returns:
        Its new path, or None if it is what a search wrote, be it cut off by a sudden end.

    Raises:
        ResultsError: if it can't be read or renamed.
    """
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultsError(
            f"'{path}' can't be read ({error.strerror or error}); move it away, the journal beside "
            "it has every result"
        ) from error
    whole = to_text(names, evaluations).encode(_ENCODING, _ERRORS)
    if whole.startswith(found[: found.rfind(b"\n") + 1]):
        return None
    stem = f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    aside, number = path.with_name(stem + path.suffix), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{stem}-{number}{path.suffix}")
    try:
        path.rename(aside)
    except OSError as error:
        raise _cannot_write(path, error) from error
    return aside


def read_results(path: Path) -> list[Row]:
    """Read a results file, also one that an older deephyper or another tool wrote.

    Args:
        path: the file, or the log directory that holds it.

    Raises:
        ResultsError: if it isn't there, isn't a CSV file, or has no objective.
    """
    return read_table(path)[1]


def read_table(path: Path) -> tuple[list[str], list[Row]]:
    """The same with the names of the columns, in their order."""
    try:
        if path.is_dir():
            path /= FILE_NAME
        # as spreadsheets save
        with _any_length(), path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            if "objective" not in header:
                raise ResultsError(
                    f"'{path}' has no column 'objective'; give the results.csv of a search"
                )
            if len(set(header)) != len(header):
                raise ResultsError(f"'{path}' has a column twice; give the results.csv of a search")
            rows = []
            for cells in reader:
                # A search that is running now may have written half a row.
                if len(cells) == len(header):
                    rows.append(_row(dict(zip(header, cells, strict=True))))
            return header, rows
    except FileNotFoundError as error:
        raise ResultsError(f"there is no file '{path}'; check the path") from error
    except OSError as error:
        raise ResultsError(f"'{path}' can't be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ResultsError(f"'{path}' is no CSV file: {error}") from error


@contextlib.contextmanager
def _any_length() -> Iterator[None]:
    """Cells may be as long as what a choice or a message of the user's is."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def format_cell(value: Any) -> str:
    """A value as text that :func:`parse_cell` turns back."""
    if isinstance(value, str):
        plain = value != "" and value == value.strip() and parse_cell(value) == value
        return value if plain else json.dumps(value, ensure_ascii=False)
    return repr(value)


def parse_cell(text: str) -> Any:
    """The value that a cell, which isn't empty, stands for."""
    constants = {"None": None, "True": True, "False": False}
    if text in constants:
        return constants[text]
    if text.startswith('"'):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if "_" in text:
        return text  # Python would read 1_000 as a number
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _open(path: Path, mode: str) -> IO[str]:
    return open(path, mode, newline="", encoding=_ENCODING, errors=_ERRORS)


def _cannot_write(path: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"'{path}' can't be written ({error.strerror or error}); the journal beside it has every "
        "result: make room or mend the permissions, then go on with --resume"
    )


def _row(cells: dict[str, str]) -> Row:
    values = {name: parse_cell(cell) for name, cell in cells.items() if cell != ""}
    objective = values.pop("objective", None)
    number = isinstance(objective, (int, float)) and not isinstance(objective, bool)
    if not number or not _is_finite(objective):
        objective = None
    columns = {name: values.pop(name) for name in COLUMNS if name in values}
    return Row(values, None if objective is None else float(objective), columns)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond the range of a float
        return False


def _cells(evaluation: Evaluation, names: Sequence[str]) -> list[str]:
    outcome, point = evaluation.outcome, evaluation.job.point
    assert outcome is not None
    predicted = evaluation.predicted or ("", "")
    failure = outcome.failure
    return [
        *(format_cell(point[name]) if name in point else "" for name in names),
        "" if outcome.objective is None else repr(outcome.objective),
        outcome.job.id,
        f"{outcome.elapsed_sec:.6f}",
        outcome.status,
        outcome.worker,
        "" if outcome.start is None else f"{outcome.start:.3f}",
        f"{outcome.end:.3f}",
        "" if failure is None else f"{failure.kind}: {failure.message}",
        *(f"{value:.6g}" if value != "" else "" for value in predicted),
    ]
