"""Keeping a search while it runs and between its sessions: in files, or in memory alone."""

from __future__ import annotations

import contextlib
import copy
import csv
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from deephyper.claim import Claim
from deephyper.clock import Clock
from deephyper.errors import ResultsError, write_remedy
from deephyper.job import Outcome, Reported, Started
from deephyper.problem.description import describe_space
from deephyper.safe_files import open_to_others, open_to_read
from deephyper.search.columns import FILE_NAME, Columns
from deephyper.search.journal import Journal
from deephyper.search.log import log_outcome, log_to, open_directory_notice, set_aside_notice
from deephyper.search.log_dir import LogDir
from deephyper.search.record import Evaluation, Record

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem


# A text that isn't UTF-8, such as an error message with a broken file name, must not end a search.
_ENCODING, _ERRORS = "utf-8", "backslashreplace"
_CHUNK = 1 << 20  # bytes


class Recorder:
    """Writes a session, as it happens. This one writes nothing: the search is in memory."""

    def check(self) -> None:
        """Make sure that what is written next is the search's own.

        Raises:
            ResultsError: if another search has taken its place.
        """

    def begin(self) -> None:
        """Write the beginning of the session; for a new search, what it knows from elsewhere."""

    def together(self) -> contextlib.AbstractContextManager[None]:
        """Write what is given inside at the end of the context, at once."""
        return contextlib.nullcontext()

    def submitted(self, evaluation: Evaluation) -> None:
        """Write that an evaluation is about to be submitted."""

    def started(self, event: Started) -> None:
        """Write that a worker has started an evaluation."""

    def reported(self, event: Reported) -> None:
        """Write what a running evaluation has reported."""

    def outcome(self, outcome: Outcome, retry: bool = False) -> None:
        """Write what became of an evaluation; ``retry``: it failed and runs again."""

    def ended(self, evaluations: Sequence[Evaluation]) -> None:
        """Add evaluations, whose outcomes were written before, to the results."""

    def end(self, reason: str) -> None:
        """Write the end of the session, and wait until all of it is kept."""


class Store(ABC):
    """A place where a search is kept."""

    @abstractmethod
    def inspect(self, problem: BaseProblem, resume: bool) -> Record:
        """Return the search to resume, or an empty record for a new one; write nothing.

        Raises:
            ResultsError: if it can't be resumed, or there is one where a new one is to start.
            ProblemError: if the search to resume is one of another space.
        """

    @abstractmethod
    def open(
        self, problem: BaseProblem, record: Record, notify: Callable[[str], None]
    ) -> contextlib.AbstractContextManager[tuple[Record, Recorder]]:
        """Claim the place for a session, and give the record as it is now, and what writes it."""

    @abstractmethod
    def evaluation_directory(self, id_: str) -> str | None:
        """Return the directory of an evaluation, which need not exist; None without one."""


class FileStore(Store):
    """Keeps a search in a log directory.

    Args:
        log_dir: the directory.
        clock: what times are read from.
    """

    def __init__(self, log_dir: LogDir, clock: Clock) -> None:
        self._log_dir = log_dir
        self._clock = clock
        self._evaluations = str(log_dir.evaluations)

    def inspect(self, problem: BaseProblem, resume: bool) -> Record:
        return self._log_dir.inspect(problem, resume)

    @contextlib.contextmanager
    def open(
        self, problem: BaseProblem, record: Record, notify: Callable[[str], None]
    ) -> Iterator[tuple[Record, Recorder]]:
        with (
            self._log_dir.claim(notify) as claim,
            log_to(self._log_dir.log),
            contextlib.closing(Journal(claim, self._clock)) as journal,
        ):
            if open_to_others(self._log_dir.path):
                notify(open_directory_notice(self._log_dir.path))
            # Nobody else writes to this journal, so what is read now is all there is.
            record = self._log_dir.reread(problem, record)
            recorder = FileRecorder(problem, record, claim, journal, notify)
            with contextlib.closing(recorder):
                yield record, recorder

    def evaluation_directory(self, id_: str) -> str:
        return os.path.join(self._evaluations, id_)


