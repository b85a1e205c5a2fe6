"""Ctrl-C, SIGTERM and SIGHUP while a search runs."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from deephyper.clock import Clock

_HANG_UP = getattr(signal, "SIGHUP", None)  # not on Windows


class Interrupt:
    """Takes the signals that ask a search to end, as a context manager.

    Any of them asks for an end; a Ctrl-C after one asks for it at once; a third gives up on the
    search's own answer and raises KeyboardInterrupt where the program is. A scheduler may send
    SIGTERM more than once (to the process, and to its group), so the repeated one says nothing
    new. SIGHUP, a terminal that was closed, counts as SIGTERM unless it is ignored (``nohup``).
    Outside the main thread, where Python delivers no signals, it does nothing.

    Attributes:
        signal: the first signal that came, or None.
        at_once: whether a Ctrl-C came after it.
        terminated: when the first SIGTERM or SIGHUP came, by the clock's ``monotonic``; infinity
            before.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.signal: int | None = None
        self.at_once = False
        self.terminated = math.inf
        self._clock = clock or Clock()
        self._saved: dict[int, Any] = {}
        self._process = os.getpid()

    def ask(self, number: int, *, at_once: bool = False) -> None:
        """Ask for an end as a signal does, where none has come.

        Args:
            number: the signal.
            at_once: as if Ctrl-C came a second time.
        """
        if self.signal is None:
            self.signal = number
        self.at_once = self.at_once or at_once

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._saved[number] = signal.signal(number, self._receive)
            if _HANG_UP is not None and signal.getsignal(_HANG_UP) == signal.SIG_DFL:
                self._saved[_HANG_UP] = signal.signal(_HANG_UP, self._receive)
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
        if os.getpid() != self._process:
            # A child that was forked has no search to end: it ends itself.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if number == signal.SIGINT:
            if self.at_once:
                raise KeyboardInterrupt
            self.at_once = self.signal is not None
        elif math.isinf(self.terminated):
            self.terminated = self._clock.monotonic()
        if self.signal is None:
            self.signal = number
