"""Ax through its Client, with the generation strategy that it chooses by itself.

Sobol points may exceed their budget: without that Ax refuses a point to workers that are free
before the first results are in. Ax's dependent parameters form a tree: a
condition with several values isn't passed on.
"""

from __future__ import annotations

import logging
from typing import Any

DISTRIBUTION = "ax-platform"


class Search:
    def __init__(self, space: dict[str, Any], seed: int, directory: str) -> None:
        from ax.api.client import Client

        logging.disable(logging.CRITICAL)
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(parameters=_parameters(space))
        self._client.configure_optimization(objective="objective")
        self._client.configure_generation_strategy(
            initialization_random_seed=seed, allow_exceeding_initialization_budget=True
        )
        self._trials: list[int] = []

    def ask(self) -> dict[str, Any]:
        ((trial, point),) = self._client.get_next_trials(max_trials=1).items()
        self._trials.append(trial)
        return dict(point)

    def tell(self, number: int, objective: float | str) -> None:
        if isinstance(objective, str):
            self._client.mark_trial_failed(self._trials[number])
        else:
            self._client.complete_trial(self._trials[number], {"objective": objective})


def _parameters(space: dict[str, Any]) -> list[Any]:
    from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

    # By parent, the children that each of its values activates.
    dependent: dict[str, dict[str, list[str]]] = {}
    for condition in space["conditions"]:
        by_value = dependent.setdefault(condition["parent"], {})
        by_value.setdefault(condition["value"], []).append(condition["child"])
    parameters: list[Any] = []
    for dimension in space["dimensions"]:
        name = dimension["name"]
        if dimension["type"] == "category":
            parameters.append(
                ChoiceParameterConfig(
                    name=name,
                    values=dimension["values"],
                    parameter_type="str",
                    is_ordered=False,
                    dependent_parameters=dependent.get(name),
                )
            )
        else:
            parameters.append(
                RangeParameterConfig(
                    name=name,
                    bounds=(dimension["low"], dimension["high"]),
                    parameter_type=dimension["type"],
                    scaling="log" if dimension["log"] else "linear",
                )
            )
    return parameters
