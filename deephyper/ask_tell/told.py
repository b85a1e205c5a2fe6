"""Objectives and metrics that are told from outside."""

from __future__ import annotations

import math
from collections.abc import Mapping

from deephyper.errors import SettingsError, argument
from deephyper.objective import Failure, read_result
from deephyper.problem.point import show


def read_told(
    objective: float | str | Failure, metrics: Mapping[str, float]
) -> tuple[float | Failure, dict[str, float]]:
    """Return a told objective and its metrics, checked.

    Raises:
        SettingsError: if one of them is something else.
    """
    if isinstance(objective, Failure):
        observed: float | Failure = objective
    else:
        observed = read_result(objective).value
        if isinstance(observed, Failure) and observed.kind != "reported":
            raise SettingsError(
                f"the objective is {show(objective)}, not a finite number; give one, or for a "
                f"failed evaluation its reason ({argument('failed')})"
            )
    read: dict[str, float] = {}
    for name, value in metrics.items():
        number = read_result(value).value
        if not isinstance(name, str) or isinstance(number, Failure) or not math.isfinite(number):
            raise SettingsError(f"the metric {show(name)} is {show(value)}; give a finite number")
        read[name] = number
    return observed, read
