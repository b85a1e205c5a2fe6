"""The default run function: trainings of networks, and what comes of bad ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper import RandomSearch
from deephyper.errors import ProblemError
from deephyper.evaluator import Evaluator
from deephyper.evaluator.current import EvaluationPruned
from deephyper.evaluator.run_function import call
from deephyper.nas import ArchitectureSpace, NaProblem, Training, op, run
from tests.callbacks.recorded import Recorded
from tests.nas.small_problem import NUM_TRAIN, POINT, Problem, build, load_data, problem_of

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.tensorflow
METRICS = {"num_parameters", "training_seconds", "inference_seconds"}
SPEC = f"{Path(__file__).with_name('small_problem.py')}::Problem"


def history_in(directory: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads((directory / "history.json").read_text())
    return found


def test_a_network_is_trained_reported_and_kept(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        result = run(POINT, Problem)
    history = history_in(tmp_path)
    assert set(history) == {"loss", "r2", "val_loss", "val_r2"}
    assert running.steps == [1, 2, 3]
    assert running.objectives == pytest.approx(np.maximum.accumulate(history["val_r2"]))
    assert result["objective"] == max(history["val_r2"])
    assert result["metrics"].keys() == METRICS
    assert result["metrics"]["num_parameters"] == 4 * 4 + 5
    assert all(value > 0 for value in result["metrics"].values())
    assert {each.name for each in tmp_path.iterdir()} == {"history.json", "best_model.keras"}
    X, y = load_data()[1]
    predicted = keras.models.load_model(tmp_path / "best_model.keras").predict(X, verbose=0)
    r2 = 1 - ((predicted - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert r2 == pytest.approx(result["objective"], abs=1e-4)


def test_the_best_epoch_is_kept_and_not_the_last_one(tmp_path: Path) -> None:
    # Each epoch is worse than the one before.
    problem = problem_of(objective="val_loss", num_epochs=3, optimizer="sgd")
    with Recorded(tmp_path):
        result = run({**POINT, "learning_rate": 0.05}, problem)
    losses = history_in(tmp_path)["val_loss"]
    assert losses == sorted(losses, reverse=True)
    assert result["objective"] == losses[-1]
    model = keras.models.load_model(tmp_path / "best_model.keras")
    X, y = load_data()[1]
    assert model.evaluate(X, y, verbose=0)[0] == pytest.approx(losses[0], rel=1e-3)


def test_the_same_evaluation_comes_to_the_same(tmp_path: Path) -> None:
    objectives = []
    for name in ("first", "second"):
        with Recorded(tmp_path / name):
            objectives.append(run(POINT, Problem, keep_model=False)["objective"])
        assert not (tmp_path / name / "best_model.keras").exists()
    assert objectives[0] == pytest.approx(objectives[1], rel=1e-4)


def test_a_search_may_end_it_early(tmp_path: Path) -> None:
    running = Recorded(tmp_path, stop_after=2)
    with running, pytest.raises(EvaluationPruned):
        run(POINT, Problem)
    assert running.steps == [1, 2]
    assert len(history_in(tmp_path)["loss"]) == 2
    again = Recorded(tmp_path)
    with again:
        result = run(POINT, Problem)
    assert again.steps == [3]
    assert len(history_in(tmp_path)["loss"]) == 3
    assert result["objective"] == max(history_in(tmp_path)["val_r2"])


def test_an_objective_may_be_a_function_of_the_history(tmp_path: Path) -> None:
    problem = problem_of(objective=lambda history: -min(history["val_loss"]))
    running = Recorded(tmp_path)
    with running:
        result = run(POINT, problem)
    assert result["objective"] == -min(history_in(tmp_path)["val_loss"])
    assert running.objectives[-1] == result["objective"]


def test_what_is_searched_reaches_the_training(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    class Look(keras.callbacks.Callback):  # type: ignore[misc,name-defined,unused-ignore]
        def on_train_begin(self, logs: Any = None) -> None:
            seen.update(self.params, optimizer=self.model.optimizer)

    problem = problem_of(
        batch_size=[32, 48],
        optimizer=["Adam", "rmsprop"],
        callbacks=[Look],
    )
    with Recorded(tmp_path):
        run({**POINT, "batch_size": 48, "optimizer": "rmsprop"}, problem, keep_model=False)
    assert isinstance(seen["optimizer"], keras.optimizers.RMSprop)
    assert float(seen["optimizer"].learning_rate) == pytest.approx(0.01)
    assert seen["steps"] == NUM_TRAIN / 48
    assert seen["epochs"] == 3


def test_callbacks_by_name_get_their_arguments(tmp_path: Path) -> None:
    problem = problem_of(
        num_epochs=9,
        callbacks={"EarlyStopping": {"monitor": "loss", "min_delta": 1e9, "patience": (1, 5)}},
    )
    with Recorded(tmp_path):
        run({**POINT, "EarlyStopping.patience": 2}, problem, keep_model=False)
    assert len(history_in(tmp_path)["loss"]) == 3


# -- data ----------------------------------------------------------------------------------------


class Batches(keras.utils.PyDataset):  # type: ignore[misc,name-defined,unused-ignore]
    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        X, y = load_data()[0]
        return X[32 * index : 32 * (index + 1)], y[32 * index : 32 * (index + 1)]


def data_set(arrays: Any) -> Any:
    tensorflow = pytest.importorskip("tensorflow")
    return tensorflow.data.Dataset.from_tensor_slices(arrays).batch(16)


def generated(batch_size: int) -> Any:
    X, y = load_data()[0]
    while True:
        yield X[:batch_size], y[:batch_size]


FORMS = {
    "tf.data": lambda: tuple(map(data_set, load_data())),
    "PyDataset": lambda: (Batches(), load_data()[1]),
    "generators": lambda: {
        "train": generated,
        "valid": load_data()[1],
        "steps_per_epoch": 2,
    },
    "repeated": lambda: {
        "train": data_set(load_data()[0]).repeat(),
        "valid": load_data()[1],
        "steps_per_epoch": 2,
    },
    "weights": lambda: ((*load_data()[0], np.ones(NUM_TRAIN)), load_data()[1]),
}


@pytest.mark.parametrize("form", FORMS)
def test_data_may_have_any_form_that_keras_takes(form: str, tmp_path: Path) -> None:
    problem = problem_of(load_data=FORMS[form], num_epochs=1)
    with Recorded(tmp_path):
        result = run(POINT, problem, keep_model=False)
    assert np.isfinite(result["objective"])


def test_inputs_and_outputs_may_be_several(tmp_path: Path) -> None:
    def two() -> Any:
        return tuple(({"p": X, "q": X[:, :1]}, {"s": y, "t": -y}) for X, y in load_data())

    def space_of_two() -> ArchitectureSpace:
        space = ArchitectureSpace({"p": (3,), "q": (1,)}, {"s": (1,), "t": (1,)})
        a = space.constant("a", op("Dense", 4))
        space.connect("p", a)
        space.connect("q", a)
        return space

    problem = problem_of(
        load_data=two,
        search_space=space_of_two,
        loss={"s": "mse", "t": "mae"},
        metrics={"s": ["r2"], "t": ["mae"]},
        objective="val_s_r2",
    )
    with Recorded(tmp_path):
        result = run({"learning_rate": 0.01}, problem, keep_model=False)
    assert result["metrics"]["num_parameters"] == 5 * 4 + 2 * 5


@pytest.mark.parametrize(
    ("loaded", "message"),
    [
        (3, r"load_data returned a int: return \(train_X, train_y\), \(valid_X, valid_y\)"),
        ((1, 2, 3), "load_data returned a tuple of 3: return"),
        (((1,), (1, 2)), "load_data returned 1 things in train"),
        ({"train": (1, 2)}, "a dictionary without 'valid'"),
        ({"train": (1, 2), "valid": (1, 2), "steps": 3}, "a dictionary with 'steps'"),
        ({"train": iter([]), "valid": (1, 2)}, "without an end in 'train': .* 'steps_per_epoch'"),
        ({"train": (1, 2), "valid": iter([])}, "without an end in 'valid': .* 'validation_steps'"),
        ((load_data()[0], None), "objective val_r2__max .*: load_data returns no data for valid"),
        (((np.zeros((0, 3)), np.zeros((0, 1))), None), "returns for training are empty"),
    ],
)
def test_data_of_another_form_are_a_failure_that_says_so(
    loaded: Any, message: str, tmp_path: Path
) -> None:
    with Recorded(tmp_path), pytest.raises(ProblemError, match=message):
        run(POINT, problem_of(load_data=lambda: loaded), keep_model=False)


def test_data_that_repeat_need_a_number_of_steps(tmp_path: Path) -> None:
    problem = problem_of(load_data=lambda: (data_set(load_data()[0]).repeat(), load_data()[1]))
    with Recorded(tmp_path), pytest.raises(ProblemError, match="without an end in 'train'"):
        run(POINT, problem)


# -- bad networks --------------------------------------------------------------------------------


def failure(point: dict[str, Any], problem: NaProblem, directory: Path) -> str:
    result = call(Training(problem), point, Recorded(directory))
    assert not isinstance(result.value, float)
    return f"{result.value.kind}: {result.value.message}"


def test_a_layer_that_cannot_be_built_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    found = failure({**POINT, "a": "Conv1D(4, 3)"}, Problem, tmp_path)
    assert found.startswith(
        "exception: deephyper.errors.ArchitectureError: node 'a': Conv1D(4, 3) can't be built for"
        " the shape (3,)"
    )


def test_a_training_that_diverges_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    problem = problem_of(optimizer="sgd", learning_rate=1e25)
    found = failure({"a": "Dense(4)"}, problem, tmp_path)
    assert found.startswith("reported: the training has diverged: loss is ")
    assert found.endswith("in epoch 1")


class Diverging(keras.callbacks.Callback):  # type: ignore[misc,name-defined,unused-ignore]
    """Makes the third epoch diverge."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2:
            weights = self.model.get_weights()
            self.model.set_weights([np.full_like(each, np.nan) for each in weights])


