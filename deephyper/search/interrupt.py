"""Ctrl-C and SIGTERM while a search runs."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupt:
    """Counts the signals that ask a search to end, as a context manager.

    Outside the main thread, where Python delivers no signals, it does nothing.

    Attributes:
        signal: the first signal that came, or None.
        count: how many have come.
        since: when the first one came, by ``time.monotonic()``.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.count = 0
        self.since = 0.0
        self._saved: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._saved[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, action in self._saved.items():
            with contextlib.suppress(TypeError, ValueError):
                signal.signal(number, action)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.signal is None:
            self.signal, self.since = number, time.monotonic()
