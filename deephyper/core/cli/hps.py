"""``deephyper hps``: hyperparameter search with the options of the command line."""

from __future__ import annotations

import click

from deephyper.core.cli.search_options import RUN
from deephyper.core.cli.searches import add_searches


@click.group("hps")
def hps() -> None:
    """Search for the hyperparameters that maximize a run function."""


add_searches(hps, RUN)
