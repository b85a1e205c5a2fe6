"""Keeping a search while it runs and between its sessions: in files, or in memory alone."""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from deephyper.claim import Claim
from deephyper.clock import Clock
from deephyper.control.mailbox import Mailbox
from deephyper.job import Outcome, Reported, Started
from deephyper.safe_files import open_to_others
from deephyper.search.journal import Journal
from deephyper.search.log import log_outcome, log_to, open_directory_notice, set_aside_notice
from deephyper.search.log_dir import LogDir
from deephyper.search.record import Evaluation, Record
from deephyper.search.results_file import ResultsWriter

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem


class Recorder:
    """Writes a session, as it happens. This one writes nothing: the search is in memory."""

    @property
    def mailbox(self) -> Mailbox | None:
        """The requests of the search's user; None where none can come."""
        return None

    def controlled(self, request: str, action: str, **values: Any) -> None:
        """Write that a request is carried out."""

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

    def paused(self, outcome: Outcome) -> None:
        """Write that an evaluation is paused, and what came of it until now."""

    def ended(self, evaluations: Sequence[Evaluation]) -> None:
        """Add evaluations, whose outcomes were written before, to the results."""

    def end(self, reason: str) -> None:
        """Write the end of the session, and wait until all of it is kept.

        What is paused is added to the results, where it is pruned until it continues.
        """


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

    def keep_directories(self) -> None:  # noqa: B027 (may stay)
        """Let evaluations have directories that last as long as the search, from now on."""


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
            mailbox = Mailbox(self._log_dir.path, claim.token, claim.check)
            recorder = FileRecorder(problem, record, claim, journal, mailbox, notify)
            with contextlib.closing(mailbox), contextlib.closing(recorder):
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
        mailbox: Mailbox,
        notify: Callable[[str], None],
    ) -> None:
        self._names = tuple(problem.hyperparameter_names)
        self._record = record
        self._claim = claim
        self._journal = journal
        self._mailbox = mailbox
        self._notify = notify
        self._results: ResultsWriter | None = None

    @property
    def mailbox(self) -> Mailbox:
        return self._mailbox

    def controlled(self, request: str, action: str, **values: Any) -> None:
        self._journal.controlled(request, action, **values)

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

    def paused(self, outcome: Outcome) -> None:
        self._journal.paused(outcome)
        log_outcome(Evaluation(outcome.job, outcome), early="paused")

    def ended(self, evaluations: Sequence[Evaluation]) -> None:
        results = self._results
        if results is None or not results.is_untouched:
            self._open_results()  # writes these evaluations too
        else:
            results.extend(evaluations)
        for evaluation in evaluations:
            log_outcome(evaluation)

    def end(self, reason: str) -> None:
        if self._record.paused:
            results = self._results
            if results is None or not results.is_untouched:
                results = self._open_results()
            results.add_paused()
        self._journal.ended(reason, None if self._results is None else self._results.written)

    def close(self) -> None:
        """Close the results."""
        if self._results is not None:
            self._results.close()

    def _open_results(self) -> ResultsWriter:
        """Write the results anew; a file that was changed since is the user's and set aside."""
        self.check()
        if self._results is not None:
            self._results.close()
        self._results = ResultsWriter(
            self._claim,
            self._names,
            self._record,
            lambda aside: self._notify(set_aside_notice(aside)),
        )
        return self._results


class _DirectoryRemover(Recorder):
    """Removes the directories of evaluations that have ended, of which nobody knows any more."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def ended(self, evaluations: Sequence[Evaluation]) -> None:
        for evaluation in evaluations:
            directory = self._store.evaluation_directory(evaluation.job.id)
            if directory is not None:
                shutil.rmtree(directory, ignore_errors=True)


class MemoryStore(Store):
    """Keeps a search in memory, from one session of this process to the next.

    Args:
        clock: what times are read from.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._record: Record | None = None
        self._evaluations: str | None = None  # removed with this object

    def inspect(self, problem: BaseProblem, resume: bool) -> Record:
        if self._record is None:
            return Record(space=problem.describe())
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
            yield record, _DirectoryRemover(self)
        finally:
            record.seconds += self._clock.monotonic() - began

    def evaluation_directory(self, id_: str) -> str | None:
        return None if self._evaluations is None else os.path.join(self._evaluations, id_)

    def keep_directories(self) -> None:
        if self._evaluations is None:
            self._evaluations = tempfile.mkdtemp(prefix="deephyper-search-")
            weakref.finalize(self, shutil.rmtree, self._evaluations, ignore_errors=True)
