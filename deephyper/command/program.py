"""A running program: its lines as they come, and its end, with all that it has started."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from deephyper.command.stream import Stream
from deephyper.evaluator.output import open_output
from deephyper.evaluator.worker import reaper

_SILENT_SECONDS = 0.2
"""The time without output after which a program that has ended is over, though what it has started
still holds its streams."""
_TERM_SECONDS = 5.0
"""The time that a program has to end after SIGTERM."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.05
"""Seconds between two questions whether a program has ended, where its end can't be waited for."""
_LAST_READ = 1 << 16
"""Bytes of a stream that are read when its program has been killed: what a pipe holds."""


class Program:
    """A program in a process group of its own; :class:`.Watch` leads it to its end.

    Args:
        words: of its command line; the first one is the program.
        environment: all of its environment.
        directory: in which it runs.
        take: gets the lines of its standard output.
        output: file that gets what it prints, at its end; None for this process's own streams.

    Attributes:
        pid: its process id.
        streams: those that have not ended.
        end: a descriptor that can be read when the program has ended; None where the system has
            no such descriptors.
        is_ending: whether it is to end early.
        status: its exit status once it is over, negative for a signal.

    Raises:
        OSError: if it can't be started.
        ValueError: if a word has a null character.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[bytes, bytes],
        directory: str,
        take: Callable[[list[str]], None],
        output: str | None = None,
    ) -> None:
        self._process = _start([os.fsencode(word) for word in words], environment, directory)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._out = Stream(self._process.stdout.fileno(), "stdout")
        self._err = Stream(self._process.stderr.fileno(), "stderr")
        self.streams = [self._out, self._err]
        self.pid = self._process.pid
        self.end = _descriptor_of_end(self.pid)
        self.is_ending = False
        self.status: int | None = None
        self._take = take
        self._has_ended = False
        self._is_killed = False
        self._heard = 0.0  # when something has last come
        self._kill_at = math.inf
        self._started: list[int] = []  # by it, when it was to end
        self._pause = _FIRST_PAUSE
        self._output: int | None = None
        if output is not None:
            try:  # now, since it takes as long as a short program
                self._output = open_output(output)
            except OSError:
                self.streams.clear()
                self.kill()
                self._process.wait()
                raise
            self._out.output = self._err.output = self._output

    @property
    def last_lines(self) -> str:
        """The last lines of what went wrong, or else of the output."""
        return "\n".join(self._err.last_lines or self._out.last_lines)

    @property
    def awaited(self) -> list[tuple[int, Stream | None]]:
        """The descriptors on which something is to come: of streams, and with None of its end."""
        streams: list[tuple[int, Stream | None]] = [(s.descriptor, s) for s in self.streams]
        return streams if self.end is None or self._has_ended else [*streams, (self.end, None)]

    def read(self, stream: Stream | None, size: int) -> bool:
        """Take note of what has come; return whether more may come.

        Args:
            stream: where; None for its end.
            size: bytes to read at most.
        """
        self._heard = time.monotonic()
        if stream is None:
            self._has_ended = True
            return False
        lines, is_over = stream.read(size)
        self._hand_over(stream, lines)
        if is_over:
            self._end(stream)
        return not is_over

    def next_due(self, now: float) -> float | None:
        """Do what is due; return when something will be again, infinity for never.

        Args:
            now: the time, by ``time.monotonic``.

        Returns:
            None if the program is over: it has ended, and all that it has printed has come.
        """
        if self.end is None and not self._has_ended and self._process.poll() is not None:
            self._has_ended = True
            self._heard = now
        if self._has_ended:
            silent_at = self._heard + _SILENT_SECONDS
            is_over = not self.streams or self.is_ending or now >= silent_at
            return None if is_over else silent_at
        if now >= self._kill_at:
            reaper.kill_all_of(self.pid)
            self._kill_at = math.inf
        if self.end is not None:
            return self._kill_at
        if self.streams:
            return min(self._kill_at, now + _SILENT_SECONDS)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return min(self._kill_at, now + self._pause)

    def terminate(self) -> None:
        """Let the program end early, unless it has ended: it is killed if it takes too long."""
        if self.is_ending or self._process.poll() is not None:
            return
        self.is_ending = True
        self._kill_at = time.monotonic() + _TERM_SECONDS
        self._started = reaper.descendants(self.pid)
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGTERM)

    def finish(self) -> None:
        """End what an ended program has left, and take its status."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        reaper.kill(self._started)
        self.status = self._process.wait()
        self._close()

    def kill(self) -> None:
        """Kill the program and what it has started; nothing more is heard of it."""
        self._is_killed = True
        if self._process.poll() is None:
            reaper.kill_all_of(self.pid)
        self._close()

    def is_gone(self) -> bool:
        """Return whether a program that was killed has ended."""
        return self._process.poll() is not None

    def _hand_over(self, stream: Stream, lines: list[str]) -> None:
        if lines and stream is self._out and not self._is_killed:
            self._take(lines)

    def _end(self, stream: Stream) -> None:
        self.streams.remove(stream)
        last = stream.end()
        if not self.is_ending:  # else it may be a part of a line
            self._hand_over(stream, last)

    def _close(self) -> None:
        for stream in [*self.streams]:  # which processes have that it has started, or had
            self._hand_over(stream, stream.read(_LAST_READ)[0])
            self._end(stream)
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
        for descriptor in (self.end, self._output):
            if descriptor is not None:
                os.close(descriptor)


def _start(
    words: list[bytes], environment: Mapping[bytes, bytes], directory: str
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, which no terminal stops or interrupts.

    Raises:
        OSError: if it can't be started.
        ValueError: if a word has a null character.
    """
    return subprocess.Popen(
        words,
        # The same one each time, where there is one; else Python finds none, or the next.
        executable=_found(words[0], environment.get(b"PATH", os.defpath.encode())),
        bufsize=0,  # they are read by their descriptors
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=directory,
        # A session takes longer to make, and only keeps the terminal away.
        start_new_session=_has_terminal(),
        process_group=None if _has_terminal() else 0,
    )


def _descriptor_of_end(pid: int) -> int | None:
    """Return a descriptor that can be read when a process has ended, where there are such."""
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return None


@functools.cache
def _has_terminal() -> bool:
    """Return whether there is a terminal that could stop a program."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


@functools.lru_cache(maxsize=64)
def _found_before(program: bytes, path: bytes) -> bytes | None:
    return shutil.which(program, path=os.fsdecode(path))


def _found(program: bytes, path: bytes) -> bytes | None:
    """Return the absolute path of a program; None where it is left to the system."""
    if os.sep.encode() in program:
        return None
    found = _found_before(program, path)
    return found if found is not None and os.path.isabs(found) and os.path.exists(found) else None
