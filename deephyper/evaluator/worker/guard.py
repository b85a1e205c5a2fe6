"""The measures that end worker processes with their parent, however it ends."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from typing import IO

from deephyper.evaluator.worker import reaper

_REAPER_SECONDS = 10.0
"""The time to wait for the reaper's end."""


class _Lifelines:
    """The descriptors by which a worker or a reaper notices that this process has ended.

    Process-wide, because a fork copies every descriptor of the process, whoever forks: a child that
    kept them open would hide this process's death.
    """

    def __init__(self) -> None:
        self._descriptors: set[int] = set()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._close_in_child)

    def add(self, fd: int) -> None:
        """Close a descriptor in children from now on."""
        self._descriptors.add(fd)

    def discard(self, fd: int) -> None:
        """Forget a descriptor that is about to be closed."""
        self._descriptors.discard(fd)

    def _close_in_child(self) -> None:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in self._descriptors:
            os.dup2(null, fd, inheritable=False)  # the number stays taken, for whoever closes it
        os.close(null)
        self._descriptors.clear()


LIFELINES = _Lifelines()


class Reaper:
    """The parent's side of :mod:`.reaper`: a process that kills workers when this one dies."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        LIFELINES.add(self._stdin.fileno())
        self._process.wait()  # the one that stays is a child of this one

    def guard(self, pid: int, mark: str = "") -> None:
        """Kill a worker when this process dies.

        Args:
            pid: its process id.
            mark: a word in the environment of the worker and of what it starts, and of no other;
                empty where it has none.
        """
        self._tell(f"+{pid} {mark}")

    def guard_marked(self, mark: str) -> None:
        """Kill what has this word in its environment some time after this process has died."""
        self._tell(f"*{mark}")

    def release_marked(self, mark: str) -> None:
        """Leave alone what has this word in its environment."""
        self._tell(f"~{mark}")

    def release(self, pid: int) -> None:
        """Leave a worker alone; it has ended."""
        self._tell(f"-{pid}")

    def close(self) -> None:
        """Kill what is still guarded, and end."""
        if self._stdin.closed:
            return
        self._tell("end")  # a forked child of ours may hold its input open
        LIFELINES.discard(self._stdin.fileno())
        with contextlib.suppress(OSError):
            self._stdin.close()
        assert self._process.stdout is not None
        with contextlib.suppress(OSError), self._process.stdout as ending:
            poll = select.poll()  # nothing comes; it ends with the reaper
            poll.register(ending, select.POLLIN)
            poll.poll(1000 * _REAPER_SECONDS)

    @property
    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _tell(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stdin.write(line + "\n")
            self._stdin.flush()
