"""Hugging Face Transformers: a callback of a Trainer that reports each evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deephyper.callbacks.monitor import Monitor
from deephyper.callbacks.package import importing

with importing("transformers", "Transformers", pip="transformers"):
    from transformers import TrainerCallback


class TransformersReport(TrainerCallback):
    """Reports a metric at each evaluation: ``Trainer(callbacks=[TransformersReport("eval_f1")])``.

    The step is the epoch with ``eval_strategy="epoch"``, otherwise the number of optimizer steps.

    Args:
        monitor: name of the metric that is reported as the objective, as the trainer logs it.
        negate: True reports it with the other sign. Reports have the sign of what ``run`` returns:
            where that is ``-loss``, ``TransformersReport("eval_loss", negate=True)``.
        metrics: further metrics to report under their own names.

    Raises:
        SettingsError: if an argument can't be used; in ``train``, if a metric isn't there.
        EvaluationPruned: in ``train``, if the search wants the evaluation to end.
    """

    def __init__(self, monitor: str, *, negate: bool = False, metrics: Sequence[str] = ()) -> None:
        super().__init__()
        self._monitor = Monitor(monitor, metrics, negate, 1)
        self._training = False
        self._seen: dict[str, Any] = {}  # that isn't reported yet

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report from now on; evaluations before and after the training are the user's own."""
        self._training = True

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the metrics; with several sets of data, of one set at a time."""
        if self._training and state.is_world_process_zero:
            self._seen.update(kwargs["metrics"])
            by_epoch = str(getattr(args.eval_strategy, "value", args.eval_strategy)) == "epoch"
            self._step = round(state.epoch) if by_epoch else state.global_step

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report the evaluation before, whose checkpoint is saved by now."""
        self._report()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report the last evaluation."""
        self._report()
        self._training = False

    def _report(self) -> None:
        if self._seen:
            found, self._seen = self._seen, {}
            self._monitor.report(self._step, found)
