"""The run of a program that is evaluated directly, without a worker process around it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping


class ProgramRun:
    """The surroundings that an evaluator gives a program, and the means to kill it.

    Args:
        environment: of the program, on top of which come the variables of the evaluation; None for
            this process's own.
        output: file that it prints into; None for this process's own streams.
        gpus: that it may use, as ``CUDA_VISIBLE_DEVICES`` names them; None for those of this
            process.
        mark: a word in the environment of the program, and of no other one; empty for none.
        spare: name of an empty directory beside those of evaluations, which is renamed in place of
            making and removing theirs; to remove one takes a disk up to several milliseconds.
            Empty for none.
    """

    def __init__(
        self,
        environment: Mapping[bytes, bytes] | None = None,
        output: str | None = None,
        gpus: str | None = None,
        mark: str = "",
        spare: str = "",
    ) -> None:
        self.environment = environment
        self.output = output
        self.gpus = gpus
        self.mark = mark
        self._spare = spare
        self._from_spare = ""
        self._lock = threading.Lock()
        self._kill: Callable[[], None] | None = None
        self._is_killed = False
        self._begin: Callable[[], None] | None = None

    def make_directory(self, path: str) -> None:
        """Make the directory of the evaluation, if it isn't there.

        Raises:
            OSError: if it can't be made.
        """
        if os.path.isdir(path):
            return
        if self._spare:
            self._from_spare = path
            with contextlib.suppress(OSError):
                os.rename(os.path.join(os.path.dirname(path), self._spare), path)
                return
        os.makedirs(path, exist_ok=True)

    def drop_directory(self, path: str, is_used: bool) -> None:
        """Remove the directory of the evaluation, unless there is something in it.

        Args:
            path: of the directory.
            is_used: whether processes may be in it that the program has left.
        """
        with contextlib.suppress(OSError):
            if path != self._from_spare or is_used or self._is_killed:
                os.rmdir(path)
            elif not os.listdir(path):
                os.rename(path, os.path.join(os.path.dirname(path), self._spare))

    def when_started(self, begin: Callable[[], None]) -> None:
        """Have a function called when the program runs, or couldn't be started."""
        self._begin = begin

    def started(self, kill: Callable[[], None]) -> None:
        """Take note that the program runs, which was perhaps killed before.

        Args:
            kill: kills it.
        """
        with self._lock:
            self._kill = kill
            if self._is_killed:
                kill()
        self._has_begun()

    def ended(self) -> None:
        """Take note that the program has ended, or couldn't be started."""
        with self._lock:
            self._kill = None
        self._has_begun()

    def kill(self) -> None:
        """Kill the program, now or as soon as it has started."""
        with self._lock:
            self._is_killed = True
            if self._kill is not None:
                self._kill()

    def _has_begun(self) -> None:
        begin, self._begin = self._begin, None
        if begin is not None:
            begin()