class FileRecorder(Recorder):
    """Writes a session to the journal, results.csv and deephyper.log."""

    def __init__(
        self,
        problem: BaseProblem,
        record: Record,
        claim: Claim,
        journal: Journal,
        notify: Callable[[str], None],
    ) -> None:
        self._names = tuple(problem.hyperparameter_names)
        self._record = record
        self._claim = claim
        self._journal = journal
        self._notify = notify
        self._results: ResultsWriter | None = None

    def check(self) -> None:
        self._journal.check()

    def begin(self) -> None:
        self._journal.begin(self._record)
        self._open_results()
        if not self._record.resumed:
            for point, observed in self._record.known:
                self._journal.known(point, observed)

    def together(self) -> contextlib.AbstractContextManager[None]:
        return self._journal.together()

    def submitted(self, evaluation: Evaluation) -> None:
        self._journal.submitted(evaluation)

    def started(self, event: Started) -> None:
        self._journal.started(event)

    def reported(self, event: Reported) -> None:
        self._journal.reported(event)

    def outcome(self, outcome: Outcome, retry: bool = False) -> None:
        self._journal.outcome(outcome, retry)

    def ended(self, evaluations: Sequence[Evaluation]) -> None:
        results = self._results
        if results is None or not results.is_untouched:
            self._open_results()  # writes these evaluations too
        else:
            results.extend(evaluations)
        for evaluation in evaluations:
            log_outcome(evaluation)

    def end(self, reason: str) -> None:
        self._journal.ended(reason)

    def close(self) -> None:
        """Close the results."""
        if self._results is not None:
            self._results.close()

    def _open_results(self) -> None:
        """Write the results anew; a file that was changed since is the user's and set aside."""
        self._claim.check()
        if self._results is not None:
            self._results.close()
        self._results = ResultsWriter(
            self._claim,
            self._names,
            self._record,
            lambda aside: self._notify(set_aside_notice(aside)),
        )


class MemoryStore(Store):
    """Keeps a search in memory, from one session of this process to the next.

    Args:
        clock: what times are read from.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._record: Record | None = None

    def inspect(self, problem: BaseProblem, resume: bool) -> Record:
        if self._record is None:
            return Record(space=describe_space(problem))
        record = copy.copy(self._record)
        record.resumed = True
        return record

    @contextlib.contextmanager
    def open(
        self, problem: BaseProblem, record: Record, notify: Callable[[str], None]
    ) -> Iterator[tuple[Record, Recorder]]:
        self._record = record
        began = self._clock.monotonic()
        try:
            yield record, Recorder()
        finally:
            record.seconds += self._clock.monotonic() - began

    def evaluation_directory(self, id_: str) -> None:
        return None


class ResultsWriter:
    """Appends rows to a new results file, which takes the place of the last session's.

    Args:
        claim: to the log directory of the file.
        names: the hyperparameters.
        record: the search, whose ended evaluations are the rows. When a new column has come up
            the file is written anew.
        on_set_aside: called with the new path of a file that somebody has changed since a search
            wrote it: it is theirs, and not replaced.

    Raises:
        ResultsError: if it can't be written, or another is there that can't be read or renamed,
            here and in :meth:`extend`.
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
            csv.writer(self._file).writerows(self._columns.cells(e) for e in evaluations)
            self._flush()
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    @property
    def is_untouched(self) -> bool:
        """False if the file was deleted, replaced by another of its name, or cut or extended."""
        status = os.fstat(self._file.fileno())
        return status.st_nlink > 0 and status.st_size == self._size

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
        record = self._record
        self._columns = Columns(
            tuple(self._names), record.has_steps, tuple(record.metrics), record.direction
        )
        aside: Path | None = None

        def write(fd: int) -> None:
            nonlocal aside
            with _open(fd, closefd=False) as file:
                self._columns.write(file, record.ended)
            if not is_own:
                aside = set_aside_if_changed(self.path, fd)

        try:
            self._file = _open(self._claim.replace(FILE_NAME, write))
            self._flush()
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        return aside

    def _flush(self) -> None:
        self._file.flush()
        self._size = os.fstat(self._file.fileno()).st_size


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
            if _begins(file, written):
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


def _begins(file: BinaryIO, written: int) -> bool:
    """Return whether the whole lines of a file are the first ones of another, not shorter one."""
    if os.fstat(file.fileno()).st_size > os.fstat(written).st_size:
        return False
    place = 0
    while chunk := file.read(_CHUNK):
        expected = os.pread(written, len(chunk), place)
        place += len(chunk)
        if chunk != expected:
            pairs = enumerate(zip(chunk, expected, strict=False))
            other = chunk[next((i for i, (a, b) in pairs if a != b), len(expected)) :]
            while other and b"\n" not in other:
                other = file.read(_CHUNK)
            return not other
    return True


def _open(fd: int, closefd: bool = True) -> IO[str]:
    return open(fd, "a", newline="", encoding=_ENCODING, errors=_ERRORS, closefd=closefd)


def _cannot_write(path: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"'{path}' can't be written ({error.strerror or error}); the journal beside it has every "
        f"result: {write_remedy(error)}, then resume the search"
    )
