"""``deephyper config``: the files that ``--config`` takes."""

from __future__ import annotations

import json

import click

from deephyper.core.cli.exit_status import print_result
from deephyper.errors import DeepHyperError
from deephyper.printable import printable

_DEFAULT = "hps ambs"


@click.group("config")
def config() -> None:
    """Describe the files of options that --config takes."""


@config.command("schema")
@click.argument("command", metavar="[COMMAND]", nargs=-1)
def schema(command: tuple[str, ...]) -> None:
    """Print the JSON Schema of such a file, by which editors complete and check it.

    COMMAND is what takes the file: hps ambs (the default), or another with the option --config.
    """
    from deephyper.core.cli.search_schema import search_schema

    print_result(json.dumps(search_schema(_command(" ".join(command))), indent=2) + "\n")


def _command(name: str) -> click.Command:
    """Return the command of a name.

    Raises:
        click.UsageError: if there is none, or it takes no file.
    """
    from deephyper.core.cli.groups import deephyper, deephyper_analytics

    context = click.get_current_context()
    takers = {**_takers(deephyper, context), **_takers(deephyper_analytics, context)}
    found = takers.get(name or _DEFAULT)
    if found is None:
        raise click.UsageError(
            f"'{printable(name)}' is not a command that takes --config; give one of "
            f"{', '.join(takers)}",
            context,
        )
    return found


def _takers(
    group: click.Group, context: click.Context, prefix: str = ""
) -> dict[str, click.Command]:
    """Return the commands of a group, and of those in it, that take a file."""
    found: dict[str, click.Command] = {}
    for name in group.list_commands(context):
        try:
            command = group.get_command(context, name)
        except DeepHyperError:
            continue  # a broken package is reported when it is called
        if isinstance(command, click.Group):
            found |= _takers(command, context, f"{prefix}{name} ")
        elif command is not None and any(each.name == "config" for each in command.params):
            found[f"{prefix}{name}"] = command
    return found
