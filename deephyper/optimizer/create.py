"""The choice of the optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.errors import SettingsError
from deephyper.optimizer.settings import Settings
from deephyper.registry import OPTIMIZERS

if TYPE_CHECKING:
    from deephyper.optimizer.external import AskTell
    from deephyper.optimizer.optimizer import Optimizer
    from deephyper.problem import BaseProblem

DEFAULT_OPTIMIZER = "bayesian"


def create_optimizer(
    problem: BaseProblem,
    optimizer: str | Settings | AskTell = DEFAULT_OPTIMIZER,
    *,
    seed: int | None = None,
) -> Optimizer:
    """Return the optimizer for a problem.

    Args:
        problem: the space to search and its starting points.
        optimizer: the name of a registered engine, for its default settings; the settings of an
            engine; or an object of your own with `ask()` and `tell(point, objective)`. An
            `Optimizer` of this problem is returned as it is.
        seed: makes the proposals reproducible.

    Raises:
        SettingsError: if the problem isn't one, the name isn't registered, or the object lacks one
            of the methods.
        ProblemError: if the space is empty.
        DeepHyperError: if the engine is another package's and can't be used.
    """
    from deephyper.problem import BaseProblem

    if not isinstance(problem, BaseProblem):
        raise SettingsError(f"problem is of type {type(problem).__name__}; give an HpProblem")
    chosen = read_optimizer(optimizer)
    if isinstance(chosen, Settings):
        return chosen.create(problem, seed)
    from deephyper.optimizer.external import ExternalOptimizer
    from deephyper.optimizer.optimizer import Optimizer

    if isinstance(chosen, Optimizer) and chosen.problem is problem:
        return chosen
    return ExternalOptimizer(problem, chosen, seed=seed)


def read_optimizer(optimizer: str | Settings | AskTell) -> Settings | AskTell:
    """Return the settings that a name stands for, and anything else as it is, checked.

    Raises:
        SettingsError, DeepHyperError: as `create_optimizer`.
    """
    if isinstance(optimizer, str):
        return _settings_class(optimizer)()
    if isinstance(optimizer, Settings):
        return optimizer
    from deephyper.optimizer.external import check_ask_tell

    check_ask_tell(optimizer)
    return optimizer


def _settings_class(name: str) -> type[Settings]:
    if name not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS.names)
        raise SettingsError(f"unknown optimizer {name!r}; choose one of {known}")
    found: type[Settings] = OPTIMIZERS.load(name)
    return found
