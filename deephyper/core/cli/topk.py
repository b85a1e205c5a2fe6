"""``deephyper-analytics topk``: the best points of a search."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import UserPath, Whole
from deephyper.printable import printable


@click.command("topk")
@click.argument("results", metavar="RESULTS", type=UserPath())
@click.option("-k", type=Whole(min=1), default=1, show_default=True, metavar="K", help="How many.")
@click.option(
    "--output",
    "-o",
    type=UserPath(),
    metavar="FILE",
    help="Save them in this file instead: .json, .yaml or .csv.",
)
@click.option("--points", is_flag=True, help="Their hyperparameters alone, as run takes them.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a list of them, best first.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def topk(
    results: Path, k: int, output: Path | None, points: bool, as_json: bool, force: bool
) -> None:
    """Print the best points of a search, best first, as YAML.

    RESULTS is the results.csv of a search, or its log directory. Evaluations that failed or were
    ended early are left out. Rows that can't be read are left out too, and counted on standard
    error.
    """
    if as_json and output is not None:
        raise click.UsageError("--json prints them and --output saves them; give one of them")
    from deephyper.analytics.ranked import as_json_list, as_yaml, save
    from deephyper.analytics.topk import best_evaluations, best_points

    evaluations = (best_points if points else best_evaluations)(results, k, _notice)
    if as_json:
        print_result(as_json_list(evaluations))
    elif output is None:
        print_result(as_yaml(evaluations, encoding=sys.stdout.encoding))
    else:
        save(evaluations, output, force=force)
        click.echo(printable(f"Saved the best of {results} in {output}."))


def _notice(text: str) -> None:
    click.echo(printable(f"deephyper: {text}"), err=True)
