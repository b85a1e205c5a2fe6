"""Where points are evaluated. Knows nothing of search spaces or optimizers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.evaluator.evaluator import CLASSIC_NAMES, DEFAULT_METHOD, METHODS, Evaluator
    from deephyper.evaluator.run_function import RunFunction
    from deephyper.job import Failure, Job, Outcome, Status

__all__ = [
    "CLASSIC_NAMES",
    "DEFAULT_METHOD",
    "METHODS",
    "Evaluator",
    "Failure",
    "Job",
    "Outcome",
    "RunFunction",
    "Status",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CLASSIC_NAMES": "deephyper.evaluator.evaluator",
        "DEFAULT_METHOD": "deephyper.evaluator.evaluator",
        "METHODS": "deephyper.evaluator.evaluator",
        "Evaluator": "deephyper.evaluator.evaluator",
        "Failure": "deephyper.job",
        "Job": "deephyper.job",
        "Outcome": "deephyper.job",
        "RunFunction": "deephyper.evaluator.run_function",
        "Status": "deephyper.job",
    },
)
