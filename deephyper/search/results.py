"""``results.csv``: one row per evaluation, derived from the journal.

Columns are the hyperparameters, then :data:`COLUMNS`, then, where there are some, ``step`` (of
evaluations that were pruned) and the metrics in the order in which they came up; a metric with the
name of another column is called ``m:NAME``. A cell reads back as the value that was
written: an inactive hyperparameter is an empty cell, None is ``None``, booleans are ``True`` and
``False``, numbers are numbers, and a text that would read as one of these is in JSON's quotes.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from deephyper.errors import ResultsError
from deephyper.objective import Objective, objective_from_cell, objective_to_cell

if TYPE_CHECKING:
    from deephyper.search.record import Evaluation

FILE_NAME = "results.csv"
# A text that isn't UTF-8, such as an error message with a broken file name, must not end a search.
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


MISSING: Any = object()
"""In place of a value that an evaluation doesn't have."""


@dataclass(frozen=True)
class Row:
    """One evaluation read from a results file.

    Attributes:
        point: the active hyperparameters.
        objective: None where the evaluation failed.
        columns: the other columns, as values.
    """

    point: dict[str, Any]
    objective: Objective | None
    columns: dict[str, Any]

    @property
    def is_finished(self) -> bool:
        """True for a whole evaluation with an objective, not failed and not ended early."""
        return self.objective is not None and self.columns.get("status", "finished") == "finished"


class ResultsWriter:
    """Appends rows to a new results file.

    Args:
        path: the file.
        names: the hyperparameters.
        evaluations: gives the rows to begin with, in their order; called again when a new column
            has come up, and the file is written anew.

    Raises:
        ResultsError: if it can't be written, here and in :meth:`extend`.
    """

    def __init__(
        self, path: Path, names: Sequence[str], evaluations: Callable[[], Sequence[Evaluation]]
    ) -> None:
        self.path = path
        self._names = names
        self._evaluations = evaluations
        self._write()

    def extend(self, evaluations: Sequence[Evaluation]) -> None:
        """Add the rows of evaluations that have ended, the last ones that ``evaluations`` gives."""
        if not all(self._columns.fits(evaluation) for evaluation in evaluations):
            self.close()
            self._write()
            return
        try:
            csv.writer(self._file).writerows(self._columns.cells(e) for e in evaluations)
            self._file.flush()
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    @property
    def is_deleted(self) -> bool:
        """True if the file was deleted, or replaced by another of its name."""
        return os.fstat(self._file.fileno()).st_nlink == 0

    def close(self) -> None:
        """Stop writing."""
        # What could not be written was raised by extend() and is in the journal.
        with contextlib.suppress(OSError):
            self._file.close()

    def _write(self) -> None:
        evaluations = self._evaluations()
        self._columns = Columns.of(self._names, evaluations)
        partial = self.path.with_name(self.path.name + ".partial")
        try:
            with _open(partial, "w") as file:
                file.write(self._columns.text(evaluations))
            os.replace(partial, self.path)
            self._file = _open(self.path, "a")
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise _cannot_write(self.path, error) from error


