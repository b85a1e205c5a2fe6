"""Objectives as they came, and the best of them so far."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from deephyper.analytics.plots.figure import (
    BLUE,
    LEGEND,
    MANY,
    ORANGE,
    QUIET,
    RED,
    new_figure,
    size_of,
)
from deephyper.analytics.trajectory import Trajectory, read_trajectory
from deephyper.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

By = Literal["evaluations", "time"]
_UNITS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))
_OUTSIDE = 3.0
"""Objectives further off than so many times the range of the better half are cut off at the edge:
one that diverged would leave nothing to see of the others."""


def history(results: str | os.PathLike[str], *, by: By = "evaluations") -> Figure:
    """Plot the objective of each evaluation, and the best so far.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        by: what is counted: evaluations that have ended, or time since the first start.

    Raises:
        ResultsError: if the file can't be read, no evaluation in it has finished, or it has no
            times and these are asked for.
        MissingExtra: if matplotlib isn't installed.
    """
    search = read_trajectory(results)
    x, title = _positions(search, by)
    figure, axes = new_figure()
    finished, pruned = search.finished, search.pruned
    many = len(x) > MANY
    for chosen, color, name in ((finished, BLUE, "finished"), (pruned, ORANGE, "ended early")):
        if chosen.any():
            axes.scatter(
                x[chosen],
                search.objectives[chosen],
                s=size_of(len(x)),
                color=color,
                alpha=0.35 if many else 0.6,
                linewidths=0,
                label=name,
                rasterized=many,
            )
    axes.step(x, search.best, where="post", color="black", linewidth=1.6, label="best so far")
    off = _limit(axes, search)
    failed = ~(finished | pruned)
    if failed.any():
        bottom, top = axes.get_ylim()
        edge = np.full(failed.sum(), top if search.direction == "minimize" else bottom)
        axes.scatter(
            x[failed],
            edge,
            s=size_of(len(x)),
            marker="x",
            color=RED,
            label="failed",
            clip_on=False,
            rasterized=many,
        )
        axes.set_ylim(bottom, top)
    axes.set_xlabel(title)
    axes.set_ylabel("objective")
    axes.legend(**LEGEND)
    axes.set_title(", ".join([f"best objective {search.best[-1]:.6g}", *off]), **QUIET)
    return figure


def time_unit(seconds: float) -> tuple[str, float]:
    """Return the unit in which so long a time is plotted, and its length in seconds."""
    return next(unit for unit in _UNITS if seconds >= 2 * unit[1] or unit[1] == 1.0)


def _positions(search: Trajectory, by: By) -> tuple[NDArray[np.float64], str]:
    if by == "evaluations":
        return np.arange(1.0, search.num_evaluations + 1), "evaluations that have ended"
    if np.isnan(search.seconds).any():
        raise ResultsError(
            f"'{search.path}' doesn't tell when each evaluation ended; plot it by evaluations"
        )
    unit, size = time_unit(float(search.seconds[-1]))
    return search.seconds / size, f"{unit} since the first start"


def _limit(axes: Axes, search: Trajectory) -> list[str]:
    """Have the axes show the better objectives; return a phrase that says what is out of sight."""
    values = search.objectives[~np.isnan(search.objectives)]
    sign = -1.0 if search.direction == "minimize" else 1.0
    scores = sign * values
    top, middle = float(scores.max()), float(np.median(scores))
    low = max(float(scores.min()), top - _OUTSIDE * (top - middle))
    if low < top:
        margin = 0.05 * (top - low)
        ends = sign * (low - margin), sign * (top + margin)
        axes.set_ylim(min(ends), max(ends))
    off = int((scores < low).sum())
    side = "above" if search.direction == "minimize" else "below"
    return [f"{off} further {side}"] if off else []
