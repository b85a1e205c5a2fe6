"""Reading a journal: each line becomes an event, and the events become the record of a search.

The events must tell a possible story: an evaluation is submitted before it ends, ends once, after a
pause runs as its next attempt, and none begins beyond the budget of its session. What no search can
have written is refused with the number of its line, because whatever was made of it would be a
guess.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, get_args

from deephyper.errors import ProblemError, ResultsError, argument
from deephyper.job import Job, Outcome, Status
from deephyper.objective import Direction, Failure, Objective, observation_from_json
from deephyper.problem.point import Point
from deephyper.safe_files import open_to_read
from deephyper.search import events
from deephyper.search.events import AnyEvent, Damaged
from deephyper.search.journal import (
    BYTE_ORDER_MARK,
    FILE_NAME,
    LONGEST_LINE,
    READABLE_VERSIONS,
)
from deephyper.search.record import Evaluation, Record, StartCommand, Written

Validate = Callable[[Point], Point]

VERSIONED = (events.SearchBegan, events.Resumed)
_BEGINNINGS = (b'{"event": "search"', b'{"event": "resumed"')
_HIGHEST_GAP = 10**9
"""How far ids may be ahead of the number of evaluations, so that they never run out of digits."""


def read_journal(log_dir: Path, validate: Validate | None = None) -> Record:
    """Read a search back.

    Args:
        log_dir: its log directory.
        validate: gives the canonical form of a point; the first error that it raises is the
            record's ``misfit``. None leaves the points as they are.

    Raises:
        ResultsError: if there is no journal, it can't be read, it is damaged, or it isn't that of
            a search.
    """
    return read_last_session(log_dir, validate).record


@dataclass(frozen=True)
class LastSession:
    """A search that was read back, and the session that its journal ends with.

    Attributes:
        record: the search.
        is_open: whether that session has not ended.
        submitted: when its evaluations without an end were submitted in it, by id, in seconds since
            the epoch.
    """

    record: Record
    is_open: bool
    submitted: dict[str, float]


def read_last_session(log_dir: Path, validate: Validate | None = None) -> LastSession:
    """Read a search back with its last session; see :func:`read_journal`."""
    path = log_dir / FILE_NAME
    replay = _Replay(validate)
    for number, event, size in _lines(path):
        replay.record.size += size
        try:
            replay.apply(event)
        except Damaged as damage:
            raise damaged(path, number, damage) from damage
    return LastSession(replay.end(path), replay.in_session, replay.submitted)


def read_start_command(log_dir: Path) -> StartCommand | None:
    """Return the command line that the last session of a search was started with.

    Only the lines that begin a session are decoded, of which there are few.

    Raises:
        ResultsError: if the journal can't be read, or that line is damaged.
    """
    path = log_dir / FILE_NAME
    with opened(path) as file:
        beginnings = [(n, line) for n, line in _numbered(file) if line.startswith(_BEGINNINGS)]
    while beginnings:
        number, line = beginnings.pop()
        try:
            event = events.decode(line)
        except Damaged as damage:
            if _is_torn(line, damage):
                continue
            check_version(path, events.version_of(line))
            raise damaged(path, number, damage) from damage
        return _command(event) if isinstance(event, events.Session) else None
    return None


def read_events(log_dir: Path) -> Iterator[AnyEvent]:
    """Yield every event of the journal of a log directory.

    Raises:
        ResultsError: if it can't be read, or a line is damaged.
    """
    for _, event, _ in _lines(log_dir / FILE_NAME):
        yield event


def _lines(path: Path) -> Iterator[tuple[int, AnyEvent, int]]:
    """Yield the number of each line, its event, and its size in bytes.

    A last line that isn't whole, blank lines at the end and a byte order mark are passed over.
    """
    blank = 0
    with opened(path) as file:
        for number, line in _numbered(file):
            if line.isspace():
                blank = blank or number
                continue
            try:
                event = events.decode(line)
                if blank:
                    raise damaged(path, blank, Damaged("it is empty"))
            except Damaged as damage:
                if _is_torn(line, damage):
                    return
                check_version(path, events.version_of(line))
                raise damaged(path, blank or number, damage) from damage
            if isinstance(event, VERSIONED):
                check_version(path, event.version)
            yield number, event, len(line)


def _numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a journal with their numbers, of long ones the beginning."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def _is_torn(line: bytes, damage: Damaged) -> bool:
    """Return whether a line is what a crash leaves of the last one."""
    return not damage.is_json and not line.endswith(b"\n")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a journal, as a context manager.

    Raises:
        ResultsError: if it can't be read, then or later.
    """
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise ResultsError(
            f"there is no search to resume in '{path.parent}': it holds no {FILE_NAME}"
        ) from error
    except NotADirectoryError as error:
        raise ResultsError(
            f"'{path.parent}' is a file, or lies below one; give the log directory of a search"
        ) from error
    except OSError as error:
        raise ResultsError(
            f"'{path}' can't be read ({error.strerror or error}); check its permissions"
        ) from error


