"""The clock of a search, handed in so that a whole search can run in virtual time."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

LONGEST_WAIT = 3600.0
"""The longest single wait, in seconds: the system's own waits have limits."""


@dataclass(frozen=True)
class Clock:
    """A source of the time; by default the computer.

    Attributes:
        now: seconds since the epoch, for what is recorded.
        monotonic: seconds that no correction of the computer's clock changes, for time limits.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def sleep(self, seconds: float) -> None:
        """Let time pass where nobody waits for anything else."""
        time.sleep(seconds)

    def steady(self) -> Callable[[], float]:
        """Return what shows the time since the epoch as it is now, and is never set again.

        Two of its times are apart by what has passed between them.
        """
        epoch = self.now() - self.monotonic()
        return lambda: epoch + self.monotonic()


class VirtualClock(Clock):
    """A clock whose seconds pass only when nothing else can happen, and then in a jump.

    :class:`~deephyper.evaluator.virtual.VirtualEvaluator` moves it from one event to the next.

    Attributes:
        seconds: how many have passed; ``monotonic()``.
    """

    EPOCH: ClassVar[float] = 1_000_000_000.0
    """``now()`` at second 0."""

    def __init__(self) -> None:
        super().__init__(now=lambda: self.EPOCH + self.seconds, monotonic=lambda: self.seconds)
        self.seconds = 0.0
        self._planned: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()  # actions of one time happen in the order of their plan

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Plan an action, such as a signal, for a time at which someone waits."""
        heapq.heappush(self._planned, (seconds, next(self._numbers), action))

    def sleep(self, seconds: float) -> None:
        until = self.seconds + seconds
        while not self.pass_until(until):
            pass  # a planned action came first

    def pass_until(self, seconds: float) -> bool:
        """Go to a time, or to the next planned action up to it, which is done.

        Returns:
            Whether the time was reached, with no action left that is planned up to it.
        """
        if self._planned and self._planned[0][0] <= seconds:
            time_, _, action = heapq.heappop(self._planned)
            self.seconds = max(self.seconds, time_)
            action()
            return False
        self.seconds = max(self.seconds, seconds)
        return True
