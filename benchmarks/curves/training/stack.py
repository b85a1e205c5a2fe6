"""Networks of one shape that are trained side by side, each with settings of its own.

A stack holds the weights of all its networks in one array, a row each, so that an update is a few
operations on the whole, and matrix products run over the stack. It makes thousands of trainings of
small networks affordable on one core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Point = dict[str, Any]
Views = list[Array]
"""The weights of each layer, or their gradients, as (networks, ...)."""


class Model(Protocol):
    """The shape of a network, and its data.

    Attributes:
        shapes: of each array of weights.
        fans: inputs of a unit, for the initial weights of each array; 0 for zeros.
        size: the number of training examples.
    """

    shapes: list[tuple[int, ...]]
    fans: list[int]
    size: int

    def gradients(
        self, weights: Views, into: Views, rows: Array, chosen: Settings, rng: np.random.Generator
    ) -> None:
        """Compute the gradients of the mean loss over some training examples."""

    def scores(self, weights: Views) -> Array:
        """Return the validation metric of each network; what is not finite is a failure."""


@dataclass(frozen=True)
class Settings:
    """Settings of the networks of a stack: those of all, and an array (networks,) of each other."""

    optimizer: str
    batch: int
    learning_rate: Array
    momentum: Array
    weight_decay: Array
    dropout: Array
    smoothing: Array
    scale: Array
    cosine: Array

    @classmethod
    def of(cls, points: Sequence[Point]) -> Settings:
        """Read the points of a stack."""

        def each(name: str, default: float) -> Array:
            return np.array([point.get(name, default) for point in points], dtype=np.float32)

        return cls(
            optimizer=points[0]["optimizer"],
            batch=points[0]["batch"],
            learning_rate=each("learning_rate", 0.1),
            momentum=each("momentum", 0.0),
            weight_decay=each("weight_decay", 0.0),
            dropout=each("dropout", 0.0),
            smoothing=each("smoothing", 0.0),
            scale=each("init", 1.0),
            cosine=np.array([point.get("schedule") == "cosine" for point in points]),
        )


def train(
    model: Model, points: Sequence[Point], steps: int, examples: int, rng: np.random.Generator
) -> Array:
    """Train a network for each point; return their validation metrics, (networks, steps).

    Args:
        model: shared by all.
        points: of the same structure.
        steps: that are reported.
        examples: training examples in a step; with as many as there are, a step is an epoch.
        rng: for initial weights, order and dropout.
    """
    settings = Settings.of(points)
    number = len(points)
    sizes = [int(np.prod(shape)) for shape in model.shapes]
    flat = np.zeros((number, sum(sizes)), dtype=np.float32)
    gradient = np.zeros_like(flat)
    first, second = np.zeros_like(flat), np.zeros_like(flat)
    weights, into = _views(flat, model.shapes, sizes), _views(gradient, model.shapes, sizes)
    for view, fan in zip(weights, model.fans, strict=True):
        if fan:
            spread = settings.scale / np.sqrt(fan)
            view[:] = rng.standard_normal(view.shape, dtype=np.float32)
            view *= spread.reshape(-1, *[1] * (view.ndim - 1))
    updates = max(examples // settings.batch, 1)
    order = np.empty(0, dtype=np.int64)
    curves = np.empty((number, steps))
    done = 0
    for step in range(steps):
        for _ in range(updates):
            if len(order) < settings.batch:
                order = rng.permutation(model.size)
            rows, order = order[: settings.batch], order[settings.batch :]
            model.gradients(weights, into, rows, settings, rng)
            progress = done / (steps * updates)
            done += 1
            fall = np.where(settings.cosine, 0.5 * (1.0 + np.cos(np.pi * progress)), 1.0)
            rate = (settings.learning_rate * fall).astype(np.float32)[:, None]
            flat *= 1.0 - rate * settings.weight_decay[:, None]
            if settings.optimizer == "sgd":
                first *= settings.momentum[:, None]
                first += gradient
                flat -= rate * first
            else:
                first += 0.1 * (gradient - first)
                second += 0.01 * (gradient * gradient - second)
                size = np.sqrt(second / (1.0 - 0.99**done))
                size += 1e-8
                flat -= (rate / (1.0 - 0.9**done)) * first / size
        curves[:, step] = model.scores(weights)
    return curves


def _views(flat: Array, shapes: Sequence[tuple[int, ...]], sizes: Sequence[int]) -> Views:
    ends = np.cumsum(sizes)
    return [
        flat[:, end - size : end].reshape(len(flat), *shape)
        for shape, size, end in zip(shapes, sizes, ends, strict=True)
    ]


def log_softmax(scores: Array) -> Array:
    """Return the logarithms of probabilities over the last axis."""
    shifted: Array = scores - scores.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def class_error(scores: Array, labels: Array, smoothing: Array) -> Array:
    """Return the gradient of the mean cross-entropy by the scores, (networks, examples, classes).

    Args:
        scores: (networks, examples, classes).
        labels: the class of each example.
        smoothing: of each network, the share of the label that all classes get.
    """
    _, number, classes = scores.shape
    error = np.exp(log_softmax(scores))
    error -= (smoothing / classes)[:, None, None]
    error[:, np.arange(number), labels] -= (1.0 - smoothing)[:, None]
    error /= number
    return error


def class_metric(scores: Array, labels: Array, metric: str) -> Array:
    """Return accuracy, or mean log likelihood in nats, of each network."""
    if metric == "accuracy":
        valid = np.isfinite(scores).all(axis=(1, 2))
        hits: Array = (scores.argmax(axis=-1) == labels).mean(axis=1)
        return np.where(valid, hits, np.nan)
    likelihood: Array = log_softmax(scores)[:, np.arange(len(labels)), labels].mean(axis=1)
    return likelihood


def dropped(shape: tuple[int, ...], dropout: Array, rng: np.random.Generator) -> Array | None:
    """Return what activations are multiplied by, (networks, ...); None if nothing is dropped."""
    if not dropout.any():
        return None
    share = dropout.reshape(-1, *[1] * (len(shape) - 1))
    mask: Array = rng.random(shape, dtype=np.float32) >= share
    kept: Array = mask / (1.0 - share)
    return kept
