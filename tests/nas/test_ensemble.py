"""Ensembles of what a search has kept."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper import Evaluator, RandomSearch
from deephyper.errors import ResultsError, SettingsError
from deephyper.nas import ArchitectureSpace, Identity, NaProblem, Training, op
from tests.nas.small_problem import Problem, build, load_data, problem_of

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.tensorflow

from deephyper.nas.ensemble.ensemble import build_ensemble, select  # noqa: E402
from deephyper.nas.ensemble.losses import Losses  # noqa: E402
from deephyper.nas.ensemble.uncertainty import uncertainty  # noqa: E402


def search(problem: NaProblem, log_dir: Path, max_evals: int, *, keep_model: bool = True) -> None:
    """Search in threads, which needn't import Keras again."""
    with Evaluator.create(Training(problem, keep_model), "thread") as evaluator:
        RandomSearch(problem, evaluator, log_dir=log_dir, seed=3).search(max_evals)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log_dir = tmp_path_factory.mktemp("searched") / "log"
    search(Problem, log_dir, max_evals=9)
    return log_dir


def mse(prediction: Any) -> float:
    return float(np.mean((prediction - load_data()[1][1]) ** 2))


def test_it_is_at_least_as_good_as_the_best_network(searched: Path) -> None:
    ensemble = build_ensemble(Problem, searched, k=3)
    assert 1 <= len(ensemble.members) <= 3
    assert sum(member.weight for member in ensemble.members) == pytest.approx(1.0)
    assert ensemble.loss <= ensemble.best_single.loss
    X, y = load_data()[1]
    predicted = ensemble.model.predict(X, verbose=0)
    assert mse(predicted) == pytest.approx(ensemble.loss, rel=1e-4)
    r2 = 1 - ((predicted - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert ensemble.metrics["r2"] == pytest.approx(r2, abs=1e-4)


def test_its_model_is_the_mean_of_its_members_as_they_were_kept(
    searched: Path, tmp_path: Path
) -> None:
    ensemble = build_ensemble(Problem, searched, k=3)
    ensemble.save(tmp_path / "kept")
    X = load_data()[1][0]
    mean = sum(
        member.weight
        * keras.models.load_model(
            searched / "evaluations" / member.id / "best_model.keras"
        ).predict(X, verbose=0)
        for member in ensemble.members
    )
    loaded = keras.models.load_model(tmp_path / "kept" / "ensemble.keras")
    assert loaded.predict(X, verbose=0) == pytest.approx(mean, abs=1e-5)
    described = json.loads((tmp_path / "kept" / "ensemble.json").read_text())
    assert [each["id"] for each in described["members"]] == [m.id for m in ensemble.members]
    assert described["num_candidates"] == ensemble.num_candidates >= 3
    with (tmp_path / "kept" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["prediction"]) for row in rows] == pytest.approx(mean[:, 0], abs=1e-5)
    assert {float(row["aleatoric"]) > 0 for row in rows} == {True}


def test_a_network_alone_is_sure(searched: Path) -> None:
    ensemble = build_ensemble(Problem, searched, k=1)
    (member,) = ensemble.members
    assert member == ensemble.best_single
    assert ensemble.uncertainty.means["epistemic"] == 0.0
    assert ensemble.uncertainty.means["aleatoric"] == pytest.approx(ensemble.loss**0.5)


def test_classes(tmp_path: Path) -> None:
    problem = problem_of(
        load_data=load_classes,
        search_space=build_classifier,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        objective="val_accuracy__max",
    )
    search(problem, tmp_path, max_evals=6)
    ensemble = build_ensemble(problem, tmp_path, k=3)
    columns = ensemble.uncertainty.columns
    probabilities = ensemble.model.predict(load_classes()[1][0], verbose=0)
    assert columns["prediction"].tolist() == probabilities.argmax(axis=1).tolist()
    assert columns["probability"] == pytest.approx(probabilities.max(axis=1), abs=1e-5)
    total = -(probabilities * np.log(probabilities)).sum(axis=1)
    assert columns["aleatoric"] + columns["epistemic"] == pytest.approx(total, abs=1e-4)


@pytest.mark.long
def test_several_outputs_have_their_names(tmp_path: Path) -> None:
    def two() -> Any:
        return tuple((X, {"z": y, "a": -3 * y}) for X, y in load_data())

    def space_of_two() -> ArchitectureSpace:
        space = ArchitectureSpace((3,), {"z": (1,), "a": (1,)})
        space.connect("input", space.variable("hidden", [op("Dense", 4), Identity]))
        return space

    problem = problem_of(
        load_data=two,
        search_space=space_of_two,
        loss={"z": "mse", "a": "mae"},
        metrics={"z": ["mae"]},
        objective="-val_loss",
        num_epochs=1,
    )
    search(problem, tmp_path, max_evals=2)
    ensemble = build_ensemble(problem, tmp_path, k=1)
    X, targets = two()[1]
    predicted = ensemble.model.predict(X, verbose=0)
    for name in ("z", "a"):
        found = ensemble.uncertainty.columns[f"{name}_prediction"]
        assert found == pytest.approx(predicted[name][:, 0], abs=1e-5)
    loss = ((predicted["z"] - targets["z"]) ** 2).mean() + abs(predicted["a"] - targets["a"]).mean()
    assert ensemble.loss == pytest.approx(loss, rel=1e-4)


def load_classes() -> Any:
    (X, y), (valid_X, valid_y) = load_data()
    return (X, classes(y)), (valid_X, classes(valid_y))


def classes(y: Any) -> Any:
    return np.digitize(y[:, 0], [-1.0, 1.0])


def build_classifier() -> ArchitectureSpace:
    space = ArchitectureSpace((3,), (3,), output=op("Dense", 3, activation="softmax"))
    space.connect(space.input, space.variable("a", [op("Dense", 8, activation="relu"), Identity]))
    return space


def test_those_are_taken_that_are_good_together() -> None:
    y = np.zeros((4, 1))
    errors = ([1.0, 1.0, 1.0, 1.0], [-1.2, -1.2, -1.2, -1.2], [0.9, 0.9, 0.9, 0.9], [5.0] * 4)
    predictions = [[y + np.array(each)[:, None]] for each in errors]
    losses = Losses("mse")
    # Alone the third is the best; the second, bad as it is, makes up for its errors.
    counts = select(predictions, lambda prediction: losses([y], prediction), 2)
    assert set(counts) == {1, 2}
    weights = np.array([counts[1], counts[2]]) / sum(counts.values())
    assert abs(weights @ [-1.2, 0.9]) < 0.05
    assert select(predictions, lambda prediction: losses([y], prediction), 1) == {2: 1}


def test_networks_without_a_finite_loss_are_not_taken() -> None:
    y = np.zeros((4, 1))
    predictions = [[y + np.nan], [y + 1.0], [y + np.inf]]
    losses = Losses("mse")
    assert select(predictions, lambda prediction: losses([y], prediction), 3) == {1: 1}


def test_disagreement_is_epistemic_and_being_unsure_is_aleatoric() -> None:
    y, half = np.array([0, 1]), [0.5, 0.5]
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    unsure = np.array([[0.5, 0.5], [0.5, 0.5]])
    losses = Losses("sparse_categorical_crossentropy")
    agree = uncertainty([[sure], [sure]], half, [y], losses).columns
    assert agree["aleatoric"] == pytest.approx([0, 0])
    assert agree["epistemic"] == pytest.approx([0, 0])
    disagree = uncertainty([[sure], [sure[::-1]]], half, [y], losses).columns
    assert disagree["aleatoric"] == pytest.approx([0, 0])
    assert disagree["epistemic"] == pytest.approx([np.log(2)] * 2)
    both = uncertainty([[unsure], [unsure]], half, [y], losses).columns
    assert both["aleatoric"] == pytest.approx([np.log(2)] * 2)
    assert both["epistemic"] == pytest.approx([0, 0])


def test_each_place_of_a_segmentation_has_classes_of_its_own() -> None:
    p = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [1.0, 0.0]]])  # (n, places, classes)
    losses = Losses("sparse_categorical_crossentropy")
    found = uncertainty([[p]], [1.0], [np.zeros((2, 2))], losses).columns
    assert found["prediction_0"].tolist() == [0, 0]
    assert found["prediction_1"].tolist() == [1, 0]
    assert found["probability_1"] == pytest.approx([0.8, 1.0])
    assert found["aleatoric_0"][1] == pytest.approx(np.log(2))


