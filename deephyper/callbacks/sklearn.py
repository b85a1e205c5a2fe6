"""scikit-learn: trainings step by step, by ``partial_fit`` or ``warm_start``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from deephyper.callbacks.checkpoint import Checkpoint, checked_name
from deephyper.callbacks.random_numbers import random_state, set_random_state
from deephyper.checks import whole
from deephyper.errors import SettingsError
from deephyper.evaluator.current import evaluation


def fit_by_partial_fit(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    score: Callable[[Any], float],
    epochs: int,
    classes: Any = None,
    checkpoint: bool = True,
    name: str = "training",
) -> float:
    """Train an estimator by calls of ``partial_fit`` with all data, and report after each.

    An evaluation that runs again after an interruption continues after its last epoch.

    Args:
        estimator: one that has ``partial_fit``, such as ``SGDClassifier`` and ``MLPRegressor``; it
            is trained in place.
        X: of shape (n_samples, n_features).
        y: of shape (n_samples,) or (n_samples, n_outputs).
        score: takes the estimator and returns the objective, with the sign of what ``run`` returns:
            ``lambda model: model.score(X_valid, y_valid)``.
        epochs: how many calls; the step of a report is their number.
        classes: for a classifier, all that there are; None for those in ``y``.
        checkpoint: whether to keep the estimator as it is after each epoch until it is trained.
        name: of the training, where an evaluation has several; names the checkpoint.

    Returns:
        The last score.

    Raises:
        SettingsError: if an argument can't be used, or two trainings of an evaluation have one
            name.
        ResultsError: if the checkpoint can't be read or is of another estimator.
        ValueError: if a score isn't a finite number.
        EvaluationPruned: if the search wants the evaluation to end.
    """
    if not hasattr(estimator, "partial_fit"):
        kind = type(estimator).__name__
        raise SettingsError(f"{kind} has no partial_fit; use fit_by_warm_start if it can")
    further: dict[str, Any] = {}
    if "classes" in inspect.signature(estimator.partial_fit).parameters:
        from sklearn.utils.multiclass import unique_labels

        further["classes"] = unique_labels(y) if classes is None else classes

    def train(step: int) -> None:
        estimator.partial_fit(X, y, **further)

    steps = range(1, whole("epochs", epochs, 1) + 1)
    return _train(estimator, steps, train, score, checkpoint, name)


def fit_by_warm_start(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    score: Callable[[Any], float],
    values: Iterable[int],
    parameter: str = "n_estimators",
    checkpoint: bool = True,
    name: str = "training",
) -> float:
    """Train an estimator by calls of ``fit`` with ``warm_start``, and report after each.

    An evaluation that runs again after an interruption continues after its last step.

    Args:
        estimator: one that has ``warm_start``, such as ``GradientBoostingRegressor`` and
            ``RandomForestClassifier``, or a pipeline that ends in one; it is trained in place.
        X: of shape (n_samples, n_features).
        y: of shape (n_samples,) or (n_samples, n_outputs).
        score: takes the estimator and returns the objective, with the sign of what ``run`` returns:
            ``lambda model: model.score(X_valid, y_valid)``.
        values: those of the parameter at each step, ascending: ``range(10, 201, 10)``. They are the
            steps of the reports.
        parameter: what grows, and counts from the beginning: ``n_estimators``, or ``max_iter`` of
            ``HistGradientBoostingRegressor``. In a pipeline with the name of its part:
            ``"forest__n_estimators"``.
        checkpoint: whether to keep the estimator as it is after each step until it is trained.
        name: of the training, where an evaluation has several; names the checkpoint.

    Returns:
        The last score.

    Raises:
        SettingsError: if an argument can't be used, or two trainings of an evaluation have one
            name.
        ResultsError: if the checkpoint can't be read or is of another estimator.
        ValueError: if a score isn't a finite number.
        EvaluationPruned: if the search wants the evaluation to end.
    """
    part, separator, _ = parameter.rpartition("__")
    warm_start = f"{part}{separator}warm_start"
    parameters = estimator.get_params()
    for needed in (parameter, warm_start):
        if needed not in parameters:
            raise SettingsError(f"{type(estimator).__name__} has no parameter '{needed}'")
    steps: list[int] = []
    for value in values:
        steps.append(whole("a value", value, steps[-1] + 1 if steps else 1))
    if not steps:
        raise SettingsError("values is empty; give those of the parameter at each step")

    def train(step: int) -> None:
        estimator.set_params(**{warm_start: True, parameter: step}).fit(X, y)

    return _train(estimator, steps, train, score, checkpoint, name)


def _train(
    estimator: Any,
    steps: Iterable[int],
    train: Callable[[int], None],
    score: Callable[[Any], float],
    checkpoint: bool,
    name: str,
) -> float:
    kept = Checkpoint.of_training(checked_name(name)) if checkpoint else None
    done = 0
    objective: float | None = None
    state = None if kept is None else kept.load()
    if kept is not None and state is not None:
        done, loaded, objective, random = state
        if type(loaded) is not type(estimator):
            raise kept.unusable(f"is of {type(loaded).__name__}, not {type(estimator).__name__}")
        vars(estimator).update(vars(loaded))
        set_random_state(random)
    for step in steps:
        if step <= done:
            continue
        train(step)
        objective = score(estimator)
        if kept is not None:
            kept.save((step, estimator, objective, random_state()))
        evaluation.report(objective, step=step)
    if kept is not None:
        kept.remove()
    assert objective is not None  # there is a step, of now or before
    return objective
