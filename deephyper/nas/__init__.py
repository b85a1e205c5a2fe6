"""Neural architecture search: spaces of Keras networks, and the problem of searching one.

An architecture is a point like any other: each choice is a hyperparameter, so that every search,
evaluator, stopper and report works on architectures as it is. ``import deephyper.nas`` imports
neither Keras nor ConfigSpace.

- ``operation``, ``graph``: what a space consists of
- ``choices``, ``count``: its hyperparameters, their conditions, and how many points there are
- ``flow``, ``build``, ``drawing``: the network of a point
- ``problem``, ``setup``, ``objective``: what is searched for, and how networks are trained
- ``run_function``, ``training``, ``data``: the training of one network
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.lazy import lazy_names

if TYPE_CHECKING:
    from deephyper.nas.operation import Identity, Operation, Zero, op
    from deephyper.nas.problem import NaProblem
    from deephyper.nas.run_function import Training, run
    from deephyper.nas.space import ArchitectureSpace

__all__ = [
    "ArchitectureSpace",
    "Identity",
    "NaProblem",
    "Operation",
    "Training",
    "Zero",
    "op",
    "run",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ArchitectureSpace": "deephyper.nas.space",
        "Identity": "deephyper.nas.operation",
        "NaProblem": "deephyper.nas.problem",
        "Operation": "deephyper.nas.operation",
        "Training": "deephyper.nas.run_function",
        "Zero": "deephyper.nas.operation",
        "op": "deephyper.nas.operation",
        "run": "deephyper.nas.run_function",
    },
)
