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
    InCondition,
)

from benchmarks.optimizer.task import Point, Task
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

_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(x: np.ndarray) -> float:
    """Hartmann's function in six dimensions, maximum 3.32237."""
    return float(np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(_A * (x - _P) ** 2).sum(1)))


def branin(u: float, v: float) -> float:
    """Branin's function on the unit square, its sign turned, maximum -0.397887."""
    x, y = 15.0 * u - 5.0, 15.0 * v
    a = y - 5.1 / (4 * math.pi**2) * x**2 + 5.0 / math.pi * x - 6.0
    return -(a**2 + 10.0 * (1.0 - 1.0 / (8.0 * math.pi)) * math.cos(x) + 10.0)


def ackley(x: np.ndarray) -> float:
    """Ackley's function on [-1, 1]^d scaled to [-8, 8], its sign turned, maximum 0."""
    z = 8.0 * x
    return float(
        20.0 * np.exp(-0.2 * np.sqrt(np.mean(z * z)))
        + np.exp(np.mean(np.cos(2 * np.pi * z)))
        - 20.0
        - math.e
    )


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
        lambda p: branin(p["x00"], p["x01"]) - 2.0 * abs(p["x02"] - 0.3),
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

    def problem() -> HpProblem:
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

    def value(p: Point) -> float:
        out = -2.0 * (p["low"] - 0.3) ** 2 - 2.0 * (p["high"] - 0.45) ** 2
        if p["model"] == "tree":
            out += 0.45 - 0.02 * (p["depth"] - 7) ** 2 - 0.03 * abs(math.log2(p["leaf"]) - 2)
        else:
            out -= 0.04 * (math.log10(p["reg"]) + (3.0 if p["model"] == "net" else 1.0)) ** 2
        if p["model"] == "linear":
            out += 0.35
        if p["model"] == "net":
            out += 0.3 + 0.1 * p["layers"] - 0.05 * (math.log2(p["width"]) - 6.5) ** 2
            if p.get("skip"):
                out += 0.2 - 0.8 * (p["gate"] - 0.7) ** 2
            elif p["layers"] > 2:
                out -= 0.25
        return float(out)

    def optimum() -> float:
        best = {"model": "net", "layers": 4, "skip": True, "gate": 0.7, "reg": 1e-3}
        return max(value({**best, "low": 0.3, "high": 0.45, "width": w}) for w in range(4, 513))

    return Task("hard-nested-noise", "hard", half, problem, value, optimum, noise=0.05)


def noisy_ackley(half: str) -> Task:
    """Rugged, ten dimensions of which four matter, noise."""
    return Task(
        "hard-ackley-noise",
        "hard",
        half,
        lambda: _cube(10),
        lambda p: ackley(2.0 * (_array(p, 10)[:4] - np.array([0.4, 0.7, 0.55, 0.2]))),
        lambda: 0.0,
        noise=0.5,
    )