def test_a_training_that_diverges_late_leaves_no_checkpoint(tmp_path: Path) -> None:
    found = failure({**POINT}, problem_of(callbacks=[Diverging]), tmp_path)
    assert found == "reported: the training has diverged: loss is nan in epoch 3"
    assert {each.name for each in tmp_path.iterdir()} == {"history.json", "best_model.keras"}


def test_an_objective_that_is_no_number_is_a_failure_that_says_so(tmp_path: Path) -> None:
    problem = problem_of(objective=lambda history: float("nan"), num_epochs=1)
    found = failure({**POINT}, problem, tmp_path)
    assert found.startswith("reported: the objective ")
    assert found.endswith(" is nan after epoch 1")


class Unsaved(keras.layers.Layer):  # type: ignore[misc,name-defined,unused-ignore]
    """A layer that Keras can't write."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self._function = function

    def call(self, x: Any) -> Any:
        return self._function(x)


def test_a_network_that_cannot_be_saved_is_told_with_a_way_out(tmp_path: Path) -> None:
    def space() -> ArchitectureSpace:
        made = ArchitectureSpace((3,), (1,))
        made.connect("input", made.constant("a", op(Unsaved, keras.ops.abs)))
        return made

    problem = problem_of(search_space=space, num_epochs=1)
    with Recorded(tmp_path), pytest.raises(ProblemError, match="--keep-models none"):
        run({"learning_rate": 0.01}, problem)
    with Recorded(tmp_path):
        assert run({"learning_rate": 0.01}, problem, keep_model=False)["objective"] < 1.0


def test_a_network_whose_time_cannot_be_taken_is_no_failure(tmp_path: Path) -> None:
    def space() -> ArchitectureSpace:
        made = ArchitectureSpace((None, 1), (1,))
        made.connect("input", made.constant("a", op("Conv1D", 2, 3)))
        made.connect("a", made.constant("b", op("GlobalMaxPooling1D")))
        return made

    def series() -> Any:
        return tuple((X[:, :, None], y) for X, y in load_data())

    problem = problem_of(search_space=space, load_data=series, num_epochs=1)
    with Recorded(tmp_path):
        result = run({"learning_rate": 0.01}, problem, keep_model=False)
    assert np.isfinite(result["objective"])
    assert result["metrics"].keys() == METRICS - {"inference_seconds"}


def exhausted() -> Any:
    tensorflow = pytest.importorskip("tensorflow")
    raise tensorflow.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


def test_a_device_without_memory_is_a_failure_of_its_own_kind(tmp_path: Path) -> None:
    def space() -> ArchitectureSpace:
        made = ArchitectureSpace((3,), (1,))
        made.connect("input", made.variable("a", [exhausted, op("Dense", 4)]))
        return made

    found = failure({**POINT, "a": "exhausted"}, problem_of(search_space=space), tmp_path)
    assert found.startswith("out_of_memory: ")
    assert "OOM when allocating tensor" in found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"optimizer": "adamm"}, "keras.*optimizers has no 'adamm': did you mean 'adam'"),
        ({"callbacks": {"EarlyStoping": {}}}, "did you mean 'EarlyStopping'"),
        ({"callbacks": {"EarlyStopping": {"pace": 3}}}, "the callback EarlyStopping can't be made"),
        ({"callbacks": [dict]}, "returned {}: return a callback of Keras"),
        ({"optimizer": lambda rate: None}, "the optimizer is None: return an optimizer"),
    ],
)
def test_names_that_keras_does_not_have_are_failures_with_a_hint(
    given: Any, message: str, tmp_path: Path
) -> None:
    with Recorded(tmp_path), pytest.raises(ProblemError, match=message):
        run(POINT, problem_of(**given))


# -- how it knows its problem --------------------------------------------------------------------


def test_a_problem_that_is_not_one_of_networks_is_refused() -> None:
    with pytest.raises(ProblemError, match="has no networks to train"):
        Training(build().problem())  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="the problem has no load_data"):
        Training(NaProblem())


def test_a_hyperparameter_that_nothing_uses_is_refused() -> None:
    problem = problem_of(callbacks={"EarlyStopping": {"monitor": "loss"}})
    problem.add_hyperparameter((1, 5), "EarlyStopping.patience")
    Training(problem)
    problem.add_hyperparameter((0.0, 0.5), "dropout")
    with pytest.raises(ProblemError, match="no training uses 'dropout': choose from a, batch_size"):
        Training(problem)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"num_epoch": 3}, "no training uses 'num_epoch': did you mean 'num_epochs'"),
        ({"num_epochs": 0}, "num_epochs has 0: give whole numbers from 1"),
        ({"batch_size": 2.5}, "batch_size has 2.5"),
        ({"a": "Dense(5)"}, r"'a' is 'Dense\(5\)': did you mean 'Dense\(4\)'"),
        ({"learning_rate": -1.0}, "learning_rate has -1.0: give numbers above 0"),
    ],
)
def test_a_point_that_cannot_be_trained_is_refused(more: dict[str, Any], message: str) -> None:
    training = Training(Problem)
    training.check({**POINT, "num_epochs": 60})
    with pytest.raises(ProblemError, match=message):
        training.check({**POINT, **more})
    with pytest.raises(ProblemError, match=message):
        training({**POINT, **more})


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        ("thread", Problem),
        ("process", SPEC),
        pytest.param("process", Problem, marks=pytest.mark.long),
        pytest.param("ray", SPEC, marks=[pytest.mark.ray, pytest.mark.long]),
    ],
)
def test_it_is_found_by_every_evaluator(
    method: str, problem: NaProblem | str, tmp_path: Path
) -> None:
    evaluator = Evaluator.create(Training(problem), method=method, num_workers=1)
    with evaluator:
        result = RandomSearch(Problem, evaluator, log_dir=tmp_path, seed=3).search(max_evals=3)
    good = [each for each in result.outcomes if each.job.point["a"] != "Conv1D(4, 3)"]
    assert len(good) in (1, 2)
    for outcome in result.outcomes:
        if outcome in good:
            assert outcome.metrics.keys() == METRICS
        else:
            assert "can't be built" in str(outcome)
    assert len(list(tmp_path.rglob("best_model.keras"))) == len(good)
