"""``deephyper-analytics balsam``: the jobs of a Balsam workflow over time."""

from __future__ import annotations

from pathlib import Path

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.core.cli.option_groups import UserPath
from deephyper.printable import printable


@click.command("balsam")
@click.argument("workflow")
@click.option(
    "--output",
    "-o",
    type=UserPath(),
    metavar="FILE",
    help="Also plot them over time in this file: .png, .pdf or .svg.",
)
def balsam(workflow: str, output: Path | None) -> None:
    """Show the evaluations of a Balsam workflow: states, utilization, failures.

    WORKFLOW is the name that the search was submitted with. Its database must be active.
    """
    from deephyper.balsam.timeline.history import read_histories
    from deephyper.balsam.timeline.report import as_table, plot
    from deephyper.balsam.timeline.workflow import parse_workflow

    histories = read_histories(workflow)
    jobs = parse_workflow(histories.states, histories.ends, histories.sessions, histories.in_run)
    print_result(printable(as_table(jobs), lines=True) + "\n")
    if output is not None:
        plot(jobs, output)
        click.echo(f"Plot: {output}")
