"""The results so far, held so that a model can be made without going through all of them."""

from __future__ import annotations

from collections import deque

import numpy as np

from deephyper.optimizer.arrays import Array, GrowingArray, Indices


class Observations:
    """Vectors that were evaluated, and the objectives, NaN for a failure.

    Args:
        n_dims: length of a vector.
        n_best: so many of the best results are known at any time.
        n_failed: so many of the last failures are known at any time.
    """

    def __init__(self, n_dims: int, n_best: int, n_failed: int) -> None:
        self._vectors = GrowingArray(n_dims)
        self._objectives = GrowingArray(1)
        self._finished = GrowingArray(1)
        """Rows of the results that are no failures."""
        self._n_best = n_best
        self._best = np.empty(0, dtype=np.intp)
        self._failed: deque[int] = deque(maxlen=n_failed)

    def __len__(self) -> int:
        return len(self._objectives)

    @property
    def n_finished(self) -> int:
        """Number of results that are no failures."""
        return len(self._finished)

    @property
    def vectors(self) -> Array:
        """All vectors, shape (n, d)."""
        return self._vectors.array

    @property
    def objectives(self) -> Array:
        """All objectives, shape (n,)."""
        return self._objectives.array[:, 0]

    @property
    def failed(self) -> Indices:
        """Rows of the last failures, oldest first."""
        return np.fromiter(self._failed, dtype=np.intp)

    def append(self, vectors: Array, objectives: Array) -> None:
        """Append results, shapes (k, d) and (k,)."""
        first = len(self)
        self._vectors.append(vectors)
        self._objectives.append(objectives[:, None])
        finite = np.isfinite(objectives)
        new = first + np.flatnonzero(finite)
        self._failed.extend((first + np.flatnonzero(~finite)).tolist())
        self._finished.append(new[:, None].astype(float))
        y = self.objectives
        full = len(self._best) == self._n_best
        if full:
            new = new[y[new] > y[self._best[-1]]]
        if len(new):
            rows = np.concatenate([self._best, new])
            self._best = rows[np.argsort(-y[rows], kind="stable")[: self._n_best]]

    def best(self, k: int) -> Indices:
        """Return the rows of the k best results, best first; of equals the first told."""
        return self._best[:k]

    def best_and_some(self, limit: int, rng: np.random.Generator) -> Indices:
        """Return at most `limit` rows of results: one half the best, the other half at random."""
        n = self.n_finished
        if n <= limit:
            return self._finished.array[:, 0].astype(np.intp)
        best = self.best(limit // 2)
        missing = limit - len(best)
        if n <= 4 * limit:
            others = _without(self._finished.array[:, 0].astype(np.intp), best)
            drawn = rng.choice(others, missing, replace=False)
        else:
            # Of so many, twice as many draws hold enough distinct ones that aren't of the best.
            rows = self._finished.array[rng.integers(n, size=2 * limit), 0].astype(np.intp)
            drawn = rng.permutation(_without(rows, best))[:missing]
        return np.concatenate([best, drawn])


def _without(rows: Indices, taken: Indices) -> Indices:
    """Return the distinct rows that are not taken, in their order."""
    # setdiff1d would import numpy.ma for it.
    return np.array(sorted({*rows.tolist()} - {*taken.tolist()}), dtype=np.intp)
