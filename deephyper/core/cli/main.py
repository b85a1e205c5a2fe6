"""The program ``deephyper``: hands over to a subcommand, and loads only that one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from deephyper.core.cli.ending import end_soon
from deephyper.core.cli.exit_status import run_command
from deephyper.core.cli.lazy_group import LazyGroup
from deephyper.registry import COMMANDS
from deephyper.version import __version__


@click.group(
    cls=LazyGroup,
    registry=COMMANDS,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", prog_name="deephyper")
def deephyper() -> None:
    """Asynchronous hyperparameter search, from a laptop to a supercomputer."""


def main(args: Sequence[str] | None = None) -> int:
    """Run ``deephyper`` and return its exit status."""
    status = run_command(deephyper, args, "deephyper")
    if args is None:
        end_soon(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