@dataclass(frozen=True)
class Columns:
    """The columns of a results file.

    Attributes:
        names: the hyperparameters.
        step: whether there is a column for the step of pruned evaluations.
        metrics: the metrics.
    """

    names: tuple[str, ...]
    step: bool = False
    metrics: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Sequence[str], evaluations: Iterable[Evaluation]) -> Columns:
        """Return the columns that these evaluations need."""
        outcomes = [e.outcome for e in evaluations if e.outcome is not None]
        metrics = dict.fromkeys(name for outcome in outcomes for name in outcome.metrics)
        return cls(tuple(names), any(o.step is not None for o in outcomes), tuple(metrics))

    def fits(self, evaluation: Evaluation) -> bool:
        """Return whether an evaluation has a cell for everything that it came to."""
        outcome = evaluation.outcome
        assert outcome is not None
        if outcome.step is not None and not self.step:
            return False
        return not outcome.metrics or set(outcome.metrics) <= {*self.metrics}

    @cached_property
    def header(self) -> list[str]:
        """Titles, in their order."""
        own = [*self.names, *COLUMNS, *([self._step_title] if self.step else [])]
        taken = {*own}
        return [*own, *(f"m:{name}" if name in taken else name for name in self.metrics)]

    @property
    def _step_title(self) -> str:
        return "m:step" if "step" in self.names else "step"

    def row(self, evaluation: Evaluation) -> list[Any]:
        """Return the values of an evaluation under their titles; :data:`MISSING` for none."""
        outcome, point = evaluation.outcome, evaluation.job.point
        assert outcome is not None
        failure = outcome.failure
        predicted, predicted_std = evaluation.predicted or (MISSING, MISSING)
        row = [
            *(point.get(name, MISSING) for name in self.names),
            MISSING if outcome.objective is None else outcome.objective,
            int(outcome.job.id),
            round(outcome.elapsed_sec, 6),
            outcome.status,
            outcome.worker,
            MISSING if outcome.start is None else round(outcome.start, 3),
            round(outcome.end, 3),
            MISSING if failure is None else f"{failure.kind}: {failure.message}",
            predicted,
            predicted_std,
        ]
        if self.step:
            row.append(MISSING if outcome.step is None else outcome.step)
        row.extend(outcome.metrics.get(name, MISSING) for name in self.metrics)
        return row

    def cells(self, evaluation: Evaluation) -> list[str]:
        """Return the cells of an evaluation."""
        row = self.row(evaluation)
        return ["" if v is MISSING else f(v) for f, v in zip(self._formats, row, strict=True)]

    @cached_property
    def _formats(self) -> list[Callable[[Any], str]]:
        """The functions that write the values of each column."""
        others = len(self.header) - len(self.names) - len(COLUMNS)
        own = [_FORMATS[name] for name in COLUMNS]
        return [*[format_cell] * len(self.names), *own, *[format_cell] * others]

    def text(self, evaluations: Iterable[Evaluation]) -> str:
        """Return a whole results file."""
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(self.header)
        rows.writerows(self.cells(evaluation) for evaluation in evaluations)
        return text.getvalue()


def set_aside_if_changed(
    path: Path, names: Sequence[str], evaluations: Sequence[Evaluation]
) -> Path | None:
    """Rename a results file that somebody has changed: it is theirs, and must not be replaced.

    Args:
        path: the file, which need not exist.
        names: the hyperparameters.
        evaluations: that it was written from.

    Returns:
        Its new path, or None if it is what a search wrote, even if truncated by a crash.

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
    whole = Columns.of(names, evaluations).text(evaluations).encode(_ENCODING, _ERRORS)
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
            others = {*COLUMNS, *_metric_columns(header)}
            rows = []
            for cells in reader:
                # A search that is running now may have written half a row.
                if len(cells) == len(header):
                    rows.append(_row(dict(zip(header, cells, strict=True)), others))
            return header, rows
    except FileNotFoundError as error:
        raise ResultsError(f"there is no file '{path}'; check the path") from error
    except OSError as error:
        raise ResultsError(f"'{path}' can't be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ResultsError(f"'{path}' is not a CSV file: {error}") from error


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
        "result: free some space or fix the permissions, then resume the search"
    )


def _metric_columns(header: Sequence[str]) -> Sequence[str]:
    """Return the columns that are neither hyperparameters nor of every search."""
    last = COLUMNS[-1]
    return header[header.index(last) + 1 :] if last in header else ()


def _row(cells: dict[str, str], others: Collection[str]) -> Row:
    values = {name: parse_cell(cell) for name, cell in cells.items() if cell != ""}
    objective = objective_from_cell(values.pop("objective", None))
    columns = {name: values.pop(name) for name in [*values] if name in others}
    return Row(values, objective, columns)


def _text(value: Any) -> str:
    return str(value)


# Cells that are written otherwise than a hyperparameter's value.
_FORMATS: dict[str, Callable[[Any], str]] = {
    "objective": objective_to_cell,
    "id": _text,
    "elapsed_sec": "{:.6f}".format,
    "status": _text,
    "worker": _text,
    "start": "{:.3f}".format,
    "end": "{:.3f}".format,
    "failure": _text,
    "predicted": "{:.6g}".format,
    "predicted_std": "{:.6g}".format,
}
