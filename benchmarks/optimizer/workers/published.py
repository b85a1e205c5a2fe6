"""The published DeepHyper of the package registry: CBO with its defaults.

It takes ConfigSpace's serialized dictionary.
"""

from __future__ import annotations

import math
from typing import Any

DISTRIBUTION = "deephyper"

# ConfigSpace rounds floats to so many decimals.
DECIMALS = 13


class Search:
    """Only the seed and where it may write are set."""

    def __init__(self, space: dict[str, Any], seed: int, directory: str) -> None:
        from ConfigSpace import ConfigurationSpace

        # The published package; the checkout's of the same name isn't on this interpreter's path.
        from deephyper.hpo import CBO, HpProblem  # type: ignore[import-not-found]

        for hyperparameter in space["hyperparameters"]:
            if hyperparameter["type"] == "uniform_float" and hyperparameter["log"]:
                _steady(hyperparameter)
        problem = HpProblem(config_space=ConfigurationSpace.from_serialized_dict(space))
        self._search = CBO(problem, random_state=seed, log_dir=directory, verbose=0)
        # A result is told with the proposal as it was made, inactive hyperparameters included.
        self._proposals: list[dict[str, Any]] = []

    def ask(self) -> dict[str, Any]:
        self._proposals.append(self._search.ask(1)[0])
        return self._proposals[-1]

    def tell(self, number: int, objective: float | str) -> None:
        self._search.tell([(self._proposals[number], objective)])


def _steady(hyperparameter: dict[str, Any]) -> None:
    """Move the bounds of a log float inwards until they survive log10 and its inverse.

    CBO maps its candidates so and back, and fails on a bound that comes out beyond itself by a
    rounding error, as 1e-5 does. That takes a few steps of ConfigSpace's last decimal.
    """
    low, high = hyperparameter["lower"], hyperparameter["upper"]
    while _there_and_back(low) < low:
        low = round(low + max(10.0**-DECIMALS, math.ulp(low)), DECIMALS)
    while _there_and_back(high) > high:
        high = round(high - max(10.0**-DECIMALS, math.ulp(high)), DECIMALS)
    default = min(max(hyperparameter["default_value"], low), high)
    hyperparameter.update(lower=low, upper=high, default_value=default)


def _there_and_back(value: float) -> float:
    import numpy as np

    return float(np.power(10.0, np.log10(np.array([value])))[0])
