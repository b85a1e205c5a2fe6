"""The first points: a space-filling design over the valid part of the space.

A scrambled Sobol sequence (Owen, 1998, Scrambling Sobol' and Niederreiter-Xing points), so that any
number of points covers the space evenly, however many workers ask at once.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.sampling import Sampler

_BLOCK = 64


class Design:
    """An endless sequence of valid vectors that fills the space.

    Args:
        sampler: of the space; its random numbers scramble the sequence.
    """

    def __init__(self, sampler: Sampler) -> None:
        n_dims = sampler.encoding.n_dims
        self._sampler = sampler
        self._sobol = qmc.Sobol(n_dims, scramble=True, rng=sampler.rng)
        self._block = np.empty((0, n_dims))

    def next(self) -> Array:
        """Return the next vector, shape (1, d)."""
        for _ in range(20):
            if len(self._block):
                break
            units = np.clip(self._sobol.random(_BLOCK), 0.0, np.nextafter(1.0, 0.0))
            self._block = self._sampler.fill(units)
        else:  # hardly anything is valid: the sequence misses it
            self._block = self._sampler.sample(_BLOCK)
        first, self._block = self._block[:1], self._block[1:]
        return first
