"""Climbing the acquisition function along its gradient, from a few candidates at once."""

from __future__ import annotations

import numpy as np

from deephyper.optimizer.arrays import Array, Mask
from deephyper.optimizer.bayesian.acquisition import Acquisition
from deephyper.optimizer.bayesian.surrogate import Surrogate

_FIRST = 0.05
"""Length of the first step, in the unit cube."""
_LONGEST = 0.3


def climb(
    surrogate: Surrogate,
    acquisition: Acquisition,
    x: Array,
    movable: Mask,
    best: float,
    *,
    steps: int,
) -> Array:
    """Return numbers of higher acquisition, in the unit cube.

    Projected gradient ascent whose step lengths follow the curvature met so far (Barzilai and
    Borwein, 1988, Two-point step size gradient methods); a step that doesn't lead up is shortened.

    Args:
        surrogate: the model.
        acquisition: the acquisition function.
        x: features where the climbs start, numbers first, shape (m, p).
        movable: which numbers may change, shape (m, k).
        best: the objective to be exceeded, transformed.
        steps: evaluations of the gradient.

    Returns:
        Numbers, shape (m, k).
    """
    k = movable.shape[1]
    x = x.copy()
    value, gradient = surrogate.slope(x, acquisition, best)
    gradient = _free(gradient, x[:, :k], movable)
    length = _FIRST / np.maximum(np.sqrt((gradient**2).sum(1)), 1e-12)
    for _ in range(steps - 1):
        trial = x.copy()
        step = length[:, None] * gradient
        size = np.sqrt((step**2).sum(1))
        step *= np.minimum(1.0, _LONGEST / np.maximum(size, 1e-12))[:, None]
        np.clip(x[:, :k] + step, 0.0, 1.0, out=trial[:, :k])
        new_value, new_gradient = surrogate.slope(trial, acquisition, best)
        new_gradient = _free(new_gradient, trial[:, :k], movable)
        up = new_value > value
        moved = trial[:, :k] - x[:, :k]
        bend = -((new_gradient - gradient) * moved).sum(1)
        curved = (moved**2).sum(1) / np.maximum(bend, 1e-12)
        length = np.where(up, np.where(bend > 1e-12, curved, 2.0 * length), 0.3 * length)
        x = np.where(up[:, None], trial, x)
        value = np.where(up, new_value, value)
        gradient = np.where(up[:, None], new_gradient, gradient)
    return x[:, :k]


def _free(gradient: Array, numbers: Array, movable: Mask) -> Array:
    """Return the gradient without what can't change or leads out of the unit cube."""
    stuck = (~movable) | ((numbers <= 0.0) & (gradient < 0)) | ((numbers >= 1.0) & (gradient > 0))
    return np.where(stuck, 0.0, gradient)
