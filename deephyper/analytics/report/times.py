"""The times of sessions and evaluations, and the share of them in which the workers were busy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deephyper.ask_tell.status import is_ask_tell
from deephyper.search import events
from deephyper.search.results import Table


@dataclass(frozen=True)
class SessionTime:
    """A time during which a session ran with the same number of workers.

    Attributes:
        begin, end: in seconds since the epoch; the end is None while it isn't known.
        workers: their number; None where it isn't told.
    """

    begin: float
    end: float | None
    workers: int | None


class SessionTimes:
    """The times of sessions and of attempts, as the events of a journal tell.

    A search that is asked and told from outside has none, since it has no workers of its own.

    Attributes:
        sessions: the times of the sessions, in their order.
        attempts: when each attempt was started and ended, in seconds since the epoch.
    """

    def __init__(self) -> None:
        self.sessions: list[SessionTime] = []
        self.attempts: dict[tuple[str, int], tuple[float, float]] = {}
        self._started: dict[tuple[str, int], float] = {}
        self._last = 0.0

    def take(self, event: events.AnyEvent) -> None:
        """Take the next event."""
        match event:
            case events.SearchBegan() | events.Resumed():
                self._end_session(self._last)  # one that was killed tells no end
                self._started.clear()
                if not is_ask_tell(event.settings):
                    self.sessions.append(SessionTime(event.time, None, _workers(event)))
            case events.Controlled(workers=int(number)) if self.sessions:
                self._end_session(event.time)
                self.sessions.append(SessionTime(event.time, None, number))
            case events.SessionEnded():
                self._end_session(event.time)
            case events.Started():
                self._started[event.id, event.attempt] = event.time
            case events.Finished() | events.Failure():
                started = self._started.pop((event.id, event.attempt), None)
                start = started if event.start is None else event.start
                # What was paused may be pruned for good later, with the times that it had.
                if start is not None:
                    self.attempts[event.id, event.attempt] = start, event.end
            case events.Stopped():
                self._end_attempt((event.id, event.attempt), event.time)
        self._last = event.time

    def end(self, now: float | None) -> None:
        """Take that there are no more events.

        Args:
            now: the time, in seconds since the epoch, if the last session still runs; else None.
        """
        if now is not None:
            for each in [*self._started]:
                self._end_attempt(each, now)
        self._end_session(self._last if now is None else now)

    def _end_attempt(self, attempt: tuple[str, int], end: float) -> None:
        start = self._started.pop(attempt, None)
        if start is not None:
            self.attempts[attempt] = start, end

    def _end_session(self, end: float) -> None:
        """End the session that runs, if one does."""
        if self.sessions and self.sessions[-1].end is None:
            last = self.sessions[-1]
            self.sessions[-1] = dataclasses.replace(last, end=max(last.begin, end))


def times_of(table: Table, told: SessionTimes | None) -> dict[str, Any] | None:
    """Return the times of evaluations for the page; None where there are none.

    The utilization is the busy part of the time of the workers while sessions ran. Where nothing
    tells of sessions, it is that from the first start to the last end; where nothing tells how many
    workers there were, it is that of as many as were ever busy at once.

    Args:
        table: the results.
        told: what the journal tells.
    """
    from deephyper.analytics.plots.workers import is_timed, relative_times, utilization

    timed = [row for row in table.rows if is_timed(row)]
    if not timed:
        return None
    starts, ends = relative_times(timed)
    share, peak = utilization(starts, ends)
    sessions = [] if told is None else told.sessions
    known = [each.workers for each in sessions if each.workers is not None]
    whole = sum(_length(each) * (each.workers or peak) for each in sessions)
    if told is not None and whole > 0.0 and told.attempts:
        attempts = np.array([*told.attempts.values()])
        share = min(1.0, sum(_busy(each, attempts) for each in sessions) / whole)
    return {
        "utilization": share,
        "workers": [min(known), max(known)] if known and len(known) == len(sessions) else None,
        "peak": peak,
        "seconds": float(ends.max()),
        "last": max(float(row.columns["end"]) for row in timed),
    }


def _workers(session: events.Session) -> int | None:
    """Return the number of workers that a session was started with; None where it isn't told."""
    told = "" if session.command is None else session.command.options.get("--num-workers", "")
    return int(told) if told.isdecimal() and int(told) > 0 else None


def _length(session: SessionTime) -> float:
    return 0.0 if session.end is None else session.end - session.begin


def _busy(session: SessionTime, attempts: NDArray[np.float64]) -> float:
    """Return how long attempts, of shape (n, 2), took within a session: seconds of workers."""
    end = session.begin if session.end is None else session.end
    within = np.minimum(attempts[:, 1], end) - np.maximum(attempts[:, 0], session.begin)
    return float(within.clip(min=0.0).sum())
