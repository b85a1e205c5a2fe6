"""Waiting for many worker processes at once."""

from __future__ import annotations

import math
import select

from deephyper.evaluator.worker.worker_process import POLL_SECONDS, WorkerProcess


class Watch:
    """The worker processes that are waited for, each by a number of the caller's."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._numbers: dict[int, int] = {}  # by descriptor
        self._events: dict[int, dict[int, int]] = {}  # by number, then by descriptor
        self._to_ask: set[int] = set()  # those whose death can't be waited for

    def add(self, number: int, worker: WorkerProcess) -> None:
        """Wait for a worker from now on; for one that is known already, for what has changed."""
        wanted = worker.interest
        known = self._events.get(number, {})
        if wanted != known:
            for fd in known.keys() - wanted.keys():
                self._poll.unregister(fd)
                del self._numbers[fd]
            for fd, events in wanted.items():
                self._numbers[fd] = number
                self._poll.register(fd, events)
            self._events[number] = wanted
        if worker.has_to_be_asked:
            self._to_ask.add(number)
        else:
            self._to_ask.discard(number)

    def remove(self, number: int) -> None:
        """Wait for a worker no more; to be called before its descriptors are closed."""
        for fd in self._events.pop(number):
            self._poll.unregister(fd)
            del self._numbers[fd]
        self._to_ask.discard(number)

    def wait(self, timeout: float) -> set[int]:
        """Return the workers that have something to say or to read, or may have ended.

        Args:
            timeout: seconds to wait for one.
        """
        if self._to_ask:
            timeout = min(timeout, POLL_SECONDS)
        ready = self._poll.poll(math.ceil(1000 * timeout))
        return {self._numbers[fd] for fd, _ in ready} | self._to_ask
