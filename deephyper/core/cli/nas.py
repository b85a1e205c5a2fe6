"""``deephyper nas``: neural architecture search, with every option of ``deephyper hps``."""

from __future__ import annotations

from typing import ClassVar

import click

from deephyper.core.cli import offers
from deephyper.core.cli.kept_networks import keep_models_option
from deephyper.core.cli.nas_results import ensemble, show
from deephyper.core.cli.option_groups import GroupedOption
from deephyper.core.cli.resumed_command import ResumableCommand
from deephyper.core.cli.search_options import Options
from deephyper.core.cli.searches import add_searches
from deephyper.nas.run_function import RUN

_RUN: Options = [
    click.option(
        "--run",
        "-r",
        cls=GroupedOption,
        group="What to search",
        metavar="WHERE",
        shell_complete=offers.where,
        default=RUN,
        show_default=True,
        help="The function to maximize, where it is not the training of the networks of an "
        "NaProblem: a dotted path or a file.",
    ),
    keep_models_option("What to search"),
]


class NasCommand(ResumableCommand):
    """A search for networks, which has a run function of its own."""

    required: ClassVar[tuple[str, ...]] = ("--problem",)


@click.group("nas")
def nas() -> None:
    """Search for the network that maximizes the objective of its training."""


add_searches(nas, _RUN, NasCommand)
nas.add_command(show)
nas.add_command(ensemble)
