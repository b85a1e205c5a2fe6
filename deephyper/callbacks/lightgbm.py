"""LightGBM: a callback of ``train``, ``cv`` and the scikit-learn classes that reports rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deephyper.callbacks.monitor import Monitor


class LightGBMReport:
    """Reports a metric after each round: ``train(..., callbacks=[LightGBMReport("valid_0-auc")])``.

    Args:
        monitor: the metric that is reported as the objective: the name of a set of validation data,
            a hyphen and the name of the metric (``valid-auc`` in ``cv``, where it is the mean).
        negate: True reports it with the other sign. Reports have the sign of what ``run`` returns:
            where that is ``-loss``, ``LightGBMReport("valid_0-binary_logloss", negate=True)``.
        metrics: further metrics to report under their own names.
        every: how many rounds are between two reports.

    Raises:
        SettingsError: if an argument can't be used; in ``train``, if a metric isn't there.
        EvaluationPruned: in ``train``, if the search wants the evaluation to end.
    """

    order = 20
    """After the log and the record of what is evaluated (10), before early stopping (30)."""
    before_iteration = False

    def __init__(
        self,
        monitor: str,
        *,
        negate: bool = False,
        metrics: Sequence[str] = (),
        every: int = 1,
    ) -> None:
        self._monitor = Monitor(monitor, metrics, negate, every)

    def __call__(self, env: Any) -> None:
        """Report the round.

        Args:
            env: LightGBM's ``CallbackEnv``.
        """
        step = env.iteration + 1
        if self._monitor.is_due(step):
            # of each: the set of data, the metric, its value, and what varies by version
            found = {f"{each[0]}-{each[1]}": each[2] for each in env.evaluation_result_list}
            self._monitor.report(step, found)
