"""The commands of the programs ``deephyper`` and ``deephyper-analytics``."""

from __future__ import annotations

import click

from deephyper.core.cli.lazy_group import LazyGroup
from deephyper.registry import ANALYTICS, COMMANDS
from deephyper.version import __version__

_SETTINGS = {"help_option_names": ["-h", "--help"]}


@click.group(cls=LazyGroup, registry=COMMANDS, context_settings=_SETTINGS)
@click.version_option(__version__, "--version", prog_name="deephyper")
def deephyper() -> None:
    """Asynchronous hyperparameter search, from a laptop to a supercomputer."""


@click.group("deephyper-analytics", cls=LazyGroup, registry=ANALYTICS, context_settings=_SETTINGS)
@click.version_option(__version__, "--version", prog_name="deephyper-analytics")
def deephyper_analytics() -> None:
    """Look at the results of a search."""
