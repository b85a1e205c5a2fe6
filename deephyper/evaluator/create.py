"""Evaluators by the name of their backend."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from deephyper.errors import EvaluatorError
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.loading import importing
from deephyper.registry import EVALUATORS

CLASSIC_NAMES = {"threadPool": "thread", "processPool": "process"}
"""Deprecated names, accepted wherever a backend is named."""


@runtime_checkable
class _ChoosesBackend(Protocol):
    """A run function that is evaluated in a way of its own on some backends."""

    def backend_in_place_of(self, backend: type[Evaluator]) -> type[Evaluator]:
        """Return a backend that takes the same arguments, and does the same for this function."""


def backend_class(method: str) -> type[Evaluator]:
    """Return the class of a backend.

    Raises:
        EvaluatorError: if there is no backend of that name.
        DeepHyperError: if it is another package's and can't be used.
    """
    name = CLASSIC_NAMES.get(method, method)
    if name not in EVALUATORS:
        names = ", ".join(EVALUATORS.names)
        raise EvaluatorError(f"unknown evaluator '{method}'; choose one of {names}")
    backend: type[Evaluator] = EVALUATORS.load(name)
    return backend


def create_evaluator(
    run: str | Function | RunFunction, method: str, options: Mapping[str, object]
) -> Evaluator:
    """Make an evaluator; see :meth:`Evaluator.create`.

    Args:
        run: the run function.
        method: name of the backend.
        options: keyword arguments of its class.
    """
    if importing() or _spawned_by_a_pool():
        raise EvaluatorError(
            "a search was started while its own module is being imported; put the code that "
            "starts it under if __name__ == '__main__':"
        )
    backend = backend_class(method)
    _check_options(backend, CLASSIC_NAMES.get(method, method), options)
    if isinstance(run, _ChoosesBackend):
        backend = run.backend_in_place_of(backend)
    return backend(run, **options)  # type: ignore[arg-type]  # bound by their names just before


def _spawned_by_a_pool() -> bool:
    """Return whether this is a process of a pool, which runs its program to find things in it."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and getattr(process.current_process(), "_inheriting", False)


def _check_options(backend: type[Evaluator], name: str, options: Mapping[str, object]) -> None:
    parameters = inspect.signature(backend).parameters
    takes = [p for p in parameters.values() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = [parameter.name for parameter in takes][1:]  # the first one is the run function
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        unknown = []
    else:
        unknown = [option for option in options if option not in names]
    if unknown:
        raise EvaluatorError(
            f"the {name} evaluator has no option '{unknown[0]}'; it takes {', '.join(names)}"
        )
    for parameter in takes[1:]:
        if parameter.default is parameter.empty and parameter.name not in options:
            raise EvaluatorError(f"the {name} evaluator needs the option '{parameter.name}'")
