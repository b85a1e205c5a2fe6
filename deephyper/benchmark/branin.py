"""Branin's function of two numbers: smooth, with three optima of the same value.

F. H. Branin, Widely convergent method for finding multiple solutions of simultaneous nonlinear
equations, IBM Journal of Research and Development 16(5), 1972. Constants and optima as in
S. Surjanovic and D. Bingham, Virtual Library of Simulation Experiments, https://www.sfu.ca/~ssurjano.

The optimum is -0.397887, at (-π, 12.275), (π, 2.275) and (3π, 2.475).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deephyper.benchmark.made_problem import made_problem

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

    Problem: HpProblem

OPTIMUM = -0.397887
BEST = {"x": math.pi, "y": 2.275}


def make_problem() -> HpProblem:
    """Return the search space."""
    from deephyper.problem import HpProblem

    problem = HpProblem()
    problem.add_hyperparameter((-5.0, 10.0), "x")
    problem.add_hyperparameter((0.0, 15.0), "y")
    return problem


def branin(x: float, y: float) -> float:
    """Return Branin's function, its sign turned."""
    a = y - 5.1 / (4 * math.pi**2) * x**2 + 5.0 / math.pi * x - 6.0
    return -(a**2 + 10.0 * (1.0 - 1.0 / (8.0 * math.pi)) * math.cos(x) + 10.0)


def run(point: dict[str, Any]) -> float:
    """Return the objective of a point."""
    return branin(point["x"], point["y"])


__getattr__, __dir__ = made_problem(__name__, make_problem)
