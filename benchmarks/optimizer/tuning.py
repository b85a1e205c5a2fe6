"""Real tuning tasks on scikit-learn's bundled data, looked up in tables that were made once.

A table holds the cross-validated score on a grid, one array for each combination of categories over
the numbers that are active there; between grid points the score is interpolated linearly (on a log
scale where the number is log), so that the optimum is at a grid point and known exactly.
`python -m benchmarks.optimizer.tabulate` makes the tables.
"""

from __future__ import annotations

import itertools
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import EqualsCondition, InCondition

from benchmarks.optimizer.task import Point, Task
from deephyper.problem import HpProblem

TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Axis:
    """A number: its grid, and whether it is on a log scale, and whole."""

    grid: tuple[float, ...]
    log: bool = False
    whole: bool = False

    @property
    def shorthand(self) -> tuple[Any, ...]:
        kind = int if self.whole else float
        ends = (kind(self.grid[0]), kind(self.grid[-1]))
        return (*ends, "log-uniform") if self.log else ends

    def position(self, value: float) -> tuple[int, float]:
        """Grid cell of a value, and how far into it, in [0, 1]."""
        grid = np.log(self.grid) if self.log else np.asarray(self.grid, dtype=float)
        x = float(np.log(value) if self.log else value)
        cell = int(np.clip(np.searchsorted(grid, x, side="right") - 1, 0, len(grid) - 2))
        return cell, float((x - grid[cell]) / (grid[cell + 1] - grid[cell]))


def _log(low: float, high: float, n: int, whole: bool = False) -> Axis:
    grid = np.geomspace(low, high, n)
    if whole:
        grid = np.unique(np.rint(grid))
    return Axis(tuple(float(g) for g in grid), log=True, whole=whole)


def _linear(low: float, high: float, n: int, whole: bool = False) -> Axis:
    grid = np.linspace(low, high, n)
    if whole:
        grid = np.unique(np.rint(grid))
    return Axis(tuple(float(g) for g in grid), whole=whole)


@dataclass(frozen=True)
class Tuning:
    """A tuning task: numbers, categories (all always active unless a parent is named), a model.

    Attributes:
        when: child -> (parent, values of the parent that activate it).
        data: name of the data set in tabulate.py.
        model: name of the function in tabulate.py that builds the estimator from a point.
    """

    name: str
    half: str
    data: str
    model: str
    numbers: dict[str, Axis]
    categories: dict[str, tuple[Any, ...]]
    when: dict[str, tuple[str, tuple[Any, ...]]]

    def problem(self) -> HpProblem:
        problem = HpProblem()
        made = {name: problem.add_dim(name, axis.shorthand) for name, axis in self.numbers.items()}
        made |= {name: problem.add_dim(name, list(v)) for name, v in self.categories.items()}
        for child, (parent, values) in self.when.items():
            condition = (
                EqualsCondition(made[child], made[parent], values[0])
                if len(values) == 1
                else InCondition(made[child], made[parent], list(values))
            )
            problem.add_condition(condition)
        return problem

    def is_active(self, name: str, chosen: Point) -> bool:
        if name not in self.when:
            return True
        parent, values = self.when[name]
        return parent in chosen and chosen[parent] in values

    def branches(self) -> Iterator[Point]:
        """All combinations of active categories."""
        seen = set()
        for values in itertools.product(*self.categories.values()):
            chosen: Point = {}
            for name, value in zip(self.categories, values, strict=True):
                if self.is_active(name, chosen):
                    chosen[name] = value
            if (key := branch_key(chosen)) not in seen:
                seen.add(key)
                yield chosen

    def active_numbers(self, branch: Point) -> list[str]:
        return [name for name in self.numbers if self.is_active(name, branch)]

    def value(self, point: Point) -> float:
        branch = {name: point[name] for name in self.categories if name in point}
        table = _load(self.name)[branch_key(branch)]
        for name in self.active_numbers(branch):
            cell, part = self.numbers[name].position(point[name])
            table = (1.0 - part) * table[cell] + part * table[cell + 1]
        return float(table)

    def optimum(self) -> float:
        return max(float(table.max()) for table in _load(self.name).values())

    def task(self) -> Task:
        return Task(
            f"tuning-{self.name}", "tuning", self.half, self.problem, self.value, self.optimum
        )


def branch_key(branch: Point) -> str:
    return json.dumps(branch, sort_keys=True)


@cache
def _load(name: str) -> dict[str, np.ndarray]:
    path = TABLES / f"{name}.npz"
    if not path.exists() or not zipfile.is_zipfile(path):
        raise FileNotFoundError(f"{path}; make it: python -m benchmarks.optimizer.tabulate {name}")
    with np.load(path) as saved:
        keys = json.loads(str(saved["keys"]))
        return {key: saved[f"t{i}"].astype(float) for i, key in enumerate(keys)}


def save(name: str, tables: dict[str, np.ndarray]) -> None:
    TABLES.mkdir(exist_ok=True)
    arrays: dict[str, Any] = {f"t{i}": t.astype(np.float32) for i, t in enumerate(tables.values())}
    np.savez_compressed(TABLES / f"{name}.npz", keys=json.dumps(list(tables)), **arrays)


def available(name: str) -> bool:
    return (TABLES / f"{name}.npz").exists()


