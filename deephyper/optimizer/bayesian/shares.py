"""A share of the proposals for the other values of categories, once a search stands still.

The model learns nothing about a value that isn't proposed, and nothing is proposed of which it
expects nothing. Where a local optimum or steps in the objective have misled it, a search would stay
with one value of a category for good.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from deephyper.objective import Objective
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.transform import Transform

PATIENCE = 20
"""Results without a gain after which a search stands still."""
GAIN = 0.05
"""Transformed objectives gain when they exceed the last gain by this."""
RECENT = 20
"""Proposals that are looked at."""
MOST = 0.6
"""A value prevails when more than this share of them has it."""
EVERY = 4
"""One of so many proposals is for another value than one that prevails."""


class CategoryShares:
    """Watches which values of categories are proposed, and what comes of it.

    Args:
        categories: their positions in a vector.
        rng: chooses among several values that prevail.
    """

    def __init__(self, categories: Sequence[int], rng: np.random.Generator) -> None:
        self._categories = list(categories)
        self._rng = rng
        self._recent: deque[Array] = deque(maxlen=RECENT)
        self._best: Objective | None = None
        """The objective that was the last gain."""
        self._since = 0
        self._turn = 0

    def learn(self, objectives: Sequence[Objective | None], transform: Transform | None) -> None:
        """Take in results; those before there is a transform gain by being the best."""
        for objective in objectives:
            self._since += 1
            if objective is None or (self._best is not None and objective <= self._best):
                continue
            if self._best is not None and transform is not None:
                before, after = transform(np.array([self._best, objective]))
                if after - before <= GAIN:
                    continue
            self._best, self._since = objective, 0

    def record(self, vector: Array) -> None:
        """Take in a proposed vector, shape (d,)."""
        self._recent.append(vector[self._categories])

    def take_turns(self, recent: Sequence[Array], n_proposed: int) -> None:
        """Continue after proposals of another one.

        Args:
            recent: the last vectors that were proposed, shape (d,) each.
            n_proposed: how many were proposed in all.
        """
        self._turn = n_proposed
        for vector in recent:
            self.record(vector)

    def restrict(self, value: Array, vectors: Array) -> Array:
        """Return the acquisition of candidates, -inf for those that it isn't the turn of.

        Args:
            value: the acquisition, shape (m,).
            vectors: of the candidates, shape (m, d).
        """
        if not self._categories or self._since < PATIENCE or len(self._recent) < RECENT:
            return value
        self._turn += 1
        prevailing = self._prevailing() if self._turn % EVERY == 0 else []
        if not prevailing:
            return value
        position, code = prevailing[int(self._rng.integers(len(prevailing)))]
        return np.where(vectors[:, position] == code, -np.inf, value)

    def _prevailing(self) -> list[tuple[int, float]]:
        """Return the position and the value of each category of which one value prevails."""
        codes = np.array(self._recent)
        found = []
        for g, position in enumerate(self._categories):
            values, counts = np.unique(codes[:, g], return_counts=True)
            most = int(np.argmax(counts))
            if counts[most] > MOST * RECENT and not np.isnan(values[most]):
                found.append((position, float(values[most])))
        return found
