"""A stream that a program prints into: its lines, and where all of it goes."""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
from collections import deque
from typing import IO, Any

_LONGEST_LINE = 1 << 20
_TAIL_LINES = 3
_LONGEST_SHOWN = 300
_MARKS = " \t~^"
"""Characters of the lines that Python sets below a line of its traceback."""


class Stream:
    """The end of a pipe that a program prints into.

    Args:
        descriptor: of the pipe, which doesn't block from now on.
        name: of the stream, "stdout" or "stderr".

    Attributes:
        descriptor: the same.
        output: descriptor of a file that gets all of it; None for this process's own stream of
            that name.
        last_lines: the last lines with something in them, shortened.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.output: int | None = None
        self.last_lines: deque[str] = deque(maxlen=_TAIL_LINES)
        self._ours: IO[Any] | None = getattr(sys, name)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest: list[str] = []  # of the line that has not ended
        self._length = 0

    def read(self, size: int) -> tuple[list[str], bool]:
        """Read what is there.

        Args:
            size: bytes to read at most.

        Returns:
            The lines that are complete, and whether the stream has ended; :meth:`end` gives what
            is left then.
        """
        lines: list[str] = []
        try:
            while size > 0:
                data = os.read(self.descriptor, size)
                if not data:
                    return lines, True
                size -= len(data)
                lines += self._take(data)
        except BlockingIOError:
            pass
        return lines, False

    def end(self) -> list[str]:
        """Return the line that has not ended, if there is one."""
        text = self._decoder.decode(b"", final=True)
        if self.output is None:
            self._pass_on(text)
        return self._split(f"{text}\n") if text or self._length else []

    def _take(self, data: bytes) -> list[str]:
        text = self._decoder.decode(data)
        if self.output is None:
            self._pass_on(text)
        else:
            _write(self.output, data)
        return self._split(text)

    def _split(self, text: str) -> list[str]:
        """Return the lines that are complete with a further text."""
        lines = text.replace("\r", "\n").split("\n")
        rest = lines.pop()
        if lines and self._rest:
            lines[0] = "".join((*self._rest, lines[0]))
            self._rest.clear()
            self._length = 0
        if rest:
            self._rest.append(rest)
            self._length += len(rest)
            if self._length > _LONGEST_LINE:
                lines.append("".join(self._rest))
                self._rest.clear()
                self._length = 0
        self._keep_last(lines)
        return lines

    def _keep_last(self, lines: list[str]) -> None:
        last: list[str] = []
        for line in reversed(lines):
            if line.strip(_MARKS):
                last.append(line[:_LONGEST_SHOWN])
                if len(last) == _TAIL_LINES:
                    break
        self.last_lines.extend(reversed(last))

    def _pass_on(self, text: str) -> None:
        if text and self._ours is not None:
            with contextlib.suppress(Exception):  # whatever stands in its place
                self._ours.write(text)
                self._ours.flush()


def _write(descriptor: int, data: bytes) -> None:
    """Write to a file as much as it takes."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(descriptor, data) :]
