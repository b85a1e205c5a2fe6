"""One factorisation over finished and pending points alike.

A point's row depends on where it is, not on its result. So asking appends one row, and telling a
result changes a number on the right-hand side; nothing is refitted, removed or rebuilt for it. The
inverse of the Cholesky factor is kept rather than the factor: appending costs the same, and what
has to be solved for candidates becomes a matrix product.

A point without a result stands for what the finished ones predict there (Ginsbourger, Le Riche and
Carraro, 2010, call this the kriging believer): the mean is that of the finished points alone, the
variance that of all.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from deephyper.search.hps.optimizer.encoding import Array, Mask
from deephyper.search.hps.optimizer.kernel import MIN_NOISE, Covariance

_DIRECT = 160
"""Up to this many points without a result are solved for directly, more by conjugate gradients."""


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
    def full(self) -> bool:
        """Whether there is no room for another point."""
        return self.n == self.capacity

    def solve(self, z: Array) -> Array:
        """A K(x, z), shape (n, m): what prediction at rows of features z needs."""
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

    def believe(self, values: Array, known: Mask) -> Array:
        """Put the prediction from the known values in place of the others, in place.

        Args:
            values: of the points, shape (n,).
            known: which of them are results, shape (n,).

        Returns:
            A values, shape (n,): the mean at candidates is this times solve(candidates).
        """
        a = self.inverse
        unknown = np.flatnonzero(~known)
        if unknown.size == 0:
            return a @ values
        part = np.ascontiguousarray(a[:, unknown])
        if unknown.size <= _DIRECT:
            values[unknown] = 0.0
            right = (a @ values) @ part
            factor, info = lapack.dpotrf((part.T @ part).T, lower=1, overwrite_a=1)
            if info == 0:
                values[unknown] = -lapack.dpotrs(factor, right, lower=1)[0]
        else:
            self._descend(values, unknown, part)
        return a @ values

    def _descend(self, values: Array, unknown: NDArray[np.intp], part: Array) -> None:
        """A few steps of conjugate gradients from the former predictions."""
        residual = -((self.inverse @ values) @ part)
        direction = residual.copy()
        norm = float(residual @ residual)
        for _ in range(6):
            if norm < 1e-12:
                return
            image = (part @ direction) @ part
            step = norm / float(direction @ image)
            values[unknown] += step * direction
            residual -= step * image
            former, norm = norm, float(residual @ residual)
            direction = residual + (norm / former) * direction
