"""Which optimizer runs, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.optimizer.optimizer import Optimizer
from deephyper.optimizer.settings import AmbsSettings

if TYPE_CHECKING:
    from deephyper.problem import HpProblem


def create_optimizer(
    problem: HpProblem, settings: AmbsSettings | None = None, seed: int | None = None
) -> Optimizer:
    """The optimizer for these settings: our own unless a surrogate of scikit-optimize is named.

    Raises:
        TypeError: if the problem or the settings are something else.
        ProblemError: if the space is empty.
    """
    from deephyper.problem.problem import BaseProblem

    if not isinstance(problem, BaseProblem):
        raise TypeError(f"problem is of type {type(problem).__name__}; give an HpProblem")
    settings = AmbsSettings() if settings is None else settings
    if not isinstance(settings, AmbsSettings):
        raise TypeError(
            f"settings is of type {type(settings).__name__}; give an AmbsSettings, as in: "
            "AmbsSettings(surrogate_model='RF')"
        )
    if settings.surrogate_model is None:
        from deephyper.optimizer.bayesian.optimizer import BayesianOptimizer

        return BayesianOptimizer(problem, seed=seed, n_initial_points=settings.n_initial_points)
    from deephyper.optimizer.skopt.optimizer import ClassicOptimizer

    return ClassicOptimizer(problem, settings, seed=seed)


def describe_engine(optimizer: Optimizer) -> str:
    """One line for the log: which engine runs and why."""
    from deephyper.optimizer.external import ForeignOptimizer
    from deephyper.optimizer.random import RandomOptimizer

    if isinstance(optimizer, RandomOptimizer):
        return "random sampling, as asked"
    if isinstance(optimizer, ForeignOptimizer):
        kind = type(optimizer.optimizer)
        return f"{kind.__module__}.{kind.__qualname__}, passed by the caller"
    settings = getattr(optimizer, "settings", None)
    if isinstance(settings, AmbsSettings):
        model = settings.surrogate_model
        if model == "DUMMY":
            return "scikit-optimize without a model (random points), as surrogate model DUMMY asks"
        return (
            f"scikit-optimize with surrogate {model}, acquisition {settings.acq_func}, liar "
            f"{settings.liar_strategy}, as a surrogate model was named"
        )
    return "deephyper's Gaussian process, the default as no surrogate model was named"
