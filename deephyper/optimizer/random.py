"""Random search: every proposal is drawn anew from the space's own distributions.

Bergstra and Bengio (2012), Random search for hyper-parameter optimization, JMLR 13.
"""

from __future__ import annotations

from collections.abc import Sequence

from deephyper.optimizer.optimizer import Optimizer
from deephyper.problem.point import Point


class RandomOptimizer(Optimizer):
    """Proposes unseen points at random and learns nothing."""

    def _propose(self, n: int, strategy: str | None) -> Sequence[Point]:
        return self._draw_unseen(n)

    def _learn(self, points: Sequence[Point], objectives: Sequence[float]) -> None:
        pass
