"""Ask/tell optimizers: no input or output, no clock.

`create_optimizer` picks the engine for the settings of a search; all of them share
:class:`~deephyper.optimizer.optimizer.Optimizer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.optimizer.bayesian.optimizer import BayesianOptimizer
    from deephyper.optimizer.create import create_optimizer, describe_engine
    from deephyper.optimizer.external import ForeignOptimizer
    from deephyper.optimizer.optimizer import Optimizer, Prediction
    from deephyper.optimizer.random import RandomOptimizer
    from deephyper.optimizer.skopt.optimizer import ClassicOptimizer

__all__ = [
    "BayesianOptimizer",
    "ClassicOptimizer",
    "ForeignOptimizer",
    "Optimizer",
    "Prediction",
    "RandomOptimizer",
    "create_optimizer",
    "describe_engine",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BayesianOptimizer": "deephyper.optimizer.bayesian.optimizer",
        "ClassicOptimizer": "deephyper.optimizer.skopt.optimizer",
        "ForeignOptimizer": "deephyper.optimizer.external",
        "Optimizer": "deephyper.optimizer.optimizer",
        "Prediction": "deephyper.optimizer.optimizer",
        "RandomOptimizer": "deephyper.optimizer.random",
        "create_optimizer": "deephyper.optimizer.create",
        "describe_engine": "deephyper.optimizer.create",
    },
)
