"""``deephyper ask``: points to evaluate, for a loop of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import click

from deephyper.core.cli.exit_status import DONE, GAVE_UP, print_result
from deephyper.core.cli.option_groups import UserPath, Whole
from deephyper.core.cli.wait import with_wait
from deephyper.printable import printable


@click.command("ask")
@click.argument("log_dir", metavar="DIR", type=UserPath(directory=True))
@click.option("-n", "n_points", type=Whole(min=1), default=1, metavar="N", help="How many (1).")
@with_wait
def ask(log_dir: Path, n_points: int, wait: float | None) -> int:
    """Print points to evaluate, each a line of JSON: {"id": "0", "point": {...}}.

    DIR is a directory that deephyper init has made. The exit status is 1 where no point is left.
    """
    from deephyper.core.cli.light_imports import import_lightly

    import_lightly()
    from deephyper.ask_tell.search_directory import SearchDirectory
    from deephyper.errors import SpaceExhausted

    try:
        asked = SearchDirectory(log_dir, notify=_tell, wait=wait).ask(n_points)
    except SpaceExhausted as end:
        _tell(end.on_command_line())
        return GAVE_UP
    print_result("".join(f"{json.dumps({'id': each.id, 'point': each.point})}\n" for each in asked))
    return DONE


def _tell(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
