"""``deephyper-analytics insight``: what a search tells of its space, in words."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import UserPath, Whole
from deephyper.printable import printable

_WIDEST = 100


@click.command("insight")
@click.argument("results", metavar="RESULTS", type=UserPath())
@click.option("--seed", type=Whole(min=0), default=0, show_default=True, help="Random seed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a list of findings.")
def insight(results: Path, seed: int, as_json: bool) -> None:
    """Say in words what a search tells of its space, and whether to go on.

    RESULTS is the results.csv of a search, or its log directory. Looked for are ranges whose ends
    are in the way of the best, hyperparameters that make no difference, values that fail, and
    whether the best still gets better.
    """
    from deephyper.analytics.insight import as_text
    from deephyper.analytics.insight import insight as findings_of

    found = findings_of(results, seed=seed, on_notice=_notice)
    if as_json:
        print_result(f"{json.dumps([dataclasses.asdict(each) for each in found], indent=4)}\n")
    else:
        print_result(as_text(found, min(shutil.get_terminal_size().columns, _WIDEST)))


def _notice(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
