"""One hyperparameter as a dimension of the model: its measure, its kernel without a mean, a basis.

The kernel of a dimension integrates to zero over the dimension's own measure, so that a function in
its span has no mean (Durrande, Ginsbourger, Roustant and Carraro, "ANOVA kernels and RKHS of zero
mean functions for model-based sensitivity analysis", 2013).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

MOST_NODES = 48
"""Nodes of the quadrature along a continuous dimension, for means. More values are continuous."""
_COARSE = 10
"""Nodes of the one for covariances."""
_DEGREE = 8
"""Polynomials of at most this degree make the basis of a dimension with an order."""


@dataclass(frozen=True)
class Rule:
    """Nodes of a dimension and their masses, which sum to 1; both of shape (q,)."""

    nodes: Array
    masses: Array


@dataclass(frozen=True)
class Dimension:
    """The values of a hyperparameter.

    Attributes:
        rule: a quadrature over all values; exact where these are few.
        coarse: one with fewer nodes.
        categories: how many there are, of values without an order, which are 0, 1, and so on;
            0 for numbers in [0, 1].
    """

    rule: Rule
    coarse: Rule
    categories: int = 0

    @property
    def is_continuous(self) -> bool:
        """True for all numbers of a range, or more of them than there are nodes."""
        return not self.is_categorical and self.rule is _CONTINUOUS

    @property
    def is_categorical(self) -> bool:
        """True for values without an order."""
        return self.categories > 0

    def shapes(self, distance: Array, length: float) -> tuple[Array, Array]:
        """Return the kernel before it is centered, and its derivative by the logarithm of length.

        Args:
            distance: absolute differences between values.
            length: how far apart values hardly tell of one another; of no effect on categories.
        """
        if self.is_categorical:
            return (distance == 0).astype(float), np.zeros_like(distance)
        r = distance * (math.sqrt(5) / length)
        decay = np.exp(-r)
        square = r * r / 3
        return (1 + r + square) * decay, square * (1 + r) * decay

    def basis(self) -> Callable[[Array], Array]:
        """Return a function that gives, for values of shape (n,), orthonormal functions of them.

        They have mean 0 and variance 1 over the measure; shape (n, k).
        """
        degree = min(_DEGREE, len(self.rule.nodes) - 1)

        def raw(values: Array) -> Array:
            if self.is_categorical:
                levels = np.arange(self.categories - 1)
                return np.column_stack([np.ones(len(values)), values[:, None] == levels])
            return np.asarray(np.polynomial.legendre.legvander(2 * values - 1, degree), dtype=float)

        root = np.sqrt(self.rule.masses)[:, None]
        inverse = np.linalg.inv(np.linalg.qr(root * raw(self.rule.nodes))[1])
        return lambda values: np.asarray((raw(values) @ inverse)[:, 1:])


def continuous() -> Dimension:
    """Return the dimension of all numbers from 0 to 1."""
    return Dimension(_CONTINUOUS, _gauss_legendre(_COARSE))


def discrete(nodes: Array, masses: Array) -> Dimension:
    """Return the dimension of some numbers from 0 to 1, in their order, with their masses.

    There are at most :data:`MOST_NODES`.
    """
    rule = Rule(nodes, masses / masses.sum())
    return Dimension(rule, rule if len(nodes) <= _COARSE else _gauss_legendre(_COARSE))


def categorical(size: int) -> Dimension:
    """Return the dimension of as many values without an order, all of the same mass."""
    rule = Rule(np.arange(size, dtype=float), np.full(size, 1 / size))
    return Dimension(rule, rule, size)


def _gauss_legendre(n: int) -> Rule:
    nodes, masses = np.polynomial.legendre.leggauss(n)
    return Rule((nodes + 1) / 2, masses / 2)


_CONTINUOUS = _gauss_legendre(MOST_NODES)


class Centered:
    """The kernel of a dimension for one length: of mean 0, and of variance 1 on average.

    Args:
        dimension: the dimension.
        length: of the kernel.

    Attributes:
        center: the mean of the kernel before it is centered.
        scale: its average variance when it is.
        center_slope, scale_slope: their derivatives by the logarithm of length.
    """

    def __init__(self, dimension: Dimension, length: float) -> None:
        self._dimension = dimension
        self._length = length
        masses = dimension.rule.masses
        mean, slope = self.means(dimension.rule.nodes)
        self.center, self.center_slope = float(masses @ mean), float(masses @ slope)
        square = float(masses @ mean**2)
        # A floor, because a kernel so long that it is constant has nothing to center.
        self.scale = max(1 - square / self.center, 1e-9)
        self.scale_slope = (
            square * self.center_slope / self.center - 2 * float(masses @ (mean * slope))
        ) / self.center

    def means(self, values: Array) -> tuple[Array, Array]:
        """Return the mean over one argument of the kernel before it is centered; its derivative."""
        rule = self._dimension.rule
        distance = np.abs(values[:, None] - rule.nodes)
        kernel, slope = self._dimension.shapes(distance, self._length)
        return kernel @ rule.masses, slope @ rule.masses

    def between(self, one: Array, other: Array) -> Array:
        """Return the kernel between values of shape (n,) and others of shape (m,), shape (n, m)."""
        distance = np.abs(one[:, None] - other)
        kernel, _ = self._dimension.shapes(distance, self._length)
        kernel -= np.outer(self.means(one)[0], self.means(other)[0] / self.center)
        return np.asarray(kernel / self.scale)

    def packed(
        self, values: Array, distance: Array, pairs: tuple[Indices, Indices]
    ) -> tuple[Array, Array]:
        """Return the kernel between some pairs of values, and its derivative by log length.

        Args:
            values: shape (n,).
            distance: absolute differences of the pairs, shape (p,).
            pairs: indices of the two values of each pair.
        """
        kernel, slope = self._dimension.shapes(distance, self._length)
        mean, mean_slope = self.means(values)
        first, second = mean[pairs[0]], mean[pairs[1]]
        product = first * second / self.center
        kernel -= product
        kernel /= self.scale
        change = mean_slope[pairs[0]] * second + first * mean_slope[pairs[1]]
        slope += product * (self.center_slope / self.center) - change / self.center
        slope /= self.scale
        slope -= kernel * (self.scale_slope / self.scale)
        return kernel, slope
