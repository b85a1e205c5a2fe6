"""Where the acquisition function is looked at: a pool of valid points that persists.

What prediction needs of a candidate is kept with it and extended by one number when a point is
proposed, so that an ask pays for the few candidates that are new.
"""

from __future__ import annotations

import numpy as np

from deephyper.search.hps.optimizer.encoding import Array, SpaceEncoding
from deephyper.search.hps.optimizer.factor import Factor
from deephyper.search.hps.optimizer.features import Features
from deephyper.search.hps.optimizer.kernel import covariance


class Moves:
    """Random changes of valid vectors.

    Args:
        encoding: of the space.
        rng: source of the changes.
    """

    def __init__(self, encoding: SpaceEncoding, rng: np.random.Generator) -> None:
        self._encoding = encoding
        self._rng = rng
        columns = encoding.columns
        self._numbers = [i for i, c in enumerate(columns) if c.size > 1 and not c.categorical]
        self._steppers = [i for i in self._numbers if columns[i].discrete]
        self._categories = [i for i, c in enumerate(columns) if c.size > 1 and c.categorical]
        self._spans = np.array([1.0 / columns[i].unit_scale for i in self._numbers])
        self._free = self._numbers + self._categories

    def perturb(self, bases: Array, scales: Array) -> Array:
        """One valid neighbour of each base; forbidden ones are left out.

        Args:
            bases: valid vectors, shape (n, d).
            scales: standard deviation of the change of a number in [0, 1], shape (n,).
        """
        rng, columns = self._rng, self._encoding.columns
        n, d_free = len(bases), len(self._free)
        out = bases.copy()
        if d_free == 0:
            return out
        # Few coordinates more often than many: at least one, and all of them now and then.
        share = np.maximum(rng.random(n) ** 2, 1.0 / d_free)
        moved = rng.random((n, d_free)) < share[:, None]
        moved[np.arange(n), rng.integers(d_free, size=n)] = True
        n_numbers = len(self._numbers)
        if n_numbers:
            part = bases[:, self._numbers]
            change = rng.standard_normal(part.shape) * (scales[:, None] * self._spans)
            part = part + np.where(moved[:, :n_numbers], change, 0.0)
            # Reflection at the ends keeps moves from piling up there; a quarter stay clipped.
            reflected = np.abs(part)
            reflected = self._spans - np.abs(self._spans - reflected)
            clip = rng.random(part.shape) < 0.25
            out[:, self._numbers] = np.clip(np.where(clip, part, reflected), 0.0, self._spans)
            for j, i in enumerate(self._numbers):
                if i in self._steppers:
                    snapped = columns[i].snap(out[:, i])
                    stuck = moved[:, j] & (snapped == bases[:, i])
                    if stuck.any():
                        signs = np.where(rng.random(int(stuck.sum())) < 0.5, -1.0, 1.0)
                        snapped[stuck] = columns[i].step(snapped[stuck], signs)
                    out[:, i] = snapped
        for j, i in enumerate(self._categories):
            rows = np.flatnonzero(moved[:, n_numbers + j] & ~np.isnan(bases[:, i]))
            size = int(columns[i].size)
            shift = rng.integers(1, size, size=len(rows))
            out[rows, i] = (bases[rows, i] + shift) % size
        return self._encoding.repair(out, rng)


class Pool:
    """Candidates with their solves.

    Args:
        features: of the space.
        factor: over the points so far.
        vectors: of the candidates, shape (m, d).
    """

    def __init__(self, features: Features, factor: Factor, vectors: Array) -> None:
        self._features = features
        self._factor = factor
        self.vectors = vectors
        self._x = features(vectors)
        self._solves = np.empty((factor.capacity, len(vectors)))
        self._solves[: factor.n] = factor.solve(self._x)
        self._explained = np.einsum("ij,ij->j", self._solves[: factor.n], self._solves[: factor.n])

    def __len__(self) -> int:
        return len(self.vectors)

    def predict(self, z: Array) -> tuple[Array, Array]:
        """Mean and variance at all candidates, shape (m,) each, in units of the signal.

        Args:
            z: inverse factor times the values of the points, shape (n,).
        """
        mean = z @ self._solves[: len(z)]
        return mean, np.maximum(1.0 - self._explained, 1e-10)

    def replace(self, rows: Array, vectors: Array, x: Array, solves: Array) -> None:
        """Put other candidates, with their features and solves, in place of some."""
        self.vectors[rows] = vectors
        self._x[rows] = x
        self._solves[: len(solves), rows] = solves
        self._explained[rows] = np.einsum("ij,ij->j", solves, solves)

    def extend(self, row: Array, diagonal: float) -> None:
        """Take in the point that was last appended to the factor; its row as `append` gave it."""
        n = len(row)
        k = covariance(self._features, self._factor.parameters, self._factor.x[n : n + 1], self._x)[
            0
        ]
        new = (k - row @ self._solves[:n]) / diagonal
        self._solves[n] = new
        self._explained += new * new
