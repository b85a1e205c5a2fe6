"""Functions with numbers: BBOB (through ioh), and spaces with noise, failures, forbidden parts."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from ConfigSpace import (
    EqualsCondition,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenGreaterThanRelation,
)

from benchmarks.optimizer.task import Point, Task
from deephyper.benchmark import mixed
from deephyper.benchmark.ackley import ackley
from deephyper.benchmark.branin import branin
from deephyper.benchmark.hartmann6 import hartmann6
from deephyper.problem import HpProblem


@cache
def _bbob(function: int, dims: int, instance: int) -> Any:
    import ioh

    return ioh.get_problem(
        function, instance=instance, dimension=dims, problem_class=ioh.ProblemClass.BBOB
    )


def bbob(half: str, function: int, dims: int, instance: int = 1, group: str = "bbob") -> Task:
    """A function of the BBOB suite (Hansen, Finck, Ros and Auger, 2009), its sign turned."""

    def problem() -> HpProblem:
        problem = HpProblem()
        for i in range(dims):
            problem.add_dim(f"x{i:02d}", (-5.0, 5.0))
        return problem

    def value(point: Point) -> float:
        x = [point[f"x{i:02d}"] for i in range(dims)]
        return -float(_bbob(function, dims, instance)(x))

    return Task(
        name=f"bbob-f{function:02d}-{dims}d",
        group=group,
        half=half,
        problem=problem,
        value=value,
        optimum=lambda: -float(_bbob(function, dims, instance).optimum.y),
    )


# -- noise, failures, forbidden parts -----------------------------------------------------------


def _cube(dims: int) -> HpProblem:
    problem = HpProblem()
    for i in range(dims):
        problem.add_dim(f"x{i:02d}", (0.0, 1.0))
    return problem


def _array(point: Point, dims: int) -> np.ndarray:
    return np.array([point[f"x{i:02d}"] for i in range(dims)])


def noisy_hartmann(half: str) -> Task:
    return Task(
        "hard-hartmann6-noise",
        "hard",
        half,
        lambda: _cube(6),
        lambda p: hartmann6(_array(p, 6)),
        lambda: 3.32237,
        noise=0.3,
    )


def plain_hartmann(half: str) -> Task:
    return Task(
        "hard-hartmann6",
        "hard",
        half,
        lambda: _cube(6),
        lambda p: hartmann6(_array(p, 6)),
        lambda: 3.32237,
    )


def failing_branin(half: str) -> Task:
    """Two dummy dimensions; a third of the space fails, next to one of the optima."""
    return Task(
        "hard-branin-fails",
        "hard",
        half,
        lambda: _cube(4),
        lambda p: branin(15.0 * p["x00"] - 5.0, 15.0 * p["x01"]) - 2.0 * abs(p["x02"] - 0.3),
        lambda: -0.397887,
        fails=lambda p: p["x00"] + 0.3 * p["x03"] > 0.75,
    )


def failing_rosenbrock(half: str) -> Task:
    """Fails in a disc round a corner and where a product is high; the valley stays free."""

    def value(p: Point) -> float:
        z = 4.0 * _array(p, 4) - 2.0
        return -float((100.0 * (z[1:] - z[:-1] ** 2) ** 2 + (1.0 - z[:-1]) ** 2).sum())

    return Task(
        "hard-rosenbrock4-fails",
        "hard",
        half,
        lambda: _cube(4),
        value,
        lambda: 0.0,
        fails=lambda p: (
            (p["x00"] - 0.1) ** 2 + (p["x01"] - 0.2) ** 2 < 0.15 or p["x02"] * p["x03"] > 0.75
        ),
    )


def forbidden_layers(half: str) -> Task:
    """An integer may not exceed another, two categories exclude each other; two conditions."""

    def problem() -> HpProblem:
        problem = HpProblem()
        first = problem.add_dim("first", (1, 256, "log-uniform"))
        second = problem.add_dim("second", (1, 256, "log-uniform"))
        norm = problem.add_dim("norm", ["none", "batch", "layer"])
        act = problem.add_dim("act", ["relu", "tanh", "gelu", "sin"])
        problem.add_dim("lr", (1e-5, 1.0, "log-uniform"))
        momentum = problem.add_dim("momentum", (0.0, 0.99))
        opt = problem.add_dim("opt", ["adam", "sgd", "rmsprop"])
        problem.add_condition(EqualsCondition(momentum, opt, "sgd"))
        problem.add_forbidden_clause(
            [
                ForbiddenGreaterThanRelation(second, first),
                ForbiddenAndConjunction(
                    ForbiddenEqualsClause(norm, "batch"), ForbiddenEqualsClause(act, "tanh")
                ),
            ]
        )
        return problem

    def value(p: Point) -> float:
        a, b = math.log2(p["first"]) / 8, math.log2(p["second"]) / 8
        lr = math.log10(p["lr"])
        center = {"adam": -3.0, "sgd": -1.3, "rmsprop": -3.4}[p["opt"]]
        out = -((a - 0.8) ** 2) - 2.0 * (b - 0.55) ** 2 + 0.5 * a * b
        out += {"none": 0.0, "batch": 0.25, "layer": 0.18}[p["norm"]]
        out += {"relu": 0.1, "tanh": 0.3, "gelu": 0.14, "sin": -0.3}[p["act"]]
        out -= 0.25 * (lr - center) ** 2 / (1.0 + 0.2 * (lr - center) ** 2)
        if p["opt"] == "sgd":
            out += 0.3 - 1.5 * (p["momentum"] - 0.9) ** 2
        return out

    def optimum() -> float:
        base = {"opt": "sgd", "momentum": 0.9, "lr": 10**-1.3, "norm": "layer", "act": "tanh"}
        return max(
            value({**base, "first": i, "second": j}) for i in range(1, 257) for j in range(1, i + 1)
        )

    return Task("hard-forbidden-layers", "hard", half, problem, value, optimum)


def forbidden_budget(half: str) -> Task:
    """Nested conditions three deep, a forbidden relation, noise."""
    return Task(
        "hard-nested-noise",
        "hard",
        half,
        mixed.make_problem,
        mixed.run,
        lambda: mixed.run(mixed.BEST),
        noise=0.05,
    )


def noisy_ackley(half: str) -> Task:
    """Rugged, ten dimensions of which four matter, noise."""
    return Task(
        "hard-ackley-noise",
        "hard",
        half,
        lambda: _cube(10),
        lambda p: ackley(16.0 * (_array(p, 10)[:4] - np.array([0.4, 0.7, 0.55, 0.2]))),
        lambda: 0.0,
        noise=0.5,
    )
