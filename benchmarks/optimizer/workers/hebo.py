"""HEBO through suggest and observe.

It minimizes, leaves out results that aren't finite (so that a failure is told as nan) and knows
neither conditions nor points that are being evaluated.
"""

from __future__ import annotations

from typing import Any

DISTRIBUTION = "HEBO"

_TYPES = {
    ("float", False): "num",
    ("float", True): "pow",
    ("int", False): "int",
    ("int", True): "pow_int",
}


class Search:
    def __init__(self, space: dict[str, Any], seed: int, directory: str) -> None:
        import numpy as np
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        # It draws from the global generators.
        np.random.seed(seed)
        torch.manual_seed(seed)
        parameters = [_parameter(dimension) for dimension in space["dimensions"]]
        self._optimizer = HEBO(DesignSpace().parse(parameters), scramble_seed=seed)
        self._suggestions: list[Any] = []

    def ask(self) -> dict[str, Any]:
        self._suggestions.append(self._optimizer.suggest(n_suggestions=1))
        point: dict[str, Any] = self._suggestions[-1].iloc[0].to_dict()
        return point

    def tell(self, number: int, objective: float | str) -> None:
        import numpy as np

        cost = float("nan") if isinstance(objective, str) else -objective
        self._optimizer.observe(self._suggestions[number], np.array([[cost]]))


def _parameter(dimension: dict[str, Any]) -> dict[str, Any]:
    name = dimension["name"]
    if dimension["type"] == "category":
        return {"name": name, "type": "cat", "categories": dimension["values"]}
    kind = _TYPES[dimension["type"], dimension["log"]]
    return {"name": name, "type": kind, "lb": dimension["low"], "ub": dimension["high"]}
