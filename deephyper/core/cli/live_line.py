"""The line that a terminal shows while a search runs, drawn again and again."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deephyper.objective import format_objective

if TYPE_CHECKING:
    from deephyper.standard_streams import Output

_BAR_WIDTH = 24
_REFRESHES_PER_SECOND = 4


@dataclass(frozen=True)
class State:
    """A search at one moment.

    Attributes:
        ended: evaluations that have ended.
        max_evals: how many there may be; None for no limit.
        failed: how many of them failed in this session.
        best: the best objective; None for none yet.
        seconds: since this session began.
        seconds_left: until the expected end; None if unknown.
        pruned: how many evaluations of this session were ended early.
    """

    ended: int
    max_evals: int | None
    failed: int
    best: float | None
    seconds: float
    seconds_left: float | None
    pruned: int = 0


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
        "pruned": f"{state.pruned} pruned" if state.pruned else "",
        "left": "" if state.seconds_left is None else f"{_clock(state.seconds_left)} left",
        "seconds": _clock(state.seconds),
    }
    for name in ("", "bar", "seconds", "title", "pruned", "failed", "left", "best"):
        parts.pop(name, None)
        line = "  ".join(part for part in parts.values() if part)
        if len(line) <= width:
            return line
    return count[:width]


def _bar(state: State, char: str) -> str:
    if not state.max_evals:
        return ""
    done = min(_BAR_WIDTH, _BAR_WIDTH * state.ended // state.max_evals)
    return f"{char * done}{' ' * (_BAR_WIDTH - done)}"


def _clock(seconds: float) -> str:
    """Return a duration as ``0:02:30``."""
    return str(datetime.timedelta(seconds=round(min(max(0.0, seconds), 1e12))))


class LiveLine:
    """Draws the line with rich, which is imported only for it.

    Args:
        output: a terminal.
        state: gives the search as it is now.
    """

    def __init__(self, output: Output, state: Callable[[], State]) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self._console = Console(file=output, highlight=False, markup=False, emoji=False)
        char = "━" if self._console.encoding.startswith("utf") else "="

        def drawn() -> Text:
            line = live_line(state(), self._console.width, char)
            text = Text(line, no_wrap=True, overflow="crop")
            text.highlight_regex(f"{char}+", "green")
            return text

        self._live = Live(
            console=self._console,
            get_renderable=drawn,
            refresh_per_second=_REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def start(self) -> None:
        """Begin to draw."""
        self._live.start()

    def stop(self) -> None:
        """Draw the last state and leave it there."""
        self._live.stop()

    def print(self, line: str) -> None:
        """Print a line above it."""
        self._console.print(line, soft_wrap=True)
