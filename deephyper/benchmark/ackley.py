"""Ackley's function of five numbers: a funnel covered with local optima.

D. H. Ackley, A Connectionist Machine for Genetic Hillclimbing, Kluwer, 1987; for any number of
dimensions T. Bäck, Evolutionary Algorithms in Theory and Practice, Oxford, 1996. The range from -15
to 30 is that of A. Hedar's test functions; its middle is not the optimum.

The optimum is 0, where all numbers are 0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deephyper.benchmark.made_problem import made_problem

if TYPE_CHECKING:
    import numpy as np

    from deephyper.problem import HpProblem

    Problem: HpProblem

DIMENSIONS = 5
LOW, HIGH = -15.0, 30.0
OPTIMUM = 0.0
BEST = {f"x{i}": 0.0 for i in range(DIMENSIONS)}


def make_problem() -> HpProblem:
    """Return the search space."""
    from deephyper.problem import HpProblem

    problem = HpProblem()
    for name in BEST:
        problem.add_hyperparameter((LOW, HIGH), name)
    return problem


def ackley(x: np.ndarray) -> float:
    """Return Ackley's function of an array of any length, its sign turned."""
    import numpy as np

    return float(
        20.0 * np.exp(-0.2 * np.sqrt(np.mean(x * x)))
        + np.exp(np.mean(np.cos(2 * np.pi * x)))
        - 20.0
        - math.e
    )


def run(point: dict[str, Any]) -> float:
    """Return the objective of a point."""
    import numpy as np

    return ackley(np.array([point[name] for name in BEST]))


__getattr__, __dir__ = made_problem(__name__, make_problem)
