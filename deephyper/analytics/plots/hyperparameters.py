"""Hyperparameters against the objective: one at a time, and all of them at once."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from deephyper.analytics.plots.figure import (
    COLOR_MAP,
    GRAY,
    MANY,
    QUIET,
    blank_figure,
    label,
    new_figure,
    size_of,
    styled,
)
from deephyper.analytics.plots.scales import are_long, read_varied, share, sight, ticks
from deephyper.analytics.points import Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_log = logging.getLogger("deephyper.analytics")

_MOST_SLICES = 20
_MOST_COORDINATES = 16
_MOST_LINES = 1_000


def slices(
    results: str | os.PathLike[str], *, on_notice: Callable[[str], None] = _log.warning
) -> Figure:
    """Plot the objective against each hyperparameter.

    The color of an evaluation is its place in the file, from dark for the first to light for the
    last one. Of evaluations in which a hyperparameter is inactive there is no point. What is far
    worse than the better half is at the edge, as gray triangles.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        on_notice: called with one line for what had to be left out or guessed.

    Raises:
        ResultsError: if the file can't be read, no evaluation in it has finished, or no
            hyperparameter varies.
        MissingExtra: if matplotlib isn't installed.
    """
    points = read_varied(results, on_notice)
    shown = points.columns[:_MOST_SLICES]
    _say_left_out(points, len(shown), on_notice)
    across = min(3, len(shown))
    down = math.ceil(len(shown) / across)
    figure = blank_figure(2.9 * across + 0.6, 2.5 * down + 0.2)
    grid = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
    order = np.arange(len(points.objectives))
    low, high = sight(points)
    out = (points.objectives < low) | (points.objectives > high)
    for k, (axes, column) in enumerate(zip(grid, shown, strict=False)):
        x = share(column, points.places[:, k])
        # Equal values would hide one another.
        jitter = 0.3 / max(len(column.values), 1) if column.values else 0.0
        spread = jitter * (np.random.default_rng(0).random(len(x)) - 0.5)
        axes.scatter(
            x + spread,
            points.objectives,
            c=order,
            cmap=COLOR_MAP,
            s=size_of(len(x)),
            alpha=0.7,
            linewidths=0,
            rasterized=len(x) > MANY,
        )
        if out.any():  # at the edge, lest a value that is always bad seem never to have been tried
            axes.scatter(
                (x + spread)[out],
                np.full(int(out.sum()), high if points.direction == "minimize" else low),
                marker="^" if points.direction == "minimize" else "v",
                color=GRAY,
                s=size_of(len(x)),
                alpha=0.5,
                linewidths=0,
                clip_on=False,
                rasterized=len(x) > MANY,
            )
        styled(axes)
        axes.set_xlabel(label(column.name) + (" (log)" if column.log else ""))
        places, texts = ticks(column)
        axes.set_xticks(places, texts, fontsize=8, rotation=30 if are_long(texts) else 0)
        axes.set_xlim(-0.05, 1.05)
        axes.set_ylim(low, high)
        if k % across == 0:
            axes.set_ylabel("objective")
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    return figure


def parallel(
    results: str | os.PathLike[str], *, on_notice: Callable[[str], None] = _log.warning
) -> Figure:
    """Plot each evaluation as a line through its values, with the better ones on top.

    A line is interrupted where a hyperparameter is inactive. Of more than a thousand evaluations
    the best half a thousand are drawn, and as many of the others.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        on_notice: called with one line for what had to be left out or guessed.

    Raises:
        ResultsError: as :func:`slices`.
        MissingExtra: if matplotlib isn't installed.
    """
    points = read_varied(results, on_notice)
    shown = points.columns[:_MOST_COORDINATES]
    _say_left_out(points, len(shown), on_notice)
    figure, axes = new_figure(max(5.0, 1.25 * (len(shown) + 1)), 4.6)
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Normalize

    sign = -1.0 if points.direction == "minimize" else 1.0
    ranks = np.argsort(np.argsort(sign * points.objectives, kind="stable"))
    chosen = np.argsort(ranks)
    if len(chosen) > _MOST_LINES:
        rest = chosen[: -_MOST_LINES // 2]
        some = np.random.default_rng(0).choice(rest, _MOST_LINES // 2, replace=False)
        chosen = np.concatenate([some[np.argsort(ranks[some])], chosen[-_MOST_LINES // 2 :]])
    low, high = sight(points)
    heights = np.clip((points.objectives - low) / (high - low), 0.0, 1.0)
    columns = [share(column, points.places[:, k]) for k, column in enumerate(shown)]
    y = np.column_stack([*columns, heights])[chosen]
    x = np.broadcast_to(np.arange(y.shape[1], dtype=np.float64), y.shape)
    quality = ranks[chosen] / max(len(ranks) - 1, 1)
    lines = LineCollection(
        [*np.stack([x, y], axis=2)],
        array=quality,
        cmap=COLOR_MAP,
        norm=Normalize(0.0, 1.0),
        linewidths=0.7,
        alpha=0.5 if len(chosen) > 50 else 0.8,
        rasterized=len(chosen) > 200,
    )
    axes.add_collection(lines)
    # Between inactive ones a value has no line.
    axes.scatter(
        x.ravel(),
        y.ravel(),
        c=np.repeat(quality, y.shape[1]),
        cmap=COLOR_MAP,
        vmin=0.0,
        vmax=1.0,
        s=4.0,
        linewidths=0,
        rasterized=True,
    )
    axes.set_xlim(-0.2, len(shown) + 0.2)
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    names = [label(column.name) + ("\n(log)" if column.log else "") for column in shown]
    axes.set_xticks(range(len(shown) + 1), [*names, "objective"], rotation=20, ha="right")
    for k, column in enumerate(shown):
        _draw_axis(axes, k, *ticks(column))
    _draw_axis(axes, len(shown), [0.0, 1.0], [f"{low:.4g}", f"{high:.4g}"])
    if len(chosen) < len(ranks):
        axes.set_title(f"{len(chosen)} of {len(ranks)} evaluations", **QUIET)
    return figure


def _say_left_out(points: Points, number: int, on_notice: Callable[[str], None]) -> None:
    if number < len(points.columns):
        on_notice(f"the first {number} of {len(points.columns)} hyperparameters are shown")


def _draw_axis(axes: Axes, x: float, places: list[float], texts: list[str]) -> None:
    axes.plot([x, x], [0.0, 1.0], color=GRAY, linewidth=0.8, zorder=3)
    for place, text in zip(places, texts, strict=True):
        axes.text(
            x + 0.04,
            place,
            text,
            fontsize=7,
            va="center",
            zorder=4,
            bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.6},
        )
