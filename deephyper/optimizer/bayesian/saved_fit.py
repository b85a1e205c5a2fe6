"""A fit to results as plain values, and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from deephyper.optimizer.bayesian.kernel import Parameters
from deephyper.optimizer.bayesian.transform import Transform

_TRANSFORM = [field.name for field in dataclasses.fields(Transform)]
_POSITIVE = ("unit", "scale", "std")


def to_values(parameters: Parameters, transform: Transform) -> dict[str, Any]:
    """Return what was fitted, as JSON can hold it."""
    return {
        "joint": parameters.joint.tolist(),
        "additive": parameters.additive.tolist(),
        "share": parameters.share,
        "noise": parameters.noise,
        "transform": dataclasses.asdict(transform),
    }


def from_values(values: Mapping[str, Any], d: int) -> tuple[Parameters, Transform]:
    """Return what was fitted.

    Args:
        values: as :func:`to_values` gives them.
        d: hyperparameters of the space.

    Raises:
        ValueError: if they are nothing that can be fitted.
    """
    try:
        joint = np.array([float(length) for length in values["joint"]])
        additive = np.array([float(length) for length in values["additive"]])
        parameters = Parameters(joint, additive, float(values["share"]), float(values["noise"]))
        numbers = {name: float(values["transform"][name]) for name in _TRANSFORM}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"not what was fitted: {error}") from error
    positive = [*joint, *additive, parameters.share, parameters.noise, 1.0 - parameters.share]
    positive += [numbers[name] for name in _POSITIVE]
    if not (len(joint) == len(additive) == d and min(positive) > 0.0):
        raise ValueError("not what was fitted: a number is missing, or not positive")
    if not all(map(math.isfinite, [*positive, *numbers.values()])):
        raise ValueError("not what was fitted: a number is not finite")
    return parameters, Transform(**numbers)
