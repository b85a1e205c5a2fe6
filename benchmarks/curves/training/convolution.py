"""Small convolutional networks for images of 8 by 8 pixels."""

from __future__ import annotations

import numpy as np

from benchmarks.curves.training.dense import Split
from benchmarks.curves.training.stack import (
    Array,
    Point,
    Settings,
    Views,
    class_error,
    class_metric,
    dropped,
)

_CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


class Convolutional:
    """Two convolutions (3 by 3, pooled, then 2 by 2) and a dense layer; see :class:`.stack.Model`.

    Args:
        split: images (examples, 8, 8) and classes.
        point: has the filters, the pooling, and whether training images are shifted.
        metric: "accuracy" or "likelihood".
    """

    def __init__(self, split: Split, point: Point, metric: str) -> None:
        self._split = split
        self._metric = metric
        filters = point["filters"]
        self._max = point["pooling"] == "max"
        self._shift = point["augmentation"] == "shift"
        classes = int(split.y.max()) + 1
        second = 2 * filters
        self.shapes: list[tuple[int, ...]] = [
            (9, filters),
            (1, filters),
            (4 * filters, second),
            (1, second),
            (4 * second, classes),
            (1, classes),
        ]
        self.fans: list[int] = [9, 0, 4 * filters, 0, 4 * second, 0]
        self.size = len(split.x)
        self._patches_val = _patches(split.x_val)

    def gradients(
        self, weights: Views, into: Views, rows: Array, chosen: Settings, rng: np.random.Generator
    ) -> None:
        images = self._split.x[rows]
        if self._shift:
            images = np.roll(images, rng.integers(-1, 2, size=2), axis=(1, 2))
        patches = _patches(images)
        stack, number = len(weights[0]), len(rows)
        filters = weights[0].shape[2]
        wide, pooled, corners, second = self._hidden(weights, patches, number)
        mask = dropped(second.shape, chosen.dropout, rng)
        last = second if mask is None else second * mask
        error = class_error(last @ weights[4] + weights[5], self._split.y[rows], chosen.smoothing)
        into[4][:] = np.swapaxes(last, 1, 2) @ error
        into[5][:] = error.sum(axis=1, keepdims=True)
        error = error @ np.swapaxes(weights[4], 1, 2)
        if mask is not None:
            error *= mask
        error *= second > 0.0
        error = error.reshape(stack, number * 4, -1)
        into[2][:] = np.swapaxes(corners, 1, 2) @ error
        into[3][:] = error.sum(axis=1, keepdims=True)
        error = (error @ np.swapaxes(weights[2], 1, 2)).reshape(stack, number, 2, 2, 4, filters)
        back = np.zeros_like(pooled)
        for i, (row, column) in enumerate(_CORNERS):
            back[:, :, row : row + 2, column : column + 2] += error[:, :, :, :, i]
        spread = back[:, :, :, None, :, None]
        if self._max:
            wide_error = (wide == pooled[:, :, :, None, :, None]) * spread
        else:
            wide_error = np.broadcast_to(0.25 * spread, wide.shape).copy()
        wide_error *= wide > 0.0
        wide_error = wide_error.reshape(stack, number * 36, filters)
        into[0][:] = patches.T @ wide_error
        into[1][:] = wide_error.sum(axis=1, keepdims=True)

    def scores(self, weights: Views) -> Array:
        number = len(self._split.x_val)
        second = self._hidden(weights, self._patches_val, number)[-1]
        outputs = second @ weights[4] + weights[5]
        return class_metric(outputs, self._split.y_val, self._metric)

    def _hidden(
        self, weights: Views, patches: Array, number: int
    ) -> tuple[Array, Array, Array, Array]:
        """Return the first layer, what is left by pooling, its patches, and the second layer."""
        stack, filters = len(weights[0]), weights[0].shape[2]
        z = patches @ weights[0]
        z += weights[1]
        np.maximum(z, 0.0, out=z)
        wide = z.reshape(stack, number, 3, 2, 3, 2, filters)
        rows = np.maximum if self._max else np.add
        pooled = rows(wide[:, :, :, 0], wide[:, :, :, 1])
        pooled = rows(pooled[:, :, :, :, 0], pooled[:, :, :, :, 1])
        if not self._max:
            pooled *= 0.25
        corners = np.stack([pooled[:, :, r : r + 2, c : c + 2] for r, c in _CORNERS], axis=4)
        corners = corners.reshape(stack, number * 4, 4 * filters)
        second = corners @ weights[2]
        second += weights[3]
        np.maximum(second, 0.0, out=second)
        return wide, pooled, corners, second.reshape(stack, number, -1)


def _patches(images: Array) -> Array:
    """Return the 36 patches of 3 by 3 pixels of each image, (36 examples, 9)."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    return np.ascontiguousarray(windows).reshape(-1, 9)
