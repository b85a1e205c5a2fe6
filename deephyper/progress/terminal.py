"""A picture at the lower end of a terminal, drawn again and again, and lines above it.

A thread of its own draws, a few times a second: whoever has something to show hands it over and
never waits for the terminal, which may be stopped (Ctrl-S) or far away. What is drawn ends without
a line feed, so that what somebody else prints to the same terminal comes to stand in a line of its
own after the next picture, at the latest.

A terminal shows keys too, such as ^C, where its cursor is. Beyond the end of a line they would move
it to the next one, and the first line of the picture would stay for ever. So the cursor is left at
the beginning of the last line; behind a single line, which others may print after, there is room.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from deephyper.progress.frame import Screen

if TYPE_CHECKING:
    from deephyper.standard_streams import Output

_SECONDS = 0.25
"""Between two pictures."""
_END_SECONDS = 3.0
"""The time that a terminal has to take the last one."""
_SIZE = (80, 24)
"""Of a terminal that doesn't tell its own."""
_NO = ("", "0", "false", "no")


def draws_pictures(output: Output) -> bool:
    """Return whether a stream is a terminal that can move its cursor, with somebody before it."""
    ci = os.environ.get("CI", "").lower() not in _NO  # which keeps what is printed
    return output.isatty() and os.environ.get("TERM") != "dumb" and not ci


def wants_color(output: Output) -> bool:
    """Return whether colors are wanted: on a terminal, or by ``FORCE_COLOR``; not with
    ``NO_COLOR`` (https://no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return output.isatty() and os.environ.get("TERM") != "dumb"


class Terminal:
    """Draws at the lower end of a terminal.

    Args:
        output: the terminal.
        draw: gives the lines of the picture, which fit the screen that it is given.
        draw_last: gives those that stay when it is stopped.
    """

    def __init__(
        self,
        output: Output,
        draw: Callable[[Screen], list[str]],
        draw_last: Callable[[Screen], list[str]],
    ) -> None:
        self._output = output
        self._draw = draw
        self._draw_last = draw_last
        self._color = wants_color(output)
        self._unicode = (output.encoding or "").lower().startswith("utf")
        self._lines: deque[str] = deque()
        self._height = 0  # of the picture that is there
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="progress", daemon=True)

    def start(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def stop(self) -> None:
        """Show what is left to show, draw the last picture, and leave it there."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(_END_SECONDS)
        if not self._thread.is_alive():
            self._show(self._draw_last, "\n")

    def print(self, line: str) -> None:
        """Let a line be printed above the picture."""
        self._lines.append(line)

    @property
    def screen(self) -> Screen:
        """The terminal as it is now."""
        columns, lines = _size(self._output)
        # A character in the last column makes some terminals begin a new line.
        return Screen(max(1, columns - 1), lines, self._unicode, self._color)

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._show(self._draw, "")
            self._stopped.wait(_SECONDS)

    def _show(self, draw: Callable[[Screen], list[str]], end: str) -> None:
        """Print what waits, and draw a picture, by one write."""
        above = []
        while self._lines:
            above.append(self._lines.popleft())
        with contextlib.suppress(RuntimeError):  # what is shown has changed meanwhile
            lines = draw(self.screen)
            end = end or ("\r" if len(lines) > 1 else "")
            parts = [f"\x1b[{self._height - 1}A" if self._height > 1 else "", "\r"]
            if above:
                parts += ["\x1b[J", *(f"{line}\n" for line in above)]
                above = []
            # Each line is written over what was there, so that nothing flickers.
            parts += ["\x1b[K\n".join(lines), "\x1b[K\x1b[J", end]
            self._height = len(lines)
            self._output.write("".join(parts))
            self._output.flush()
        self._lines.extendleft(reversed(above))


def _size(output: Output) -> tuple[int, int]:
    """Return columns and lines of a terminal, at most what the environment says."""
    found = (0, 0)
    with contextlib.suppress(OSError, ValueError):
        columns, lines = os.get_terminal_size(output.fileno())
        found = columns, lines
    sizes = []
    for own, name, usual in zip(found, ("COLUMNS", "LINES"), _SIZE, strict=True):
        text = os.environ.get(name, "")
        known = [n for n in (own, int(text) if text.isdecimal() else 0) if n > 0]
        sizes.append(min(known, default=usual))
    return sizes[0], sizes[1]
