"""``deephyper watch``: a view of a search in a terminal."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
import textwrap
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import Duration, UserPath
from deephyper.core.cli.status import status_lines
from deephyper.objective import format_objective

if TYPE_CHECKING:
    from deephyper.ask_tell.status import Status
    from deephyper.watch.views import Screen
    from deephyper.watch.watched import WatchedSearch

_QUIT = ("q", "\x1b")
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])")
"""An arrow, or another key that sends several characters, of which Escape is the first."""
_SIZE = (80, 40)
"""Of what is printed where there is no terminal."""


@click.command("watch")
@click.argument("log_dir", metavar="DIR", type=UserPath())
@click.option("--once", is_flag=True, help="Print the overview once, and end.")
@click.option(
    "--interval",
    type=Duration(),
    default=1.0,
    help="Time between two looks at the files (1 s).",
)
def watch(log_dir: Path, once: bool, interval: float) -> None:
    """Watch the search in a log directory: objectives, what runs, failures, the best points.

    Files are read alone, so nothing disturbs a search that runs, here or on another node. Keys
    choose the view. Without a terminal the overview is printed once.
    """
    from deephyper.watch.watched import WatchedSearch

    search = WatchedSearch(log_dir)
    terminal = sys.stdout.isatty() and os.environ.get("TERM") not in (None, "dumb")
    if once or not terminal:
        print_result("".join(f"{line}\n" for line in _lines(search, search.refresh(), "o", None)))
    else:
        _watch(search, interval)


def _lines(search: WatchedSearch, status: Status, key: str, screen: Screen | None) -> list[str]:
    from deephyper.watch.views import VIEWS, Screen

    if screen is None:
        width, height = os.get_terminal_size() if sys.stdout.isatty() else _SIZE
        encoding = (sys.stdout.encoding or "").lower()
        screen = Screen(width, height, encoding.startswith("utf"))
    head = _head(status, screen.width)
    room = Screen(screen.width, max(3, screen.height - len(head) - 2), screen.unicode)
    return [*head, "", *VIEWS[key][1](search, status, room)]


def _head(status: Status, width: int) -> list[str]:
    """Return what the search came to, in lines that fit."""
    parts = status_lines(status)[0].split("; ")
    if status.best is not None:
        # The identifier and the age are in the views.
        parts[-1] = f"best objective {format_objective(status.best.objective)}"
    return textwrap.wrap("; ".join(parts), width)


def _watch(search: WatchedSearch, interval: float) -> None:
    """Draw the views until somebody has had enough."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from deephyper.watch.views import VIEWS, Screen

    console = Console(highlight=False, markup=False, emoji=False)
    unicode = console.encoding.lower().startswith("utf")
    keys = "  ".join(f"{key} {name}" for key, (name, _) in VIEWS.items()) + "  q quit"
    key = "o"

    def drawn() -> Any:
        width, height = console.size
        screen = Screen(width, height - 1, unicode)
        lines = _lines(search, search.refresh(), key, screen)[: height - 1]
        lines += [""] * (height - 1 - len(lines))
        text = Text("\n".join(lines) + "\n", no_wrap=True, overflow="crop")
        text.append(keys[:width], style="reverse")
        return text

    with (
        _keys() as pressed,
        Live(drawn(), console=console, screen=True, auto_refresh=False) as live,
    ):
        while (given := pressed(interval)) not in _QUIT:
            key = given if given in VIEWS else key
            live.update(drawn(), refresh=True)


@contextlib.contextmanager
def _keys() -> Iterator[Any]:
    """Give what waits for a key, at most so many seconds; as a context manager.

    It returns the key, and an empty text where none was pressed or there is no keyboard.
    """
    if not sys.stdin.isatty():
        yield lambda seconds: _read_key(None, seconds)
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield lambda seconds: _read_key(keyboard, seconds)
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _read_key(keyboard: int | None, seconds: float) -> str:
    ready, _, _ = select.select([] if keyboard is None else [keyboard], [], [], seconds)
    if not ready or keyboard is None:
        return ""
    read = os.read(keyboard, 64).decode(errors="replace")
    keys = _SEQUENCE.sub("", read)
    if not read or any(key in keys for key in _QUIT):
        return _QUIT[0]
    return keys[-1:]
