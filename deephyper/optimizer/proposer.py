"""The part of an optimizer that a search needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deephyper.job import Estimate, Proposal
from deephyper.objective import Failure, Objective
from deephyper.problem.point import Point


class Proposer(Protocol):
    """Proposes points and learns; see :class:`deephyper.optimizer.Optimizer`."""

    @property
    def description(self) -> str:
        """One line for the log."""

    def ask(self, n_points: int) -> list[Proposal]:
        """Propose points; they are pending from now on."""

    def tell(self, x: Sequence[Point], y: Sequence[Objective | Failure]) -> None:
        """Take in what came of points."""

    def tell_known(self, known: Sequence[tuple[Point, Objective | Failure]]) -> None:
        """Take in what came of points earlier; they are in their canonical form."""

    def tell_pending(self, points: Sequence[Point]) -> None:
        """Take in points that are being evaluated and were not asked for."""

    def tell_partial(self, points: Sequence[Point], estimates: Sequence[Estimate]) -> None:
        """Take in what is expected of points: their evaluations were ended early or are paused.

        They are pending from now on, if they weren't.
        """

    def forget(self, points: Sequence[Point]) -> None:
        """Drop pending points of which nothing more will come."""
