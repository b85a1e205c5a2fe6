"""A network that reads scikit-learn's 1,797 handwritten digits, and reports each of 30 epochs.

The data are a part of E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI
Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49. The objective is the validation
accuracy on 540 of them. The optimum is not known; a search of 50 evaluations comes to about
0.983. A training that is interrupted or paused continues after its last epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deephyper.benchmark.made_problem import made_problem

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

    Problem: HpProblem

EPOCHS = 30


def make_problem() -> HpProblem:
    """Return the search space."""
    from deephyper.problem import HpProblem

    problem = HpProblem()
    problem.add_hyperparameter((8, 128, "log-uniform"), "units")
    problem.add_hyperparameter(["relu", "tanh", "logistic"], "activation")
    problem.add_hyperparameter((1e-4, 1e-1, "log-uniform"), "learning_rate")
    problem.add_hyperparameter((1e-6, 1.0, "log-uniform"), "alpha")
    problem.add_hyperparameter([16, 32, 64, 128], "batch_size")
    return problem


def run(point: dict[str, Any]) -> float:
    """Return the validation accuracy after the last epoch."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    from deephyper.callbacks import fit_by_partial_fit
    from deephyper.evaluator.current import evaluation

    X, y = load_digits(return_X_y=True)
    train_X, valid_X, train_y, valid_y = train_test_split(X / 16, y, test_size=0.3, random_state=0)
    model = MLPClassifier(
        hidden_layer_sizes=(point["units"],),
        activation=point["activation"],
        learning_rate_init=point["learning_rate"],
        alpha=point["alpha"],
        batch_size=point["batch_size"],
        random_state=evaluation.seed,
    )
    return fit_by_partial_fit(
        model,
        train_X,
        train_y,
        score=lambda model: float(model.score(valid_X, valid_y)),
        epochs=EPOCHS,
    )


__getattr__, __dir__ = made_problem(__name__, make_problem)
