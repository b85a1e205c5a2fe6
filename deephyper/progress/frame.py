"""The picture of a search on a terminal: lines that fit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deephyper.objective import format_objective
from deephyper.printable import one_printable_line
from deephyper.progress.state import Row, State
from deephyper.progress.text import age_text, clock_text, fit, format_point

_BAR_WIDTH = 24
_ROOM_ABOVE = 8
"""Lines of a terminal that are left to what is printed, and to the lines above the table."""
_MOST_ROWS = 60
_LONGEST_WORKER = 24
_ROOM_FOR_KEYS = 4
"""Columns behind a single line, for what somebody types: ``^C``, twice."""
_LEAST_WIDTH = 40
"""Columns from which on there is room for a table."""


@dataclass(frozen=True)
class Screen:
    """The room that a picture has.

    Attributes:
        width, height: in characters; there is a table of what runs only where it is high.
        unicode: whether there are characters for a bar and an ellipsis.
        color: whether colors are wanted.
    """

    width: int
    height: int
    unicode: bool = True
    color: bool = False

    @property
    def num_rows(self) -> int:
        """Lines of the table, at most; 0 for none."""
        if self.width < _LEAST_WIDTH - 1:
            return 0
        return max(0, min(self.height - _ROOM_ABOVE, _MOST_ROWS))


def frame(state: State, screen: Screen) -> list[str]:
    """Return the lines that show a search, each of which fits.

    Args:
        state: of the search; as many of its rows are shown as there is room for.
        screen: the terminal.
    """
    bar = "━" if screen.unicode else "="
    mark = "…" if screen.unicode else "..."
    room = screen.num_rows
    width = screen.width if room else max(screen.width - _ROOM_FOR_KEYS, screen.width // 2)
    first = live_line(state, width, bar)
    lines = [_colored(first, bar) if screen.color else first]
    if not room:
        return lines
    lines += [fit(line, screen.width, mark) for line in _details(state)]
    if room > 1 and state.running > room:
        room -= 1  # for the line that says how many more there are
    rows = _aligned([_cells(row) for row in state.rows[:room]])
    lines += [fit(f"  {row}", screen.width, mark) for row in rows]
    if (more := state.running - len(rows)) > 0 and rows:
        lines.append(fit(f"  {mark} and {more} more", screen.width, mark))
    return lines


def live_line(state: State, width: int, bar: str = "━") -> str:
    """Return the state in one line of at most ``width`` characters.

    What doesn't fit is left out: first the bar, at last everything but the count.

    Args:
        state: of the search.
        width: of the terminal, in characters.
        bar: what the bar is drawn with.
    """
    count = str(state.ended) if state.max_evals is None else f"{state.ended}/{state.max_evals}"
    best = "no result yet" if state.best is None else f"best {format_objective(state.best)}"
    parts = {  # in their order in the line
        "title": "evaluations",
        "bar": _bar(state, bar),
        "count": count,
        "best": best,
        "failed": f"{state.failed} failed" if state.failed else "",
        "pruned": f"{state.pruned} ended early" if state.pruned else "",
        "paused": f"{state.paused} paused" if state.paused else "",
        "running": f"{state.running} running" if state.running else "",
        "held": "on hold" if state.is_held else "",
        "left": "" if state.seconds_left is None else f"{clock_text(state.seconds_left)} left",
        "seconds": f"{clock_text(state.seconds)} elapsed",
    }
    order = ("", "bar", "seconds", "title", "paused", "running", "pruned", "failed", "held")
    for name in (*order, "left", "best"):
        parts.pop(name, None)
        line = "  ".join(part for part in parts.values() if part)
        if len(line) <= width:
            return line
    return count[:width]


def _details(state: State) -> list[str]:
    """Return the lines below the first one: the workers, and the best point."""
    parts = []
    if state.workers:
        parts.append(f"{state.running} of {state.workers} workers busy")
    if state.utilization is not None:
        parts.append(f"utilization {state.utilization:.0%}")
    if state.since_best is not None:
        parts.append(f"last improvement {clock_text(state.since_best)} ago")
    lines = ["  ".join(parts)] if parts else []
    if state.best_point is not None:
        lines.append(f"best point: {format_point(state.best_point)}")
    return lines


def _cells(row: Row) -> list[str]:
    return [
        f"id {row.id}",
        one_printable_line(f"worker {row.worker}", _LONGEST_WORKER),
        age_text(row.seconds),
        "" if row.step is None else f"step {row.step}",
        format_objective(row.objective),
        format_point(row.point),
    ]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines; a column that is empty in all of them is left out."""
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[-1] = min(widths[-1], 1)  # of the last one the end is open
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width
        ).rstrip()
        for row in rows
    ]


def _bar(state: State, char: str) -> str:
    if not state.max_evals:
        return ""
    done = min(_BAR_WIDTH, _BAR_WIDTH * state.ended // state.max_evals)
    return f"{char * done}{' ' * (_BAR_WIDTH - done)}"


def _colored(line: str, bar: str) -> str:
    """Return the first line with its bar in green."""
    begin, end = line.find(bar), line.rfind(bar) + 1
    return f"{line[:begin]}\x1b[32m{line[begin:end]}\x1b[0m{line[end:]}" if end else line
