"""The points that are proposed before there is a model: they fill the valid part of the space.

A scrambled Sobol sequence (Owen, 1998, Scrambling Sobol' and Niederreiter-Xing points), so that any
number of points covers the space evenly, however many workers ask at once. Its numbers are drawn
together towards the middle of their ranges, the more the more of them there are: in many dimensions
nearly all of a cube is far from an optimum that could be anywhere in it, and points nearer to the
middle are nearer to every optimum (Cauwet et al., 2020, Fully parallel hyperparameter search:
reshaped space-filling). The ends of the ranges stay within reach.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import betaincinv

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.sampling import Sampler

_BLOCK = 64
_LEAST, _BY_NUMBER, _MOST = 1.5, 0.25, 5.5
"""Numbers follow a beta distribution of equal parameters: the least of it, what each number of the
space adds, and the most; 1 would be uniform."""


class Design:
    """An endless sequence of valid vectors that fills the space.

    Args:
        sampler: of the space; its random numbers scramble the sequence.
        first: valid vectors that it begins with, shape (k, d).
    """

    def __init__(self, sampler: Sampler, first: Array) -> None:
        encoding = sampler.encoding
        self._sampler = sampler
        self._numbers = encoding.numbers
        self._parameter = min(_LEAST + _BY_NUMBER * len(encoding.numbers), _MOST)
        self._block = sampler.drawable(first)

    @cached_property
    def _sobol(self) -> Any:
        # An optimizer that knows enough results needs none, and its module takes long to import.
        # It spawns random numbers of its own, the same ones whenever it is made.
        from scipy.stats import qmc

        sampler = self._sampler
        return qmc.Sobol(sampler.encoding.n_dims, scramble=True, rng=sampler.rng)

    def next(self) -> Array:
        """Return the next vector, shape (1, d)."""
        for _ in range(20):
            if len(self._block):
                break
            units = self._sobol.random(_BLOCK)
            a = self._parameter
            units[:, self._numbers] = betaincinv(a, a, units[:, self._numbers])
            units = np.clip(units, 0.0, np.nextafter(1.0, 0.0))
            self._block = self._sampler.fill(units)
        else:  # hardly anything is valid: the sequence misses it
            self._block = self._sampler.sample(_BLOCK)
        first, self._block = self._block[:1], self._block[1:]
        return first
