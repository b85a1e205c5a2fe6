"""``deephyper-analytics report``: a search as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from deephyper.core.cli.option_groups import Duration, UserPath
from deephyper.printable import printable

_DEFAULT = "report.html"


@click.command("report")
@click.argument("results", metavar="RESULTS", type=UserPath())
@click.option(
    "--output",
    "-o",
    type=UserPath(),
    metavar="FILE",
    help=f"The file to save in, whose name ends in .html ({_DEFAULT}).",
)
@click.option(
    "--follow",
    type=Duration(),
    is_flag=False,
    flag_value="10s",
    help="Keep it fresh while the search runs: save it again after this time (10 s).",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def report(results: Path, output: Path | None, follow: float | None, force: bool) -> None:
    """Save a report of a search: one page with charts, a table and all that is known.

    RESULTS is the log directory of a search, which may still be running, or a results.csv. The page
    opens from disk in any browser, and needs no network.
    """
    from deephyper.analytics.report.saving import follow_search, save_report

    target = output or Path(_DEFAULT)
    if follow is None:
        save_report(results, target, force=force)
        click.echo(printable(f"Saved the report in {target}."))
    else:
        follow_search(results, target, seconds=follow, force=force, on_saved=_say)


def _say(text: str) -> None:
    click.echo(printable(text))
