"""docs/cli.md names every command and option, and none that isn't there."""

from __future__ import annotations

import re
from pathlib import Path

import click

from deephyper.core.cli.groups import deephyper, deephyper_analytics

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def options_of(group: click.Group) -> set[str]:
    """Every option of a program; short ones too."""
    found: set[str] = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= options_of(command)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def test_every_option_is_documented_and_every_documented_option_exists() -> None:
    options = options_of(deephyper) | options_of(deephyper_analytics)
    documented = set(re.findall(r"(?<![\w-])--?[A-Za-z][a-z-]*", TEXT))
    assert documented - {"-m", "-h", "--help"} == options
