"""One factorization over finished and pending points alike.

A point's row depends on where it is, not on its result. So asking appends one row, and telling a
result changes a number on the right-hand side; nothing is refitted, removed or rebuilt for it. The
inverse of the Cholesky factor is kept rather than the factor: appending costs the same, and what
has to be solved for candidates becomes a matrix product.

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
        k = covariance(x, x)
        jitter = 0.0
        while True:
            k[np.diag_indices(self.n)] = self.variance + jitter
            lower, info = lapack.dpotrf(k.T, lower=1)
            if info == 0:
                break
            # Single precision in the kernel can cost the last bit of definiteness.
            jitter = max(10.0 * jitter, 1e-6)
        self.lower: Array = lower
        """The Cholesky factor of the first points."""
        inverse, _ = lapack.dtrtri(lower, lower=1)
        self._inverse[: self.n, : self.n] = np.tril(inverse)

    @property
    def x(self) -> Array:
        """Features of all points, shape (n, p)."""
        return self._x[: self.n]

    @property
    def inverse(self) -> Array:
        """A, shape (n, n)."""
        return self._inverse[: self.n, : self.n]

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

    def append(self, x: Array) -> tuple[Array, float]:
        """Append one point, shape (p,).

        Returns:
            The new row of the Cholesky factor: what stands before its diagonal, and the diagonal.
        """
        n = self.n
        row = self.solve(x[None, :])[:, 0]
        rest = self.variance - float(row @ row)
        diagonal = math.sqrt(max(rest, 0.5 * (self.variance - 1.0)))
        self._x[n] = x
        self._inverse[n, :n] = row @ self.inverse
        self._inverse[n, :n] /= -diagonal
        self._inverse[n, n] = 1.0 / diagonal
        self.n = n + 1
        return row, diagonal
