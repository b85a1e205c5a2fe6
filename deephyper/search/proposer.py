"""What the search loop asks of an optimizer, and what it tells it."""

from __future__ import annotations

import math
from typing import Any, Protocol

from deephyper.job import Outcome


class Proposer(Protocol):
    """What the loop asks of an optimizer; see :mod:`deephyper.optimizer`."""

    def ask(self, n_points: int) -> list[dict[str, Any]]: ...

    def tell(self, x: list[dict[str, Any]], y: list[float | str]) -> None: ...

    def tell_pending(self, points: list[dict[str, Any]]) -> None: ...

    def forget(self, points: list[dict[str, Any]]) -> None: ...

    def explain(self, point: dict[str, Any]) -> Any: ...


def predicted(optimizer: Proposer, point: dict[str, Any]) -> tuple[float, float] | None:
    """The objective that the optimizer's model expects, and its standard deviation."""
    prediction = optimizer.explain(point)
    if prediction is None or not math.isfinite(prediction.mean + prediction.std):
        return None
    return prediction.mean, prediction.std


def told(outcome: Outcome) -> float | str:
    """The objective, or "F_reason" of a failure."""
    if outcome.objective is not None:
        return outcome.objective
    return f"F_{outcome.failure.kind}" if outcome.failure is not None else "F_unknown"
