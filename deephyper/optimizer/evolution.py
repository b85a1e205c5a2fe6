"""Regularized evolution: changes to the best of a few recent points, the oldest of which die.

Real, Aggarwal, Huang and Le (2019), Regularized evolution for image classifier architecture search,
AAAI. Asynchronous by nature: whoever is free takes a child of those who live.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deephyper.job import Proposal
from deephyper.objective import Objective
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.encoding import Key
from deephyper.optimizer.neighbors import Neighbors
from deephyper.optimizer.optimizer import Optimizer
from deephyper.optimizer.settings import EvolutionSettings
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem

_ROUNDS = 8
"""How often as many children are made as are wanted; most are made in vain only near the end of a
small space."""
_SCALES = np.array([0.02, 0.1, np.inf])
"""Standard deviations of the change of a number in [0, 1], of which each child has one."""


class EvolutionOptimizer(Optimizer):
    """Changes one hyperparameter of the best of a random sample of the latest points.

    Failures are no parents. Points at random come first, until there is a population.

    Args:
        problem: the space to search and its starting points.
        settings: None for the defaults.
        seed: makes the proposals reproducible.
    """

    def __init__(
        self,
        problem: BaseProblem,
        settings: EvolutionSettings | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        super().__init__(problem, seed)
        self._settings = settings or EvolutionSettings()
        self._neighbors = Neighbors(self._sampler)
        size = self._settings.population_size
        self._vectors: deque[Array] = deque(maxlen=size)
        """Of those who live, the oldest first; each has shape (d,)."""
        self._objectives: deque[float] = deque(maxlen=size)

    @property
    def description(self) -> str:
        size, sample = self._settings.population_size, self._settings.sample_size
        return f"regularized evolution (population of {size}, samples of {sample})"

    def _propose(self, n: int) -> Mapping[Key, Proposal]:
        proposals: dict[Key, Proposal] = {}
        if len(self._vectors) < self._settings.population_size:
            return proposals  # the caller draws at random
        vectors, objectives = np.stack(self._vectors), np.array(self._objectives)
        for _ in range(_ROUNDS):
            missing = n - len(proposals)
            if not missing:
                break
            shape = (missing, self._settings.sample_size)
            sampled = self._rng.integers(len(vectors), size=shape)  # with replacement
            best = sampled[np.arange(missing), np.argmax(objectives[sampled], axis=1)]
            scales = self._rng.choice(_SCALES, missing)
            children = self._neighbors.change_one(vectors[best], scales)
            for point in self._encoding.iterate(children):
                key = self._admit(point, proposals)
                if key is not None:
                    proposals[key] = Proposal(point)
        return proposals

    def _learn(
        self,
        keys: Sequence[Key],
        points: Sequence[Point],
        objectives: Sequence[Objective | None],
    ) -> None:
        found = [(p, y) for p, y in zip(points, objectives, strict=True) if y is not None]
        self._vectors.extend(self._encoding.vectors([point for point, _ in found]))
        self._objectives.extend(objective for _, objective in found)
