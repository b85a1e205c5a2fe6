"""The program ``deephyper``: hands over to a subcommand, and loads only that one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from deephyper.core.cli.exit_status import run_command
from deephyper.core.cli.lazy_group import LazyGroup
from deephyper.version import __version__

SUBCOMMANDS = {
    "start-project": (
        "deephyper.core.cli.start_project:start_project",
        "Make a project folder and install it, so that its problems can be imported.",
    ),
    "new-problem": (
        "deephyper.core.cli.new_problem:new_problem",
        "Make a problem with sample code in the current folder.",
    ),
    "hps": (
        "deephyper.core.cli.hps:hps",
        "Search for the hyperparameters that maximize a run function.",
    ),
    "balsam-init": (
        "deephyper.balsam.cli.init:balsam_init",
        "Make a Balsam database that only you can reach.",
    ),
    "balsam-submit": (
        "deephyper.balsam.cli.submit:balsam_submit",
        "Submit a search to a batch scheduler through Balsam.",
    ),
}


@click.group(
    cls=LazyGroup,
    subcommands=SUBCOMMANDS,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", prog_name="deephyper")
def deephyper() -> None:
    """Asynchronous hyperparameter search, from a laptop to a supercomputer."""


def main(args: Sequence[str] | None = None) -> int:
    """Run ``deephyper`` and return its exit status."""
    return run_command(deephyper, args, "deephyper")


if __name__ == "__main__":
    sys.exit(main())
