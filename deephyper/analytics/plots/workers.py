"""Workers over time: their evaluations, and the number of busy ones."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deephyper.analytics.plots.figure import (
    BLUE,
    GRAY,
    MANY,
    ORANGE,
    QUIET,
    RED,
    blank_figure,
    label,
    styled,
)
from deephyper.analytics.plots.objectives import time_unit
from deephyper.errors import ResultsError
from deephyper.search.results import Row, read_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_WORKERS = 64
_MOST_BARS = 20_000
_NARROWEST = 1_500
"""A bar is at least this part of the width, to be seen."""
_SHORTEST = 1e-9
"""Seconds that an evaluation takes at least."""
_SEPARATED = 40
"""Bars up to which lines between them don't hide them."""
_COLORS = {"finished": BLUE, "pruned": ORANGE, "failed": RED, "stopped": GRAY}
_NAMES = {"pruned": "ended early"}


def timeline(results: str | os.PathLike[str]) -> Figure:
    """Plot what the workers did when, and how many of them were busy.

    The utilization in the title is the busy part of the time of as many workers as were ever busy
    at once.

    Args:
        results: a ``results.csv``, or the log directory that holds it.

    Raises:
        ResultsError: if the file can't be read, or has no times.
        MissingExtra: if matplotlib isn't installed.
    """
    rows = [row for row in read_table(Path(results)).rows if is_timed(row)]
    if not rows:
        raise ResultsError(
            f"no row of '{results}' tells when its evaluation was started and ended; a timeline "
            "needs the columns 'start' and 'end'"
        )
    starts, ends = relative_times(rows)
    whole = float(ends.max())
    unit, size = time_unit(whole)
    x, busy = busy_over_time(starts, ends)
    workers = sorted({str(row.columns.get("worker", "")) for row in rows}, key=_natural)
    shows_workers = 1 < len(workers) <= _MOST_WORKERS and len(rows) <= _MOST_BARS
    figure = blank_figure(7.0, 4.3 if not shows_workers else min(9.0, 3.6 + 0.16 * len(workers)))
    if shows_workers:
        grid = figure.subplots(2, 1, sharex=True, height_ratios=[1.2, max(1.0, len(workers) / 8)])
        axes, below = styled(grid[0]), styled(grid[1])
        shown = np.maximum(ends - starts, whole / _NARROWEST)
        _draw_workers(below, rows, workers, starts / size, shown / size)
    else:
        axes = below = styled(figure.add_subplot())
    from matplotlib.ticker import MaxNLocator

    axes.fill_between(x / size, busy, step="post", color=BLUE, alpha=0.3, linewidth=0)
    axes.step(x / size, busy, where="post", color=BLUE, linewidth=1.0)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("evaluations at once")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    share, peak = utilization(starts, ends)
    axes.set_title(f"utilization {share:.1%} of {peak} at once", **QUIET)
    below.set_xlabel(f"{unit} since the first start")
    return figure


def is_timed(row: Row) -> bool:
    """Return whether a row tells when its evaluation was started and ended."""
    times = [row.columns.get(name) for name in ("start", "end")]
    return all(isinstance(each, (int, float)) and math.isfinite(each) for each in times)


def relative_times(rows: Sequence[Row]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when the evaluations of timed rows were started and ended.

    Returns:
        Seconds since the first start, each of shape (n,); the end is later than the start.
    """
    starts = np.array([row.columns["start"] for row in rows], dtype=np.float64)
    first = starts.min()
    ends = np.array([row.columns["end"] for row in rows], dtype=np.float64) - first
    starts -= first
    # One that took no time at all was there as well.
    return starts, np.maximum(ends, starts + _SHORTEST)


def utilization(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> tuple[float, int]:
    """Return the busy part of the time of as many workers as were ever busy at once, and these.

    Args:
        starts, ends: of all evaluations, see :func:`relative_times`.
    """
    _, busy = busy_over_time(starts, ends)
    peak = int(busy.max())
    return float((ends - starts).sum()) / (peak * float(ends.max())), peak


def busy_over_time(
    starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the times at which evaluations begin or end, and how many run from then on."""
    times = np.concatenate([starts, ends])
    changes = np.concatenate([np.ones(len(starts), np.int64), -np.ones(len(ends), np.int64)])
    # Of what happens at the same time the ends come first: one worker takes one after another.
    order = np.lexsort((changes, times))
    return times[order], np.cumsum(changes[order])


def _draw_workers(
    axes: Axes,
    rows: list[Row],
    workers: list[str],
    starts: NDArray[np.float64],
    lengths: NDArray[np.float64],
) -> None:
    lines = {worker: i for i, worker in enumerate(workers)}
    for status, color in _COLORS.items():
        chosen = [i for i, row in enumerate(rows) if row.status == status]
        if chosen:
            axes.barh(
                [lines[str(rows[i].columns.get("worker", ""))] for i in chosen],
                lengths[chosen],
                left=starts[chosen],
                height=0.8,
                color=color,
                edgecolor="white",
                linewidth=0.0 if len(rows) > _SEPARATED else 0.5,
                label=_NAMES.get(status, status),
                rasterized=len(rows) > MANY,
            )
    step = max(1, len(workers) // 20)
    axes.set_yticks(range(0, len(workers), step), [label(w) for w in workers[::step]], fontsize=7)
    axes.set_ylim(len(workers) - 0.4, -0.6)
    axes.set_ylabel("worker")
    axes.grid(visible=False, axis="y")
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False, fontsize="small"
    )


def _natural(worker: str) -> tuple[int, str]:
    """Return a key that sorts worker 10 after worker 9."""
    return (int(worker), "") if worker.isdecimal() else (1 << 62, worker)
