"""The searches that every group of searches has: ``ambs``, ``regevo`` and ``random``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS, OPTIMIZER_OPTIONS, STOPPER_OPTIONS
from deephyper.core.cli.resumed_command import ResumableCommand
from deephyper.core.cli.search_command import run_search
from deephyper.core.cli.search_options import (
    OPTIMIZER,
    SHOWN,
    SUMMARY,
    Options,
    any_search,
    with_options,
)
from deephyper.registry import OPTIMIZERS

if TYPE_CHECKING:
    from deephyper.optimizer.settings import Settings

_EVOLUTION = "evolution"
_CLASSIC = "surrogate_model"
"""The option that has always meant scikit-optimize."""


def add_searches(
    group: click.Group, run: Options, command_class: type[ResumableCommand] = ResumableCommand
) -> None:
    """Add the commands of all searches to a group.

    Args:
        group: of commands.
        run: the options that say what is evaluated.
        command_class: of the commands.
    """

    @group.command("ambs", cls=command_class)
    @with_options([*any_search(run), *SUMMARY, *SHOWN, *OPTIMIZER])
    def ambs(**options: Any) -> int:
        """Asynchronous model-based search: each finished evaluation improves the next point."""
        from deephyper.search.hps.ambs import AMBS

        optimizer, notice = optimizer_of(options)
        return run_search(AMBS, options, optimizer, notice)

    @group.command("random", cls=command_class)
    @with_options([*any_search(run), *SUMMARY, *SHOWN])
    def random(**options: Any) -> int:
        """Random search: points are drawn independently; the yardstick for any other search."""
        from deephyper.search.hps.random import RandomSearch

        return run_search(RandomSearch, options)

    @group.command("regevo", cls=command_class)
    @with_options([*any_search(run), *SUMMARY, *SHOWN])
    def regevo(**options: Any) -> int:
        """Regularized evolution: changes to good recent points; for very many cheap evaluations."""
        from deephyper.search.hps.regevo import RegularizedEvolution

        given = OPTIMIZER_OPTIONS.given(_EVOLUTION, options)
        settings: Settings = OPTIMIZERS.load(_EVOLUTION)(**given)
        return run_search(RegularizedEvolution, options, settings)

    for command in (ambs, random, regevo):
        command.params.extend(STOPPER_OPTIONS.parameters)
        command.params.extend(EVALUATOR_OPTIONS.parameters)
    ambs.params.extend(OPTIMIZER_OPTIONS.parameters)
    regevo.params.extend(OPTIMIZER_OPTIONS.parameters_of(_EVOLUTION))


def searches_of(group: click.Group) -> dict[str, click.Command]:
    """Return the commands of a group that search, by their names."""
    return {n: each for n, each in group.commands.items() if isinstance(each, ResumableCommand)}


def optimizer_of(options: dict[str, Any]) -> tuple[Settings | None, str | None]:
    """Return the settings of the engine that is asked for, and a notice on what has no effect."""
    classic = OPTIMIZER_OPTIONS.owners(_CLASSIC)[0]
    name = options["optimizer"]
    given = OPTIMIZER_OPTIONS.given(name or classic, options)
    settings: Settings = OPTIMIZERS.load(name or classic)(**given)
    if name is not None or options[_CLASSIC] is not None:
        return settings, None
    flags = [f"--{each.replace('_', '-')}" for each in given]
    verb = "has" if len(flags) == 1 else "have"
    unused = f"{', '.join(flags)} {verb} no effect without --surrogate-model"
    return None, unused if flags else None
