"""Make the tables of the tuning tasks: python -m benchmarks.optimizer.tabulate [NAME ...]

Takes some minutes a task on one core. Scores are means over three folds: accuracy for classifiers,
R^2 (not below -1) for regressors.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.optimizer.task import Point
from benchmarks.optimizer.tuning import TUNING, Tuning, branch_key, grid_points, save


def _data(name: str) -> tuple[Any, Any, bool]:
    from sklearn import datasets

    loaders = {
        "digits": (datasets.load_digits, 500),
        "wine": (datasets.load_wine, 178),
        "cancer": (datasets.load_breast_cancer, 569),
        "diabetes": (datasets.load_diabetes, 442),
    }
    load, n = loaders[name]
    x, y = load(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(x))[:n]
    return x[rows], y[rows], name != "diabetes"


def _scaler(kind: str) -> list[Any]:
    from sklearn import preprocessing as pre

    makers: dict[str, Callable[[], list[Any]]] = {
        "none": lambda: [],
        "standard": lambda: [pre.StandardScaler()],
        "minmax": lambda: [pre.MinMaxScaler()],
        "robust": lambda: [pre.RobustScaler()],
        "quantile": lambda: [pre.QuantileTransformer(n_quantiles=50, random_state=0)],
    }
    return makers[kind]()


def _reducer(p: Point) -> list[Any]:
    from sklearn.decomposition import PCA
    from sklearn.feature_selection import SelectKBest

    if p["reduce"] == "none":
        return []
    if p["reduce"] == "pca":
        return [PCA(p["components"], random_state=0)]
    return [SelectKBest(k=p["components"])]


def svm(p: Point) -> list[Any]:
    from sklearn.svm import SVC

    names = ("C", "gamma", "degree", "coef0", "kernel")
    return [
        *_scaler(p["scale"]),
        SVC(max_iter=4000, **{name: p[name] for name in names if name in p}),
    ]


def boosting(p: Point) -> list[Any]:
    from sklearn.ensemble import GradientBoostingRegressor

    return [GradientBoostingRegressor(random_state=0, **p)]


def neighbors(p: Point) -> list[Any]:
    from sklearn.neighbors import KNeighborsClassifier

    names = ("n_neighbors", "p", "weights", "metric")
    return [
        *_scaler(p["scale"]),
        *_reducer(p),
        KNeighborsClassifier(**{name: p[name] for name in names if name in p}),
    ]


def kernel_ridge(p: Point) -> list[Any]:
    from sklearn.kernel_ridge import KernelRidge

    names = ("alpha", "gamma", "degree", "coef0", "kernel")
    return [*_scaler(p["scale"]), KernelRidge(**{name: p[name] for name in names if name in p})]


def forest(p: Point) -> list[Any]:
    from sklearn.ensemble import RandomForestClassifier

    return [RandomForestClassifier(random_state=0, **p)]


def network(p: Point) -> list[Any]:
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    return [
        StandardScaler(),
        MLPClassifier(
            hidden_layer_sizes=(p["units"],),
            activation=p["activation"],
            solver=p["solver"],
            alpha=p["alpha"],
            learning_rate_init=p["learning_rate"],
            momentum=p.get("momentum", 0.9),
            max_iter=15,
            batch_size=64,
            random_state=0,
        ),
    ]


def logistic(p: Point) -> list[Any]:
    from sklearn.linear_model import LogisticRegression

    ratio = {"l2": 0.0, "l1": 1.0}.get(p["penalty"], p.get("l1_ratio"))
    return [
        *_scaler(p["scale"]),
        LogisticRegression(
            C=p["C"],
            l1_ratio=ratio,
            solver="saga",
            class_weight=None if p["weights"] == "none" else "balanced",
            max_iter=p["iterations"],
            random_state=0,
        ),
    ]


def pipeline(p: Point) -> list[Any]:
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    classifier = {
        "neighbors": lambda: KNeighborsClassifier(p["n_neighbors"]),
        "svm": lambda: SVC(C=p["C"], gamma=p["gamma"]),
        "tree": lambda: DecisionTreeClassifier(
            max_depth=p["max_depth"], min_samples_leaf=p["min_samples_leaf"], random_state=0
        ),
        "bayes": lambda: GaussianNB(),
    }[p["classifier"]]()
    return [*_reducer(p), classifier]


def score(task: Tuning, point: Point, x: Any, y: Any, classifies: bool) -> float:
    """Cross-validated score of a point."""
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline

    folds = (StratifiedKFold if classifies else KFold)(3, shuffle=True, random_state=0)
    model = make_pipeline(*globals()[task.model](dict(point)))
    scores = cross_val_score(
        model, x, y, cv=folds, scoring="accuracy" if classifies else "r2", error_score=-1.0
    )
    return max(float(np.nan_to_num(scores, nan=-1.0).mean()), -1.0)


def main(names: list[str]) -> None:
    warnings.filterwarnings("ignore")
    for name in names or list(TUNING):
        task = TUNING[name]
        x, y, classifies = _data(task.data)
        start, tables, n = time.perf_counter(), {}, 0
        for branch in task.branches():
            shape, points = grid_points(task, branch)
            scores = [score(task, point, x, y, classifies) for point in points]
            tables[branch_key(branch)] = np.array(scores).reshape(shape)
            n += len(scores)
        save(name, tables)
        print(f"{name}: {n} points in {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
