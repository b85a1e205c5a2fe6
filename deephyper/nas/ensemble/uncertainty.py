"""The uncertainty of an ensemble's predictions, and what of it more data would take away.

*Epistemic* uncertainty is about which network is right: the members disagree. *Aleatoric*
uncertainty is in the data: each member is unsure by itself.

- Regression: the variance of the mixture of the members, each a normal distribution around its
  prediction, whose variance is its mean squared error on the validation data (Lakshminarayanan,
  Pritzel and Blundell, 2017, Simple and scalable predictive uncertainty estimation using deep
  ensembles, NeurIPS). It is the mean of their variances, which is the aleatoric part, plus the
  variance of their predictions. Both are given as standard deviations.
- Classification: the entropy of the mean probabilities, in nats, is the mean of the members'
  entropies, the aleatoric part, plus their mutual information (Depeweg, Hernandez-Lobato,
  Doshi-Velez and Udluft, 2018, Decomposition of uncertainty in Bayesian deep learning, ICML).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deephyper.nas.ensemble.losses import Losses, kind_of, takes_logits
from deephyper.nas.ensemble.validation import Arrays

Array = NDArray[Any]
_SMALLEST = 1e-300
"""In the place of a probability of 0, whose logarithm isn't finite."""


@dataclass(frozen=True)
class Uncertainty:
    """The predictions of an ensemble for n examples, and how sure it is of them.

    Attributes:
        columns: name -> n values. With one output of one unit ``prediction``, ``aleatoric`` and
            ``epistemic``; with classes ``prediction``, the number of the class, and
            ``probability``, of this class. The names of several units, or of several places with
            classes as in a segmentation, have their numbers behind them, and those of several
            outputs begin with the name of the output, which is ``output_0`` and so on where they
            are given in a list.
    """

    columns: dict[str, Array]

    @property
    def means(self) -> dict[str, float]:
        """The mean of each kind of uncertainty over all examples."""
        return {
            name: float(np.mean(values))
            for name, values in self.columns.items()
            if "aleatoric" in name or "epistemic" in name
        }

    def as_csv(self) -> str:
        """Return a line for each example."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(self.columns)
        table.writerows(zip(*(values.tolist() for values in self.columns.values()), strict=True))
        return text.getvalue()


def uncertainty(
    predictions: Sequence[Arrays],
    weights: Sequence[float],
    targets: Arrays,
    losses: Losses,
    names: Sequence[str] = (),
) -> Uncertainty:
    """Return the prediction of an ensemble and its uncertainty.

    Args:
        predictions: of each member, one array an output, shape (n, ...).
        weights: of the members; they add up to 1.
        targets: one array an output, shape (n, ...).
        losses: of the outputs, which say what is predicted.
        names: of the outputs, where there are several.
    """
    outputs = [np.stack(each) for each in zip(*predictions, strict=True)]
    columns: dict[str, Array] = {}
    for number, (stacked, loss, target) in enumerate(
        zip(outputs, losses.of_outputs(len(outputs)), targets, strict=True)
    ):
        kind = kind_of(loss)
        if kind == "regression" and target.size != stacked[0].size:
            kind = "sparse"  # a loss of the user's, of the numbers of classes
        if kind in ("categorical", "sparse"):
            found = _classes(stacked, np.asarray(weights), takes_logits(loss))
        else:
            flat = stacked.reshape(*stacked.shape[:2], -1)
            if kind == "binary":
                found = _binary(flat, np.asarray(weights), takes_logits(loss))
            else:
                found = _regression(flat, np.asarray(weights), target)
        prefix = "" if len(outputs) == 1 else f"{names[number]}_"
        columns |= {f"{prefix}{name}": values for name, values in found.items()}
    return Uncertainty(columns)


def _regression(predictions: Array, weights: Array, target: Array) -> dict[str, Array]:
    """Return columns for predictions of shape (members, n, units)."""
    units = predictions.shape[2]
    errors = predictions - np.asarray(target, dtype=float).reshape(1, -1, units)
    aleatoric = np.sqrt(np.tensordot(weights, np.mean(np.square(errors), axis=1), axes=1))
    mean = np.tensordot(weights, predictions, axes=1)
    epistemic = np.sqrt(np.tensordot(weights, np.square(predictions - mean), axes=1))
    columns: dict[str, Array] = {}
    for unit in range(units):
        behind = "" if units == 1 else f"_{unit}"
        columns[f"prediction{behind}"] = mean[:, unit]
        columns[f"aleatoric{behind}"] = np.full(len(mean), aleatoric[unit])
        columns[f"epistemic{behind}"] = epistemic[:, unit]
    return columns


def _classes(predictions: Array, weights: Array, logits: bool) -> dict[str, Array]:
    """Return columns for predictions of shape (members, n, ..., classes), by their places."""
    p = _softmax(predictions) if logits else predictions
    places = p.reshape(*p.shape[:2], -1, p.shape[-1])
    columns: dict[str, Array] = {}
    for place in range(places.shape[2]):
        behind = "" if places.shape[2] == 1 else f"_{place}"
        found = _of_classes(places[:, :, place], weights)
        columns |= {f"{name}{behind}": values for name, values in found.items()}
    return columns


def _binary(predictions: Array, weights: Array, logits: bool) -> dict[str, Array]:
    """Return columns for predictions of shape (members, n, units)."""
    ones = 1.0 / (1.0 + np.exp(-predictions)) if logits else predictions
    columns: dict[str, Array] = {}
    for unit in range(ones.shape[2]):
        behind = "" if ones.shape[2] == 1 else f"_{unit}"
        found = _of_classes(np.stack([1.0 - ones[..., unit], ones[..., unit]], axis=-1), weights)
        columns |= {f"{name}{behind}": values for name, values in found.items()}
    return columns


def _of_classes(p: Array, weights: Array) -> dict[str, Array]:
    """Return columns for probabilities of shape (members, n, classes)."""
    mean = np.tensordot(weights, p, axes=1)
    aleatoric = np.tensordot(weights, _entropy(p), axes=1)
    return {
        "prediction": np.argmax(mean, axis=-1),
        "probability": np.max(mean, axis=-1),
        "aleatoric": aleatoric,
        "epistemic": np.maximum(_entropy(mean) - aleatoric, 0.0),
    }


def _softmax(logits: Array) -> Array:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return probabilities


def _entropy(p: Array) -> Array:
    """Return the entropy of the last axis in nats."""
    entropy: Array = -np.sum(p * np.log(np.maximum(p, _SMALLEST)), axis=-1)
    return entropy
