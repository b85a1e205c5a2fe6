"""Keras 3: a callback of ``fit`` that reports, and continues a training that was interrupted."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deephyper.callbacks.checkpoint import Checkpoint, checked_name
from deephyper.callbacks.monitor import Monitor
from deephyper.callbacks.package import importing
from deephyper.callbacks.random_numbers import random_state, set_random_state
from deephyper.errors import SettingsError

with importing("keras", "Keras", pip="tensorflow"):
    import keras

_OF_THE_FIT = ("_model", "model", "params")
"""Attributes of a callback that a new ``fit`` sets."""
_OBJECTIVE = "objective"
"""Name of what a function makes of the history; no metric that is reported can have it."""


class KerasReport(keras.callbacks.Callback):
    """Reports a metric after each epoch, and keeps a checkpoint to continue from.

    ``model.fit(..., callbacks=[KerasReport("val_accuracy")])`` is all: when the evaluation runs
    again after an interruption, ``fit`` begins at the epoch after the last checkpoint, with the
    weights, the state of the optimizer and of the random numbers of layers, and returns the history
    of all epochs.

    Args:
        monitor: name of the metric that is reported as the objective, as in the history of ``fit``;
            or a function of the history so far, which returns the objective.
        negate: True reports it with the other sign. Reports have the sign of what ``run`` returns:
            where that is ``-loss``, ``KerasReport("val_loss", negate=True)``.
        metrics: further metrics to report under their own names.
        every: how many epochs are between two reports and checkpoints; that of ``validation_freq``
            where ``monitor`` is a metric of the validation.
        checkpoint: whether to keep a checkpoint. It is removed when the training is done, or the
            evaluation has failed.
        name: of the training, where an evaluation has several; names the checkpoint.
        others: callbacks of the same ``fit`` that count epochs or remember weights, such as
            ``EarlyStopping``, whose state is to be in the checkpoint.

    Raises:
        SettingsError: if an argument can't be used. In ``fit``: if a metric isn't there, or two
            trainings of an evaluation have one name.
        ResultsError: in ``fit``, if the checkpoint can't be read or is of another model.
        EvaluationPruned: in ``fit``, if the search wants the evaluation to end.
    """

    def __init__(
        self,
        monitor: str | Callable[[Mapping[str, Sequence[float]]], float],
        *,
        negate: bool = False,
        metrics: Sequence[str] = (),
        every: int = 1,
        checkpoint: bool = True,
        name: str = "training",
        others: Sequence[Any] = (),
    ) -> None:
        super().__init__()
        self._objective = monitor if callable(monitor) else None
        name_of_metric = _OBJECTIVE if callable(monitor) else monitor
        self._monitor = Monitor(name_of_metric, metrics, negate, every)
        self._name = checked_name(name)
        self._others = list(others) if isinstance(others, (list, tuple)) else [others]
        for other in self._others:
            if not isinstance(other, keras.callbacks.Callback) or other is self:
                raise SettingsError(f"others has {other!r}; give callbacks of Keras")
        self._wanted = checkpoint
        self._checkpoint: Checkpoint | None = None
        self._ended: tuple[int, Mapping[str, Any]] | None = None  # an epoch that isn't noted yet
        self._epochs: list[int] = []
        self._history: dict[str, list[Any]] = {}
        self._num_before = 0  # epochs of earlier attempts
        self._loaded: dict[str, Any] | None = None  # what is to be set once all have begun

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Load the checkpoint, if there is one."""
        self._checkpoint = Checkpoint.of_training(self._name) if self._wanted else None
        self._epochs, self._history, self._num_before, self._ended = [], {}, 0, None
        state = None if self._checkpoint is None else self._checkpoint.load()
        if state is None:
            return
        self._set_variables(state["variables"])
        self._history, self._epochs = state["history"], state["epochs"]
        self._num_before = len(self._epochs)
        self._loaded = state
        # As keras.callbacks.BackupAndRestore does it: fit has no public way.
        self.model._initial_epoch = self._epochs[-1] + 1

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Save a checkpoint of the epoch before and report it.

        Not in its own end, where other callbacks may still change the model, and their state.
        """
        if self._loaded is not None:  # after the on_train_begin of other callbacks
            for other, state in zip(self._others, self._loaded["others"], strict=False):
                vars(other).update(pickle.loads(state))
            set_random_state(self._loaded["random"])
            self._loaded = None
        found = self._end_epoch()
        if found is not None:
            if self._checkpoint is not None:
                self._checkpoint.save(self._state())
            self._monitor.report(epoch, found)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note what the epoch has come to."""
        self._ended = epoch, logs or {}  # not copied: other callbacks add to it

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Report the last epoch, complete the history, and remove the checkpoint."""
        found = self._end_epoch()
        if found is not None:
            self._monitor.report(self._epochs[-1] + 1, found)
        if self._num_before:
            if len(self._epochs) == self._num_before:  # no epoch was left
                self.model.history = keras.callbacks.History()
            self.model.history.epoch = self._epochs
            self.model.history.history = self._history
            self.model._initial_epoch = None
        if self._checkpoint is not None:
            self._checkpoint.remove()

    def _end_epoch(self) -> Mapping[str, Any] | None:
        """Add the epoch that has ended to the history; return its metrics if a report is due."""
        if self._ended is None:
            return None
        (epoch, found), self._ended = self._ended, None
        self._epochs.append(epoch)
        for name, value in found.items():
            self._history.setdefault(name, []).append(value)
        if not self._monitor.is_due(epoch + 1):
            return None
        return found if self._objective is None else self._with_objective(found)

    def _with_objective(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        assert self._objective is not None
        return {**found, _OBJECTIVE: self._objective(self._history)}

    def _variables(self) -> list[Any]:
        """Return all that training changes: weights, states of layers, state of the optimizer.

        ``model.save_weights`` leaves out the random numbers of layers such as Dropout.
        """
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        return [*self.model.variables, *optimizer.variables]

    def _state(self) -> dict[str, Any]:
        return {
            "variables": [keras.ops.convert_to_numpy(each) for each in self._variables()],
            "epochs": self._epochs,
            "history": self._history,
            "random": random_state(),  # backends other than TensorFlow shuffle by it
            "others": [_state_of(other) for other in self._others],
        }

    def _set_variables(self, values: list[Any]) -> None:
        assert self._checkpoint is not None
        variables = self._variables()
        if [tuple(each.shape) for each in variables] != [each.shape for each in values]:
            raise self._checkpoint.unusable("is of another model or optimizer")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _state_of(callback: Any) -> bytes:
    """Return the attributes of a callback, those that can be pickled."""
    state = {}
    for name, value in vars(callback).items():
        if name not in _OF_THE_FIT:
            with contextlib.suppress(Exception):  # as of a lambda, which is made anew
                pickle.dumps(value)
                state[name] = value
    return pickle.dumps(state)
