"""KerasReport with real trainings: reports, ends early, and continues exactly where it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper.errors import ResultsError, SettingsError
from deephyper.evaluator.current import EvaluationPruned
from tests.callbacks.recorded import Recorded

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module", autouse=True)
def keras() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        import keras

        yield keras


EPOCHS = 5
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(64, 4))
Y = (X.sum(axis=1) > 0).astype(float)


def made_model(units: int = 6, eager: bool = True) -> Any:
    """A model with everything that has a state: weights, Dropout, BatchNormalization, Adam."""
    import keras

    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], run_eagerly=eager)
    return model


def fit(model: Any, callbacks: list[Any], **arguments: Any) -> Any:
    usual = {"epochs": EPOCHS, "batch_size": 24, "validation_split": 0.25, "verbose": 0}
    return model.fit(X, Y, callbacks=callbacks, **(usual | arguments))


def report(monitor: Any = "val_loss", **arguments: Any) -> Any:
    from deephyper.callbacks import KerasReport

    return KerasReport(monitor, **arguments)


def interruption(epoch: int, error: type[BaseException] = KeyboardInterrupt) -> Any:
    """A callback that interrupts the training in the middle of an epoch."""
    import keras

    class Interruption(keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
        def on_epoch_begin(self, number: int, logs: Any = None) -> None:
            self.epoch = number

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if (self.epoch, batch) == (epoch, 1):
                raise error

    return Interruption()


def states(model: Any) -> list[Any]:
    return [each.numpy() for each in (*model.variables, *model.optimizer.variables)]


def assert_same_states(one: Any, other: Any) -> None:
    for a, b in zip(states(one), states(other), strict=True):  # bit by bit
        np.testing.assert_array_equal(a, b)


def test_each_epoch_is_reported(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        history = fit(made_model(), [report(metrics=["accuracy"])]).history
    assert running.steps == [1, 2, 3, 4, 5]
    assert running.objectives == history["val_loss"]
    assert [metrics["accuracy"] for _, _, metrics in running.reports] == history["accuracy"]
    assert list(tmp_path.iterdir()) == []  # the checkpoint is removed in the end


def test_a_loss_is_reported_with_the_sign_of_what_run_returns(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        history = fit(made_model(), [report(negate=True)]).history
    assert running.objectives == [-loss for loss in history["val_loss"]]


def test_a_function_of_the_history_so_far_is_reported(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        monitor = lambda history: len(history["loss"]) + max(history["val_loss"])  # noqa: E731
        history = fit(made_model(), [report(monitor)]).history
    losses = history["val_loss"]
    assert running.objectives == [n + max(losses[:n]) for n in range(1, EPOCHS + 1)]


def test_validations_at_some_epochs_are_reported_at_these(tmp_path: Path) -> None:
    running = Recorded(tmp_path)
    with running:
        fit(made_model(), [report(every=2)], validation_freq=2)
    assert running.steps == [2, 4]


def test_outside_a_search_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with_it, without = made_model(), made_model()
    for model, callbacks in ((with_it, [report()]), (without, [])):
        import keras

        keras.utils.set_random_seed(1)
        assert fit(model, callbacks).epoch == [0, 1, 2, 3, 4]
    assert_same_states(with_it, without)
    assert list(tmp_path.iterdir()) == []


def test_an_evaluation_that_is_to_end_ends_and_keeps_its_checkpoint(tmp_path: Path) -> None:
    running = Recorded(tmp_path, stop_after=2)
    with running, pytest.raises(EvaluationPruned):
        fit(made_model(), [report()])
    assert running.steps == [1, 2]
    again = Recorded(tmp_path)
    with again:
        fit(made_model(), [report()])
    assert again.steps == [3, 4, 5]


@pytest.mark.parametrize(("epoch", "eager"), [(3, False), (4, True)])
def test_an_interrupted_training_continues_exactly_where_it_was(
    tmp_path: Path, epoch: int, eager: bool
) -> None:
    whole = made_model(eager=eager)
    with Recorded(tmp_path / "whole"):
        expected = fit(whole, [report()])
    first, second = Recorded(tmp_path / "3"), Recorded(tmp_path / "3")
    with first, pytest.raises(KeyboardInterrupt):
        fit(made_model(eager=eager), [interruption(epoch), report()])
    continued = made_model(eager=eager)
    with second:
        history = fit(continued, [report()])
    assert first.steps == list(range(1, epoch + 1))
    assert second.steps == list(range(epoch + 1, EPOCHS + 1))
    assert history.history == expected.history
    assert history.epoch == expected.epoch
    assert_same_states(continued, whole)
    with Recorded(tmp_path / "3"):  # fit begins at its own first epoch again
        assert fit(continued, [report()], epochs=1).epoch == [0]


@pytest.mark.parametrize("last", [False, True])
def test_other_callbacks_continue_where_they_were(tmp_path: Path, last: bool) -> None:
    import keras

    def callbacks() -> list[Any]:
        others = [
            keras.callbacks.EarlyStopping(
                "val_accuracy", mode="min", patience=3, restore_best_weights=True
            ),
            keras.callbacks.ReduceLROnPlateau("val_accuracy", mode="min", patience=2, min_lr=0),
        ]
        ours = report(others=others)
        return [*others, ours] if last else [ours, *others]

    whole = made_model()
    with Recorded(tmp_path / "whole"):
        expected = fit(whole, callbacks(), epochs=20).history
    assert 4 <= len(expected["loss"]) < 20
    assert len(set(expected["learning_rate"])) > 1
    with Recorded(tmp_path / "3"), pytest.raises(KeyboardInterrupt):
        fit(made_model(), [*callbacks(), interruption(3)], epochs=20)
    continued = made_model()
    with Recorded(tmp_path / "3"):
        assert fit(continued, callbacks(), epochs=20).history == expected
    assert_same_states(continued, whole)


def test_a_training_that_was_interrupted_in_its_last_moment_is_complete(tmp_path: Path) -> None:
    with Recorded(tmp_path), pytest.raises(KeyboardInterrupt):
        fit(made_model(), [report(), interruption(3)])
    running, model = Recorded(tmp_path), made_model()
    with running:
        history = fit(model, [report()], epochs=3)  # fewer than before
    assert running.steps == []
    assert history.epoch == [0, 1, 2]
    assert len(history.history["val_loss"]) == 3


def test_two_trainings_with_one_name_are_refused(tmp_path: Path) -> None:
    with Recorded(tmp_path):
        fit(made_model(), [report()], epochs=1)
        with pytest.raises(SettingsError, match="give each a name"):
            fit(made_model(), [report()], epochs=1)
        fit(made_model(), [report(checkpoint=False)], epochs=1)


def test_a_metric_that_is_not_there_is_told_what_is(tmp_path: Path) -> None:
    with Recorded(tmp_path), pytest.raises(SettingsError) as caught:
        fit(made_model(), [report("val_acc")])
    assert str(caught.value) == (
        "the training has no metric 'val_acc'; it has: accuracy, loss, val_accuracy, val_loss"
    )


def test_a_loss_that_is_not_a_number_fails_the_evaluation(tmp_path: Path) -> None:
    import keras

    model = made_model()
    model.compile(keras.optimizers.SGD(float("nan")), "mse")
    with Recorded(tmp_path), pytest.raises(ValueError, match="can't be used: it is nan"):
        fit(model, [report("loss")])


def test_the_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    with Recorded(tmp_path), pytest.raises(KeyboardInterrupt):
        fit(made_model(), [report(), interruption(2)])
    with Recorded(tmp_path), pytest.raises(ResultsError, match="is of another model"):
        fit(made_model(units=7), [report()])


def test_others_are_callbacks() -> None:
    with pytest.raises(SettingsError, match="others has 'early'; give callbacks of Keras"):
        report(others=["early"])
