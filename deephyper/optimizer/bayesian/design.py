"""The first points: a space-filling design over the valid part of the space.

A scrambled Sobol sequence (Owen, 1998, Scrambling Sobol' and Niederreiter-Xing points), so that any
number of points covers the space evenly, however many workers ask at once.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.encoding import SpaceEncoding

_BLOCK = 64


class SpaceFilling:
    """An endless sequence of valid vectors that fills the space.

    Args:
        encoding: of the space.
        rng: scrambles the sequence.
    """

    def __init__(self, encoding: SpaceEncoding, rng: np.random.Generator) -> None:
        self._encoding = encoding
        self._rng = rng
        self._sobol = qmc.Sobol(encoding.n_dims, scramble=True, rng=rng)
        self._block = np.empty((0, encoding.n_dims))

    def next(self) -> Array:
        """The next vector, shape (1, d)."""
        for _ in range(20):
            if len(self._block):
                break
            units = np.clip(self._sobol.random(_BLOCK), 0.0, np.nextafter(1.0, 0.0))
            self._block = self._encoding.fill(units, self._rng)
        else:  # hardly anything is valid: the sequence misses it
            self._block = self._encoding.sample(_BLOCK, self._rng)
        first, self._block = self._block[:1], self._block[1:]
        return first