def damaged(path: Path, number: int, damage: Damaged) -> ResultsError:
    return ResultsError(
        f"'{path}' is damaged at line {number}: {damage}; restore it from a copy, or start a new "
        f"search with {argument('warm_start')} from the results.csv beside it"
    )


def check_version(path: Path, version: int | None) -> None:
    if version is not None and version not in READABLE_VERSIONS:
        raise ResultsError(
            f"'{path}' has format version {version}, and this deephyper reads "
            f"{' and '.join(map(str, READABLE_VERSIONS))}; use the deephyper that wrote it"
        )


class _Replay:
    """Makes a record of events, and refuses those that no search writes.

    Args:
        validate: see :func:`read_journal`.

    Attributes:
        record: the search so far.
        in_session: whether the last session has not ended.
        submitted: when the evaluations without an end were submitted in it.
    """

    def __init__(self, validate: Validate | None) -> None:
        self.record = Record(resumed=True)
        self._validate = validate
        self.submitted: dict[str, float] = {}
        self._stopped: set[str] = set()  # in this session
        self._began = self._lasted = 0.0
        self.in_session = False
        self._apply: dict[type[AnyEvent], Callable[[Any], object]] = {
            events.SearchBegan: self._begin,
            events.Resumed: self._begin,
            events.Known: self._known,
            events.Submitted: self._submit,
            events.Started: self._running,
            events.Reported: self._report,
            events.Finished: self._end,
            events.Pruned: self._prune,
            events.Paused: self._pause,
            events.Failure: self._end,
            events.Stopped: self._stop,
            events.Controlled: self._control,
            events.SessionEnded: self._end_session,
        }

    def apply(self, event: AnyEvent) -> None:
        """Take the next event.

        Raises:
            Damaged: if no search writes it here.
        """
        if not (self.in_session or isinstance(event, events.Session)):
            what = "after the end of a session" if self.record.space else "before the search begins"
            _refuse(f"it stands {what}")
        self._apply[type(event)](event)
        seconds = event.time - self._began if event.seconds is None else event.seconds
        if seconds > self._lasted:
            self._lasted = seconds

    def end(self, path: Path) -> Record:
        """Return the record, when there are no more events.

        Raises:
            ResultsError: if there were none.
        """
        if not self.record.space:
            raise ResultsError(
                f"'{path}' holds no search, because it ended before it had started; start it again "
                f"without {argument('resume')}"
            )
        self.record.seconds += self._lasted
        return self.record

    def _begin(self, event: events.Session) -> None:
        record = self.record
        if isinstance(event, events.SearchBegan):
            if record.space:
                _refuse("a search begins, and it is not the first line")
            record.space = dict(event.space)
        elif not record.space:
            _refuse("a search is resumed before it begins")
        has_end = event.settings.get("search") != events.ASK_TELL
        if has_end and {event.max_evals, event.timeout, event.max_steps} == {None}:
            _refuse("its session has none of max_evals, timeout and max_steps, and so no end")
        record.seconds += self._lasted
        self._began, self._lasted = event.time, 0.0
        self.submitted.clear()
        self._stopped.clear()
        record.reports.end_all()
        self.in_session = True
        record.results = None
        direction = event.settings.get("direction", "maximize")
        if direction not in get_args(Direction):
            _refuse("its direction is neither maximize nor minimize")
        if record.evaluations and direction != record.direction:
            _refuse("it changes the direction of the search")
        record.settings = event.settings
        record.command = _command(event)
        record.max_evals, record.timeout = event.max_evals, event.timeout
        record.max_steps = event.max_steps

    def _known(self, event: events.Known) -> None:
        if self.record.evaluations:
            _refuse("a known result stands after the first evaluation")
        observed = observation_from_json(event.objective)
        self.record.known.append((self._canonical(event.point), observed))

    def _submit(self, event: events.Submitted) -> None:
        record, id_ = self.record, event.id
        if (event.predicted is None) != (event.predicted_std is None):
            _refuse("of a prediction it has either the mean or the standard deviation")
        if id_ in self.submitted or id_ in self._stopped:
            _refuse(f"evaluation {id_} is submitted twice")
        point = self._canonical(event.point)
        earlier = record.evaluations.find(id_)
        if earlier is None:
            if event.attempt != 1:
                _refuse(f"evaluation {id_} begins with attempt {event.attempt}")
            if int(id_) >= _HIGHEST_GAP + len(record.evaluations):
                _refuse(f"the id {id_} is far beyond the number of evaluations")
            if record.max_evals is not None and len(record.evaluations) >= record.max_evals:
                _refuse(f"evaluation {id_} is one more than the {record.max_evals} of its session")
        elif earlier.outcome is not None:
            _refuse(f"evaluation {id_} is submitted after its end")
        else:
            if id_ in record.paused:
                earlier = record.take_up(id_)
            self._check_attempt(event, earlier)
            if point != earlier.job.point:
                _refuse(f"evaluation {id_} is submitted with another point")
        predicted = None
        if event.predicted is not None and event.predicted_std is not None:
            predicted = (event.predicted, event.predicted_std)
        record.add(Evaluation(Job(id_, point, event.attempt), predicted=predicted))
        record.reports.begin(id_)
        self.submitted[id_] = event.time

    def _canonical(self, point: Point) -> Point:
        """Return the canonical form of a point; the point itself if it has none."""
        if self._validate is None or self.record.misfit is not None:
            return point
        try:
            return self._validate(point)
        except ProblemError as error:
            self.record.misfit = error
            return point

    def _report(self, event: events.Reported) -> None:
        self._running(event)
        self.record.reports.add(event.id, event.step, event.objective)

    def _end(self, event: events.Finished | events.Failure) -> None:
        evaluation = self._running(event)
        del self.submitted[event.id]
        if isinstance(event, events.Failure) and event.retry:
            self.record.retry(evaluation.job)
        else:
            self.record.end(_outcome(evaluation.job, event))

    def _prune(self, event: events.Pruned) -> None:
        paused = self.record.paused.get(event.id)
        if paused is None:
            self._end(event)
            return
        self._check_attempt(event, self.record.evaluations[event.id])
        if (event.step, event.objective) != (paused.step, paused.objective):
            _refuse(f"evaluation {event.id} is pruned with another result than it was paused with")
        self.record.end(_outcome(paused.job, event))

    def _pause(self, event: events.Paused) -> None:
        evaluation = self._running(event)
        curve = self.record.curves.get(event.id)
        last = None if curve is None else curve.last_step
        if last is not None and event.step > last:  # its last report was lost with its manager
            self.record.reports.add(event.id, event.step, event.objective)
        elif curve is None or (event.step, event.objective) != curve.last:
            _refuse(f"evaluation {event.id} is paused with another result than it has reported")
        del self.submitted[event.id]
        self.record.pause(_outcome(evaluation.job, event))

    def _stop(self, event: events.Stopped) -> None:
        self._running(event)
        del self.submitted[event.id]
        self._stopped.add(event.id)

    def _control(self, event: events.Controlled) -> None:
        point = None if event.point is None else self._canonical(event.point)
        self.record.asked.take(event.request, point)
        if event.max_evals is not None:
            self.record.max_evals = event.max_evals

    def _end_session(self, event: events.SessionEnded) -> None:
        self.in_session = False
        if event.results is not None:
            self.record.results = Written(event.results.size, event.results.digest)

    def _running(self, event: events.Attempt) -> Evaluation:
        """Return the evaluation that an event tells of, which must have been submitted."""
        evaluation = self.record.evaluations.find(event.id)
        if evaluation is None:
            _refuse(f"evaluation {event.id} was never submitted")
        if evaluation.outcome is not None:
            _refuse(f"evaluation {event.id} has ended before")
        if event.id not in self.submitted:
            _refuse(f"evaluation {event.id} is not running")
        self._check_attempt(event, evaluation)
        return evaluation

    def _check_attempt(self, event: events.Attempt, evaluation: Evaluation) -> None:
        if event.attempt != evaluation.job.attempt:
            _refuse(
                f"evaluation {event.id} is at attempt {evaluation.job.attempt}, not {event.attempt}"
            )


def _command(event: events.Session) -> StartCommand | None:
    command = event.command
    return None if command is None else StartCommand(command.directory, command.options)


def _refuse(reason: str) -> NoReturn:
    raise Damaged(reason)


def _outcome(job: Job, event: events.Finished | events.Failure) -> Outcome:
    objective: Objective | None
    objective, failure, step = None, None, None
    status: Status
    if isinstance(event, events.Failure):
        status, failure = "failed", Failure(event.kind, event.message, event.text)
    else:
        step = event.step if isinstance(event, events.Pruned | events.Paused) else None
        status = "finished" if step is None else "pruned"
        objective = event.objective
    return Outcome(
        job,
        status,
        objective,
        failure,
        event.start,
        event.end,
        event.worker,
        event.output,
        step,
        event.metrics,
    )
