"""The candidates at which the acquisition function is evaluated: a pool that persists.

What prediction needs of a candidate is kept with it and extended by one number when a point is
proposed, so that an ask pays for the few candidates that are new.
"""

from __future__ import annotations

import math

import numpy as np

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.acquisition import Acquisition, PosteriorMoments
from deephyper.optimizer.bayesian.ascent import climb
from deephyper.optimizer.bayesian.features import Features
from deephyper.optimizer.bayesian.surrogate import Surrogate
from deephyper.optimizer.neighbors import Neighbors
from deephyper.optimizer.sampling import Sampler

# Choices that were compared on the design half of the benchmark; RESULTS.md there has the figures.
SIZE = 512
"""Candidates in the pool."""
UNIFORM, NEAR, CROSSED, EXCHANGED = 16, 32, 12, 32
"""Candidates drawn at each ask: anywhere, near the best finished points, between them, and
exchanges of one category of the most promising candidate."""
STEPS = (0.003, 0.3)
"""Distance from the best finished points, log-uniform."""
STARTS, TRIES, STEP, SLOPES = 5, 6, 0.05, 5
"""A climb: the candidates it starts from, random neighbors of each and their distance, and steps
along the gradient. The broad draw changes a value or two of as many neighbors completely."""
FULL_EFFORT = 130
"""With more points in the model than this, fewer candidates are drawn: each costs more."""


