"""A picture of a search in the output of a notebook's cell."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections import deque
from collections.abc import Callable
from html import escape
from importlib import import_module
from typing import Any

from deephyper.objective import format_objective
from deephyper.progress.frame import live_line
from deephyper.progress.state import State
from deephyper.progress.text import age_text, clock_text, format_point

_SECONDS = 0.5
"""Between two pictures."""
_END_SECONDS = 3.0
_ROWS = 12
_LINES = 8
"""The last lines that are kept."""


def in_notebook() -> bool:
    """Return whether this code runs in a cell of a notebook."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class Notebook:
    """Shows a search below a cell, as HTML that is replaced again and again."""

    def __init__(self) -> None:
        self._state: Callable[[int], State] | None = None
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._handle: Any = None
        self._stopped = threading.Event()
        # In the context of the cell, by which its kernel knows where output belongs.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), daemon=True)

    def show_with(self, state: Callable[[int], State]) -> None:
        """Take what gives the search as it is now, with so many of the evaluations that run."""
        self._state = state

    def start(self) -> None:
        """Begin to show it."""
        ipython = _ipython()
        self._handle = ipython.display(ipython.HTML(self._html(_ROWS)), display_id=True)
        self._thread.start()

    def stop(self) -> None:
        """Show how it has ended."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(_END_SECONDS)
        if self._handle is not None:
            self._update(0)

    def print(self, line: str) -> None:
        """Show a line below it."""
        self._lines.append(line)

    def _work(self) -> None:
        while not self._stopped.wait(_SECONDS):
            self._update(_ROWS)

    def _update(self, rows: int) -> None:
        self._handle.update(_ipython().HTML(self._html(rows)))

    def _html(self, rows: int) -> str:
        assert self._state is not None
        return as_html(self._state(rows), [*self._lines])


def _ipython() -> Any:
    """Return the module that shows things in a notebook, which is there in one."""
    return import_module("IPython.display")


def as_html(state: State, lines: list[str]) -> str:
    """Return a search as HTML.

    Args:
        state: of the search.
        lines: to be shown below it.
    """
    parts = []
    if state.max_evals:
        done = min(state.ended, state.max_evals)
        parts.append(f"<progress value={done} max={state.max_evals}></progress> ")
    parts.append(escape(live_line(state, 1000, "")))
    about = []
    if state.utilization is not None:
        about.append(f"utilization {state.utilization:.0%}")
    if state.since_best is not None:
        about.append(f"last improvement {clock_text(state.since_best)} ago")
    if state.best_point is not None:
        about.append(f"best point: {format_point(state.best_point)}")
    parts += [f"<br>{escape('; '.join(about))}" if about else ""]
    if state.rows:
        titles = ("id", "worker", "time", "step", "objective", "point")
        head = "".join(f"<th>{title}</th>" for title in titles)
        body = []
        for row in state.rows:
            cells = (
                row.id,
                row.worker,
                age_text(row.seconds),
                "" if row.step is None else str(row.step),
                format_objective(row.objective),
                format_point(row.point),
            )
            body.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
        table = "".join(f"<tr>{row}</tr>" for row in body)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{table}</tbody></table>")
        if (more := state.running - len(state.rows)) > 0:
            parts.append(f"… and {more} more")
    if lines:
        parts.append(f"<pre>{escape(chr(10).join(lines))}</pre>")
    return "".join(parts)
