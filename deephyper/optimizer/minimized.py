"""Minimizing with an optimizer, which maximizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from deephyper.job import Estimate, Failure, Objective, Proposal
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.optimizer.optimizer import Optimizer


class Minimized:
    """An optimizer that is told objectives with the other sign, and whose predictions have it.

    It has what a search calls, see :class:`deephyper.optimizer.proposer.Proposer`.

    Args:
        optimizer: the optimizer.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    @property
    def description(self) -> str:
        return self._optimizer.description

    def ask(self, n_points: int) -> list[Proposal]:
        return [_turned(proposal) for proposal in self._optimizer.ask(n_points)]

    def tell(self, x: Sequence[Point], y: Sequence[Objective | Failure]) -> None:
        self._optimizer.tell(x, [_negative(each) for each in y])

    def tell_known(self, known: Sequence[tuple[Point, Objective | Failure]]) -> None:
        self._optimizer.tell_known([(point, _negative(each)) for point, each in known])

    def tell_pending(self, points: Sequence[Point]) -> None:
        self._optimizer.tell_pending(points)

    def tell_partial(self, points: Sequence[Point], estimates: Sequence[Estimate]) -> None:
        self._optimizer.tell_partial(points, [replace(e, mean=-e.mean) for e in estimates])

    def forget(self, points: Sequence[Point]) -> None:
        self._optimizer.forget(points)


def _negative(observed: Objective | Failure) -> Objective | Failure:
    return observed if isinstance(observed, Failure) else -observed


def _turned(proposal: Proposal) -> Proposal:
    expected = proposal.prediction
    if expected is None:
        return proposal
    return replace(proposal, prediction=replace(expected, mean=-expected.mean))
