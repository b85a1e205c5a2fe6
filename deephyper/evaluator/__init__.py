"""Where points are evaluated. Knows nothing of search spaces or optimizers."""

from deephyper.evaluator.evaluator import CLASSIC_NAMES, DEFAULT_METHOD, METHODS, Evaluator
from deephyper.evaluator.job import Failure, Job, Outcome, Status
from deephyper.evaluator.run_function import RunFunction, load_object

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
    "load_object",
]
