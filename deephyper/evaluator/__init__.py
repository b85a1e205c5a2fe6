"""Places where points are evaluated. Knows nothing of search spaces or optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.evaluator.create import CLASSIC_NAMES
    from deephyper.evaluator.current import EvaluationPruned, evaluation
    from deephyper.evaluator.evaluator import DEFAULT_METHOD, Evaluator
    from deephyper.evaluator.run_function import RunFunction
    from deephyper.evaluator.virtual import VirtualEvaluator
    from deephyper.job import Ended, Event, Failure, Job, Notice, Outcome, Reported, Started, Status

__all__ = [
    "CLASSIC_NAMES",
    "DEFAULT_METHOD",
    "Ended",
    "EvaluationPruned",
    "Evaluator",
    "Event",
    "Failure",
    "Job",
    "Notice",
    "Outcome",
    "Reported",
    "RunFunction",
    "Started",
    "Status",
    "VirtualEvaluator",
    "evaluation",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CLASSIC_NAMES": "deephyper.evaluator.create",
        "DEFAULT_METHOD": "deephyper.evaluator.evaluator",
        "Ended": "deephyper.job",
        "Evaluator": "deephyper.evaluator.evaluator",
        "Event": "deephyper.job",
        "Failure": "deephyper.job",
        "Job": "deephyper.job",
        "Notice": "deephyper.job",
        "Outcome": "deephyper.job",
        "Reported": "deephyper.job",
        "RunFunction": "deephyper.evaluator.run_function",
        "Started": "deephyper.job",
        "Status": "deephyper.job",
        "VirtualEvaluator": "deephyper.evaluator.virtual",
        "EvaluationPruned": "deephyper.evaluator.current",
        "evaluation": "deephyper.evaluator.current",
    },
)
