"""Plots of a search, as matplotlib's figures. Each takes a results file, or a log directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.analytics.plots.effects import dependence, importance
    from deephyper.analytics.plots.figure import save
    from deephyper.analytics.plots.hyperparameters import parallel, slices
    from deephyper.analytics.plots.objectives import history
    from deephyper.analytics.plots.predictions import predicted
    from deephyper.analytics.plots.reports import curves
    from deephyper.analytics.plots.workers import timeline

__all__ = [
    "curves",
    "dependence",
    "history",
    "importance",
    "parallel",
    "predicted",
    "save",
    "slices",
    "timeline",
]


__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "curves": "deephyper.analytics.plots.reports",
        "dependence": "deephyper.analytics.plots.effects",
        "history": "deephyper.analytics.plots.objectives",
        "importance": "deephyper.analytics.plots.effects",
        "parallel": "deephyper.analytics.plots.hyperparameters",
        "predicted": "deephyper.analytics.plots.predictions",
        "save": "deephyper.analytics.plots.figure",
        "slices": "deephyper.analytics.plots.hyperparameters",
        "timeline": "deephyper.analytics.plots.workers",
    },
)
