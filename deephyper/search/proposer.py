"""What the search loop asks of an optimizer, and what it tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from deephyper.job import Outcome, Prediction, Proposal
from deephyper.objective import FAILURE_PREFIX, Failure


class Proposer(Protocol):
    """What the loop asks of an optimizer; see :mod:`deephyper.optimizer`."""

    @property
    def description(self) -> str: ...

    def ask(self, n_points: int) -> list[Proposal]: ...

    def tell(self, x: Sequence[dict[str, Any]], y: Sequence[float | str | Failure]) -> None: ...

    def tell_pending(self, points: Sequence[dict[str, Any]]) -> None: ...

    def forget(self, points: Sequence[dict[str, Any]]) -> None: ...


def predicted(prediction: Prediction | None) -> tuple[float, float] | None:
    """The objective that the optimizer's model expects, and its standard deviation."""
    return None if prediction is None else (prediction.mean, prediction.std)


def told(outcome: Outcome) -> float | str | Failure:
    """The objective, or the failure."""
    if outcome.objective is not None:
        return outcome.objective
    return outcome.failure or f"{FAILURE_PREFIX}unknown"
