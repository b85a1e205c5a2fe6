"""Points, values and durations as people read them, and text that fits a terminal."""

from __future__ import annotations

import datetime
import unicodedata
from typing import Any

from deephyper.printable import one_printable_line, printable

_LONGEST_VALUE = 200
"""Characters of a value that are shown to people."""


def format_point(point: dict[str, Any]) -> str:
    """A point in one line: ``units=10 lr=0.01``."""
    return " ".join(f"{printable(name)}={format_value(value)}" for name, value in point.items())


def format_value(value: Any) -> str:
    """A hyperparameter or objective for people: six digits, no quotes, one line, not too long."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return one_printable_line(text, _LONGEST_VALUE)


def clock_text(seconds: float) -> str:
    """Return a duration as ``0:02:30``."""
    return str(datetime.timedelta(seconds=round(min(max(0.0, seconds), 1e12))))


def age_text(seconds: float) -> str:
    """Return a duration in as few characters as it needs: ``2:30``, ``1:02:30``."""
    text = clock_text(seconds)
    return text.removeprefix("0:").removeprefix("0") if text.startswith("0:") else text


def fit(text: str, width: int, mark: str = "…") -> str:
    """Return text that takes at most so many columns of a terminal.

    Args:
        text: printable, and one line.
        width: in columns; some characters take two, or none.
        mark: the end of what is cut.
    """
    if text.isascii():
        return text if len(text) <= width else f"{text[: max(0, width - len(mark))]}{mark}"[:width]
    if sum(map(_columns, text)) <= width:
        return text
    left, kept = max(0, width - len(mark)), []
    for char in text:
        left -= _columns(char)
        if left < 0:
            break
        kept.append(char)
    return f"{''.join(kept)}{mark}"[:width]


def _columns(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
