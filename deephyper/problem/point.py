"""Points: the plain dictionaries that travel from the optimizer to ``run`` and into the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deephyper.errors import ProblemError

Point = dict[str, Any]
"""Hyperparameter name -> None, bool, int, float or str; inactive hyperparameters are absent."""


def plain(value: Any) -> Any:
    """Return the value as None, bool, int, float or str, or unchanged where it is none of these.

    numpy scalars become what they hold; members of an enumeration of ints or strings become the
    int or the string, so that what a results file holds is what ``run`` was given.
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    # numpy scalars are recognized without importing numpy
    if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        item = value.item()
        # numpy.longdouble.item() is a longdouble still
        return float(value) if type(item) is kind and hasattr(item, "is_integer") else plain(item)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    return value


def is_plain(value: Any) -> bool:
    """Return whether the value is of one of the five types that a point may hold."""
    return value is None or type(value) in (bool, int, float, str)


def show(value: Any) -> str:
    """Return the value on one short line, for messages."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


def filter_parameters(function: Callable[..., Any], point: Mapping[str, Any]) -> Point:
    """Return the part of a point that a function or a class can be called with by name.

    ``Model(**filter_parameters(Model, point))`` leaves out what belongs to something else. All of
    it is returned where ``**`` takes any name.

    Args:
        function: a function, a class or any other callable.
        point: name -> value.

    Raises:
        ProblemError: if the parameters of the callable are unknown, as those of some that are
            written in C.
    """
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise ProblemError(
            f"the parameters of {show(function)} are unknown; choose those of the point by hand"
        ) from error
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return dict(point)
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = {parameter.name for parameter in parameters if parameter.kind in by_name}
    return {name: value for name, value in point.items() if name in names}
