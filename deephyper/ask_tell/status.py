"""The status of a search, as its files tell: it may run elsewhere, or have ended long ago.

Files are read alone. The journal is gone through once, without a record of all evaluations, so that
a hundred thousand of them take a second or two.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deephyper.clock import Clock
from deephyper.errors import ResultsError
from deephyper.holder import Holder, read_holder
from deephyper.objective import Direction, Objective, is_better
from deephyper.problem.point import Point
from deephyper.search import events
from deephyper.search.budget import Reason
from deephyper.search.log_dir import LogDir
from deephyper.search.replay import read_events

State = Literal["running", "open", "ended", "interrupted"]
"""running: its process lives; open: whoever asks for points evaluates them; ended: its budget was
used up, or it gave up; interrupted: by a signal, or its process is gone."""

_READS = 3
"""Attempts to read the journal while no session begins or ends."""


@dataclass(frozen=True)
class Best:
    """The best finished evaluation, the first of equals.

    Attributes:
        id: of the evaluation.
        objective: as it was returned.
        point: its hyperparameters.
        time: when it ended, in seconds since the epoch.
    """

    id: str
    objective: Objective
    point: Point
    time: float


@dataclass(frozen=True)
class Unfinished:
    """An evaluation without an end: it runs, was asked for, or runs again on a resume.

    Attributes:
        id: of the evaluation.
        attempt: counted from 1.
        point: its hyperparameters.
        worker: the name of its worker; None where none has started it.
        age_sec: seconds since it was started, or submitted where it wasn't.
        step: the last one that it has reported; None if there is none.
    """

    id: str
    attempt: int
    point: Point
    worker: str | None
    age_sec: float
    step: int | None


@dataclass(frozen=True)
class LastFailure:
    """The failure that came last.

    Attributes:
        id: of the evaluation.
        kind: see :data:`deephyper.objective.FailureKind`.
        message: one line.
        output: file with what the evaluation printed, where there is one.
        time: when it failed, in seconds since the epoch.
    """

    id: str
    kind: str
    message: str
    output: str | None
    time: float


@dataclass(frozen=True)
class Status:
    """A search as it stands.

    Attributes:
        log_dir: its directory.
        state: see :data:`State`.
        reason: why its last session ended; None if it has not, or was killed.
        direction: says which objectives are better.
        num_evaluations: that have ended: finished, failed or pruned.
        num_finished: with an objective.
        num_failed: without one.
        num_pruned: ended early for good.
        num_paused: ended early, and may continue.
        num_running: of those without an end, the ones that run now; those that were asked for.
        num_unfinished: all without an end: running, or to run again, on a resume too.
        max_evals, max_steps, timeout: the budget; None for no limit.
        seconds: how long its sessions have lasted together; that of one that runs up to now.
        best: the best evaluation; None without a finished one.
        since_improvement_sec: seconds since that ended; None without one.
        unfinished: the evaluations without an end, the oldest first.
        last_failure: None without one.
        owner: the process that has the directory; None without one.
        time: of this status, in seconds since the epoch.
        is_held: whether its user has it begin no new evaluations for now.
    """

    log_dir: str
    state: State
    reason: Reason | None
    direction: Direction
    num_evaluations: int
    num_finished: int
    num_failed: int
    num_pruned: int
    num_paused: int
    num_running: int
    num_unfinished: int
    max_evals: int | None
    max_steps: int | None
    timeout: float | None
    seconds: float
    best: Best | None
    since_improvement_sec: float | None
    unfinished: tuple[Unfinished, ...]
    last_failure: LastFailure | None
    owner: Holder | None
    time: float
    is_held: bool = False


def read_status(log_dir: str | os.PathLike[str], clock: Clock | None = None) -> Status:
    """Return how the search in a log directory stands; nothing is written.

    Args:
        log_dir: the directory.
        clock: what the time is read from.

    Raises:
        ResultsError: if it holds no search, or its journal is damaged or can't be read.
        SettingsError: if it isn't a path.
    """
    directory = LogDir(log_dir)
    require_search(directory)
    holder = read_holder(directory.path)
    for _ in range(_READS):
        seen = SeenEvents()
        try:
            seen.take(read_events(directory.path))
        except KeyError as error:
            raise ResultsError(
                f"'{directory.journal}' is damaged: it tells of evaluation {error.args[0]}, which "
                "was not submitted before; restore it from a copy"
            ) from error
        before, holder = holder, read_holder(directory.path)
        if holder == before:
            break
    return seen.status(directory.path, holder, (clock or Clock()).now())


def state_text(status: Status) -> str:
    """Return the state of a search for people, with the reason of its end."""
    from deephyper.search.search_result import REASONS

    if status.state == "ended" and status.reason is not None:
        return f"ended ({REASONS[status.reason]})"
    if status.state == "open":
        return "open (points are asked for and told)"
    if status.state == "interrupted" and status.reason is None:
        return "interrupted (its process is gone)"
    return "running, on hold (begins no new evaluations)" if status.is_held else status.state


def require_search(directory: LogDir) -> None:
    """Check that a directory holds a search.

    Raises:
        ResultsError: if it doesn't.
    """
    if directory.holds_search:
        return
    if not os.path.isdir(directory.path):
        what = "not a directory" if os.path.lexists(directory.path) else "not there"
        raise ResultsError(f"'{directory.path}' is {what}; give the log directory of a search")
    raise ResultsError(
        f"there is no search in '{directory.path}': it holds no {directory.journal.name} with a "
        "line; give the log directory of a search"
    )


@dataclass
class _Running:
    """An evaluation without an end, as far as it is known."""

    submitted: events.Submitted
    started: events.Started | None = None
    step: int | None = None


class SeenEvents:
    """The sum of the events of a journal, taken one after the other.

    Attributes:
        direction: says which objectives are better.
    """

    def __init__(self) -> None:
        self.direction: Direction = "maximize"
        self._session: events.Session | None = None
        self._end: events.SessionEnded | None = None
        self._running: dict[str, _Running] = {}
        self._paused: dict[str, events.Paused] = {}
        self._finished = self._failed = self._pruned = 0
        self._max_evals: int | None = None
        self._is_held = False
        self._best: tuple[events.Finished, Point] | None = None
        self._failure: events.Failure | None = None
        self._earlier = self._lasted = 0.0

    def take(self, all_events: Iterable[events.AnyEvent]) -> None:
        """Take the next events of a journal.

        Raises:
            KeyError: at an event of an evaluation that was not submitted before, with its id.
        """
        running, paused = self._running, self._paused
        event: events.AnyEvent | None = None
        for event in all_events:
            match event:
                case events.Submitted():
                    running[event.id] = _Running(event)
                    paused.pop(event.id, None)
                case events.Started():
                    running[event.id].started = event
                case events.Reported():
                    running[event.id].step = event.step
                case events.Stopped():
                    running[event.id].started = None
                case events.Paused():
                    paused[event.id] = event
                    running.pop(event.id, None)
                case events.Pruned():
                    running.pop(event.id, None)
                    paused.pop(event.id, None)
                    self._pruned += 1
                case events.Finished():
                    ended = running.pop(event.id)
                    self._finished += 1
                    best = None if self._best is None else self._best[0].objective
                    if is_better(event.objective, best, self.direction):
                        self._best = (event, ended.submitted.point)
                case events.Failure():
                    self._failure = event
                    if not event.retry:
                        running.pop(event.id, None)
                        self._failed += 1
                case events.SearchBegan() | events.Resumed():
                    self._begin(event)
                    if event.settings.get("direction") == "minimize":
                        self.direction = "minimize"
                case events.Controlled():
                    self._max_evals = event.max_evals or self._max_evals
                    if event.action in ("pause", "resume"):
                        self._is_held = event.action == "pause"
                case events.SessionEnded():
                    self._end = event
                case _:
                    continue
            if event.seconds is not None:
                self._lasted = event.seconds

    def _begin(self, event: events.Session) -> None:
        self._session, self._end = event, None
        self._max_evals, self._is_held = event.max_evals, False
        self._earlier += self._lasted
        self._lasted = 0.0
        for each in self._running.values():  # which the session before has left
            each.started = None

    def status(self, log_dir: Path, holder: Holder | None, now: float) -> Status:
        """Return the status that they come to.

        Args:
            log_dir: where the journal is.
            holder: the process that has the directory.
            now: seconds since the epoch.
        """
        session = self._session
        if session is None:
            raise ResultsError(
                f"'{log_dir}' holds no search, because it ended before it had started"
            )
        state = self._state(session, holder)
        seconds = self._earlier + self._lasted
        if state == "running" and self._end is None:
            seconds = self._earlier + max(self._lasted, now - session.time)
        failure, best = self._failure, self._best
        return Status(
            log_dir=str(log_dir),
            state=state,
            reason=None if self._end is None else self._end.reason,
            direction=self.direction,
            num_evaluations=self._finished + self._failed + self._pruned,
            num_finished=self._finished,
            num_failed=self._failed,
            num_pruned=self._pruned,
            num_paused=len(self._paused),
            num_running=self._num_running(state),
            num_unfinished=len(self._running),
            max_evals=self._max_evals,
            max_steps=session.max_steps,
            timeout=session.timeout,
            seconds=round(seconds, 3),
            best=None
            if best is None
            else Best(best[0].id, best[0].objective, best[1], best[0].end),
            since_improvement_sec=None if best is None else _age(best[0].end, now),
            unfinished=tuple(_unfinished(each, now) for each in self._running.values()),
            last_failure=None
            if failure is None
            else LastFailure(
                failure.id, failure.kind, failure.message, failure.output, failure.end
            ),
            owner=holder,
            time=round(now, 3),
            is_held=state == "running" and self._is_held,
        )

    def _num_running(self, state: State) -> int:
        if state == "running":
            return sum(each.started is not None for each in self._running.values())
        return len(self._running) if state == "open" else 0

    def _state(self, session: events.Session, holder: Holder | None) -> State:
        if is_ask_tell(session.settings):
            return "open"
        if holder is not None and holder.alive:
            return "running"
        ended = self._end is not None and self._end.reason != "interrupted"
        return "ended" if ended else "interrupted"


def is_ask_tell(settings: dict[str, Any]) -> bool:
    """Return whether the settings are those of a search that is asked and told from outside."""
    return settings.get("search") == events.ASK_TELL


def _unfinished(running: _Running, now: float) -> Unfinished:
    submitted, started = running.submitted, running.started
    return Unfinished(
        submitted.id,
        submitted.attempt,
        submitted.point,
        None if started is None else started.worker,
        _age((started or submitted).time, now),
        running.step,
    )


def _age(time: float, now: float) -> float:
    """Return the seconds since a time, by a clock that may have been set meanwhile."""
    return round(max(0.0, now - time), 3)
