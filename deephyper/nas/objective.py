"""The objective of a training: one number of its history."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deephyper.errors import ProblemError
from deephyper.problem.point import show
from deephyper.suggest import did_you_mean

History = Mapping[str, Sequence[float]]
"""Name of a metric -> its value after each epoch, as ``fit`` of Keras returns it."""
Which = Literal["last", "max", "min"]
_TEXT = re.compile(r"(?P<sign>-?)(?P<metric>\w[\w.-]*?)(?:__(?P<which>\w+))?")


@dataclass(frozen=True)
class Objective:
    """A number of a history, the larger the better.

    Attributes:
        metric: name of the metric; empty where a function makes the number.
        which: of its values.
        negate: whether its sign is changed.
        function: makes the number of the whole history; None for a metric.
    """

    metric: str = ""
    which: Which = "last"
    negate: bool = False
    function: Callable[[Any], float] | None = None

    @classmethod
    def of(cls, given: object) -> Objective:
        """Return the objective that a user gives.

        Args:
            given: ``val_r2`` for the last value of a metric, ``val_r2__max`` or ``val_r2__min`` for
                its largest or smallest one, ``-val_loss`` for one with the other sign; or a
                function of the history.

        Raises:
            ProblemError: it is something else.
        """
        if callable(given):
            return cls(function=given)
        found = _TEXT.fullmatch(given) if isinstance(given, str) else None
        if found is None:
            raise ProblemError(
                f"the objective is {show(given)}: give the name of a metric, as 'val_r2',"
                " '-val_loss' or 'val_accuracy__max', or a function of the history"
            )
        for which in ("last", "max", "min"):
            if (found["which"] or "last") == which:
                return cls(found["metric"], which, bool(found["sign"]))
        raise ProblemError(f"the objective is {show(given)}: end it in __max, __min or __last")

    def __call__(self, history: History) -> float:
        """Return the number; the largest or smallest one of those that are numbers.

        Raises:
            ProblemError: the history doesn't have the metric, or the function returns no number.
        """
        if self.function is not None:
            return self._of_function(self.function, history)
        self.check(history)
        values: Sequence[float] = history[self.metric]
        if self.which != "last":
            values = [value for value in values if not math.isnan(value)] or values
        value = {"last": values[-1], "max": max(values), "min": min(values)}[self.which]
        return -float(value) if self.negate else float(value)

    def of_epoch(self, history: History) -> float:
        """Return how good the model is as it is after the last epoch; see :meth:`__call__`."""
        if self.function is not None:
            return self(history)
        self.check(history)
        sign: Literal[-1, 1] = -1 if self.negate else 1
        return sign * float(history[self.metric][-1])

    def check(self, metrics: Collection[str]) -> None:
        """Check that there is such a metric.

        Raises:
            ProblemError: there is none.
        """
        if self.function is None:
            self._check_metric(self.metric, metrics)

    def _of_function(self, function: Callable[[Any], float], history: History) -> float:
        given = {name: list(values) for name, values in history.items()}
        try:
            value = function(given)
        except KeyError as error:
            for name in error.args[:1]:
                if isinstance(name, str):
                    self._check_metric(name, given)
            raise
        try:
            if isinstance(value, str):
                raise TypeError
            return float(value)
        except (TypeError, ValueError):
            raise ProblemError(
                f"the objective {self} is {show(value)} ({type(value).__name__}): return a number"
            ) from None

    def _check_metric(self, metric: str, metrics: Collection[str]) -> None:
        if metric in metrics:
            return
        hint = did_you_mean(metric, metrics)
        if not metrics:
            hint = "the data that load_data returns for training are empty"
        elif metric.startswith("val_") and not any(name.startswith("val_") for name in metrics):
            hint = "load_data returns no data for validation"
        wanted = f"the objective {self}"
        if metric != self.metric:
            wanted += f" needs {metric!r}, which"
        raise ProblemError(f"{wanted} is no metric of the training: {hint}")

    def __str__(self) -> str:
        if self.function is not None:
            return getattr(self.function, "__qualname__", show(self.function))
        which = "" if self.which == "last" else f"__{self.which}"
        return f"{'-' * self.negate}{self.metric}{which}"
