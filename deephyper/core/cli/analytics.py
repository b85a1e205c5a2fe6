"""The program ``deephyper-analytics``: looks at what a search has written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from deephyper.balsam.cli.timeline import balsam
from deephyper.core.cli.exit_status import run_command
from deephyper.version import __version__


@click.group(
    "deephyper-analytics",
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", prog_name="deephyper-analytics")
def deephyper_analytics() -> None:
    """Look at the results of a search."""


@deephyper_analytics.command("topk")
@click.argument("results", metavar="RESULTS", type=click.Path(path_type=Path))
@click.option(
    "-k", type=click.IntRange(min=1), default=1, show_default=True, metavar="K", help="How many."
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save them in this file instead: .json, .yaml or .csv.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def topk(results: Path, k: int, output: Path | None, force: bool) -> None:
    """Print the best points of a search, best first, as YAML.

    RESULTS is the results.csv of a search. Evaluations that failed are left out.
    """
    from deephyper.analytics.topk import as_yaml, best_evaluations, save

    evaluations = best_evaluations(results, k)
    if output is None:
        click.echo(as_yaml(evaluations), nl=False)
    else:
        save(evaluations, output, replace=force)
        click.echo(f"Saved the best of {results} in {output}.")


deephyper_analytics.add_command(balsam)


def main(args: Sequence[str] | None = None) -> int:
    """Run ``deephyper-analytics`` and return its exit status."""
    return run_command(deephyper_analytics, args, "deephyper-analytics")


if __name__ == "__main__":
    sys.exit(main())
