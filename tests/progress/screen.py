"""A terminal of a given size, as far as our pictures use one; anything else is refused."""

from __future__ import annotations

import re

_PARTS = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n])", re.DOTALL)


class Screen:
    """Shows what is written to it.

    Attributes:
        lines: all lines, those that have left it at its upper end among them.
        wrapped: how often a character had no room in its line any more.
        colored: whether a color was asked for.
    """

    def __init__(self, columns: int, height: int) -> None:
        self.columns = columns
        self.height = height
        self.lines = [""]
        self.row = self.column = 0
        self.wrapped = 0
        self.colored = False

    def write(self, text: str) -> None:
        """Take what a program writes."""
        place = 0
        for match in _PARTS.finditer(text):
            assert match.start() == place, f"not understood: {text[place : place + 20]!r}"
            place = match.end()
            number, command, back, feed, char = match.groups()
            if command is not None:
                self._command(command, number)
            elif back:
                self.column = 0
            elif feed:
                self._feed()
            else:
                self._put(char)
        assert place == len(text), f"not understood: {text[place:]!r}"

    def _command(self, command: str, number: str) -> None:
        if command == "A":
            top = max(0, len(self.lines) - self.height)
            self.row = max(top, self.row - int(number))
        elif command == "K":
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif command == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1 :]
        else:
            assert command == "m", command
            self.colored = self.colored or number not in ("", "0")

    def _feed(self) -> None:
        self.row += 1
        self.column = 0
        if self.row == len(self.lines):
            self.lines.append("")

    def _put(self, char: str) -> None:
        if self.column >= self.columns:
            self.wrapped += 1
            self._feed()
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
        self.column += 1

    @property
    def text(self) -> list[str]:
        """The lines without spaces at their ends."""
        return [line.rstrip() for line in self.lines]
