"""Ctrl-C before and after a search, which takes it by itself."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self


class CtrlC:
    """Raises KeyboardInterrupt and remembers that, as a context manager.

    An extension module that is being imported turns it into an ImportError of its own, and what
    imports that one perhaps into yet another error. Outside the main thread, where Python delivers
    no signals, and where SIGINT is ignored, it does nothing.

    Attributes:
        pressed: whether it came.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._before: Any = None

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None and signal.getsignal(signal.SIGINT) == self._receive:
            signal.signal(signal.SIGINT, self._before)

    def _receive(self, number: int, frame: FrameType | None) -> NoReturn:
        self.pressed = True
        raise KeyboardInterrupt
