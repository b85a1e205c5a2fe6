"""The tasks: half of them to build with, half for the report."""

from __future__ import annotations

from benchmarks.curves.space import Space
from benchmarks.curves.task import Task

_NETWORK_SGD = {"momentum": ("optimizer", ["sgd"])}

TASKS: dict[str, Task] = {
    task.name: task
    for task in [
        Task(
            name="perceptron-digits",
            half="design",
            steps=50,
            metric="accuracy",
            resolution=1 / 600,
            space=Space(
                {
                    "optimizer": ["sgd", "adam"],
                    "layers": [1, 2],
                    "units": [8, 24, 64],
                    "activation": ["relu", "tanh"],
                    "batch": [16, 64],
                    "learning_rate": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
                    "momentum": [0.0, 0.8, 0.95],
                    "weight_decay": [0.0, 0.001, 0.03],
                    "dropout": [0.0, 0.3],
                    "schedule": ["constant", "cosine"],
                },
                _NETWORK_SGD,
            ),
            stacked=("optimizer", "layers", "units", "activation", "batch"),
        ),
        Task(
            name="convolution-digits",
            half="design",
            steps=40,
            metric="accuracy",
            resolution=1 / 600,
            space=Space(
                {
                    "optimizer": ["sgd", "adam"],
                    "filters": [3, 6, 10],
                    "pooling": ["max", "mean"],
                    "augmentation": ["none", "shift"],
                    "batch": [16, 64],
                    "learning_rate": [0.0003, 0.001, 0.005, 0.02, 0.08, 0.3],
                    "momentum": [0.0, 0.9],
                    "dropout": [0.0, 0.4],
                    "smoothing": [0.0, 0.1],
                    "init": [0.5, 1.5],
                },
                _NETWORK_SGD,
            ),
            stacked=("optimizer", "filters", "pooling", "augmentation", "batch"),
        ),
        Task(
            name="boosting-cancer",
            half="design",
            steps=60,
            metric="likelihood",
            resolution=0.0002,
            floor=-1.5,
            space=Space(
                {
                    "loss": ["log_loss", "exponential"],
                    "learning_rate": [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8],
                    "max_depth": [1, 2, 3, 5],
                    "subsample": [0.3, 0.6, 1.0],
                    "max_features": [0.1, 0.3, 1.0],
                    "min_samples_leaf": [1, 5, 20],
                    "max_leaf_nodes": [4, 16],
                },
            ),
        ),
        Task(
            name="language-characters",
            half="design",
            steps=40,
            metric="likelihood",
            resolution=0.001,
            floor=-8.0,
            space=Space(
                {
                    "optimizer": ["sgd", "adam"],
                    "context": [2, 4],
                    "embedding": [4, 12],
                    "units": [16, 48],
                    "batch": [16, 64],
                    "learning_rate": [0.0005, 0.002, 0.008, 0.03, 0.1, 0.3, 1.0],
                    "momentum": [0.0, 0.9],
                    "weight_decay": [0.0, 0.002],
                    "dropout": [0.0, 0.2],
                    "init": [0.5, 1.5],
                    "schedule": ["constant", "cosine"],
                },
                _NETWORK_SGD,
            ),
            stacked=("optimizer", "context", "embedding", "units", "batch"),
        ),
        Task(
            name="perceptron-diabetes",
            half="report",
            steps=60,
            metric="r2",
            resolution=0.0005,
            floor=-1.0,
            space=Space(
                {
                    "optimizer": ["sgd", "adam"],
                    "layers": [1, 2, 3],
                    "units": [4, 16, 48],
                    "activation": ["relu", "tanh"],
                    "batch": [8, 32],
                    "learning_rate": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
                    "momentum": [0.0, 0.9],
                    "weight_decay": [0.0, 0.01, 0.3],
                    "dropout": [0.0, 0.2],
                    "init": [0.3, 1.0],
                },
                _NETWORK_SGD,
            ),
            stacked=("optimizer", "layers", "units", "activation", "batch"),
        ),
        Task(
            name="convolution-noisy",
            half="report",
            steps=40,
            metric="likelihood",
            resolution=0.001,
            floor=-8.0,
            space=Space(
                {
                    "optimizer": ["sgd", "adam"],
                    "filters": [3, 6, 12],
                    "pooling": ["max", "mean"],
                    "augmentation": ["none", "shift"],
                    "batch": [16, 64],
                    "learning_rate": [0.0005, 0.002, 0.008, 0.03, 0.1, 0.3],
                    "momentum": [0.0, 0.9],
                    "dropout": [0.0, 0.4],
                    "smoothing": [0.0, 0.2],
                    "schedule": ["constant", "cosine"],
                },
                _NETWORK_SGD,
            ),
            stacked=("optimizer", "filters", "pooling", "augmentation", "batch"),
        ),
        Task(
            name="boosting-diabetes",
            half="report",
            steps=64,
            metric="r2",
            resolution=0.0005,
            floor=-1.0,
            space=Space(
                {
                    "loss": ["squared_error", "absolute_error", "huber"],
                    "alpha": [0.5, 0.75, 0.9],
                    "learning_rate": [0.01, 0.02, 0.05, 0.1, 0.2, 0.4],
                    "max_depth": [1, 2, 3, 5],
                    "subsample": [0.3, 0.6, 1.0],
                    "max_features": [0.2, 0.5, 1.0],
                    "min_samples_leaf": [1, 8, 30],
                },
                {"alpha": ("loss", ["huber"])},
            ),
        ),
        Task(
            name="language-words",
            half="report",
            steps=30,
            metric="likelihood",
            resolution=0.001,
            floor=-8.0,
            space=Space(
                {
                    "optimizer": ["sgd", "adam"],
                    "context": [1, 3],
                    "embedding": [4, 16],
                    "units": [12, 40],
                    "batch": [16, 64],
                    "learning_rate": [0.0005, 0.002, 0.008, 0.03, 0.1, 0.3, 1.0],
                    "momentum": [0.0, 0.9],
                    "weight_decay": [0.0, 0.004],
                    "dropout": [0.0, 0.3],
                    "smoothing": [0.0, 0.05],
                    "schedule": ["constant", "cosine"],
                },
                _NETWORK_SGD,
            ),
            stacked=("optimizer", "context", "embedding", "units", "batch"),
        ),
    ]
}


def tasks(half: str | None = None) -> list[Task]:
    """The tasks of a half, "design" or "report", whose tables have been made; None for all."""
    return [task for task in TASKS.values() if half in (None, task.half) and task.available]
