"""Waiting for many programs at once, in one thread."""

from __future__ import annotations

import math
import selectors
import time
from typing import Self

from deephyper.command.program import Program

_MOST_READ = 1 << 20
"""Bytes that are read in one go of all programs, so that none of them and not whoever waits has to
wait for one that prints without an end."""
_LEAST_READ, _MOST_OF_ONE = 1 << 12, 1 << 16
_CLOSING_SECONDS = 1.0


class Watch:
    """Running programs, as a context manager: those that are left are ended at its exit.

    Attributes:
        idle: whether there was nothing to read at the last wait.
    """

    def __init__(self) -> None:
        self.idle = True
        self._selector = selectors.DefaultSelector()
        self._programs: set[Program] = set()
        self._due: dict[Program, float] = {}  # when to look at it at the latest
        self._killed: list[Program] = []

    def add(self, program: Program) -> None:
        """Wait for a program from now on."""
        self._programs.add(program)
        for descriptor, stream in program.awaited:
            self._selector.register(descriptor, selectors.EVENT_READ, (program, stream))
        if program.end is None:
            self._due[program] = 0.0

    def wait(self, timeout: float) -> list[Program]:
        """Read what has come, once; return the programs that are over.

        Args:
            timeout: seconds to wait for something.
        """
        if self._killed:
            self._killed = [program for program in self._killed if not program.is_gone()]
        if self._due:
            left = min(self._due.values()) - time.monotonic()
            timeout = max(0.0, min(timeout, left))
        ready = self._selector.select(timeout)
        self.idle = not ready
        size = min(max(_LEAST_READ, _MOST_READ // (len(ready) or 1)), _MOST_OF_ONE)
        seen: dict[Program, None] = {}
        for key, _ in ready:
            program, stream = key.data
            seen[program] = None
            if not program.read(stream, size):
                self._selector.unregister(key.fd)
        now = time.monotonic()
        seen.update((program, None) for program, due in self._due.items() if due <= now)
        return [program for program in seen if self._is_over(program, now)]

    def terminate(self, program: Program) -> None:
        """Let a program end early; it is killed if it takes too long."""
        program.terminate()
        self._due[program] = 0.0

    def kill(self, program: Program) -> None:
        """Kill a program with what it has started, at once; nothing more is heard of it."""
        self._forget(program)
        program.kill()
        self._killed.append(program)

    def close(self) -> None:
        """Let the programs end that are left, and wait for them."""
        for program in self._programs:
            self.terminate(program)
        while self._programs:
            self.wait(_CLOSING_SECONDS)
        for program in self._killed:
            program.is_gone()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_over(self, program: Program, now: float) -> bool:
        due = program.next_due(now)
        if due is None:
            self._forget(program)
            program.finish()
            return True
        if math.isinf(due):
            self._due.pop(program, None)
        else:
            self._due[program] = due
        return False

    def _forget(self, program: Program) -> None:
        for descriptor, _ in program.awaited:
            self._selector.unregister(descriptor)
        self._programs.discard(program)
        self._due.pop(program, None)
