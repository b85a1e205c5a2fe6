"""A model to choose, and what it is given: categories, integers and numbers, conditions.

A made-up problem in the form of a real one: a linear model, a tree or a network, each with
hyperparameters of its own, and two thresholds of which the lower may not exceed the higher.

The optimum is 0.899997, with a network of four layers of 91 units: all terms but that of the whole
number of units, whose best value would be 2^6.5, are at their best there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deephyper.benchmark.made_problem import made_problem

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

    Problem: HpProblem

OPTIMUM = 0.899997
BEST = {
    "model": "net",
    "reg": 1e-3,
    "layers": 4,
    "width": 91,
    "skip": True,
    "gate": 0.7,
    "low": 0.3,
    "high": 0.45,
}


def make_problem() -> HpProblem:
    """Return the search space."""
    from ConfigSpace import EqualsCondition, ForbiddenGreaterThanRelation, InCondition

    from deephyper.problem import HpProblem

    problem = HpProblem()
    model = problem.add_dim("model", ["linear", "tree", "net"])
    depth = problem.add_dim("depth", (1, 12))
    leaf = problem.add_dim("leaf", (1, 64, "log-uniform"))
    reg = problem.add_dim("reg", (1e-6, 10.0, "log-uniform"))
    layers = problem.add_dim("layers", (1, 4))
    width = problem.add_dim("width", (4, 512, "log-uniform"))
    skip = problem.add_dim("skip", [False, True])
    low = problem.add_dim("low", (0.0, 1.0))
    high = problem.add_dim("high", (0.0, 1.0), default_value=0.75)
    gate = problem.add_dim("gate", (0.0, 1.0))
    problem.add_conditions(
        [
            EqualsCondition(depth, model, "tree"),
            EqualsCondition(leaf, model, "tree"),
            InCondition(reg, model, ["linear", "net"]),
            EqualsCondition(layers, model, "net"),
            EqualsCondition(width, model, "net"),
            InCondition(skip, layers, [2, 3, 4]),
            EqualsCondition(gate, skip, True),
        ]
    )
    problem.add_forbidden_clause(ForbiddenGreaterThanRelation(low, high))
    return problem


def run(point: dict[str, Any]) -> float:
    """Return the objective of a point, in which hyperparameters that don't apply are absent."""
    value = -2.0 * (point["low"] - 0.3) ** 2 - 2.0 * (point["high"] - 0.45) ** 2
    if point["model"] == "tree":
        value += 0.45 - 0.02 * (point["depth"] - 7) ** 2 - 0.03 * abs(math.log2(point["leaf"]) - 2)
    else:
        value -= 0.04 * (math.log10(point["reg"]) + (3.0 if point["model"] == "net" else 1.0)) ** 2
    if point["model"] == "linear":
        value += 0.35
    if point["model"] == "net":
        value += 0.3 + 0.1 * point["layers"] - 0.05 * (math.log2(point["width"]) - 6.5) ** 2
        if point.get("skip"):
            value += 0.2 - 0.8 * (point["gate"] - 0.7) ** 2
        elif point["layers"] > 2:
            value -= 0.25
    return float(value)


__getattr__, __dir__ = made_problem(__name__, make_problem)
