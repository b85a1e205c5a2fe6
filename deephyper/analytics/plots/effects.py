"""Effects of hyperparameters: how much each matters, and how the objective depends on it."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deephyper.analytics.fanova.importance import EffectShare
from deephyper.analytics.fanova.importance import importance as importance_of
from deephyper.analytics.fanova.shares import SURE
from deephyper.analytics.plots.figure import (
    BLUE,
    COLOR_MAP,
    GRAY,
    ORANGE,
    QUIET,
    RED,
    blank_figure,
    label,
    new_figure,
    size_of,
    styled,
)
from deephyper.analytics.plots.scales import are_long, read_varied, share, sight, ticks
from deephyper.analytics.points import Column, Points
from deephyper.errors import ResultsError, SettingsError
from deephyper.suggest import did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from deephyper.analytics.fanova.dependence import Dependence

_log = logging.getLogger("deephyper.analytics")

_MOST_BARS = 12
_LEAST_OF_PAIR = 0.005
"""The share from which on a pair is shown: there are many, and most of them have none."""
_MOST_PANELS = 12
_MOST_ROWS = 10_000
_MOST_DOTS = 1_000
_LEVELS = 12
_LEARNED = 0.9
"""Share of the evaluations, the better ones, whose objectives the model sees as they are, and some
more: one that diverged would leave nothing to learn from the others."""


def importance(
    results: str | os.PathLike[str],
    *,
    pairs: bool = True,
    best: float | None = None,
    seed: int = 0,
    on_notice: Callable[[str], None] = _log.warning,
) -> Figure:
    """Plot which hyperparameters matter, and which pairs, with intervals of 95 %.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        pairs: whether to look at interactions of two hyperparameters.
        best: the importance within this best share of the space; None for the whole of it.
        seed: of the random numbers.
        on_notice: called with one line for what had to be left out, and where there is too little
            to tell.

    Raises:
        ResultsError: if the file can't be read, or there is too little in it to tell anything.
        SettingsError: if an argument is out of its range.
        MissingExtra: if matplotlib isn't installed.
    """
    said: list[str] = []
    found = importance_of(
        Path(results), pairs=pairs, best=best, seed=seed, on_notice=lambda line: said.append(line)
    )
    effects = [*found.hyperparameters, *found.pairs]
    known = sorted((e for e in effects if e.share is not None), key=_rank_of, reverse=True)
    if not known:
        reason = said[-1] if said else "no hyperparameter can be told to matter"
        raise ResultsError(f"there is no importance to plot for '{results}': {reason}")
    for line in said:
        on_notice(line)
    shown = [e for e in known[:_MOST_BARS] if len(e.names) == 1 or _share_of(e) >= _LEAST_OF_PAIR]
    figure, axes = new_figure(6.4, 1.5 + 0.32 * len(shown))
    places = np.arange(len(shown))
    shares = np.array([_share_of(each) for each in shown])
    low = np.array([each.low for each in shown], dtype=np.float64)
    high = np.array([each.high for each in shown], dtype=np.float64)
    alone = np.array([len(each.names) == 1 for each in shown])
    for chosen, color, name in ((alone, BLUE, "alone"), (~alone, ORANGE, "a pair, beyond that")):
        if chosen.any():
            axes.barh(places[chosen], shares[chosen], color=color, height=0.7, label=name)
    axes.errorbar(
        shares,
        places,
        xerr=np.maximum([shares - low, high - shares], 0.0),
        fmt="none",
        ecolor="black",
        elinewidth=1.0,
        capsize=2.5,
        label="95 % interval",
    )
    axes.set_yticks(places, [label(" x ".join(each.names)) for each in shown], fontsize=9)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0.0)
    within = "" if best is None else f" within the best {best:.3g} of the space"
    axes.set_xlabel(f"share of the objective's variance{within}")
    axes.xaxis.set_major_formatter(_percent)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    text = f"the model explains {max(found.explained or 0.0, 0.0):.0%} of what it has not seen"
    if any(line.startswith("too little") for line in said):
        text = f"too little to tell: {text}"
    axes.set_title(text, **QUIET)
    return figure


def dependence(
    results: str | os.PathLike[str],
    names: Sequence[str] = (),
    *,
    seed: int = 0,
    on_notice: Callable[[str], None] = _log.warning,
) -> Figure:
    """Plot how the objective depends on hyperparameters, on average over all others.

    That is what a model of all evaluations expects; the band is its doubt, 95 %. To the model,
    objectives that are far worse than nine tenths of them are less bad than they are.

    Args:
        results: a ``results.csv``, or the log directory that holds it. Of more than 10,000 rows as
            many are drawn at random.
        names: one hyperparameter for a plot of its own, two for a map; none for a panel each,
            those first that make most difference.
        seed: of the random numbers.
        on_notice: called with one line for what had to be left out or guessed.

    Raises:
        ResultsError: if the file can't be read, or there is too little in it to tell anything.
        SettingsError: if a name isn't that of a hyperparameter that varies, or there are more
            than two.
        MissingExtra: if matplotlib isn't installed.
    """
    names = (names,) if isinstance(names, str) else (*names,)
    if len(names) > 2 or len({*names}) < len(names):
        raise SettingsError("a plot of the dependence is of one hyperparameter, or of two")
    points = read_varied(results, on_notice, most=_MOST_ROWS, seed=seed)
    chosen = [_number(points, name) for name in names]
    blank_figure(1.0, 1.0)  # says at once that matplotlib is missing
    from deephyper.analytics.fanova.dependence import DependenceModel

    ends = sight(points, _LEARNED)
    model = DependenceModel(points, max(ends) if points.direction == "minimize" else min(ends))
    if len(chosen) == 2:
        return _map(model.of(chosen), points, chosen)
    if chosen:
        figure, axes = new_figure(6.4, 4.3)
        _draw_dots(axes, points, chosen[0])
        _draw_line(axes, model.of(chosen), sure=True)
        axes.set_ylim(*_around(axes, sight(points)))
        axes.set_ylabel("objective")
        axes.legend(loc="best", frameon=True, framealpha=0.9, edgecolor="none")
        return figure
    strongest = model.strongest()
    shown = strongest[:_MOST_PANELS]
    if len(shown) < len(strongest):
        on_notice(
            f"the {len(shown)} of {len(strongest)} hyperparameters that make most difference are "
            "shown"
        )
    across = min(3, len(shown))
    down = math.ceil(len(shown) / across)
    figure = blank_figure(2.9 * across + 0.6, 2.5 * down + 0.2)
    grid = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
    for at, (axes, k) in enumerate(zip(grid, shown, strict=False)):
        styled(axes)
        _draw_line(axes, model.of([k]))
        if at % across == 0:
            axes.set_ylabel("mean objective")
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    return figure


def _share_of(effect: EffectShare) -> float:
    return effect.share or 0.0


def _rank_of(effect: EffectShare) -> tuple[float, float]:
    """Return a key that ranks by shares, and equal ones, as those of 0, by how sure they are."""
    return _share_of(effect), -(effect.high or 0.0)


def _percent(value: float, _: Any) -> str:
    return f"{value:.0%}"


def _number(points: Points, name: str) -> int:
    names = [column.name for column in points.columns]
    if name in names:
        return names.index(name)
    if name in points.constants:
        raise SettingsError(f"'{name}' has one value, so nothing depends on it")
    raise SettingsError(f"there is no hyperparameter {name!r}; {did_you_mean(name, names)}")


def _draw_line(axes: Axes, found: Dependence, *, sure: bool = False) -> None:
    (column,), (places,) = found.columns, found.places
    x = share(column, places)
    width = SURE * found.std
    band = "95 % interval of the mean"
    if column.values:
        axes.errorbar(
            x, found.mean, yerr=width, fmt="o", color=BLUE, capsize=3, label=f"mean, with {band}"
        )
    else:
        axes.fill_between(
            x, found.mean - width, found.mean + width, color=BLUE, alpha=0.2, lw=0, label=band
        )
        axes.plot(x, found.mean, color=BLUE, linewidth=1.6, label="mean over all others")
    _name_axis(axes, column)
    if not sure:
        axes.margins(y=0.08)


def _around(axes: Axes, ends: tuple[float, float]) -> tuple[float, float]:
    """Return a range with all lines of the axes in it too."""
    drawn = [np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.get_lines()]
    low = min(ends[0], *(float(each.min()) for each in drawn))
    high = max(ends[1], *(float(each.max()) for each in drawn))
    margin = 0.03 * (high - low)
    return low - margin, high + margin


def _draw_dots(axes: Axes, points: Points, k: int) -> None:
    x = share(points.columns[k], points.places[:, k])
    some = _some(len(x))
    axes.scatter(
        x[some], points.objectives[some], s=size_of(len(some)), color=GRAY, alpha=0.4, lw=0,
        label="evaluations",
    )  # fmt: skip


def _map(found: Dependence, points: Points, chosen: Sequence[int]) -> Figure:
    figure = blank_figure(9.4, 4.2)
    grid = figure.subplots(1, 2, sharex=True, sharey=True)
    x, y = (share(c, p) for c, p in zip(found.columns, found.places, strict=True))
    at = [share(points.columns[k], points.places[:, k]) for k in chosen]
    best = int(
        np.argmin(points.objectives)
        if points.direction == "minimize"
        else np.argmax(points.objectives)
    )
    some = _some(len(at[0]))
    smooth = not any(column.values for column in found.columns)
    titles = ("mean objective", "standard deviation of the mean")
    for axes, values, title in zip(grid, (found.mean, found.std), titles, strict=True):
        styled(axes)
        axes.grid(visible=False)
        if smooth:
            drawn = axes.contourf(x, y, values.T, levels=_LEVELS, cmap=COLOR_MAP)
        else:
            drawn = axes.pcolormesh(x, y, values.T, shading="nearest", cmap=COLOR_MAP)
        figure.colorbar(drawn, ax=axes, label=title)
        axes.scatter(
            at[0][some], at[1][some], s=size_of(len(some)) / 2, color="white", edgecolors="black",
            linewidths=0.4, label="evaluations",
        )  # fmt: skip
        axes.scatter(
            at[0][best], at[1][best], s=110, marker="*", color=RED, edgecolors="white",
            linewidths=0.6, zorder=4, label="the best",
        )  # fmt: skip
        _name_axis(axes, found.columns[0])
    places, texts = ticks(found.columns[1])
    grid[0].set_yticks(places, texts, fontsize=8)
    grid[0].set_ylabel(_title(found.columns[1]))
    for axes in grid:
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
    return figure


def _some(number: int) -> Any:
    """Return numbers of evaluations, spread over the search: more of them would hide the rest."""
    return np.unique(np.linspace(0, number - 1, min(number, _MOST_DOTS)).astype(int))


def _name_axis(axes: Axes, column: Column) -> None:
    axes.set_xlabel(_title(column))
    places, texts = ticks(column)
    axes.set_xticks(places, texts, fontsize=8, rotation=30 if are_long(texts) else 0)
    axes.set_xlim(-0.05, 1.05)


def _title(column: Column) -> str:
    return label(column.name) + (" (log)" if column.log else "")
