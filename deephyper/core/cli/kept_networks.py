"""``--keep-models``: the trained networks that a search or a confirmation leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from deephyper.core.cli.option_groups import Choice, GroupedOption
from deephyper.nas.kept_models import KEEP_MODELS, OnlyBest

if TYPE_CHECKING:
    from deephyper.objective import Direction
    from deephyper.search.log_dir import LogDir
    from deephyper.search.record import Record


def keep_models_option(group: str) -> Callable[[Any], Any]:
    """Return the option, under a heading."""
    return click.option(
        "--keep-models",
        cls=GroupedOption,
        group=group,
        type=Choice(KEEP_MODELS),
        help="The trained networks that are kept: those of all evaluations, of the best one alone, "
        "or none.",
        default_text=KEEP_MODELS[0],
    )


def only_best(
    options: Mapping[str, Any],
    log_dir: LogDir,
    direction: Direction,
    record: Record,
    *,
    pauses: bool = False,
) -> OnlyBest | None:
    """Return what removes networks as the option asks for it; None for nothing.

    Args:
        options: of the command line.
        log_dir: of the search.
        direction: of the search.
        record: of its earlier sessions.
        pauses: whether evaluations are paused where others are ended early for good.
    """
    if options.get("keep_models") != "best":
        return None
    return OnlyBest(log_dir.evaluations, direction, record.best, pauses=pauses)
