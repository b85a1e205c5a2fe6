"""Do failed evaluations mislead the optimizer?

A known function (Branin, and Hartmann with three dimensions) is searched with the default
optimizer, one worker, in these ways:

- **failed**: where the function is forbidden to be evaluated, the optimizer is told "F_reason";
- **told**: there, it is told what an all-knowing user would say: that the neighborhood is bad, by
  the function's own value lowered to below the worst of the allowed region;
- **none fails**: the function as it is, over the same allowed region's optimum, for scale.

The forbidden region is a ball that holds 30 % of the space, away from the best optimum, so that a
uniform sample fails 30 % of the time. A fourth way, **at random**, fails each evaluation with a
probability of 30 %, wherever it is, which teaches nothing.

The figures are regrets: the best possible objective minus the best found one, divided by the
standard deviation of the function over the space; median over the seeds, and the share of seeds
that came within 1 % of the range.

    python -m benchmarks.failures [--seeds 20] [--evaluations 30 60]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deephyper.benchmark.branin import branin
from deephyper.optimizer import create_optimizer
from deephyper.problem import HpProblem

Array = NDArray[np.float64]
SHARE = 0.3
WAYS = ("failed", "told", "none fails", "at random")


@dataclass(frozen=True)
class Function:
    """A function on the unit cube, to be maximized, with the place of its best optimum."""

    name: str
    value: Callable[[Array], float]
    best: Array
    center: Array  # of the region that fails


_A = np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
_P = (
    np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]])
    / 10_000
)
_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])


def hartmann3(x: Array) -> float:
    """Hartmann's function of three dimensions, negated."""
    return float(_ALPHA @ np.exp(-(_A * (x - _P) ** 2).sum(axis=1)))


FUNCTIONS = (
    Function(
        "Branin",
        lambda x: branin(15 * x[0] - 5, 15 * x[1]),
        np.array([0.5428, 0.1517]),
        np.array([0.95, 0.95]),
    ),
    Function(
        "Hartmann 3", hartmann3, np.array([0.1146, 0.5556, 0.8525]), np.array([0.7, 0.2, 0.4])
    ),
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--evaluations", type=int, nargs="+", default=[30, 60])
    options = parser.parse_args(arguments)
    seeds, budgets = options.seeds, options.evaluations
    print(f"{seeds} seeds; regret in standard deviations of the function, median (share solved)\n")
    header = " | ".join(f"{way}, {n}" for way in WAYS for n in budgets)
    print(f"| function | {header} |")
    print("| --- " * (1 + len(WAYS) * len(budgets)) + "|")
    for function in FUNCTIONS:
        cells = [cell for way in WAYS for cell in _cells(function, way, seeds, budgets)]
        print(f"| {function.name} | {' | '.join(cells)} |", flush=True)


def _cells(function: Function, way: str, seeds: int, budgets: list[int]) -> list[str]:
    regrets = np.array([search(function, way, seed, budgets) for seed in range(seeds)])
    return [f"{np.median(r):.4f} ({np.mean(r < 0.01):.0%})" for r in regrets.T]


def search(function: Function, way: str, seed: int, budgets: list[int]) -> list[float]:
    """Return the regret after each of several numbers of evaluations."""
    dimensions = len(function.best)
    sample = np.random.default_rng(0).random((20_000, dimensions))
    values = np.array([function.value(x) for x in sample])
    distances = np.linalg.norm(sample - function.center, axis=1)
    radius = np.quantile(distances, SHARE)
    assert np.linalg.norm(function.best - function.center) > radius
    floor = values[distances > radius].min()
    optimum, scale = function.value(function.best), values.std()

    problem = HpProblem()
    names = [f"x{i}" for i in range(dimensions)]
    for name in names:
        problem.add_dim(name, (0.0, 1.0))
    optimizer = create_optimizer(problem, seed=seed)
    random = np.random.default_rng(1000 + seed)
    best, regrets = -math.inf, []
    for n in range(1, max(budgets) + 1):
        point = optimizer.ask().point
        x = np.array([point[name] for name in names])
        value = function.value(x)
        inside = bool(np.linalg.norm(x - function.center) <= radius)
        fails = inside if way in ("failed", "told") else random.random() < SHARE
        if way == "none fails" or not fails:
            best = max(best, value)
            optimizer.tell(point, value)
        elif way == "told":
            optimizer.tell(point, floor - abs(optimum - value) / 10)
        else:
            optimizer.tell(point, "F_failed")
        if n in budgets:
            regrets.append(max(0.0, optimum - best) / scale)
    return regrets


if __name__ == "__main__":
    main()
