"""PyTorch Lightning: a callback of a Trainer that reports after each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deephyper.callbacks.monitor import Monitor
from deephyper.callbacks.package import importing

try:
    from lightning.pytorch.callbacks import Callback
except ModuleNotFoundError:  # its other name
    with importing("pytorch_lightning", "PyTorch Lightning", pip="lightning"):
        from pytorch_lightning.callbacks import Callback  # type: ignore[assignment,unused-ignore]


class LightningReport(Callback):
    """Reports a metric after each epoch: ``Trainer(callbacks=[LightningReport("val_loss")])``.

    Args:
        monitor: name of the metric that is reported as the objective, as the module logs it.
        negate: True reports it with the other sign. Reports have the sign of what ``run`` returns:
            where that is ``-loss``, ``LightningReport("val_loss", negate=True)``.
        metrics: further metrics to report under their own names.
        every: how many epochs are between two reports; the ``check_val_every_n_epoch`` of the
            trainer where ``monitor`` is a metric of the validation.

    Raises:
        SettingsError: if an argument can't be used; in ``fit``, if a metric isn't there.
        EvaluationPruned: in ``fit``, if the search wants the evaluation to end.
    """

    def __init__(
        self,
        monitor: str,
        *,
        negate: bool = False,
        metrics: Sequence[str] = (),
        every: int = 1,
    ) -> None:
        super().__init__()
        self._monitor = Monitor(monitor, metrics, negate, every)
        self._ended: tuple[int, dict[str, Any]] | None = None  # an epoch that isn't reported yet

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Note what the epoch, with its validation, has come to."""
        step = trainer.current_epoch + 1
        if trainer.is_global_zero and self._monitor.is_due(step):
            self._ended = step, dict(trainer.callback_metrics)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Report the epoch before, whose checkpoint is saved by now."""
        self._report()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Report the last epoch."""
        self._report()

    def _report(self) -> None:
        if self._ended is not None:
            (step, found), self._ended = self._ended, None
            self._monitor.report(step, found)
