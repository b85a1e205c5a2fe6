"""XGBoost: a callback of ``train``, ``cv`` and the scikit-learn classes that reports rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deephyper.callbacks.monitor import Monitor
from deephyper.callbacks.package import importing

with importing("xgboost", "XGBoost", pip="xgboost"):
    from xgboost.callback import TrainingCallback


class XGBoostReport(TrainingCallback):
    """Reports a metric after each round: ``train(..., callbacks=[XGBoostReport("valid-rmse")])``.

    Args:
        monitor: the metric that is reported as the objective: the name of a set in ``evals``, a
            hyphen and the name of the metric, as ``train`` prints it (``validation_0-rmse`` in the
            scikit-learn classes, ``test-rmse`` in ``cv``, where it is the mean).
        negate: True reports it with the other sign. Reports have the sign of what ``run`` returns:
            where that is ``-rmse``, ``XGBoostReport("valid-rmse", negate=True)``.
        metrics: further metrics to report under their own names.
        every: how many rounds are between two reports.

    Raises:
        SettingsError: if an argument can't be used; in ``train``, if a metric isn't there.
        EvaluationPruned: in ``train``, if the search wants the evaluation to end.
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
        self._before = 0

    def before_training(self, model: Any) -> Any:
        """Count the rounds of a model that is continued."""
        count = getattr(model, "num_boosted_rounds", None)  # cv has several models
        self._before = 0 if count is None else count()
        return model

    def after_iteration(
        self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Sequence[Any]]]
    ) -> bool:
        """Report the round."""
        step = self._before + epoch + 1
        if self._monitor.is_due(step):
            found = {
                f"{data}-{metric}": _mean(rounds[-1])
                for data, metrics in evals_log.items()
                for metric, rounds in metrics.items()
            }
            self._monitor.report(step, found)
        return False


def _mean(value: Any) -> Any:
    """Return a metric, which in ``cv`` is a mean with its standard deviation."""
    return value[0] if isinstance(value, tuple) else value
