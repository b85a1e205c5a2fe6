"""The views of a watched search, as lines that fit a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deephyper.ask_tell.status import Status, Unfinished
from deephyper.objective import format_objective
from deephyper.printable import one_printable_line, printable
from deephyper.problem.point import Point
from deephyper.safe_files import last_lines
from deephyper.watch.terminal_plot import plot, spark
from deephyper.watch.watched import WatchedSearch

_SPARK = 20
_LONGEST_WORKER = 16
_OUTPUT_LINES = 8


@dataclass(frozen=True)
class Screen:
    """The room that a view has, and its characters.

    Attributes:
        width, height: in characters.
        unicode: whether there are characters for plots.
    """

    width: int
    height: int
    unicode: bool


View = Callable[[WatchedSearch, Status, Screen], list[str]]


def overview(search: WatchedSearch, status: Status, screen: Screen) -> list[str]:
    """Return the objectives over time, and as much of the other views as there is room for."""
    height = max(6, min(16, screen.height // 2 - 2))
    lines = history(search, status, Screen(screen.width, height, screen.unicode))
    lines += ["", "Best:", *_indented(best(search, status, screen)[:3])]
    running_lines = _running(search, status, screen)
    room = screen.height - len(lines) - 2 - (3 if search.failures else 0)
    if status.unfinished and room > 1:
        lines += ["", "Running:", *_indented(_cut(running_lines, max(1, room)))]
    if search.failures:
        last = failures(search, status, screen)[:1]
        lines += ["", "Last failure:", *_indented(last)]
    return [_fit(line, screen.width) for line in lines]


def history(search: WatchedSearch, status: Status, screen: Screen) -> list[str]:
    """Return a plot of the objectives, and of the best so far."""
    return plot(
        np.array(search.objectives),
        np.array(search.bests),
        screen.width,
        screen.height,
        minimize=status.direction == "minimize",
        unicode=screen.unicode,
    )


def running(search: WatchedSearch, status: Status, screen: Screen) -> list[str]:
    """Return the evaluations that run, the oldest first, with what they have reported."""
    return _cut(_running(search, status, screen), max(1, screen.height))


def _running(search: WatchedSearch, status: Status, screen: Screen) -> list[str]:
    """Return a line for each evaluation that runs, however many there are."""
    if not status.unfinished:
        return ["nothing runs"]
    values = [value for curve in search.curves.values() for _, value in curve]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    rows = [_running_cells(each, search, low, high, screen) for each in status.unfinished]
    return [_fit(line, screen.width) for line in _aligned(rows)]


def best(search: WatchedSearch, status: Status, screen: Screen) -> list[str]:
    """Return a line for each of the best evaluations."""
    found = search.best(max(1, screen.height))
    if not found:
        return ["no result yet"]
    rows = [[format_objective(e.objective), f"id {e.id}", _point_text(e.point)] for e in found]
    return [_fit(line, screen.width) for line in _aligned(rows)]


def failures(search: WatchedSearch, status: Status, screen: Screen) -> list[str]:
    """Return the latest failures, the newest first, and the end of the newest one's output."""
    if not search.failures:
        return ["nothing has failed"]
    lines = []
    for i, each in enumerate(reversed(search.failures)):
        again = " (tried again)" if each.retry else ""
        text = one_printable_line(each.message, 500)
        lines.append(f"evaluation {each.id}: {each.kind}: {text}{again}")
        if i == 0:
            told = each.text.rstrip().splitlines()[-_OUTPUT_LINES:]
            printed = last_lines(Path(each.output), _OUTPUT_LINES) if each.output else []
            lines += [f"  | {printable(line)}" for line in [*printed, *told]]
    return [_fit(line, screen.width) for line in _cut(lines, max(1, screen.height))]


VIEWS: dict[str, tuple[str, View]] = {
    "o": ("overview", overview),
    "p": ("plot", history),
    "r": ("running", running),
    "b": ("best", best),
    "f": ("failures", failures),
}
"""By the key that shows each."""


def _running_cells(
    each: Unfinished, search: WatchedSearch, low: float, high: float, screen: Screen
) -> list[str]:
    curve = search.curves.get(each.id, [])
    worker = "waits" if each.worker is None else f"worker {each.worker}"
    cells = [
        f"id {each.id}",
        one_printable_line(worker, _LONGEST_WORKER + 7),
        _age(each.age_sec),
        f"step {curve[-1][0]}" if curve else "",
        format_objective(curve[-1][1]) if curve else "",
    ]
    if screen.unicode:
        cells.append(spark([v for _, v in curve], low, high, _SPARK) if curve else "")
    return [*cells, _point_text(each.point)]


def _point_text(point: Point) -> str:
    shown = (
        f"{printable(name)}={f'{value:.4g}' if isinstance(value, float) else value}"
        for name, value in point.items()
    )
    return one_printable_line(" ".join(shown), 500)


def _age(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines; a column that is empty in all of them is left out."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width
        ).rstrip()
        for row in rows
    ]


def _cut(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    if most == 1:
        return lines[:1]
    return [*lines[: most - 1], f"and {len(lines) - most + 1} more"]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _fit(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: max(0, width - 3)]}..."
