"""``results.csv``: one row per evaluation, derived from the journal.

Columns are the hyperparameters, then :data:`COLUMNS`, then, where there are some, ``direction`` (of
a search that minimizes), ``step`` (of evaluations that were pruned) and the metrics in the order in
which they came up; a metric with the name of another column is called ``m:NAME``. A cell reads back
as the value that was written: an inactive hyperparameter is an empty cell, None is ``None``,
booleans are ``True`` and ``False``, numbers are numbers, and a text that would read as one of these
is in JSON's quotes. Files are read in :mod:`deephyper.search.results`.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from deephyper.cell import format_cell
from deephyper.claim import Claim
from deephyper.errors import ResultsError, write_remedy
from deephyper.objective import Direction, objective_to_cell
from deephyper.safe_files import begins, open_to_read
from deephyper.search.record import Evaluation, Record, Written

FILE_NAME = "results.csv"
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


DIRECTION = "direction"
"""The column after those that says "minimize" in every row of a search that does."""

MISSING: Any = object()
"""In place of a value that an evaluation doesn't have."""


# A text that isn't UTF-8, such as an error message with a broken file name, must not end a search.
_ENCODING, _ERRORS = "utf-8", "backslashreplace"
_CHUNK = 1 << 20  # bytes


class _Writable(Protocol):
    """A text file to write to."""

    def write(self, text: str, /) -> object: ...


@dataclass(frozen=True)
class Columns:
    """The columns of a results file.

    Attributes:
        names: the hyperparameters.
        step: whether there is a column for the step of pruned evaluations.
        metrics: the metrics.
        direction: says which objectives are better. One for it is in files of searches that
            minimize, so that whoever reads them knows.
    """

    names: tuple[str, ...]
    step: bool = False
    metrics: tuple[str, ...] = ()
    direction: Direction = "maximize"

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        evaluations: Iterable[Evaluation],
        direction: Direction = "maximize",
    ) -> Columns:
        """Return the columns that these evaluations need."""
        step, metrics = False, dict[str, None]()
        for evaluation in evaluations:
            outcome = evaluation.outcome
            if outcome is not None:
                step = step or outcome.step is not None
                if outcome.metrics:
                    metrics |= dict.fromkeys(outcome.metrics)
        return cls(tuple(names), step, tuple(metrics), direction)

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
        own = [*self.names, *COLUMNS]
        if self.direction == "minimize":
            own.append(DIRECTION)
        if self.step:
            own.append("m:step" if "step" in self.names else "step")
        taken = {*own}
        return [*own, *(f"m:{name}" if name in taken else name for name in self.metrics)]

    def row(self, evaluation: Evaluation) -> list[Any]:
        """Return the values of an evaluation under their titles; :data:`MISSING` for none."""
        row, first = self._values(evaluation), len(self.names)
        for i, name in enumerate(COLUMNS, first):
            if name in _DECIMALS and row[i] is not MISSING:
                row[i] = round(row[i], _DECIMALS[name])
        row[first + COLUMNS.index("id")] = int(evaluation.job.id)
        return row

    def cells(self, evaluation: Evaluation) -> list[str]:
        """Return the cells of an evaluation."""
        values, first = self._values(evaluation), len(self.names)
        others = first + len(COLUMNS)
        own = zip(_FORMATS, values[first:others], strict=True)
        return [
            *map(_cell, values[:first]),
            *["" if v is MISSING else f(v) for f, v in own],
            *map(_cell, values[others:]),
        ]

    def _values(self, evaluation: Evaluation) -> list[Any]:
        """Return what there is to say of an evaluation, in the order of the titles."""
        outcome, value_of = evaluation.outcome, evaluation.job.point.get
        assert outcome is not None
        failure, start = outcome.failure, outcome.start
        predicted, predicted_std = evaluation.predicted or (MISSING, MISSING)
        values = [value_of(name, MISSING) for name in self.names]
        values += (
            MISSING if outcome.objective is None else outcome.objective,
            outcome.job.id,
            outcome.elapsed_sec,
            outcome.status,
            outcome.worker,
            MISSING if start is None else start,
            outcome.end,
            MISSING if failure is None else f"{failure.kind}: {failure.message}",
            predicted,
            predicted_std,
        )
        if self.direction == "minimize":
            values.append(self.direction)
        if self.step:
            values.append(MISSING if outcome.step is None else outcome.step)
        if self.metrics:
            values += [outcome.metrics.get(name, MISSING) for name in self.metrics]
        return values

    def write(self, file: _Writable, evaluations: Iterable[Evaluation]) -> None:
        """Write a whole results file."""
        rows = csv.writer(file)
        rows.writerow(self.header)
        commas = len(self.header) - 1
        for evaluation in evaluations:
            cells = self.cells(evaluation)
            line = ",".join(cells)
            needs_quotes = '"' in line or "\n" in line or "\r" in line or line.count(",") != commas
            if not needs_quotes:
                file.write(f"{line}\r\n")  # as a csv.writer does, which takes much longer
            else:
                rows.writerow(cells)


