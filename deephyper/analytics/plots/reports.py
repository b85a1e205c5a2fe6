"""Learning curves: what each evaluation has reported, step by step."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deephyper.analytics.curves import Curves, spread
from deephyper.analytics.plots.figure import (
    BLUE,
    GRAY,
    LEGEND,
    MANY,
    ORANGE,
    QUIET,
    RED,
    new_figure,
)
from deephyper.checks import user_path
from deephyper.errors import ResultsError
from deephyper.search.log_dir import LogDir
from deephyper.search.replay import read_events

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 1_000
"""Curves that are drawn at most, spread over the search: more of them are one area."""


def curves(results: str | os.PathLike[str]) -> Figure:
    """Plot what the evaluations of a search have reported.

    Args:
        results: the log directory of a search, or the results file in it.

    Raises:
        ResultsError: if its journal can't be read, or no evaluation has reported.
        MissingExtra: if matplotlib isn't installed.
    """
    path = user_path("the results file", results)
    log_dir = LogDir(path if os.path.isdir(path) else path.parent)
    if not log_dir.holds_search:
        raise ResultsError(
            f"there is no journal beside '{results}', and reports are there alone; give the log "
            "directory of a search"
        )
    read = Curves()
    for event in read_events(log_dir.path):
        read.take(event)
    if not read.reports:
        raise ResultsError(
            f"no evaluation of '{results}' has reported; call deephyper.evaluation.report in run"
        )
    figure, axes = new_figure()
    ids = spread([*read.reports], _SHOWN)
    many = sum(len(read.reports[each].steps) for each in ids) > MANY
    seen = set()
    for each in ids:
        what = read.ended.get(each, "not ended")
        color = {"finished": BLUE, "ended early": ORANGE, "failed": RED}.get(what, GRAY)
        steps, objectives = read.reports[each].by_step()
        axes.plot(
            steps,
            objectives,
            color=color,
            alpha=0.25 if len(ids) > 50 else 0.6,
            linewidth=0.8,
            marker="." if len(steps) == 1 else None,
            label=None if what in seen else what,
            rasterized=many,
        )
        seen.add(what)
    if read.best in read.reports:
        steps, objectives = read.reports[read.best].by_step()
        name = f"the best ({read.best})" if len(read.best) <= 12 else "the best"
        axes.plot(steps, objectives, color="black", linewidth=1.8, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("reported objective")
    legend = axes.legend(**LEGEND)
    for line in legend.get_lines():
        line.set_alpha(1.0)
    if len(ids) < len(read.reports):
        axes.set_title(f"{len(ids)} of {len(read.reports)} curves", **QUIET)
    return figure
