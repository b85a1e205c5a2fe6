"""The run function of a search for networks, which needs to know its problem.

A run function gets the point alone. :class:`Training` holds the problem, or where it is: a name
travels to workers of every kind, and the problem is loaded there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deephyper.errors import ProblemError
from deephyper.loading import absolute, load_object, split_spec

if TYPE_CHECKING:
    from deephyper.nas.problem import NaProblem

RUN = "deephyper.nas.run"
"""The name of the default run function."""


def run(point: Mapping[str, Any], problem: NaProblem, *, keep_model: bool = True) -> Any:
    """Build the network of a point, train it, and return its objective and metrics.

    Each epoch is reported, so that the search may end the training early. The directory of the
    evaluation, outside a search the current one, gets ``history.json``, the metrics of each epoch,
    and ``best_model.keras``, the network as it was after the best epoch. An evaluation that runs
    again after an interruption continues its training.

    Args:
        point: name -> value.
        problem: of the search.
        keep_model: whether ``best_model.keras`` is kept.

    Returns:
        A dictionary of the objective and, under ``metrics``, ``num_parameters``,
        ``training_seconds`` and ``inference_seconds`` (for a batch of zeros, once it is compiled);
        or ``"F_reason"`` where the training has diverged.

    Raises:
        ProblemError: the problem isn't complete, or the data have another form than it says.
        ArchitectureError: the network can't be built.
        MemoryError: the memory of a device doesn't suffice.
    """
    # Before Keras is imported: no banners.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deephyper.nas.training import train

    return train(point, problem.setup.complete(), keep_model)


@dataclass(frozen=True)
class Training:
    """A run function that trains the networks of a problem; see :func:`run`.

    ``AMBS(problem, Training(problem))`` searches from Python.

    Args:
        problem: the problem, or its dotted path or file, as ``--problem`` has it.
        keep_model: whether each evaluation keeps its best model.

    Raises:
        ProblemError: the problem isn't an ``NaProblem``, or isn't complete.
    """

    problem: NaProblem | str
    keep_model: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.problem, str):
            _, file, attribute = split_spec(self.problem, "Problem")
            if file is not None:  # workers have other directories
                object.__setattr__(self, "problem", f"{absolute(file)}::{attribute}")
        else:
            require_na_problem(self.problem).setup.complete()

    def __call__(self, point: dict[str, Any]) -> Any:
        """Train the network of a point; see :func:`run`."""
        problem = self.problem
        if isinstance(problem, str):
            problem = require_na_problem(load_object(problem, "Problem"))
        return run(point, problem, keep_model=self.keep_model)


def require_na_problem(found: object) -> NaProblem:
    """Return what a user gave as the problem of a search for networks.

    Raises:
        ProblemError: it is something else.
    """
    from deephyper.nas.problem import NaProblem

    if isinstance(found, NaProblem):
        return found
    raise ProblemError(
        f"the problem is of type {type(found).__name__}, and has no networks to train: make an"
        " NaProblem, or give a run function"
    )
