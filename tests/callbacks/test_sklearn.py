"""Trainings of scikit-learn, step by step, with the real library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper.callbacks import fit_by_partial_fit, fit_by_warm_start
from deephyper.errors import ResultsError, SettingsError
from deephyper.evaluator.current import EvaluationPruned
from tests.callbacks.recorded import Recorded

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 3))
Y = np.where(X.sum(axis=1) + RANDOM.normal(size=80) > 0, "yes", "no")


def network() -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(4, batch_size=20, random_state=1)


def linear() -> Any:
    from sklearn.linear_model import SGDClassifier

    return SGDClassifier(random_state=1)


def boosting() -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(subsample=0.5, max_depth=2, random_state=1)


def forest_behind_scaling() -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    forest = RandomForestClassifier(random_state=1, max_depth=2)
    return Pipeline([("scaling", StandardScaler()), ("forest", forest)])


def unseeded() -> Any:
    """An estimator that draws from the random numbers of the process."""
    np.random.seed(5)
    return linear().set_params(random_state=None)


def score(model: Any) -> float:
    return float(model.score(X, Y))


def by_partial_fit(model: Any, **arguments: Any) -> float:
    usual: dict[str, Any] = {"score": score, "epochs": 5}
    return fit_by_partial_fit(model, X, Y, **(usual | arguments))


def by_warm_start(model: Any, **arguments: Any) -> float:
    usual: dict[str, Any] = {"score": score, "values": [2, 4, 6, 8, 10]}
    if type(model).__name__ == "Pipeline":
        usual["parameter"] = "forest__n_estimators"
    return fit_by_warm_start(model, X, Y, **(usual | arguments))


TRAININGS = [
    (by_partial_fit, network, [1, 2, 3, 4, 5]),
    (by_partial_fit, linear, [1, 2, 3, 4, 5]),
    (by_partial_fit, unseeded, [1, 2, 3, 4, 5]),
    (by_warm_start, boosting, [2, 4, 6, 8, 10]),
    (by_warm_start, forest_behind_scaling, [2, 4, 6, 8, 10]),
]
Train = Callable[..., float]


@pytest.mark.parametrize(("train", "made", "steps"), TRAININGS)
def test_each_step_is_reported(
    tmp_path: Path, train: Train, made: Callable[[], Any], steps: list[int]
) -> None:
    running, model = Recorded(tmp_path), made()
    with running:
        last = train(model)
    assert running.steps == steps
    assert running.objectives[-1] == last == score(model)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("train", "made", "steps"), TRAININGS)
def test_an_interrupted_training_continues_exactly_where_it_was(
    tmp_path: Path, train: Train, made: Callable[[], Any], steps: list[int]
) -> None:
    whole = Recorded(tmp_path / "whole")
    with whole:
        train(expected := made())
    first, second, model = Recorded(tmp_path / "3", stop_after=2), Recorded(tmp_path / "3"), made()
    with first, pytest.raises(EvaluationPruned):
        train(made())
    with second:
        last = train(model)
    assert first.reports + second.reports == whole.reports
    assert second.steps == steps[2:]
    assert last == whole.objectives[-1]
    predict = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    np.testing.assert_array_equal(getattr(model, predict)(X), getattr(expected, predict)(X))


def test_steps_are_those_of_a_training_in_one_go(tmp_path: Path) -> None:
    with Recorded(tmp_path):
        by_warm_start(grown := boosting())
    whole = boosting().set_params(n_estimators=10).fit(X, Y)
    assert score(grown) == score(whole)
    assert len(grown.estimators_) == 10


def test_a_training_that_was_ended_at_its_last_step_has_its_last_score(tmp_path: Path) -> None:
    with Recorded(tmp_path, stop_after=5), pytest.raises(EvaluationPruned):
        by_partial_fit(model := network())
    again = Recorded(tmp_path)
    with again:
        assert by_partial_fit(network()) == score(model)
    assert again.steps == []


def test_outside_a_search_the_model_is_trained_and_that_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = network()
    assert by_partial_fit(model) == score(model)
    assert list(tmp_path.iterdir()) == []


def test_a_regressor_has_no_classes(tmp_path: Path) -> None:
    from sklearn.linear_model import SGDRegressor

    running = Recorded(tmp_path)
    with running:
        fit_by_partial_fit(
            SGDRegressor(random_state=1),
            X,
            X.sum(axis=1),
            score=lambda model: -float(abs(model.predict(X) - X.sum(axis=1)).mean()),
            epochs=3,
        )
    assert running.steps == [1, 2, 3]
    assert running.objectives == sorted(running.objectives)


def test_classes_that_are_not_in_the_data_can_be_given() -> None:
    model = linear()
    by_partial_fit(model, classes=["maybe", "no", "yes"])
    assert list(model.classes_) == ["maybe", "no", "yes"]


def test_the_checkpoint_of_another_estimator_is_refused(tmp_path: Path) -> None:
    with Recorded(tmp_path, stop_after=2), pytest.raises(EvaluationPruned):
        by_partial_fit(network())
    message = "is of MLPClassifier, not SGDClassifier; remove it"
    with Recorded(tmp_path), pytest.raises(ResultsError, match=message):
        by_partial_fit(linear())


def test_two_trainings_with_one_name_are_refused(tmp_path: Path) -> None:
    with Recorded(tmp_path):
        by_warm_start(boosting(), name="fold-1")
        by_warm_start(boosting(), name="fold-2", values=[11])
        with pytest.raises(SettingsError, match="give each a name of its own"):
            by_warm_start(boosting(), name="fold-1")


@pytest.mark.parametrize(
    ("train", "made", "arguments", "message"),
    [
        (by_partial_fit, boosting, {}, "GradientBoostingClassifier has no partial_fit"),
        (by_partial_fit, network, {"epochs": 0}, "epochs is 0"),
        (by_partial_fit, network, {"name": "a/b"}, "name is 'a/b'"),
        (by_warm_start, linear, {}, "SGDClassifier has no parameter 'n_estimators'"),
        (by_warm_start, boosting, {"values": []}, "values is empty"),
        (by_warm_start, boosting, {"values": [5, 5]}, "a value is 5; give .* at least 6"),
        (by_warm_start, boosting, {"values": [2.5]}, "a value is 2.5"),
    ],
)
def test_bad_arguments_are_refused(
    train: Train, made: Callable[[], Any], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        train(made(), **arguments)
