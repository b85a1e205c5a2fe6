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
    from deephyper.nas.setup import CompleteSetup

RUN = "deephyper.nas.run"
"""The name of the default run function."""


def run(
    point: Mapping[str, Any],
    problem: NaProblem,
    *,
    keep_model: bool = True,
    minimize: bool = False,
) -> Any:
    """Build the network of a point, train it, and return its objective and metrics.

    Each epoch is reported, so that the search may end the training early. The directory of the
    evaluation, outside a search the current one, gets ``history.json``, the metrics of each epoch,
    and ``best_model.keras``, the network as it was after the best epoch. An evaluation that runs
    again after an interruption continues its training.

    Args:
        point: name -> value.
        problem: of the search.
        keep_model: whether ``best_model.keras`` is kept.
        minimize: whether the search minimizes: the best epoch is that with the lowest objective.

    Returns:
        A dictionary of the objective and, under ``metrics``, ``num_parameters``,
        ``training_seconds`` and ``inference_seconds`` (for a batch of zeros, once it is compiled);
        or ``"F_reason"`` where the training has diverged. The last one is absent where a layer
        refuses the smallest size of an axis of any length.

    Raises:
        ProblemError: the problem isn't complete, the data have another form than it says, or the
            network can't be kept.
        ArchitectureError: the network can't be built.
        MemoryError: the memory of a device doesn't suffice.
    """
    # Before Keras is imported: no banners.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from deephyper.nas.training import train

    setup = problem.setup.complete()
    return train(point, setup, keep_model=keep_model, minimize=minimize)


@dataclass(frozen=True)
class Training:
    """A run function that trains the networks of a problem; see :func:`run`.

    ``AMBS(problem, Training(problem))`` searches from Python.

    Args:
        problem: the problem, or its dotted path or file, as ``--problem`` has it.
        keep_model: whether each evaluation keeps its best model.
        minimize: whether the search minimizes the objective.

    Raises:
        ProblemError: the problem isn't an ``NaProblem``, isn't complete, or has a hyperparameter
            that nothing uses.
    """

    problem: NaProblem | str
    keep_model: bool = True
    minimize: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.problem, str):
            _, file, attribute = split_spec(self.problem, "Problem")
            if file is not None:  # workers have other directories
                object.__setattr__(self, "problem", f"{absolute(file)}::{attribute}")
        else:
            complete_setup(self.problem)

    def __call__(self, point: dict[str, Any]) -> Any:
        """Train the network of a point; see :func:`run`."""
        problem = self._loaded()
        problem.setup.complete().check(point)
        return run(point, problem, keep_model=self.keep_model, minimize=self.minimize)

    def check(self, point: Mapping[str, Any]) -> None:
        """Check that the network of a point can be trained, as far as it is known without Keras.

        Raises:
            ProblemError: a value can't be used, or nothing uses it.
            ArchitectureError: the choices aren't those of a network.
        """
        self._loaded().setup.complete().check(point)

    def _loaded(self) -> NaProblem:
        if isinstance(self.problem, str):
            return require_na_problem(load_object(self.problem, "Problem"))
        return self.problem


def complete_setup(found: object) -> CompleteSetup:
    """Return what the networks of a problem that a user gave are trained by.

    Raises:
        ProblemError: it isn't an ``NaProblem``, isn't complete, or has a hyperparameter that
            nothing uses.
    """
    problem = require_na_problem(found)
    setup = problem.setup.complete()
    setup.check_names(problem.hyperparameter_names)
    return setup


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
