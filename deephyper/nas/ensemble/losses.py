"""The loss of predictions that are there already, as ``compile`` of Keras takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from deephyper.callbacks.package import importing
from deephyper.errors import ProblemError
from deephyper.nas.ensemble.validation import Arrays

with importing("keras", "Keras", pip="tensorflow"):
    import keras

Kind = Literal["regression", "binary", "categorical", "sparse"]


class Losses:
    """The losses of the outputs of a network.

    Args:
        loss: a name, a loss or a function, or a list or dictionary of these for several outputs.

    Raises:
        ProblemError: Keras doesn't know one of them.
    """

    def __init__(self, loss: Any) -> None:
        several = isinstance(loss, (list, tuple, dict))
        given = keras.tree.flatten(loss) if several else [loss]
        try:
            self._each = [keras.losses.get(each) for each in given]
        except (ValueError, TypeError) as error:
            raise ProblemError(f"the loss can't be used: {str(error).splitlines()[0]}") from error
        self._for_all = not several

    def __call__(self, targets: Arrays, predictions: Arrays) -> float:
        """Return the loss, that of several outputs added up.

        Args:
            targets: of each output, in the order of ``keras.tree.flatten``.
            predictions: the same.

        Raises:
            ProblemError: there isn't a loss for each output.
        """
        losses = self.of_outputs(len(predictions))
        return sum(
            float(np.mean(keras.ops.convert_to_numpy(loss(y, prediction))))
            for loss, y, prediction in zip(losses, targets, predictions, strict=True)
        )

    def of_outputs(self, number: int) -> Sequence[Any]:
        """Return the loss of each of so many outputs.

        Raises:
            ProblemError: there isn't one for each.
        """
        losses = self._each * number if self._for_all else self._each
        if len(losses) != number:
            raise ProblemError(
                f"the problem has {len(losses)} losses and {number} outputs: give one for each"
            )
        return losses


def kind_of(loss: Any) -> Kind:
    """Return what a network predicts that has such a loss."""
    name = getattr(loss, "__name__", type(loss).__name__).replace("_", "").lower()
    if "crossentropy" not in name:
        return "regression"
    if "sparse" in name:
        return "sparse"
    return "binary" if "binary" in name else "categorical"


def takes_logits(loss: Any) -> bool:
    """Return whether the loss takes logits in place of probabilities."""
    config = loss.get_config() if hasattr(loss, "get_config") else {}
    return bool(config.get("from_logits"))
