"""Numbers that a user gives: taken where they are what is asked for, else refused in a line."""

from __future__ import annotations

import contextlib
import math
import numbers
from typing import Any

from deephyper.errors import SettingsError


def whole(name: str, value: Any, at_least: int) -> int:
    """The value as an int; numpy's integers count, booleans don't.

    Raises:
        SettingsError: if it isn't a whole number of at least ``at_least``.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < at_least:
        raise SettingsError(f"{name} is {value!r}; give a whole number of at least {at_least}")
    return int(value)


def whole_or_none(name: str, value: Any, at_least: int) -> int | None:
    return None if value is None else whole(name, value, at_least)


def real(
    name: str, value: Any, *, above: float = -1.0, finite: bool = False, unit: str = ""
) -> float:
    """The value as a float of at least 0 and more than ``above``.

    Args:
        name: what the message calls it.
        value: the value.
        above: what it must exceed.
        finite: whether infinity is refused.
        unit: what it counts.

    Raises:
        SettingsError: if it is none.
    """
    number = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            number = float(value)
    if not (number >= 0 and number > above) or (finite and math.isinf(number)):
        room = "more than 0" if above >= 0 else "at least 0"
        kind = "a finite number" if finite else "a number"
        what = f"{room} {unit}" if unit else f"{kind} of {room}"
        raise SettingsError(f"{name} is {value!r}; give {what}")
    return number
