"""Ask/tell optimizers: no input or output, no clock.

`create_optimizer` picks the engine for the settings of a search; all of them share
:class:`~deephyper.search.hps.optimizer.base.Optimizer`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deephyper.search.hps.optimizer.base import Optimizer, Prediction
    from deephyper.search.hps.optimizer.classic import ClassicOptimizer
    from deephyper.search.hps.optimizer.engine import create_optimizer, describe_engine
    from deephyper.search.hps.optimizer.foreign import ForeignOptimizer
    from deephyper.search.hps.optimizer.optimizer import BayesianOptimizer
    from deephyper.search.hps.optimizer.random import RandomOptimizer

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

_HOME = {
    "BayesianOptimizer": "optimizer",
    "ClassicOptimizer": "classic",
    "ForeignOptimizer": "foreign",
    "Optimizer": "base",
    "Prediction": "base",
    "RandomOptimizer": "random",
    "create_optimizer": "engine",
    "describe_engine": "engine",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
