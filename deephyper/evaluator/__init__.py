"""Where points are evaluated. Knows nothing of search spaces or optimizers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOME = {
    "CLASSIC_NAMES": "evaluator",
    "DEFAULT_METHOD": "evaluator",
    "METHODS": "evaluator",
    "Evaluator": "evaluator",
    "Failure": "job",
    "Job": "job",
    "Outcome": "job",
    "Status": "job",
    "RunFunction": "run_function",
    "load_object": "run_function",
}


def __getattr__(name: str) -> Any:
    # A worker process needs little of this, and waits for what it imports.
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