def _cell(value: Any) -> str:
    """Return the cell of a hyperparameter or a metric."""
    if type(value) is float:  # as nearly all are
        return repr(value)
    return "" if value is MISSING else format_cell(value)


_DECIMALS = {"elapsed_sec": 6, "start": 3, "end": 3}
# In the order of COLUMNS.
_FORMATS: tuple[Callable[[Any], str], ...] = tuple(
    f"{{:.{_DECIMALS[name]}f}}".format
    if name in _DECIMALS
    else "{:.6g}".format
    if name.startswith("predicted")
    else objective_to_cell
    if name == "objective"
    else str
    for name in COLUMNS
)


class ResultsWriter:
    """Appends rows to a new results file, which takes the place of the last session's.

    Args:
        claim: to the log directory of the file.
        names: the hyperparameters.
        record: the search, whose ended evaluations are the rows; :meth:`add_paused` adds others,
            which are in no file of a running search. When a new column has come up the file is
            written anew.
        on_set_aside: called with the new path of a file that somebody has changed since a search
            wrote it: it is theirs, and not replaced.

    Raises:
        ResultsError: if it can't be written, or another is there that can't be read or renamed,
            here and in every method that writes.
    """

    def __init__(
        self,
        claim: Claim,
        names: Sequence[str],
        record: Record,
        on_set_aside: Callable[[Path], None],
    ) -> None:
        self.path = claim.log_dir / FILE_NAME
        self._claim = claim
        self._names = names
        self._record = record
        self._known, record.results = record.results, None  # which is that of earlier sessions
        self._has_paused = False
        aside = self._write(is_own=False)
        if aside is not None:
            on_set_aside(aside)

    def extend(self, evaluations: Sequence[Evaluation]) -> None:
        """Add the rows of evaluations that have ended, the last ones of the record."""
        if not all(self._columns.fits(evaluation) for evaluation in evaluations):
            self.close()
            self._write(is_own=True)
            return
        try:
            rows = csv.writer(self._file)
            rows.writerows(self._columns.cells(e) for e in evaluations)
            self._flush()
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def add_paused(self) -> None:
        """Add the rows of the evaluations that are paused, at the end of a session."""
        self._has_paused = True
        self.extend(self._record.pruned)

    @property
    def is_untouched(self) -> bool:
        """False if the file was deleted, replaced by another of its name, or cut or extended."""
        status = os.fstat(self._file.fileno)
        return status.st_nlink > 0 and status.st_size == self._size

    @property
    def written(self) -> Written | None:
        """The file as it is now; None if somebody else has changed it."""
        return Written(self._size, self._file.digest) if self.is_untouched else None

    def close(self) -> None:
        """Stop writing."""
        # What could not be written was raised by extend() and is in the journal.
        with contextlib.suppress(OSError):
            self._file.close()

    def _write(self, is_own: bool) -> Path | None:
        """Write the file; return where another is now that was set aside.

        Args:
            is_own: whether the one to replace is this object's.
        """
        self._columns = self._needed(self._has_paused)
        aside: Path | None = None
        digest: hashlib.blake2b | None = None

        def write(fd: int) -> None:
            nonlocal aside, digest
            digest = None if is_own or self._record.paused else self._copied(fd)
            if digest is not None:
                return  # it is what was there before
            with_paused = not is_own and self._record.paused and self._has_ended_so(fd)
            digest = self._write_rows(fd, self._columns, self._has_paused)
            if not (is_own or with_paused):
                aside = set_aside_if_changed(self.path, fd)

        try:
            self._file = _Hashed(self._claim.replace(FILE_NAME, write), digest)
            self._flush()
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        return aside

    def _needed(self, with_paused: bool) -> Columns:
        """Return the columns of the evaluations, those that are paused included or not."""
        record, metrics = self._record, dict(self._record.metrics)
        paused = record.paused.values() if with_paused else ()
        for outcome in paused:
            metrics |= dict.fromkeys(outcome.metrics)
        has_steps = record.has_steps or bool(paused)
        return Columns(tuple(self._names), has_steps, tuple(metrics), record.direction)

    def _write_rows(self, fd: int, columns: Columns, with_paused: bool) -> hashlib.blake2b:
        """Fill an empty file; return what it hashes to."""
        record = self._record
        file = _Hashed(fd, closefd=False)
        columns.write(file, record.shown if with_paused else record.ended)
        file.close()
        return file.hash

    def _has_ended_so(self, fd: int) -> bool:
        """Return whether the file is as the end of a session has left it, with what is paused.

        Args:
            fd: of an empty file that is written to, and left empty.
        """
        self._write_rows(fd, self._needed(True), True)
        found = False
        with contextlib.suppress(OSError), os.fdopen(open_to_read(self.path), "rb") as old:
            found = begins(old, fd)
        os.ftruncate(fd, 0)
        return found

    def _copied(self, fd: int) -> hashlib.blake2b | None:
        """Copy the file of earlier sessions if it is known to be right; return what it hashes to.

        To make the rows of a long search again takes much longer.
        """
        known = self._known
        if known is None:
            return None
        header = io.StringIO()
        csv.writer(header).writerow(self._columns.header)
        expected = header.getvalue().encode(_ENCODING, _ERRORS)
        found = _hash()
        with contextlib.suppress(OSError), os.fdopen(open_to_read(self.path), "rb") as old:
            if old.read(len(expected)) == expected and os.fstat(old.fileno()).st_size == known.size:
                old.seek(0)
                while chunk := old.read(_CHUNK):
                    found.update(chunk)
                    _write_all(fd, chunk)
                if found.hexdigest() == known.digest:
                    return found
        os.ftruncate(fd, 0)
        return None

    def _flush(self) -> None:
        self._file.flush()
        self._size = os.fstat(self._file.fileno).st_size


