"""A running program: its lines as they come, and its end, with all that it has started."""

from __future__ import annotations

import codecs
import contextlib
import functools
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from deephyper.evaluator.output import open_output
from deephyper.evaluator.worker import reaper

_TICK = 0.2
"""Seconds between two questions whether the program is to end."""
_TERM_SECONDS = 5.0
"""The time that a program has to end after SIGTERM."""
_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 20
_TAIL_LINES = 3
_LONGEST_SHOWN = 300
# For a few descriptors and a short time, epoll takes more calls.
_Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)
_END_OF_LINE = re.compile(r"[\r\n]")


class Program:
    """A program in a process group of its own, as a context manager: it leaves nothing behind.

    Args:
        words: of its command line; the first one is the program.
        environment: all of its environment.
        directory: in which it runs.
        output: file that gets what it prints, at its end; None for this process's own streams.

    Raises:
        OSError: if it can't be started.
        ValueError: if a word has a null character.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[bytes, bytes],
        directory: str,
        output: str | None = None,
    ) -> None:
        self._process = _start([os.fsencode(word) for word in words], environment, directory)
        self._output: int | None = None
        if output is not None:
            try:  # now, since it takes as long as a short program
                self._output = open_output(output)
            except OSError:
                self.__exit__()
                raise
        self._tails: dict[str, deque[str]] = {}

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        self._end()
        self._close_output()

    @property
    def last_lines(self) -> str:
        """The last lines of what went wrong, or else of the output."""
        lines = self._tails.get("stderr") or self._tails.get("stdout") or ()
        return "\n".join(lines)

    def run(self, take: Callable[[str], None], is_to_end: Callable[[], bool]) -> int | None:
        """Wait for the end of the program; return its status, None if it was ended early.

        Args:
            take: called with each line of standard output.
            is_to_end: asked now and then.
        """
        process = self._process
        assert process.stdout is not None
        assert process.stderr is not None
        with _Selector() as selector:
            for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
                tail = self._tails.setdefault(name, deque(maxlen=_TAIL_LINES))
                lines = _Lines(name, tail, self._output)
                selector.register(stream, selectors.EVENT_READ, lines)
            asked = time.monotonic()
            while selector.get_map():
                ready = selector.select(_TICK)
                for key, _ in ready:
                    data = os.read(key.fd, _CHUNK)
                    for line in key.data.split(data):
                        if key.data.name == "stdout":
                            take(line)
                    if not data:
                        selector.unregister(key.fileobj)
                if time.monotonic() - asked >= _TICK:
                    if is_to_end():
                        return None
                    asked = time.monotonic()
                if not ready and process.poll() is not None:
                    break  # what it has started holds its streams
        while not _has_ended(process, _TICK):
            if is_to_end():
                return None
        return process.returncode

    def kill(self) -> None:
        """Kill the program and what it has started, unless it has ended; for other threads."""
        if self._process.poll() is None:
            reaper.kill_all_of(self._process.pid)

    def _close_output(self) -> None:
        if self._output is not None:
            os.close(self._output)

    def _end(self) -> None:
        """End the program and what it has started, if that is still there."""
        process = self._process
        group = process.pid
        if process.poll() is None:
            started = reaper.descendants(process.pid)
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TERM_SECONDS)
            reaper.kill(started)
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
        process.wait()


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


def _has_ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Return whether a program ends within a time."""
    # A program has closed its streams a little before it has ended. Python itself looks for the end
    # twice at first, half a millisecond apart, which is as long as many a program takes.
    if process.poll() is None and hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(process.pid)
            try:
                with _Selector() as selector:
                    selector.register(descriptor, selectors.EVENT_READ)
                    selector.select(seconds)
            finally:
                os.close(descriptor)
            return process.poll() is not None
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


class _Lines:
    """The lines of a stream, which go on to our own of that name.

    Args:
        name: of the stream.
        tail: gets the last lines.
        output: descriptor of a file that they go to instead, if any.
    """

    def __init__(self, name: str, tail: deque[str], output: int | None) -> None:
        self.name = name
        self._tail = tail
        self._rest = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._output = output
        self._ours: IO[Any] | None = None if output is not None else getattr(sys, name)

    def split(self, data: bytes) -> list[str]:
        """Return the lines that are complete; without data, the rest too."""
        text = self._decoder.decode(data, final=not data)
        if self._output is None:
            self._pass_on(text)
        else:
            _write(self._output, data)
        *lines, self._rest = _END_OF_LINE.split(self._rest + text)
        if (not data and self._rest) or len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = ""
        # Without the marks that Python sets below a line of its traceback.
        self._tail.extend(line[:_LONGEST_SHOWN] for line in lines if line.strip(" \t~^"))
        return lines

    def _pass_on(self, text: str) -> None:
        if text and self._ours is not None:
            with contextlib.suppress(OSError, ValueError):
                self._ours.write(text)
                self._ours.flush()


def _write(fd: int, data: bytes) -> None:
    """Write to a file as much as it takes."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(fd, data) :]
