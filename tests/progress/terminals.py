"""A real pseudo-terminal, whose other end is a screen."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from tests.progress.screen import Screen

LONG = 60.0
"""Seconds that are waited for what has to come, however busy the machine is."""


class Pseudo:
    """A pseudo-terminal.

    Attributes:
        stream: what a program writes to.
        screen: what it shows.
    """

    def __init__(self, columns: int, lines: int) -> None:
        self._ours, theirs = pty.openpty()
        self._theirs = theirs
        self.screen = Screen(columns, lines)
        self.resize(columns, lines)
        self.stream: TextIO = os.fdopen(theirs, "w", encoding="utf-8", closefd=False)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, columns: int, lines: int) -> None:
        """Give it another size, as when a window is drawn smaller."""
        self.screen.columns, self.screen.height = columns, lines
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self) -> None:
        while True:
            closing = self._closing.is_set()
            if select.select([self._ours], [], [], 0.1)[0]:
                self.screen.write(self._decode(os.read(self._ours, 65536)).replace("\r\n", "\n"))
            elif closing:
                return

    def until(self, shown: Callable[[list[str]], bool]) -> list[str]:
        """Wait until it shows something; return its lines."""
        end = time.monotonic() + LONG
        while not shown(text := self.screen.text):
            assert time.monotonic() < end, text
            time.sleep(0.01)
        return text

    def close(self) -> None:
        """Hang up, and let all that was written be shown."""
        self.stream.flush()
        self._closing.set()
        self._reader.join(LONG)
        os.close(self._theirs)
        os.close(self._ours)


@contextlib.contextmanager
def pseudo_terminal(columns: int, lines: int) -> Iterator[Pseudo]:
    """Open a pseudo-terminal of a size; as a context manager."""
    terminal = Pseudo(columns, lines)
    try:
        yield terminal
    finally:
        terminal.close()
