"""A search that is looked at again and again: what has come to its journal is added each time."""

from __future__ import annotations

import heapq
import math
import os
from array import array
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from deephyper.ask_tell.status import SeenEvents, Status, require_search
from deephyper.clock import Clock
from deephyper.errors import ResultsError
from deephyper.holder import read_holder
from deephyper.objective import Objective
from deephyper.problem.point import Point
from deephyper.search import events
from deephyper.search.log_dir import LogDir
from deephyper.watch.journal_follower import JournalFollower

_KEPT = 100
"""Failures, and best evaluations, that are kept."""


@dataclass(frozen=True)
class Found:
    """A finished evaluation.

    Attributes:
        id: of the evaluation.
        objective: as it was returned.
        point: its hyperparameters.
    """

    id: str
    objective: Objective
    point: Point


class WatchedSearch:
    """A search, as far as its files tell.

    Args:
        log_dir: its log directory.
        clock: what times are read from.

    Attributes:
        objectives: of each evaluation that has ended, in the order in which they did; NaN where
            it failed or was ended early.
        bests: the best of them so far, after each.
        curves: what the evaluations without an end, and the best one, have reported: id -> (step,
            objective).
        failures: the last ones, the newest last.

    Raises:
        ResultsError: if there is no search in the directory, or it can't be read.
    """

    def __init__(self, log_dir: str | os.PathLike[str], clock: Clock | None = None) -> None:
        self._directory = LogDir(log_dir)
        require_search(self._directory)
        self._clock = clock or Clock()
        self._follower = JournalFollower(self._directory.path)
        self._begin()

    def _begin(self) -> None:
        self._seen = SeenEvents()
        self.objectives = array("d")
        self.bests = array("d")
        self.curves: dict[str, list[tuple[int, float]]] = {}
        self.failures: deque[events.Failure] = deque(maxlen=_KEPT)
        self._points: dict[str, Point] = {}
        self._best: list[tuple[float, int, Found]] = []
        self._best_id = ""
        self._top = -math.inf

    @property
    def path(self) -> Path:
        """The log directory."""
        return self._directory.path

    def refresh(self) -> Status:
        """Add what has come, and return how the search stands now.

        Raises:
            ResultsError: if its journal is gone, damaged or can't be read.
        """
        if self._follower.is_another():
            self._begin()
        try:
            for event in self._follower.new_events():
                self._take(event)
        except KeyError as error:
            raise ResultsError(
                f"'{self._follower.path}' is damaged: it tells of evaluation {error.args[0]}, "
                "which was not submitted before; restore it from a copy"
            ) from error
        holder = read_holder(self.path)
        return self._seen.status(self.path, holder, self._clock.now())

    def best(self, k: int) -> list[Found]:
        """Return the k best finished evaluations, at most 100, best first."""
        return [found for _, _, found in heapq.nlargest(k, self._best)]

    def _take(self, event: events.AnyEvent) -> None:
        self._seen.take([event])
        match event:
            case events.Submitted():
                self._points[event.id] = event.point
            case events.Reported():
                self.curves.setdefault(event.id, []).append((event.step, event.objective))
            case events.Paused():
                pass
            case events.Pruned():
                self._end(event.id, math.nan)
            case events.Finished():
                found = Found(event.id, event.objective, self._points.get(event.id, {}))
                self._rank(found)
                self._end(event.id, event.objective)
            case events.Failure():
                self.failures.append(event)
                if not event.retry:
                    self._end(event.id, math.nan)

    def _rank(self, found: Found) -> None:
        """Keep an evaluation if it is among the best; of equals the earlier ones are."""
        sign = -1.0 if self._seen.direction == "minimize" else 1.0
        entry = (sign * found.objective, -len(self.objectives), found)
        if entry[0] > self._top:
            self.curves.pop(self._best_id, None)
            self._best_id, self._top = found.id, entry[0]
        if len(self._best) < _KEPT:
            heapq.heappush(self._best, entry)
        else:
            heapq.heappushpop(self._best, entry)

    def _end(self, id_: str, objective: float) -> None:
        self._points.pop(id_, None)
        if id_ != self._best_id:
            self.curves.pop(id_, None)
        self.objectives.append(objective)
        last = self.bests[-1] if self.bests else math.nan
        choose = min if self._seen.direction == "minimize" else max
        known = [each for each in (last, objective) if not math.isnan(each)]
        self.bests.append(choose(known) if known else math.nan)
