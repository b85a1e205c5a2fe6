"""The parts of a process that evaluations in its threads share with whoever started the search.

Nothing separates threads. But a search must not end in another directory than the one in which it
was started, or without the streams that it was started with, whatever ``run`` does to them; and
the processes that ``run`` has started must not outlive this one.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from typing import Any

from deephyper.evaluator.worker import reaper
from deephyper.evaluator.worker.guard import Reaper
from deephyper.standard_streams import open_apart

MARK = "DEEPHYPER_WORKER"
"""The environment variable that tells whose a process is, of workers in workers too."""


@functools.lru_cache(maxsize=1)
def _last_reaper(process: int) -> Reaper:
    """Return the reaper that acts when this process has ended, and so lives as long as it does."""
    return Reaper()


def marks(mark: str) -> str:
    """Return the value of :data:`MARK` for what has this mark besides those of this process."""
    return f"{os.environ.get(MARK, '')}/{mark}"


class Surroundings:
    """The surroundings as they are now.

    Args:
        argv: the words of the command line for evaluations; None for this process's own.
    """

    def __init__(self, argv: list[str] | None) -> None:
        self._directory = _open_directory()
        self._streams = (("stdout", sys.stdout), ("stderr", sys.stderr))
        self._argv = sys.argv
        self._mark = os.urandom(16).hex()
        self._marks_before = os.environ.get(MARK)
        os.environ[MARK] = marks(self._mark)
        if argv is not None:
            sys.argv = argv

    def restore(self, idle: bool) -> None:
        """Set back what an evaluation that has ended may have changed.

        Args:
            idle: whether no other one is running, which may still need what it has set.
        """
        if self._directory is not None:
            with contextlib.suppress(OSError):
                os.fchdir(self._directory)
        for name, stream in self._streams:
            current = getattr(sys, name, None)
            if current is not stream and (idle or _is_closed(current)):
                setattr(sys, name, stream)

    def close(self) -> None:
        """Set everything back. Processes that evaluations have left end when this one does."""
        self.restore(idle=True)
        sys.argv = self._argv
        if self._marks_before is None:
            os.environ.pop(MARK, None)
        else:
            os.environ[MARK] = self._marks_before
        if reaper.marked([self._mark]):
            # Not now: this process may still use them, as a pool that it keeps.
            _last_reaper(os.getpid()).guard_marked(self._mark)
        if self._directory is not None:
            with contextlib.suppress(OSError):
                os.close(self._directory)


def _open_directory() -> int | None:
    """Return a descriptor of the current directory, which may be renamed; None without one."""
    try:
        return open_apart(os.curdir, os.O_RDONLY)
    except OSError:
        return None


def _is_closed(stream: Any) -> bool:
    try:
        return stream is None or bool(stream.closed)
    except BaseException:
        return False
