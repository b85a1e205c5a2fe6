"""The option of commands that wait for others which have a log directory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from deephyper.core.cli.option_groups import Duration

Command = TypeVar("Command", bound=Callable[..., Any])


def with_wait(command: Command) -> Command:
    """A decorator that gives a command the option, None where it isn't given."""
    # The default is that of deephyper.ask_tell, which takes longer to import than help may.
    option: Callable[[Command], Command] = click.option(
        "--wait",
        type=Duration(zero=True),
        help="How long to wait for others that have the directory (30s).",
    )
    return option(command)
