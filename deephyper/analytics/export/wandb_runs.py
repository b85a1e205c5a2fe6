"""A search as offline runs of Weights & Biases."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from deephyper.analytics.export.exported import ExportedEvaluation, ExportedSearch, read_search
from deephyper.analytics.export.targets import directory_to_fill
from deephyper.errors import MissingExtra

_log = logging.getLogger("deephyper.analytics")


def to_wandb(
    results: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    on_notice: Callable[[str], None] = _log.warning,
) -> None:
    """Write a search as offline runs, which ``wandb sync --sync-all`` uploads.

    Each evaluation is a run of the project and the group that are named after the search, with the
    hyperparameters as its config. Nothing is sent. A run takes about half a second.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        path: of the new directory, which gets a directory ``wandb`` with the runs.
        name: of the project; None for that of the log directory.
        on_notice: called with one line for what is left out or guessed.

    Raises:
        ResultsError: if the results can't be read, or the directory can't be made or isn't empty.
        MissingExtra: if W&B isn't installed.
    """
    try:
        import wandb
    except ImportError as error:
        raise MissingExtra("W&B", "wandb") from error
    with directory_to_fill(path) as partial:
        search = read_search(results, name, on_notice)
        for each in search.evaluations:
            _add(wandb, str(partial), search, each)
        wandb.teardown()


def _add(wandb: Any, directory: str, search: ExportedSearch, each: ExportedEvaluation) -> None:
    settings = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        x_disable_meta=True,
        x_disable_stats=True,
    )
    run = wandb.init(
        mode="offline",
        dir=directory,
        project=search.name,
        group=search.name,
        name=f"evaluation {each.id}",
        config=each.point,
        tags=[each.status],
        notes=each.failure or None,
        reinit="finish_previous",
        settings=settings,
    )
    for step, value in zip(each.steps, each.objectives, strict=True):
        run.log({"objective": value}, step=step)
    run.summary.update(
        {
            **each.metrics,
            "id": each.id,
            "worker": each.worker,
            "started": each.start,
            "seconds": each.end - each.start,
            "direction": search.direction,
        }
    )
    if each.objective is not None:
        run.summary["objective"] = each.objective
    run.finish(exit_code=1 if each.status == "failed" else 0)
