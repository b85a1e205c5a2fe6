"""The training of one network, by Keras with any backend."""

from __future__ import annotations

import contextlib
import copy
import json
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.callbacks.keras import KerasReport
from deephyper.callbacks.package import importing
from deephyper.errors import DeepHyperError, ProblemError
from deephyper.evaluator.current import evaluation
from deephyper.nas.data import fit_arguments
from deephyper.nas.kept_models import BEST_MODEL
from deephyper.nas.objective import History, Objective
from deephyper.objective import FAILURE_PREFIX, METRICS_KEY, OBJECTIVE_KEY, one_line
from deephyper.problem.point import show
from deephyper.suggest import did_you_mean

with importing("keras", "Keras", pip="tensorflow"):
    import keras

if TYPE_CHECKING:
    from deephyper.nas.setup import CompleteSetup

HISTORY = "history.json"
"""The metrics of each epoch, in the directory of the evaluation."""
_REPEATS = 3
"""Timed predictions, of which the fastest counts."""


class _Diverged(Exception):
    """The loss or the objective is no number any more."""


def train(
    point: Mapping[str, Any], setup: CompleteSetup, *, keep_model: bool, minimize: bool
) -> Any:
    """Train the network of a point; see :func:`deephyper.nas.run`."""
    try:
        return _train(point, setup, keep_model, minimize)
    except _Diverged as diverged:
        return f"{FAILURE_PREFIX}{diverged}"
    except Exception as error:
        if _is_out_of_memory(error):
            raise MemoryError(one_line(error)) from error
        raise


def _train(point: Mapping[str, Any], setup: CompleteSetup, keep_model: bool, minimize: bool) -> Any:
    keras.utils.set_random_seed(evaluation.seed)
    how = setup.training(point)
    data = fit_arguments(setup.data(), how["batch_size"])
    model = setup.space.build(point)
    model.compile(
        optimizer=_optimizer(how["optimizer"], how["learning_rate"]),
        loss=setup.loss,
        metrics=copied(setup.metrics),
    )
    kept = _Kept(setup.objective, evaluation.directory, keep_model, minimize)
    others = [*_callbacks(point, setup), keras.callbacks.TerminateOnNaN(), kept]
    report = KerasReport(_finite(setup.objective), others=others)
    start = time.perf_counter()
    model.fit(**data, epochs=how["num_epochs"], callbacks=[*others, report], verbose=0)
    seconds = time.perf_counter() - start
    # Continued, if the evaluation was interrupted: of all epochs.
    history = model.history.history
    objective = _finite(setup.objective)(history)
    metrics = {"num_parameters": model.count_params(), "training_seconds": seconds}
    # A layer may refuse the smallest size of an axis of any length: no fault of the network.
    with contextlib.suppress(Exception):
        metrics["inference_seconds"] = _inference_seconds(model, how["batch_size"])
    return {OBJECTIVE_KEY: objective, METRICS_KEY: metrics}


class _Kept(keras.callbacks.Callback):
    """Keeps the history, and the model as it was after the best epoch.

    Its attributes are in the checkpoint of an interrupted training.

    Args:
        objective: says which epoch is the best.
        directory: gets the files.
        keep_model: whether the model is kept.
        minimize: whether the epoch with the lowest objective is the best.
    """

    def __init__(
        self, objective: Objective, directory: Path, keep_model: bool, minimize: bool
    ) -> None:
        super().__init__()
        self._objective = objective
        self._directory = str(directory)
        self._keep_model = keep_model
        self._sign = -1.0 if minimize else 1.0
        self.best = -math.inf
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write what there is after an epoch."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        _replace_by(Path(self._directory, HISTORY), json.dumps(_jsonable(self.history)))
        if not self._keep_model:
            return
        try:
            value = self._sign * self._objective.of_epoch(self.history)
        except ProblemError:
            return  # the report of the epoch says what is wrong with the objective
        if value > self.best:
            self.best = value
            partial = Path(self._directory, f".partial.{BEST_MODEL}")
            self._save(partial)
            os.replace(partial, Path(self._directory, BEST_MODEL))

    def _save(self, path: Path) -> None:
        """Save the model.

        Raises:
            ProblemError: Keras can't write one of its layers.
        """
        try:
            self.model.save(path)
        except (NotImplementedError, TypeError) as error:
            raise ProblemError(
                f"the network can't be kept: {one_line(error)}; give the layer a get_config(), or"
                " keep no networks: keep_model=False, on the command line --keep-models none"
            ) from error


