"""Waiting for many worker processes at once."""

from __future__ import annotations

import select
import selectors

from deephyper.evaluator.worker.worker_process import POLL_SECONDS, WorkerProcess

_EVENTS = {
    select.POLLIN: selectors.EVENT_READ,
    select.POLLOUT: selectors.EVENT_WRITE,
    select.POLLIN | select.POLLOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}


class Watch:
    """The worker processes that are waited for, each by a number of the caller's.

    A wait costs the same however many there are, where the system has such a call.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._events: dict[int, dict[int, int]] = {}  # by number, then by descriptor
        self._to_ask: set[int] = set()  # those whose death can't be waited for

    def add(self, number: int, worker: WorkerProcess) -> None:
        """Wait for a worker from now on; for one that is known already, for what has changed."""
        wanted = worker.interest
        known = self._events.get(number, {})
        if wanted != known:
            for fd in known.keys() - wanted.keys():
                self._selector.unregister(fd)
            for fd, events in wanted.items():
                if fd not in known:
                    self._selector.register(fd, _EVENTS[events], number)
                elif known[fd] != events:
                    self._selector.modify(fd, _EVENTS[events], number)
            self._events[number] = wanted
        if worker.has_to_be_asked:
            self._to_ask.add(number)
        else:
            self._to_ask.discard(number)

    def remove(self, number: int) -> None:
        """Wait for a worker no more; to be called before its descriptors are closed."""
        for fd in self._events.pop(number):
            self._selector.unregister(fd)
        self._to_ask.discard(number)

    def wait(self, timeout: float) -> set[int]:
        """Return the workers that have something to say or to read, or may have ended.

        Args:
            timeout: seconds to wait for one.
        """
        if self._to_ask:
            timeout = min(timeout, POLL_SECONDS)
        return {key.data for key, _ in self._selector.select(timeout)} | self._to_ask

    def close(self) -> None:
        """Wait for none any more."""
        self._selector.close()
