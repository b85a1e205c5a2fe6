"""The progress of a search that is run from Python, where it is to be shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from deephyper.objective import Direction

if TYPE_CHECKING:
    from deephyper.job import Outcome
    from deephyper.progress.progress import Progress


def create_progress(
    wanted: bool | Literal["auto"],
    max_evals: int | None,
    num_before: int,
    best_before: Outcome | None,
    *,
    failed_before: int,
    pruned_before: int,
    seconds_before: float,
    seconds_left: float | None,
    direction: Direction,
    num_workers: int,
) -> Progress | None:
    """Return what shows a search; None where nothing is to be shown.

    Args:
        wanted: "auto" shows it in a notebook, and where standard error is a terminal.
        best_before: the best of earlier sessions.
        max_evals, num_before, failed_before, pruned_before, seconds_before, seconds_left,
            direction, num_workers: see :class:`.Progress`.
    """
    if wanted is False:
        return None
    from deephyper.progress.notebook import Notebook, in_notebook

    notebook = in_notebook()
    if wanted == "auto" and not notebook and not _is_terminal():
        return None
    from deephyper.progress.progress import Progress

    return Progress(
        max_evals,
        num_before,
        None if best_before is None else best_before.objective,
        best_point_before=None if best_before is None else best_before.job.point,
        failed_before=failed_before,
        pruned_before=pruned_before,
        seconds_before=seconds_before,
        seconds_left=seconds_left,
        direction=direction,
        num_workers=num_workers,
        notebook=Notebook() if notebook else None,
    )


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, OSError, ValueError):  # it is closed, or something else
        return False
