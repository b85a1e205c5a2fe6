"""The choice of what a callback reports, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deephyper.checks import whole
from deephyper.errors import SettingsError
from deephyper.evaluator.current import evaluation

_TAKEN = ("self", "objective", "step")
"""Names that a report has for something else."""


class Monitor:
    """Reports one metric of a training as the objective.

    Args:
        name: the metric, as the library calls it.
        metrics: further ones to report under their own names.
        negate: whether the objective is the metric with the other sign.
        every: how many steps are between two reports.

    Raises:
        SettingsError: if an argument can't be used.
    """

    def __init__(self, name: str, metrics: Sequence[str], negate: bool, every: int) -> None:
        if not isinstance(name, str) or not name:
            raise SettingsError(f"monitor is {name!r}; give the name of a metric")
        if isinstance(metrics, str) or not all(isinstance(each, str) for each in metrics):
            raise SettingsError(f"metrics is {metrics!r}; give a list of names of metrics")
        taken = [each for each in metrics if each in _TAKEN]
        if taken:
            raise SettingsError(
                f"metrics has {taken[0]!r}, which a report has for something else; give the metric "
                "another name"
            )
        if not isinstance(negate, bool):
            raise SettingsError(f"negate is {negate!r}; give True or False")
        self._name = name
        self._metrics = tuple(metrics)
        self._negate = negate
        self._every = whole("every", every, 1)

    def is_due(self, step: int) -> bool:
        """Return whether there is to be a report after a step; steps count from 1."""
        return step % self._every == 0

    def report(self, step: int, found: Mapping[str, Any]) -> None:
        """Report what the training has come to.

        Args:
            step: how many steps are done.
            found: all metrics, by name.

        Raises:
            SettingsError: if a metric isn't there, or ``step`` is less than before.
            ValueError: if a metric isn't a finite number.
            EvaluationPruned: if the search wants the evaluation to end.
        """
        for name in (self._name, *self._metrics):
            if name not in found:
                there = ", ".join(map(str, found)) or "none at all"
                raise SettingsError(f"the training has no metric '{name}'; it has: {there}")
        value = found[self._name]
        further = {name: found[name] for name in self._metrics}
        evaluation.report(-value if self._negate else value, step=step, **further)
