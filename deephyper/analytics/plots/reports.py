"""Learning curves: what each evaluation has reported, step by step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
from deephyper.objective import Direction
from deephyper.search import events
from deephyper.search.log_dir import LogDir
from deephyper.search.replay import read_events

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 1_000
"""Curves that are drawn at most, spread over the search: more of them are one area."""


class _Curves:
    """The reports of all evaluations, by id.

    Attributes:
        reports: id -> (step, objective) of each report.
        ended: id -> what came of the evaluation.
        best: id of the best finished one.
        direction: says which objectives are better.
    """

    def __init__(self, log_dir: Path) -> None:
        self.reports: dict[str, list[tuple[int, float]]] = {}
        self.ended: dict[str, str] = {}
        self.best: str | None = None
        self.direction: Direction = "maximize"
        scores: dict[str, float] = {}
        for event in read_events(log_dir):
            match event:
                case events.Reported():
                    self.reports.setdefault(event.id, []).append((event.step, event.objective))
                # Before what these are kinds of.
                case events.Pruned() | events.Paused():
                    self.ended[event.id] = "ended early"
                case events.Finished():
                    self.ended[event.id] = "finished"
                    scores[event.id] = event.objective
                case events.Failure():
                    self.ended[event.id] = "failed"
                case events.SearchBegan() | events.Resumed():
                    if event.settings.get("direction") == "minimize":
                        self.direction = "minimize"
        if scores:
            choose = min if self.direction == "minimize" else max
            self.best = choose(scores, key=lambda each: scores[each])


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
    read = _Curves(log_dir.path)
    if not read.reports:
        raise ResultsError(
            f"no evaluation of '{results}' has reported; call deephyper.evaluation.report in run"
        )
    figure, axes = new_figure()
    ids = list(read.reports)
    if len(ids) > _SHOWN:
        spread = np.unique(np.linspace(0, len(ids) - 1, _SHOWN).astype(int))
        ids = [ids[i] for i in spread]
    many = sum(len(read.reports[each]) for each in ids) > MANY
    seen = set()
    for each in ids:
        what = read.ended.get(each, "not ended")
        color = {"finished": BLUE, "ended early": ORANGE, "failed": RED}.get(what, GRAY)
        steps, objectives = _curve(read.reports[each])
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
        steps, objectives = _curve(read.reports[read.best])
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


def _curve(reports: list[tuple[int, float]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the steps and objectives of an evaluation; of a step reported again the last one.

    A second attempt begins anew, or continues from a checkpoint.
    """
    last = dict(reports)
    steps = sorted(last)
    return np.array(steps), np.array([last[step] for step in steps])
