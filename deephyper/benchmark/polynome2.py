"""The tutorial's problem: a network with one hidden layer for y = -(x_1^2 + ... + x_10^2).

The data are those of ``deephyper new-problem``; the network is scikit-learn's, so nothing beside
deephyper needs to be installed. The objective is the validation R2 after 40 epochs, each of which
is reported. There is no noise in the data, so that 1 is the bound; a search of 50 evaluations comes
to about 0.996.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from deephyper.benchmark.made_problem import made_problem

if TYPE_CHECKING:
    import numpy as np

    from deephyper.problem import HpProblem

    Problem: HpProblem

INPUTS = 10
EPOCHS = 40


def make_problem() -> HpProblem:
    """Return the search space."""
    from deephyper.problem import HpProblem

    problem = HpProblem()
    problem.add_hyperparameter((1, 100), "units")
    problem.add_hyperparameter(["identity", "relu", "sigmoid", "tanh"], "activation")
    problem.add_hyperparameter((0.0001, 1.0), "lr")
    problem.add_starting_point(units=10, activation="identity", lr=0.01)
    return problem


@cache
def load_data(
    n_train: int = 8000, n_valid: int = 2000, seed: int = 42
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return inputs and targets for training and for validation, the same for the same seed.

    Inputs have the shape (n, 10) and lie from -1 to 1, targets have the shape (n,).
    """
    import numpy as np

    random = np.random.default_rng(seed)
    X = random.uniform(-1.0, 1.0, size=(n_train + n_valid, INPUTS))
    y = -np.sum(X**2, axis=1)
    return (X[:n_train], y[:n_train]), (X[n_train:], y[n_train:])


def run(point: dict[str, Any]) -> float:
    """Return the validation R2 after the last epoch."""
    from sklearn.neural_network import MLPRegressor

    from deephyper.callbacks import fit_by_partial_fit

    (train_X, train_y), (valid_X, valid_y) = load_data()
    activation = "logistic" if point["activation"] == "sigmoid" else point["activation"]
    model = MLPRegressor(
        hidden_layer_sizes=(point["units"],),
        activation=activation,
        learning_rate_init=point["lr"],
        batch_size=256,
        random_state=42,  # the same point gives the same objective
    )
    return fit_by_partial_fit(
        model,
        train_X,
        train_y,
        score=lambda model: float(model.score(valid_X, valid_y)),
        epochs=EPOCHS,
    )


__getattr__, __dir__ = made_problem(__name__, make_problem)
