"""The parts of a process that evaluations in its threads share with whoever started the search.

Nothing separates threads. But a search must not end in another directory than the one in which it
was started, or without the streams that it was started with, whatever ``run`` does to them; and
what ``run`` has started in other processes must not outlive it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

from deephyper.evaluator.worker import reaper

MARK = "DEEPHYPER_WORKER"
"""The environment variable that tells whose a process is, of workers in workers too."""


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
        self._streams = sys.stdout, sys.stderr
        self._argv = sys.argv
        self._children = _pool_children()
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
        for name, stream in zip(("stdout", "stderr"), self._streams, strict=True):
            current = getattr(sys, name, None)
            if current is not stream and (idle or _is_closed(current)):
                setattr(sys, name, stream)

    def close(self) -> None:
        """Set everything back, and end the processes that evaluations have left."""
        self.restore(idle=True)
        sys.argv = self._argv
        if self._marks_before is None:
            os.environ.pop(MARK, None)
        else:
            os.environ[MARK] = self._marks_before
        for child in _pool_children() - self._children:
            with contextlib.suppress(Exception):
                reaper.kill(reaper.descendants(child.pid))
                child.kill()
                child.join()
        reaper.kill_marked([self._mark])
        if self._directory is not None:
            with contextlib.suppress(OSError):
                os.close(self._directory)


def _open_directory() -> int | None:
    """Return a descriptor of the current directory, which may be renamed; None without one."""
    try:
        return os.open(os.curdir, os.O_RDONLY)
    except OSError:
        return None


def _pool_children() -> set[Any]:
    """Return the children that :mod:`multiprocessing` waits for at the end of this process."""
    if "multiprocessing.process" not in sys.modules:
        return set()
    from multiprocessing.process import active_children

    return set(active_children())


def _is_closed(stream: Any) -> bool:
    try:
        return stream is None or bool(stream.closed)
    except BaseException:
        return False
