"""The data of a training, in every form that ``load_data`` may return, as arguments of ``fit``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from deephyper.errors import ProblemError
from deephyper.suggest import did_you_mean

_SIDES = ("train", "valid")
_STEPS = ("steps_per_epoch", "validation_steps")


def fit_arguments(loaded: object, batch_size: int) -> dict[str, Any]:
    """Return the arguments of ``fit`` of Keras for data.

    Args:
        loaded: what ``load_data`` returned, see :meth:`.NaProblem.load_data`.
        batch_size: of data in arrays.

    Raises:
        ProblemError: it has another form.
    """
    if isinstance(loaded, Mapping):
        unknown = [key for key in loaded if key not in (*_SIDES, *_STEPS)]
        missing = [key for key in _SIDES if key not in loaded]
        if unknown:
            hint = did_you_mean(unknown[0], (*_SIDES, *_STEPS))
            raise ProblemError(f"load_data returned a dictionary with {unknown[0]!r}: {hint}")
        if missing:
            raise ProblemError(
                f"load_data returned a dictionary without {missing[0]!r}: give 'train' and 'valid'"
            )
        train, valid = (_made(loaded[key], batch_size) for key in _SIDES)
        steps = {key: loaded[key] for key in _STEPS if key in loaded}
    elif isinstance(loaded, (tuple, list)) and len(loaded) == 2:
        (train, valid), steps = loaded, {}
    else:
        count = f" of {len(loaded)}" if isinstance(loaded, (tuple, list)) else ""
        raise ProblemError(
            f"load_data returned a {type(loaded).__name__}{count}: return (train_X, train_y),"
            " (valid_X, valid_y), or two data sets, or a dictionary of 'train' and 'valid'"
        )
    for side, given, key in zip(_SIDES, (train, valid), _STEPS, strict=True):
        if steps.get(key) is None and _is_endless(given):
            raise ProblemError(
                f"load_data returned data without an end in {side!r}: return a dictionary that has"
                f" {key!r} too"
            )
    arguments: dict[str, Any] = {"validation_data": _pair("valid", valid), **steps}
    if not isinstance(train, (tuple, list)):
        return {"x": train, **arguments}
    names = ("x", "y", "sample_weight")
    arguments |= dict(zip(names, _pair("train", train), strict=False))
    return {**arguments, "batch_size": batch_size}


def _made(given: Any, batch_size: int) -> Any:
    """Return a data set, made by a function if it is one."""
    if not inspect.isroutine(given) and not isinstance(given, functools.partial):
        return given
    takes = inspect.signature(given).parameters
    return given(batch_size=batch_size) if "batch_size" in takes else given()


def _is_endless(given: Any) -> bool:
    """Return whether data may have no end: a generator, or a ``tf.data.Dataset`` that repeats."""
    cardinality = getattr(given, "cardinality", None)
    return isinstance(given, Iterator) or (callable(cardinality) and int(cardinality()) == -1)


def _pair(side: str, given: Any) -> Any:
    """Return arrays as a tuple, and a data set as it is.

    Raises:
        ProblemError: there are too few or too many of them.
    """
    if not isinstance(given, (tuple, list)):
        return given
    if len(given) not in (2, 3):
        raise ProblemError(
            f"load_data returned {len(given)} things in {side}: return X and y, each an array or a"
            " list or dictionary of arrays, with sample weights behind them if there are any"
        )
    return tuple(given)
