"""The program ``deephyper``: hands over to a subcommand, and loads only that one."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from deephyper.core.cli.exit_status import run_command
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
}


class LazyGroup(click.Group):
    """A group that knows the names and one line of its subcommands without importing them."""

    def __init__(
        self, *args: object, subcommands: dict[str, tuple[str, str]], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.subcommands = subcommands

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.subcommands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.subcommands:
            return None
        module, _, attribute = self.subcommands[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.subcommands.items()])


@click.group(cls=LazyGroup, subcommands=SUBCOMMANDS, no_args_is_help=False)
@click.version_option(__version__, "--version", prog_name="deephyper")
def deephyper() -> None:
    """Asynchronous hyperparameter search, from a laptop to a supercomputer."""


def main(args: Sequence[str] | None = None) -> int:
    """Run ``deephyper`` and return its exit status."""
    return run_command(deephyper, args, "deephyper")


if __name__ == "__main__":
    sys.exit(main())
