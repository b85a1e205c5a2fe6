"""Times at which something happens to jobs."""

from __future__ import annotations

import heapq
import itertools
import math


class DueTimes:
    """A time for each job that has one.

    Setting a time costs the logarithm of their number, finding the next one nothing.
    """

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, int, str]] = {}
        self._heap: list[tuple[float, int, str]] = []  # with entries that are out of date
        self._numbers = itertools.count()  # jobs of one time stay in the order of setting

    def set(self, job_id: str, time: float) -> None:
        """Give a job a time in place of its last one; infinity for none."""
        if math.isinf(time):
            self.drop(job_id)
            return
        entry = (time, next(self._numbers), job_id)
        self._entries[job_id] = entry
        heapq.heappush(self._heap, entry)
        if len(self._heap) > 2 * len(self._entries) + 100:
            self._heap = list(self._entries.values())
            heapq.heapify(self._heap)

    def drop(self, job_id: str) -> None:
        """Forget the time of a job, if it has one."""
        self._entries.pop(job_id, None)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._heap.clear()

    @property
    def next(self) -> float:
        """The earliest time; infinity if there is none."""
        while self._heap:
            entry = self._heap[0]
            if self._entries.get(entry[2]) is entry:
                return entry[0]
            heapq.heappop(self._heap)
        return math.inf

    def pop_until(self, time: float) -> list[str]:
        """Remove the jobs whose time has come, and return their ids in that order."""
        due = []
        while (earliest := self.next) <= time and earliest < math.inf:
            due.append(heapq.heappop(self._heap)[2])
            self.drop(due[-1])
        return due