TUNING: dict[str, Tuning] = {
    t.name: t
    for t in [
        Tuning(
            "svm-digits",
            "design",
            "digits",
            "svm",
            {
                "C": _log(1e-3, 1e3, 7),
                "gamma": _log(1e-5, 1.0, 6),
                "degree": _linear(2, 5, 4, whole=True),
                "coef0": _linear(0.0, 2.0, 3),
            },
            {"kernel": ("linear", "rbf", "poly", "sigmoid"), "scale": ("none", "standard")},
            {
                "gamma": ("kernel", ("rbf", "poly", "sigmoid")),
                "degree": ("kernel", ("poly",)),
                "coef0": ("kernel", ("poly", "sigmoid")),
            },
        ),
        Tuning(
            "boosting-diabetes",
            "design",
            "diabetes",
            "boosting",
            {
                "learning_rate": _log(1e-3, 1.0, 6),
                "n_estimators": _log(5, 80, 4, whole=True),
                "max_depth": _linear(1, 7, 4, whole=True),
                "subsample": _linear(0.3, 1.0, 2),
                "min_samples_leaf": _log(1, 49, 3, whole=True),
            },
            {"loss": ("squared_error", "absolute_error")},
            {},
        ),
        Tuning(
            "neighbors-wine",
            "design",
            "wine",
            "neighbors",
            {
                "n_neighbors": _log(1, 64, 8, whole=True),
                "p": _linear(1.0, 5.0, 5),
                "components": _linear(2, 12, 6, whole=True),
            },
            {
                "weights": ("uniform", "distance"),
                "metric": ("minkowski", "chebyshev", "cosine", "canberra"),
                "scale": ("none", "standard", "minmax", "robust"),
                "reduce": ("none", "pca", "best"),
            },
            {
                "p": ("metric", ("minkowski",)),
                "components": ("reduce", ("pca", "best")),
            },
        ),
        Tuning(
            "kernel-ridge-diabetes",
            "design",
            "diabetes",
            "kernel_ridge",
            {
                "alpha": _log(1e-4, 1e2, 7),
                "gamma": _log(1e-4, 1e1, 6),
                "degree": _linear(2, 4, 3, whole=True),
                "coef0": _linear(0.0, 2.0, 3),
            },
            {
                "kernel": ("linear", "rbf", "laplacian", "poly"),
                "scale": ("none", "standard", "quantile"),
            },
            {
                "gamma": ("kernel", ("rbf", "laplacian", "poly")),
                "degree": ("kernel", ("poly",)),
                "coef0": ("kernel", ("poly",)),
            },
        ),
        Tuning(
            "forest-wine",
            "report",
            "wine",
            "forest",
            {
                "n_estimators": _log(2, 64, 4, whole=True),
                "max_depth": _linear(1, 10, 4, whole=True),
                "max_features": _linear(0.1, 1.0, 4),
                "min_samples_leaf": _log(1, 25, 4, whole=True),
            },
            {
                "criterion": ("gini", "entropy"),
                "bootstrap": (True, False),
            },
            {},
        ),
        Tuning(
            "network-digits",
            "report",
            "digits",
            "network",
            {
                "learning_rate": _log(1e-4, 1.0, 7),
                "alpha": _log(1e-5, 1.0, 2),
                "units": _log(4, 100, 4, whole=True),
                "momentum": _linear(0.0, 0.95, 3),
            },
            {
                "activation": ("relu", "tanh", "logistic"),
                "solver": ("adam", "sgd"),
            },
            {"momentum": ("solver", ("sgd",))},
        ),
        Tuning(
            "logistic-cancer",
            "report",
            "cancer",
            "logistic",
            {
                "C": _log(1e-4, 1e3, 8),
                "l1_ratio": _linear(0.1, 0.9, 5),
                "iterations": _log(5, 80, 3, whole=True),
            },
            {
                "penalty": ("l2", "l1", "elasticnet"),
                "scale": ("none", "standard", "minmax", "quantile"),
                "weights": ("none", "balanced"),
            },
            {"l1_ratio": ("penalty", ("elasticnet",))},
        ),
        Tuning(
            "pipeline-digits",
            "report",
            "digits",
            "pipeline",
            {
                "components": _log(2, 60, 5, whole=True),
                "n_neighbors": _log(1, 64, 6, whole=True),
                "C": _log(1e-2, 1e3, 6),
                "gamma": _log(1e-5, 1e-1, 5),
                "max_depth": _linear(2, 14, 5, whole=True),
                "min_samples_leaf": _log(1, 32, 4, whole=True),
            },
            {
                "reduce": ("none", "pca", "best"),
                "classifier": ("neighbors", "svm", "tree", "bayes"),
            },
            {
                "components": ("reduce", ("pca", "best")),
                "n_neighbors": ("classifier", ("neighbors",)),
                "C": ("classifier", ("svm",)),
                "gamma": ("classifier", ("svm",)),
                "max_depth": ("classifier", ("tree",)),
                "min_samples_leaf": ("classifier", ("tree",)),
            },
        ),
    ]
}


def grid_points(task: Tuning, branch: Point) -> tuple[list[int], Iterator[Point]]:
    """Shape of a branch's table and its points in order."""
    names = task.active_numbers(branch)
    axes = [task.numbers[name] for name in names]
    values = [[int(g) if a.whole else g for g in a.grid] for a in axes]
    points = (
        {**branch, **dict(zip(names, chosen, strict=True))} for chosen in itertools.product(*values)
    )
    return [len(v) for v in values], points
