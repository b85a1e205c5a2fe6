"""The state of a worker process that each evaluation finds as the run function's module left it.

What an evaluation changes in its process must not decide what becomes of the next one. What can be
set back is set back; a process for which that isn't possible ends, and a new one takes its place.
Modules, the environment and what a function keeps for itself are its own matter.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import sys

# That of ``signal`` takes a hundred times as long, to make an enum of the answer.
from _signal import getsignal  # type: ignore[import-not-found]

# By their own names: user code may replace the functions in their modules.
from os import chdir, getcwd, geteuid, stat
from resource import getrlimit, setrlimit
from signal import getitimer, pthread_sigmask, setitimer

_LIMITS = sorted({value for name, value in vars(resource).items() if name.startswith("RLIMIT_")})
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_SIGNALS = (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
"""Those whose handling the standard library relies on, or that a scheduler sends."""


class Home:
    """The state of this process as it is now."""

    def __init__(self) -> None:
        self._directory: str | None = None
        with contextlib.suppress(OSError):
            self._directory = getcwd()
        self._root = _identity("/")
        self._user = geteuid()
        self._mask = pthread_sigmask(signal.SIG_BLOCK, ())
        self._limits = list(map(getrlimit, _LIMITS))
        self._handlers = list(map(getsignal, _SIGNALS))
        self._unused_timers = [timer for timer in _TIMERS if getitimer(timer)[0] == 0]
        self._trace, self._profile = sys.gettrace(), sys.getprofile()
        self._recursion = sys.getrecursionlimit()
        self._switching = sys.getswitchinterval()
        self._collects = gc.isenabled()
        self._argv = list(sys.argv)
        self._umask = _umask()

    def restore(self) -> bool:
        """Set back what has changed; return whether that was possible."""
        sys.setrecursionlimit(self._recursion)
        if sys.gettrace() is not self._trace:
            sys.settrace(self._trace)
        if sys.getprofile() is not self._profile:
            sys.setprofile(self._profile)
        sys.setswitchinterval(self._switching)
        sys.argv = list(self._argv)
        if self._collects:
            gc.enable()
        for timer in self._unused_timers:
            setitimer(timer, 0)
        if list(map(getsignal, _SIGNALS)) != self._handlers:
            self._restore_handlers()
        pthread_sigmask(signal.SIG_SETMASK, self._mask)
        os.umask(self._umask)
        try:
            if list(map(getrlimit, _LIMITS)) != self._limits:
                self._restore_limits()
            if geteuid() != self._user or _identity("/") != self._root:
                return False
            if self._directory is not None:
                chdir(self._directory)
        except (OSError, ValueError):
            return False
        return True

    def _restore_handlers(self) -> None:
        for number, handler in zip(_SIGNALS, self._handlers, strict=True):
            if handler is not None and getsignal(number) != handler:
                with contextlib.suppress(OSError, ValueError, TypeError):
                    signal.signal(number, handler)

    def _restore_limits(self) -> None:
        for limit, value in zip(_LIMITS, self._limits, strict=True):
            if getrlimit(limit) != value:
                setrlimit(limit, value)


def _identity(path: str) -> tuple[int, int]:
    status = stat(path)
    return status.st_dev, status.st_ino


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
