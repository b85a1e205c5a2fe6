"""One factorization over finished and pending points alike.

A point's row depends on where it is, not on its result. So asking appends one row, and telling a
result changes a number on the right-hand side; nothing is refitted, removed or rebuilt for it. The
inverse of the Cholesky factor is kept rather than the factor: appending costs the same, and what
has to be solved for candidates becomes a matrix product.

K + noise is no smaller than the noise in any direction, so no row of A is longer than
1 / sqrt(noise). Where many points lie close together, rounding breaks that: rows grow, each by what
the last ones have grown, until they overflow. So the bound is kept by force: a point whose row
would exceed it gets more noise of its own, as much as it takes. To the model it is a point that is
known already.

A point without a result stands for what the finished ones predict there (posterior.py;
Ginsbourger, Le Riche and Carraro, 2010, call this the kriging believer): the mean is that of the
finished points alone, the variance that of all.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import lapack

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.kernel import MIN_NOISE, Covariance

_BLOCK = 96
"""Rows of the factor that are multiplied at a time."""
_SLACK = 2.0
"""Squared norms of rows may exceed their bound by this factor, which rounding alone can cause."""


class Factor:
    """Inverse Cholesky factor A of K + noise, so that A'A is the precision matrix.

    Args:
        covariance: of the prior.
        x: features of the first points, shape (n, p).
        capacity: rows to make room for.
    """

    def __init__(self, covariance: Covariance, x: Array, capacity: int) -> None:
        self.covariance = covariance
        self.n = len(x)
        self.capacity = max(capacity, self.n)
        self._x = np.empty((self.capacity, x.shape[1]))
        self._x[: self.n] = x
        self._inverse = np.zeros((self.capacity, self.capacity))
        self.variance = 1.0 + covariance.parameters.noise + MIN_NOISE
        """Prior variance of an observation, of which 1 is the signal and the rest noise."""
        k = covariance(x, x)
        while True:
            k[np.diag_indices(self.n)] = self.variance
            lower, info = lapack.dpotrf(k.T, lower=1)
            if info == 0:
                inverse = np.tril(lapack.dtrtri(lower, lower=1)[0])
                longest = float(np.einsum("ij,ij->i", inverse, inverse).max(initial=0.0))
                if longest <= _SLACK / self.noise:
                    break
            # The kernel is computed in single precision.
            self.variance = 1.0 + 4.0 * self.noise
        self.lower: Array = lower
        """The Cholesky factor of the first points."""
        self._inverse[: self.n, : self.n] = inverse

    @property
    def x(self) -> Array:
        """Features of all points, shape (n, p)."""
        return self._x[: self.n]

    @property
    def inverse(self) -> Array:
        """A, shape (n, n)."""
        return self._inverse[: self.n, : self.n]

    @property
    def noise(self) -> float:
        """Variance of the noise at each point."""
        return self.variance - 1.0

    @property
    def room(self) -> int:
        """Number of points that can still be appended."""
        return self.capacity - self.n

    def solve(self, z: Array) -> Array:
        """Return A K(x, z), shape (n, m), which prediction at rows of features z needs."""
        k = self.covariance(self.x, z)
        # A is lower triangular: by blocks of rows, half of the product is left out.
        out = np.empty_like(k)
        for start in range(0, self.n, _BLOCK):
            stop = min(start + _BLOCK, self.n)
            np.matmul(self._inverse[start:stop, :stop], k[:stop], out=out[start:stop])
        return out

    def append(self, x: Array, solve: Array | None = None) -> tuple[Array, float]:
        """Append one point, shape (p,).

        Args:
            x: its features.
            solve: what `solve` returns for it, shape (n,); None if it isn't known.

        Returns:
            The new row of the Cholesky factor: what stands before its diagonal, and the diagonal.
        """
        n = self.n
        row = self.solve(x[None, :])[:, 0] if solve is None else solve
        weights = row @ self.inverse
        rest = self.variance - float(row @ row)
        least = self.noise * (1.0 + float(weights @ weights)) / _SLACK
        diagonal = math.sqrt(max(rest, least))
        self._x[n] = x
        self._inverse[n, :n] = weights
        self._inverse[n, :n] /= -diagonal
        self._inverse[n, n] = 1.0 / diagonal
        self.n = n + 1
        return row, diagonal