class _Hashed:
    """A text file that knows what its content hashes to.

    Args:
        fd: the descriptor.
        hash: of what it holds; None for an empty one.
        closefd: whether it is closed with this object.
    """

    def __init__(
        self, fd: int, hash: hashlib.blake2b | None = None, *, closefd: bool = True
    ) -> None:
        self.hash = hash or _hash()
        self.fileno = fd
        self._file = os.fdopen(fd, "ab", closefd=closefd)

    def write(self, text: str) -> int:
        """Append a text."""
        data = text.encode(_ENCODING, _ERRORS)
        self.hash.update(data)
        return self._file.write(data)

    @property
    def digest(self) -> str:
        """The digest of the content."""
        return self.hash.hexdigest()

    def flush(self) -> None:
        """Write what is buffered."""
        self._file.flush()

    def close(self) -> None:
        """Write what is buffered, and close the file."""
        self._file.close()


def _hash() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def set_aside_if_changed(path: Path, written: int) -> Path | None:
    """Rename a results file that somebody has changed: it is theirs, and must not be replaced.

    Args:
        path: the file, which need not exist.
        written: descriptor of what a search writes in its place.

    Returns:
        Its new path, or None if it is what a search wrote, even if truncated by a crash.

    Raises:
        ResultsError: if it can't be read or renamed.
    """
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            if begins(file, written):
                return None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResultsError(
            f"'{path}' can't be read ({error.strerror or error}); move it away, the journal beside "
            "it has every result"
        ) from error
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


def _cannot_write(path: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"'{path}' can't be written ({error.strerror or error}); the journal beside it has every "
        f"result: {write_remedy(error)}, then resume the search"
    )
