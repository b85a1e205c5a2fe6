"""The program ``deephyper-analytics``: looks at what a search has written."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from deephyper.core.cli.exit_status import run_command
from deephyper.core.cli.lazy_group import LazyGroup
from deephyper.registry import ANALYTICS
from deephyper.version import __version__


@click.group(
    "deephyper-analytics",
    cls=LazyGroup,
    registry=ANALYTICS,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", prog_name="deephyper-analytics")
def deephyper_analytics() -> None:
    """Look at the results of a search."""


def main(args: Sequence[str] | None = None) -> int:
    """Run ``deephyper-analytics`` and return its exit status."""
    return run_command(deephyper_analytics, args, "deephyper-analytics")


if __name__ == "__main__":
    sys.exit(main())
