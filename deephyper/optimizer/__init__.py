"""Ask/tell optimizers: no input or output, no clock.

`create_optimizer` makes one by name, by settings, or around an object of your own; all of them are
an :class:`~deephyper.optimizer.optimizer.Optimizer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.job import Prediction, Proposal
    from deephyper.optimizer.bayesian.optimizer import BayesianOptimizer
    from deephyper.optimizer.create import create_optimizer
    from deephyper.optimizer.evolution import EvolutionOptimizer
    from deephyper.optimizer.external import AskTell, ExternalOptimizer
    from deephyper.optimizer.optimizer import Optimizer
    from deephyper.optimizer.random import RandomOptimizer
    from deephyper.optimizer.settings import (
        BayesianSettings,
        EvolutionSettings,
        RandomSettings,
        Settings,
        SkoptSettings,
    )
    from deephyper.optimizer.skopt.optimizer import SkoptOptimizer

__all__ = [
    "AskTell",
    "BayesianOptimizer",
    "BayesianSettings",
    "EvolutionOptimizer",
    "EvolutionSettings",
    "ExternalOptimizer",
    "Optimizer",
    "Prediction",
    "Proposal",
    "RandomOptimizer",
    "RandomSettings",
    "Settings",
    "SkoptOptimizer",
    "SkoptSettings",
    "create_optimizer",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AskTell": "deephyper.optimizer.external",
        "BayesianOptimizer": "deephyper.optimizer.bayesian.optimizer",
        "BayesianSettings": "deephyper.optimizer.settings",
        "EvolutionOptimizer": "deephyper.optimizer.evolution",
        "EvolutionSettings": "deephyper.optimizer.settings",
        "ExternalOptimizer": "deephyper.optimizer.external",
        "Optimizer": "deephyper.optimizer.optimizer",
        "Prediction": "deephyper.job",
        "Proposal": "deephyper.job",
        "RandomOptimizer": "deephyper.optimizer.random",
        "RandomSettings": "deephyper.optimizer.settings",
        "Settings": "deephyper.optimizer.settings",
        "SkoptOptimizer": "deephyper.optimizer.skopt.optimizer",
        "SkoptSettings": "deephyper.optimizer.settings",
        "create_optimizer": "deephyper.optimizer.create",
    },
)
