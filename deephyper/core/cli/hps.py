"""``deephyper hps``: hyperparameter search with the options of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.plugin_options import EVALUATOR_OPTIONS, OPTIMIZER_OPTIONS, STOPPER_OPTIONS
from deephyper.core.cli.resumed_command import ResumableCommand
from deephyper.core.cli.search_command import run_search
from deephyper.core.cli.search_options import ANY_SEARCH, OPTIMIZER, with_options
from deephyper.registry import OPTIMIZERS

if TYPE_CHECKING:
    from deephyper.optimizer.settings import Settings

_CLASSIC = "surrogate_model"
"""The option that has always meant scikit-optimize."""


@click.group("hps")
def hps() -> None:
    """Search for the hyperparameters that maximize a run function."""


@hps.command("ambs", cls=ResumableCommand)
@with_options([*ANY_SEARCH, *OPTIMIZER])
def ambs(**options: Any) -> int:
    """Asynchronous model-based search: each finished evaluation improves the next point."""
    from deephyper.search.hps.ambs import AMBS

    optimizer, notice = _optimizer(options)
    return run_search(AMBS, options, optimizer, notice)


@hps.command("random", cls=ResumableCommand)
@with_options(ANY_SEARCH)
def random(**options: Any) -> int:
    """Random search: points are drawn independently; the yardstick for any other search."""
    from deephyper.search.hps.random import RandomSearch

    return run_search(RandomSearch, options)


for _command in (ambs, random):
    _command.params.extend(STOPPER_OPTIONS.parameters)
    _command.params.extend(EVALUATOR_OPTIONS.parameters)
ambs.params.extend(OPTIMIZER_OPTIONS.parameters)


def _optimizer(options: dict[str, Any]) -> tuple[Settings | None, str | None]:
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
