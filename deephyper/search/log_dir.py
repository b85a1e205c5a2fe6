"""A log directory: what is in it, whose it is, and whether a search may use it."""

from __future__ import annotations

import errno
import itertools
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from deephyper.checks import user_path
from deephyper.claim import Claim, check_unclaimed
from deephyper.errors import ProblemError, ResultsError, argument
from deephyper.loading import absolute, current_directory
from deephyper.problem.description import differences
from deephyper.safe_files import is_own, open_to_others
from deephyper.search import journal, log, results_file
from deephyper.search.record import Record, StartCommand

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem


class LogDir:
    """The directory that holds a search's journal, results, log and outputs; it need not exist.

    Attributes:
        path: the directory, absolute.

    Raises:
        SettingsError: if it isn't given a path.
        LoadError: if it is relative to a current directory that was removed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = absolute(user_path(argument("log_dir"), path))

    @property
    def journal(self) -> Path:
        """The search's record, see :mod:`deephyper.search.journal`."""
        return self.path / journal.FILE_NAME

    @property
    def results(self) -> Path:
        """One row per evaluation, see :mod:`deephyper.search.results_file`."""
        return self.path / results_file.FILE_NAME

    @property
    def log(self) -> Path:
        """The story of the search, for people."""
        return self.path / log.FILE_NAME

    @property
    def outputs(self) -> Path:
        """Directory of what each evaluation prints."""
        return self.path / "output"

    @property
    def evaluations(self) -> Path:
        """The directory of the directories of evaluations, named by their ids; none need exist."""
        return self.path / "evaluations"

    @property
    def holds_search(self) -> bool:
        """True if its journal tells of a search.

        It does not if there is none, or if its writer died before the first line was whole.
        """
        try:
            return journal.holds_events(self.journal)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            # Something is there, and reading it will say what is wrong; unless nothing can be.
            return error.errno != errno.ENAMETOOLONG

    def inspect(self, problem: BaseProblem, resume: bool) -> Record:
        """Return the search to resume, or an empty record for a new one; write nothing.

        Raises:
            ResultsError: if a search is running here, there is none to resume, there has been one
                where a new one is to start, or a file is in the way.
            ProblemError: if the search to resume is one of another space.
        """
        check_unclaimed(self.path)
        self._require_own_directories()
        if resume:
            return self._earlier_sessions(problem)
        self._require_new()
        self._require_directory()
        return Record(space=problem.describe())

    def why_not_trusted(self) -> str | None:
        """Return why what the directory says must not decide which code runs; None if it may.

        That takes a directory and a journal of the user's own, which nobody else can write to.
        """
        for path in (self.path, self.journal):
            if not is_own(path):
                return f"'{path}' belongs to another user"
            if open_to_others(path, group=True):
                return f"others may write to '{path}'"
        return None

    def start_command(self) -> StartCommand | None:
        """Return the command line of the last session; None for a search from Python.

        Raises:
            ResultsError: if the journal can't be read.
        """
        from deephyper.search.replay import read_start_command

        return read_start_command(self.path)

    def reread(self, problem: BaseProblem, record: Record) -> Record:
        """Return a record that :meth:`inspect` gave, read again if another session came between.

        To be called when the directory is claimed, and the journal is taken over.

        Raises:
            ResultsError, ProblemError: as :meth:`inspect`.
        """
        if not record.resumed:
            self._require_new()
        elif self._journal_size() != record.size:
            return self._earlier_sessions(problem)
        return record

    def claim(self, notify: Callable[[str], None] | None = None) -> Claim:
        """Return a claim to the directory, a context manager; ``notify`` is called with a line."""
        return Claim(self.path, notify=notify)

    def _require_new(self) -> None:
        """Raise ResultsError where a search has been."""
        fresh = str(self._free_directory())
        other = argument("log_dir", repr(fresh), shlex.quote(fresh))
        if self.holds_search:
            again = argument("resume", "True", shlex.quote(str(self.path)))
            raise ResultsError(
                f"'{self.path}' holds a search already; resume it with {again}, or start a new one "
                f"in another directory with {other}"
            )
        if os.path.exists(self.results):
            known = argument("warm_start", repr(str(self.results)), shlex.quote(str(self.results)))
            raise ResultsError(
                f"'{self.results}' exists already; search in another directory with {other}, and "
                f"learn from it with {known} if you like"
            )

    def _free_directory(self) -> Path:
        """Return a directory for another search, which isn't there yet."""
        inside = str(self.path) == current_directory() or not self.path.name
        stem = self.path / "search" if inside else self.path
        return next(
            path
            for number in itertools.count(2)
            if not os.path.lexists(path := stem.with_name(f"{stem.name}-{number}"))
        )

    def _require_directory(self) -> None:
        """Raise ResultsError where the directory can't be made because of a file."""
        for path in (self.path, *self.path.parents):
            if os.path.isdir(path):
                return
            if os.path.lexists(path):
                raise ResultsError(
                    f"the log directory '{self.path}' can't be made, because '{path}' is not a "
                    f"directory; choose another {argument('log_dir')}"
                )

    def _require_own_directories(self) -> None:
        """Raise ResultsError where a link would lead what evaluations write elsewhere."""
        for path in (self.outputs, self.evaluations):
            if os.path.islink(path):
                raise ResultsError(
                    f"'{path}' is a symbolic link, which is not followed here; replace it with a "
                    f"directory, or choose another {argument('log_dir')}"
                )

    def _journal_size(self) -> int | None:
        """Bytes of the journal; None if unknown."""
        try:
            return self.journal.stat().st_size
        except OSError:
            return None

    def _earlier_sessions(self, problem: BaseProblem) -> Record:
        """Return the search in the directory, if it is one of this problem."""
        from deephyper.search.replay import read_journal

        record = read_journal(self.path, problem.validate)
        self.check_fits(record, problem)
        return record

    def check_fits(self, record: Record, problem: BaseProblem) -> None:
        """Check that a search which was read back is one of a problem.

        Raises:
            ProblemError: if it is one of another space.
            ResultsError: if a point of the journal is not one of the space.
        """
        different = differences(record.space, problem.describe())
        if different:
            raise ProblemError(
                f"the search in '{self.path}' was started with another space: "
                f"{'; '.join(different)}; restore it, or start a new search with "
                f"{argument('warm_start', repr(str(self.results)), str(self.results))}"
            )
        if record.misfit is not None:
            raise ResultsError(
                f"'{self.journal}' was changed since the search wrote it: {record.misfit}; restore "
                f"it from a copy, or start a new search with {argument('warm_start')} from the "
                "results.csv beside it"
            ) from record.misfit


def search_beside(path: Path) -> LogDir | None:
    """Return the search whose results a path is, if its journal is there.

    Args:
        path: a log directory, or a results file. One of another name may be from anywhere.
    """
    if not os.path.isdir(path):
        if path.name != results_file.FILE_NAME:
            return None
        path = path.parent
    directory = LogDir(path)
    return directory if directory.holds_search else None
