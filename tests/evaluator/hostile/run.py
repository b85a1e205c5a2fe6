"""The run function that is hostile."""

from __future__ import annotations

from typing import Any

from tests.evaluator.hostile.named import ANYWHERE, ENDLESS, IN_A_PROCESS, Point
from tests.evaluator.hostile.values import EXCEPTIONS

HERE = f"{__file__}::run"


def run(point: Point) -> Any:
    """Do what the point names; without a name, be an evaluation as it should be."""
    name = point.get("do")
    if name is None:
        return 2 * point["x"]
    return {**ANYWHERE, **IN_A_PROCESS, **ENDLESS, **EXCEPTIONS}[name](point)
