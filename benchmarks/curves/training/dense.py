"""Multilayer perceptrons, and language models that are one over the embeddings of a context."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.curves.training.stack import (
    Array,
    Point,
    Settings,
    Views,
    class_error,
    class_metric,
    dropped,
)


@dataclass(frozen=True)
class Split:
    """Training and validation data: inputs (examples, ...), and classes or targets (examples,)."""

    x: Array
    y: Array
    x_val: Array
    y_val: Array


class Layers:
    """Fully connected layers.

    Args:
        sizes: inputs, units of each hidden layer, outputs.
        activation: "relu" or "tanh".
    """

    def __init__(self, sizes: Sequence[int], activation: str) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.fans: list[int] = []
        for inputs, units in itertools.pairwise(sizes):
            self.shapes += [(inputs, units), (1, units)]
            self.fans += [inputs, 0]
        self._activation = activation

    def outputs(
        self, weights: Views, x: Array, masks: Sequence[Array | None] | None = None
    ) -> list[Array]:
        """Return the inputs of each layer, then the outputs, (networks, examples, units)."""
        values = [x]
        last = len(weights) // 2 - 1
        for i in range(last + 1):
            z = values[-1] @ weights[2 * i]
            z += weights[2 * i + 1]
            if i < last:
                np.maximum(z, 0.0, out=z) if self._activation == "relu" else np.tanh(z, out=z)
                mask = None if masks is None else masks[i]
                if mask is not None:
                    z *= mask
            values.append(z)
        return values

    def backward(
        self,
        weights: Views,
        into: Views,
        values: Sequence[Array],
        error: Array,
        masks: Sequence[Array | None],
        of_inputs: bool = False,
    ) -> Array | None:
        """Compute gradients from that of the outputs; return that of the inputs if wanted."""
        for i in reversed(range(len(weights) // 2)):
            into[2 * i][:] = np.swapaxes(values[i], -1, -2) @ error
            into[2 * i + 1][:] = error.sum(axis=1, keepdims=True)
            if i == 0 and not of_inputs:
                return None
            error = error @ np.swapaxes(weights[2 * i], -1, -2)
            if i:
                mask = masks[i - 1]
                z = values[i]
                if self._activation == "relu":
                    error *= z > 0.0
                elif mask is None:
                    error *= 1.0 - z * z
                else:  # the values are tanh times the mask, which is zero or 1 / (1 - dropout)
                    error *= 1.0 - np.square(
                        np.divide(z, mask, out=np.zeros_like(z), where=mask > 0)
                    )
                if mask is not None:
                    error *= mask
        return error


class Perceptron:
    """A classifier, or a regressor of one target; see :class:`.stack.Model`."""

    def __init__(self, split: Split, point: Point, metric: str) -> None:
        self._split = split
        self._metric = metric
        self._classifies = metric != "r2"
        outputs = int(split.y.max()) + 1 if self._classifies else 1
        hidden = [point["units"]] * point["layers"]
        self._hidden = hidden
        self._layers = Layers([split.x.shape[1], *hidden, outputs], point["activation"])
        self.shapes, self.fans = self._layers.shapes, self._layers.fans
        self.size = len(split.x)

    def gradients(
        self, weights: Views, into: Views, rows: Array, chosen: Settings, rng: np.random.Generator
    ) -> None:
        x, y = self._split.x[rows], self._split.y[rows]
        stack = len(weights[0])
        masks = [dropped((stack, len(rows), h), chosen.dropout, rng) for h in self._hidden]
        values = self._layers.outputs(weights, x, masks)
        if self._classifies:
            error = class_error(values[-1], y, chosen.smoothing)
        else:
            error = (values[-1] - y[:, None]) / len(rows)
        self._layers.backward(weights, into, values, error, masks)

    def scores(self, weights: Views) -> Array:
        outputs = self._layers.outputs(weights, self._split.x_val)[-1]
        y = self._split.y_val
        if self._classifies:
            return class_metric(outputs, y, self._metric)
        unexplained = np.square(outputs[..., 0].astype(float) - y).sum(axis=1)
        r2: Array = 1.0 - unexplained / np.square(y - y.mean()).sum()
        return r2


class LanguageModel:
    """Predicts the next token from those before it (Bengio et al., 2003, JMLR 3).

    Args:
        split: as inputs the tokens before, (examples, longest context), the nearest last; as
            classes the token that follows.
        point: has the context, the embedding and the units.
    """

    def __init__(self, split: Split, point: Point) -> None:
        self._context = point["context"]
        self._x = split.x[:, -self._context :]
        self._x_val = split.x_val[:, -self._context :]
        self._y, self._y_val = split.y, split.y_val
        tokens = int(max(split.x.max(), split.y.max())) + 1
        self._one_hot = np.eye(tokens, dtype=np.float32)
        self._width = point["embedding"]
        self._units = point["units"]
        sizes = [self._context * self._width, self._units, tokens]
        self._layers = Layers(sizes, "tanh")
        self.shapes: list[tuple[int, ...]] = [(tokens, self._width), *self._layers.shapes]
        self.fans: list[int] = [self._width, *self._layers.fans]
        self.size = len(self._x)

    def _embedded(self, weights: Views, tokens: Array) -> Array:
        found = weights[0][:, tokens]  # (networks, examples, context, width)
        return found.reshape(len(found), len(tokens), -1)

    def gradients(
        self, weights: Views, into: Views, rows: Array, chosen: Settings, rng: np.random.Generator
    ) -> None:
        tokens = self._x[rows]
        stack = len(weights[0])
        masks = [dropped((stack, len(rows), self._units), chosen.dropout, rng)]
        values = self._layers.outputs(weights[1:], self._embedded(weights, tokens), masks)
        error = class_error(values[-1], self._y[rows], chosen.smoothing)
        back = self._layers.backward(weights[1:], into[1:], values, error, masks, of_inputs=True)
        assert back is not None
        back = back.reshape(stack, -1, self._width)
        into[0][:] = self._one_hot[tokens.ravel()].T @ back

    def scores(self, weights: Views) -> Array:
        values = self._layers.outputs(weights[1:], self._embedded(weights, self._x_val))
        return class_metric(values[-1], self._y_val, "likelihood")
