"""The choice of lines to print where there could be very many."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deephyper.objective import Failure

_BURST = 200.0
"""Evaluations that are a line each, however fast they come, at the beginning."""
_RARE = 100.0
"""The level below which each is a line again."""
_SHOWN_AT_FIRST = 5
_LATER_SECONDS = 60.0
_MOST_KINDS = 200
_DIGITS = re.compile(r"\d+")


class Flow:
    """Tells whether evaluations are rare enough that each gets a line: up to one a second.

    A level rises by one with each evaluation and sinks by one a second; some hundreds may come at
    once before they are too many.
    """

    def __init__(self) -> None:
        self._level = 0.0
        self._last: float | None = None
        self.is_fast = False

    def take(self, now: float) -> bool:
        """Take an evaluation at a time in seconds; return whether it gets a line."""
        passed = 0.0 if self._last is None else max(0.0, now - self._last)
        self._last = now
        self._level = min(max(0.0, self._level - passed) + 1.0, _BURST + 1.0)
        self.is_fast = self._level > (_RARE if self.is_fast else _BURST)
        return not self.is_fast


@dataclass
class _Kind:
    shown: int = 0
    left_out: int = 0
    last: float = 0.0


class Failures:
    """Lets failures of one kind be printed a few times, then once a minute.

    Attributes:
        left_out: how many were not printed, and not told of since.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self.left_out = 0

    def take(self, failure: Failure, now: float) -> int | None:
        """Take a failure at a time in seconds.

        Returns:
            None where it isn't to be printed; otherwise the number of those before it that weren't.
        """
        # Numbers in a message don't make another kind of it.
        key = f"{failure.kind} {_DIGITS.sub('0', failure.message[:200])}"
        if key not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            key = failure.kind
        kind = self._kinds.setdefault(key, _Kind())
        if kind.shown >= _SHOWN_AT_FIRST and now - kind.last < _LATER_SECONDS:
            kind.left_out += 1
            self.left_out += 1
            return None
        kind.shown += 1
        kind.last = now
        before, kind.left_out = kind.left_out, 0
        self.left_out -= before
        return before


class Pace:
    """Says when a summary is due: often in the first minutes, and then more and more seldom.

    Args:
        begin: the time at the beginning, in seconds.
    """

    def __init__(self, begin: float) -> None:
        self._begin = self._last = begin

    def is_due(self, now: float, *, busy: bool) -> bool:
        """Return whether a summary is due, which is printed then.

        Args:
            now: the time in seconds.
            busy: whether evaluations come faster than they are printed; otherwise it is to show
                that the search lives.
        """
        shortest, longest = (10.0, 600.0) if busy else (600.0, 3600.0)
        if now - self._last < min(max(shortest, (now - self._begin) / 20), longest):
            return False
        self._last = now
        return True

    def printed(self, now: float) -> None:
        """Take note that something else has shown that the search lives."""
        self._last = now
