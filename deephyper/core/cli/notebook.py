"""``deephyper-analytics notebook``: a Jupyter notebook on a search."""

from __future__ import annotations

from pathlib import Path

import click

from deephyper.core.cli.option_groups import UserPath
from deephyper.printable import printable


@click.command("notebook")
@click.argument("results", metavar="RESULTS", type=UserPath())
@click.option(
    "--output",
    "-o",
    type=UserPath(),
    default="analysis.ipynb",
    metavar="FILE",
    show_default=True,
    help="The notebook to save: .ipynb.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def notebook(results: Path, output: Path, force: bool) -> None:
    """Write a Jupyter notebook that looks at a search.

    RESULTS is the results.csv of a search, or its log directory. The notebook has its table, the
    best points, plots, and which hyperparameters matter; it reads the results whenever it runs.
    """
    from deephyper.analytics.notebook import write_notebook

    write_notebook(results, output, force=force)
    click.echo(printable(f"Saved the notebook {output}; open it with: jupyter lab {output}"))