def _replace_by(path: Path, text: str) -> None:
    """Write a file so that it is never there in part."""
    partial = path.with_name(f".partial.{path.name}")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _jsonable(history: History) -> dict[str, list[float | None]]:
    return {
        name: [value if math.isfinite(value) else None for value in values]
        for name, values in history.items()
    }


def _finite(objective: Objective) -> Any:
    """Return the objective as a function of the history that raises where it is no number."""

    def of(history: History) -> float:
        num_epochs = max(map(len, history.values()), default=0)
        for name in ("loss", "val_loss"):
            values = history.get(name, ())
            for epoch, value in enumerate(values, start=1):
                if not math.isfinite(value):
                    raise _Diverged(
                        f"the training has diverged: {name} is {value} in epoch {epoch}"
                    )
        value = objective(history)
        if not math.isfinite(value):
            raise _Diverged(f"the objective {objective} is {value} after epoch {num_epochs}")
        return value

    return of


def _optimizer(given: Any, learning_rate: float | None) -> Any:
    """Return a new optimizer.

    Raises:
        ProblemError: Keras has none of this name, or a function returns something else.
    """
    if not isinstance(given, str):
        made = given() if learning_rate is None else given(learning_rate)
        if not isinstance(made, keras.optimizers.Optimizer):
            raise ProblemError(f"the optimizer is {show(made)}: return an optimizer of Keras")
        return made
    kind = _class_named(keras.optimizers, given)
    return kind() if learning_rate is None else kind(learning_rate=learning_rate)


def _callbacks(point: Mapping[str, Any], setup: CompleteSetup) -> list[Any]:
    """Return new callbacks.

    Raises:
        ProblemError: Keras has none of a name, it doesn't take its arguments, or a function returns
            something else.
    """
    made = []
    for name, arguments in setup.named_callbacks(point).items():
        try:
            made.append(_class_named(keras.callbacks, name)(**arguments))
        except TypeError as error:
            raise ProblemError(f"the callback {name} can't be made: {error}") from error
    for function in setup.given.made_callbacks:
        callback = function()
        if not isinstance(callback, keras.callbacks.Callback):
            raise ProblemError(
                f"a function of callbacks returned {show(callback)}: return a callback of Keras"
            )
        made.append(callback)
    return made


def _class_named(module: Any, name: str) -> Any:
    """Return a class of a module of Keras, whatever the case of its name.

    Raises:
        ProblemError: there is none.
    """
    classes = {key.lower(): found for key, found in vars(module).items() if isinstance(found, type)}
    if name.lower() in classes:
        return classes[name.lower()]
    exact = {key: found.__name__ for key, found in classes.items()}
    hint = (
        did_you_mean(name.lower(), exact) if name.islower() else did_you_mean(name, exact.values())
    )
    raise ProblemError(f"{module.__name__} has no {name!r}: {hint}")


def copied(metrics: Any) -> Any:
    """Return metrics of its own for a network; an object has a state."""
    if isinstance(metrics, Mapping):
        return {name: copied(each) for name, each in metrics.items()}
    if isinstance(metrics, Sequence) and not isinstance(metrics, str):
        return [copied(each) for each in metrics]
    if metrics == "r2":
        return keras.metrics.R2Score(name="r2")
    if isinstance(metrics, keras.metrics.Metric):
        return type(metrics).from_config(metrics.get_config())
    return copy.copy(metrics)


def _inference_seconds(model: Any, batch_size: int) -> float:
    """Return how long the prediction for a batch takes, once it is compiled."""

    def zeros(tensor: Any) -> Any:
        shape = [1 if length is None else length for length in tensor.shape[1:]]
        return keras.ops.zeros((batch_size, *shape), dtype=tensor.dtype)

    batch = keras.tree.map_structure(zeros, model.input)
    model.predict_on_batch(batch)
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        model.predict_on_batch(batch)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether the memory of a device didn't suffice."""
    if isinstance(error, (DeepHyperError, MemoryError)):
        return isinstance(error.__cause__, Exception) and _is_out_of_memory(error.__cause__)
    tensorflow, torch = sys.modules.get("tensorflow"), sys.modules.get("torch")
    kinds = []
    if tensorflow is not None:
        kinds.append(tensorflow.errors.ResourceExhaustedError)
    if torch is not None:
        kinds.append(torch.OutOfMemoryError)
    if isinstance(error, tuple(kinds)):
        return True
    # JAX has one class for all errors of its runtime; the status is at the beginning of its text.
    return type(error).__name__ == "JaxRuntimeError" and str(error).startswith("RESOURCE_EXHAUSTED")
