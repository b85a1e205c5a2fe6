"""A problem that is quickly trained: y is the sum of three numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from deephyper.nas import ArchitectureSpace, Identity, NaProblem, op

NUM_TRAIN, NUM_VALID = 96, 32


def load_data() -> Any:
    X = np.random.default_rng(1).normal(size=(NUM_TRAIN + NUM_VALID, 3)).astype("float32")
    y = X.sum(axis=1, keepdims=True)
    return (X[:NUM_TRAIN], y[:NUM_TRAIN]), (X[NUM_TRAIN:], y[NUM_TRAIN:])


def build() -> ArchitectureSpace:
    space = ArchitectureSpace((3,), (1,))
    a = space.variable("a", [op("Dense", 4), Identity, op("Conv1D", 4, 3)])
    space.connect(space.input, a)
    return space


def problem_of(**given: Any) -> NaProblem:
    """Return the problem, with other data, space, loss, metrics, objective or hyperparameters."""
    problem = NaProblem()
    problem.load_data(given.pop("load_data", load_data))
    problem.search_space(given.pop("search_space", build))
    problem.loss(given.pop("loss", "mse"))
    problem.metrics(given.pop("metrics", ["r2"]))
    problem.objective(given.pop("objective", "val_r2__max"))
    problem.hyperparameters(
        **{"learning_rate": (1e-3, 0.5, "log-uniform"), "num_epochs": 3, **given}
    )
    return problem


Problem = problem_of()
POINT = {"a": "Dense(4)", "learning_rate": 0.01}
