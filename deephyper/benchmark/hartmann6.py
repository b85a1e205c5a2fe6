"""Hartmann's function of six numbers: smooth, with six local optima.

J. K. Hartman, Some experiments in global optimization, Naval Research Logistics Quarterly 20(3),
1973; constants and optimum as in S. Surjanovic and D. Bingham, Virtual Library of Simulation
Experiments, https://www.sfu.ca/~ssurjano.

The optimum is 3.32237, at (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from deephyper.benchmark.made_problem import made_problem

if TYPE_CHECKING:
    import numpy as np

    from deephyper.problem import HpProblem

    Problem: HpProblem

OPTIMUM = 3.32237
BEST = {
    "x0": 0.20169,
    "x1": 0.150011,
    "x2": 0.476874,
    "x3": 0.275332,
    "x4": 0.311652,
    "x5": 0.6573,
}


def make_problem() -> HpProblem:
    """Return the search space."""
    from deephyper.problem import HpProblem

    problem = HpProblem()
    for name in BEST:
        problem.add_hyperparameter((0.0, 1.0), name)
    return problem


def hartmann6(x: np.ndarray) -> float:
    """Return Hartmann's function of an array of six numbers, its sign turned."""
    import numpy as np

    a, p, weights = _constants()
    return float(weights @ np.exp(-(a * (x - p) ** 2).sum(1)))


@cache
def _constants() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import numpy as np

    a = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    p = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    return a, p, np.array([1.0, 1.2, 3.0, 3.2])


def run(point: dict[str, Any]) -> float:
    """Return the objective of a point."""
    import numpy as np

    return hartmann6(np.array([point[name] for name in BEST]))


__getattr__, __dir__ = made_problem(__name__, make_problem)
