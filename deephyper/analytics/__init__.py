"""Answers from the results of a search.

- ``topk``: the best evaluations
- ``fanova``: the importance of hyperparameters
- ``report``: a search as one HTML page
- ``points``: evaluations as a matrix
- ``ranked``: forms in which rows are shown and saved
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.analytics.fanova.importance import EffectShare, Importance, importance
    from deephyper.analytics.report.saving import follow_search, save_report
    from deephyper.analytics.topk import best_evaluations, best_point, best_points

__all__ = [
    "EffectShare",
    "Importance",
    "best_evaluations",
    "best_point",
    "best_points",
    "follow_search",
    "importance",
    "save_report",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "EffectShare": "deephyper.analytics.fanova.importance",
        "Importance": "deephyper.analytics.fanova.importance",
        "best_evaluations": "deephyper.analytics.topk",
        "best_point": "deephyper.analytics.topk",
        "best_points": "deephyper.analytics.topk",
        "follow_search": "deephyper.analytics.report.saving",
        "importance": "deephyper.analytics.fanova.importance",
        "save_report": "deephyper.analytics.report.saving",
    },
)
