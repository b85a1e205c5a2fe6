"""Classifiers of small data, trained at each evaluation: many settings have the same score.

The score is the share of examples that are classified well when each is left out in turn, which
both models give in closed form.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from ConfigSpace import EqualsCondition, InCondition

from benchmarks.optimizer.task import Point, Task
from deephyper.optimizer.arrays import Array
from deephyper.problem import HpProblem

_SCALES = ["none", "standard", "minmax", "rows"]


@cache
def _data(scale: str) -> tuple[Array, Array]:
    """Return features, the most telling first, and classes."""
    from sklearn import datasets, feature_selection, preprocessing

    x, y = datasets.load_wine(return_X_y=True)
    x = x[:, np.argsort(-feature_selection.f_classif(x, y)[0])]
    scalers = {
        "standard": preprocessing.StandardScaler,
        "minmax": preprocessing.MinMaxScaler,
        "rows": preprocessing.Normalizer,
    }
    return (x if scale == "none" else scalers[scale]().fit_transform(x)), y


def _neighbors_problem() -> HpProblem:
    problem = HpProblem()
    problem.add_dim("n", (1, 64, "log-uniform"))
    problem.add_dim("weights", ["uniform", "distance", "rank"])
    metric = problem.add_dim("metric", ["minkowski", "chebyshev", "cosine", "canberra"])
    p = problem.add_dim("p", (0.5, 5.0))
    problem.add_dim("scale", _SCALES)
    problem.add_dim("keep", (1, 13))
    problem.add_condition(EqualsCondition(p, metric, "minkowski"))
    return problem


def _neighbors(point: Point) -> float:
    x, y = _data(point["scale"])
    x = x[:, : point["keep"]]
    gaps = np.abs(x[:, None, :] - x)
    metric = point["metric"]
    if metric == "minkowski":
        distance = (gaps ** point["p"]).sum(2) ** (1.0 / point["p"])
    elif metric == "chebyshev":
        distance = gaps.max(2)
    elif metric == "cosine":
        unit = x / np.maximum(np.linalg.norm(x, axis=1), 1e-12)[:, None]
        distance = np.maximum(1.0 - unit @ unit.T, 0.0)
    else:
        distance = (gaps / (np.abs(x[:, None, :]) + np.abs(x) + 1e-12)).sum(2)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, : point["n"]]
    weight = np.ones(nearest.shape)
    if point["weights"] == "distance":
        weight = 1.0 / (np.take_along_axis(distance, nearest, 1) + 1e-12)
    elif point["weights"] == "rank":
        weight /= 1.0 + np.arange(point["n"])
    votes = np.stack([(weight * (y[nearest] == c)).sum(1) for c in range(3)])
    return float((votes.argmax(0) == y).mean())


def _ridge_problem() -> HpProblem:
    problem = HpProblem()
    problem.add_dim("alpha", (1e-6, 1e3, "log-uniform"))
    kernel = problem.add_dim("kernel", ["linear", "rbf", "laplacian", "poly"])
    gamma = problem.add_dim("gamma", (1e-5, 10.0, "log-uniform"))
    degree = problem.add_dim("degree", (2, 5))
    problem.add_dim("scale", _SCALES)
    problem.add_dim("keep", (1, 13))
    problem.add_condition(InCondition(gamma, kernel, ["rbf", "laplacian", "poly"]))
    problem.add_condition(EqualsCondition(degree, kernel, "poly"))
    return problem


def _ridge(point: Point) -> float:
    x, y = _data(point["scale"])
    x = x[:, : point["keep"]]
    gamma, kernel = point.get("gamma", 1.0), point["kernel"]
    if kernel == "linear":
        k = x @ x.T
    elif kernel == "poly":
        k = (1.0 + gamma * (x @ x.T)) ** point["degree"]
    else:
        gaps = x[:, None, :] - x
        k = np.exp(-gamma * ((gaps**2).sum(2) if kernel == "rbf" else np.abs(gaps).sum(2)))
    k /= np.trace(k) / len(k)
    inverse = np.linalg.inv(k + point["alpha"] * 1e-2 * np.eye(len(k)))
    classes = np.eye(3)[y]
    left_out = classes - (inverse @ classes) / np.diagonal(inverse)[:, None]
    return float((left_out.argmax(1) == y).mean())


def neighbors(half: str) -> Task:
    """Nearest neighbors; the best score is that of a long search."""
    best = 176.0 / 178.0
    return Task("steps-neighbors", "steps", half, _neighbors_problem, _neighbors, lambda: best)


def ridge(half: str) -> Task:
    """Kernel ridge regression on the classes; the best score is that of a long search."""
    best = 1.0
    return Task("steps-kernel-ridge", "steps", half, _ridge_problem, _ridge, lambda: best)