class Pool:
    """Candidates with their solves.

    Args:
        sampler: of the space.
        features: of the space.
        neighbors: of the space.
        acquisition: ranks the candidates.

    Attributes:
        vectors: of the candidates, shape (m, d).
    """

    def __init__(
        self,
        sampler: Sampler,
        features: Features,
        neighbors: Neighbors,
        acquisition: Acquisition,
    ) -> None:
        self._sampler = sampler
        self._encoding = sampler.encoding
        self._rng = sampler.rng
        self._features = features
        self._neighbors = neighbors
        self._acquisition = acquisition
        self._fixed = False
        self.vectors = np.empty((0, self._encoding.n_dims))
        self._used = np.empty(0, dtype=bool)
        """Candidates that were proposed, or that must not be."""
        self._spare = self.vectors
        self._contained: set[bytes] = set()

    def rebind(self, surrogate: Surrogate, whole: Array | None = None) -> None:
        """Change to a new surrogate, with the candidates so far.

        Args:
            surrogate: the model from now on.
            whole: all unseen vectors, if they are few enough to be the pool.
        """
        self._surrogate = surrogate
        self._fixed = whole is not None
        if whole is not None:
            self._take(whole.copy())
        elif len(self.vectors) < SIZE:
            self._take(self._sampler.sample(SIZE))
        factor = surrogate.factor
        self._contained = {vector.tobytes() for vector in self.vectors}
        self._x = self._features(self.vectors)
        self._scaled = factor.covariance.scaled(self._x)
        self._solves = np.empty((factor.capacity, len(self.vectors)))
        solves = factor.solve(self._x)
        self._solves[: factor.n] = solves
        self._explained = np.einsum("ij,ij->j", solves, solves)

    def _take(self, vectors: Array) -> None:
        self.vectors = vectors
        self._used = np.zeros(len(vectors), dtype=bool)

    def rank(self, best: float) -> tuple[PosteriorMoments, Array]:
        """Return the prediction at all candidates, and their acquisition.

        Args:
            best: the objective to be exceeded, transformed.

        Returns:
            The moments, and the acquisition, shape (m,); minus infinity for one that was used.
        """
        moments = self.moments()
        value = self._acquisition(moments, best)
        value[self._used | np.isnan(value)] = -np.inf
        return moments, value

    def use(self, i: int) -> None:
        """Take note that candidate i was proposed, or must not be; it is ranked last."""
        self._used[i] = True

    def candidate(self, i: int) -> tuple[Array, Array]:
        """Return the features of candidate i, shape (p,), and its solve, shape (n,)."""
        return self._x[i], self._solves[: self._surrogate.factor.n, i].copy()

    def append(self, row: Array, diagonal: float) -> None:
        """Take in the point that was last appended to the factor; its row as that returned it."""
        n, factor = len(row), self._surrogate.factor
        k = factor.covariance.to_all(factor.x[n], self._scaled)
        new = (k - row @ self._solves[:n]) / diagonal
        self._solves[n] = new
        self._explained += new * new

    def moments(self) -> PosteriorMoments:
        """Return the prediction at all candidates."""
        z = self._surrogate.z
        return self._surrogate.moments(z @ self._solves[: z.shape[1]], self._explained)

    def resample(self) -> None:
        """Replace all candidates by draws from the whole space."""
        if not self._fixed:
            self.vectors = self.vectors[:0]
            self.rebind(self._surrogate)

    def refresh(self, bases: Array, best: float, *, broadly: bool, effort: float = 1.0) -> None:
        """Put new candidates in place of the least promising ones.

        One call does half of the work: proposals that ask for much improvement want new places,
        those that ask for any improvement want the top of the hill that they are on.

        Args:
            bases: vectors of the best finished points, shape (k, d).
            best: the objective to be exceeded, transformed.
            broadly: whether to draw from the whole space, or to climb from the most promising.
            effort: how many candidates to draw, 1 being what serves each proposal.
        """
        if self._fixed:
            return
        value = self._acquisition(self.moments(), best)
        effort = min(1.0, effort * FULL_EFFORT / self._surrogate.factor.n)
        tries = max(2, round(effort * TRIES))
        if broadly:
            fresh = [
                self._uniform(),
                self._near(bases, round(effort * NEAR)),
                self._crossed(bases, round(effort * CROSSED)),
                self._exchanged(value, round(effort * EXCHANGED)),
                self._around(value, math.inf, tries),
            ]
            self._replace(value, np.concatenate(fresh), best)
        else:
            near = [
                self._around(value, STEP, tries),
                self._exchanged(value, round(effort * EXCHANGED)),
            ]
            self._replace(value, np.concatenate(near), best, keep=STARTS)
            if self._features.n_numbers:
                self._replace(
                    value, self._ascended(value, best, max(4, round(effort * SLOPES))), best
                )

    def _ascended(self, value: Array, best: float, steps: int) -> Array:
        """Return where the gradient leads from the most promising candidates."""
        tops = np.argpartition(-value, STARTS)[:STARTS]
        vectors = self.vectors[tops].copy()
        numbers = self._encoding.numbers
        movable = ~np.isnan(vectors[:, numbers])
        units = climb(self._surrogate, self._acquisition, self._x[tops], movable, best, steps=steps)
        vectors[:, numbers] = np.where(movable, units / self._encoding.unit_scale, np.nan)
        return self._sampler.repair(vectors)

    def _uniform(self) -> Array:
        """Return vectors from anywhere."""
        if len(self._spare) < UNIFORM:
            self._spare = self._sampler.sample(16 * UNIFORM)
        drawn, self._spare = self._spare[:UNIFORM], self._spare[UNIFORM:]
        return drawn

    def _near(self, bases: Array, n: int) -> Array:
        """Return neighbors of the best finished points."""
        low, high = STEPS
        scales = np.exp(self._rng.uniform(math.log(low), math.log(high), size=n))
        return self._neighbors.perturb(bases[self._rng.integers(len(bases), size=n)], scales)

    def _crossed(self, bases: Array, n: int) -> Array:
        """Return crossings of the best finished points."""
        first, second = self._rng.integers(len(bases), size=(2, n))
        return self._neighbors.cross(bases[first], bases[second])

    def _exchanged(self, value: Array, n: int) -> Array:
        """Return exchanges of one category of the most promising candidate."""
        exchanged = self._neighbors.exchange(self.vectors[np.argmax(value)])
        if len(exchanged) <= n:
            return exchanged
        return exchanged[self._rng.choice(len(exchanged), n, replace=False)]

    def _around(self, value: Array, step: float, tries: int) -> Array:
        """Return neighbors of the most promising candidates."""
        tops = np.repeat(np.argpartition(-value, STARTS)[:STARTS], tries)
        scales = step * np.exp(0.5 * self._rng.standard_normal(len(tops)))
        return self._neighbors.perturb(self.vectors[tops], scales)

    def _replace(self, value: Array, vectors: Array, best: float, keep: int | None = None) -> None:
        """Put these vectors (only the `keep` most promising) in place of the worst ones."""
        # Many neighbors end at a corner or on a value that is there already; copies crowd out the
        # rest.
        new_ones: dict[bytes, int] = {}
        for i, vector in enumerate(vectors):
            name = vector.tobytes()
            if name not in self._contained:
                new_ones.setdefault(name, i)
        if not new_ones:
            return
        vectors = vectors[list(new_ones.values())]
        x = self._features(vectors)
        solves = self._surrogate.factor.solve(x)
        new = self._acquisition(self._surrogate.moments_at(solves), best)
        if keep is not None and keep < len(new):
            kept = np.argpartition(-new, keep)[:keep]
            vectors, x, solves, new = vectors[kept], x[kept], solves[:, kept], new[kept]
        rows = np.argpartition(value, len(new))[: len(new)]
        self._contained.difference_update(vector.tobytes() for vector in self.vectors[rows])
        self._contained.update(vector.tobytes() for vector in vectors)
        self.vectors[rows] = vectors
        self._used[rows] = False
        self._x[rows] = x
        self._scaled.replace(rows, self._surrogate.factor.covariance.scaled(x))
        self._solves[: len(solves), rows] = solves
        self._explained[rows] = np.einsum("ij,ij->j", solves, solves)
        value[rows] = new