def test_a_loss_of_the_users_may_be_of_the_numbers_of_classes() -> None:
    def mine(target: Any, prediction: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(target, prediction)

    p = np.array([[0.9, 0.1, 0.0], [0.2, 0.2, 0.6]])
    found = uncertainty([[p]], [1.0], [np.array([0, 1])], Losses(mine)).columns
    assert found["prediction"].tolist() == [0, 2]


@pytest.mark.parametrize("logits", [False, True])
def test_labels_of_their_own_are_told_apart(logits: bool) -> None:
    p = np.array([[0.9, 0.2], [0.4, 0.7]])
    given = np.log(p / (1 - p)) if logits else p
    losses = Losses(keras.losses.BinaryCrossentropy(from_logits=logits))
    found = uncertainty([[given]], [1.0], [np.zeros((2, 2))], losses).columns
    assert found["prediction_0"].tolist() == [1, 0]
    assert found["prediction_1"].tolist() == [0, 1]
    assert found["probability_0"] == pytest.approx([0.9, 0.6])


def test_the_variance_of_a_mixture_is_divided() -> None:
    y = np.zeros((3, 1))
    one, two = y + 1.0, y - 3.0
    found = uncertainty([[one], [two]], [0.75, 0.25], [y], Losses("mse")).columns
    assert found["prediction"] == pytest.approx([0.0] * 3)
    assert found["aleatoric"] ** 2 == pytest.approx([0.75 * 1 + 0.25 * 9] * 3)
    assert found["epistemic"] ** 2 == pytest.approx([0.75 * 1 + 0.25 * 9] * 3)


def test_a_search_that_kept_no_models_is_refused(tmp_path: Path) -> None:
    search(Problem, tmp_path, max_evals=2, keep_model=False)
    with pytest.raises(ResultsError, match="has kept its model"):
        build_ensemble(Problem, tmp_path)


def test_there_is_no_ensemble_of_none(searched: Path) -> None:
    with pytest.raises(SettingsError, match="k"):
        build_ensemble(Problem, searched, k=0)


def test_nothing_is_overwritten(searched: Path, tmp_path: Path) -> None:
    ensemble = build_ensemble(Problem, searched, k=2)
    ensemble.save(tmp_path)
    with pytest.raises(ResultsError, match="exists already"):
        ensemble.save(tmp_path)
    ensemble.save(tmp_path, force=True)


def test_other_problems_are_told_apart(searched: Path) -> None:
    other: NaProblem = problem_of(search_space=build_classifier)
    with pytest.raises(ResultsError, match="isn't the model of its point"):
        build_ensemble(other, searched)

    def wider() -> ArchitectureSpace:
        space = ArchitectureSpace((3,), (1,))
        space.connect("input", space.variable("a", [op("Dense", 5), op("Dense", 6)]))
        return space

    with pytest.raises(ResultsError, match=r"is no point of the problem: .*; give the problem"):
        build_ensemble(problem_of(search_space=wider), searched)


def test_a_choice_that_the_results_do_not_have_is_not_made_up(searched: Path) -> None:
    def longer() -> ArchitectureSpace:
        space = build()
        space.connect("a", space.variable("b", [Identity, op("Dense", 4)]))
        return space

    with pytest.raises(ResultsError, match="the results have no column 'b'"):
        build_ensemble(problem_of(search_space=longer), searched)


def test_a_model_that_is_damaged_is_left_out_and_said(searched: Path, tmp_path: Path) -> None:
    log_dir = Path(shutil.copytree(searched, tmp_path / "log"))
    best, *others = sorted(log_dir.glob("evaluations/*/best_model.keras"))
    best.write_text("no model")
    said: list[str] = []
    ensemble = build_ensemble(Problem, log_dir, k=2, on_notice=said.append)
    assert ensemble.num_candidates == len(others)
    (line,) = said
    assert line.startswith(f"'{best}' isn't the model of its point (")
    assert line.endswith("; it is left out")
    for path in others:
        path.write_text("no model")
    with pytest.raises(ResultsError, match="isn't the model of its point"):
        build_ensemble(Problem, log_dir, k=2)
