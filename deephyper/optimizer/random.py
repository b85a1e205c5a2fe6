"""Random search: every proposal is drawn independently from the space's own distributions.

Bergstra and Bengio (2012), Random search for hyper-parameter optimization, JMLR 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deephyper.job import Proposal
from deephyper.objective import Objective
from deephyper.optimizer.encoding import Key
from deephyper.optimizer.optimizer import Optimizer
from deephyper.problem.point import Point


class RandomOptimizer(Optimizer):
    """Proposes unseen points at random and learns nothing.

    Args:
        problem: the space to search and its starting points.
        seed: makes the proposals reproducible.
    """

    @property
    def description(self) -> str:
        return "random sampling"

    def _propose(self, n: int) -> Mapping[Key, Proposal]:
        return self._draw_unseen(n)

    def _learn(
        self,
        keys: Sequence[Key],
        points: Sequence[Point],
        objectives: Sequence[Objective | None],
    ) -> None:
        pass
