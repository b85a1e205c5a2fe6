"""Checks of the numbers, durations and paths that a user gives.

Each function returns the value in its proper type, or raises an error of the class that it was
given, with a one-line message.
"""

from __future__ import annotations

import contextlib
import math
import numbers
import os
import re
from pathlib import Path
from typing import Any

from deephyper.errors import DeepHyperError, SettingsError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION_FORMS = "seconds, or 30s, 10m, 2h, 1d"
"""The ways to write a duration, for messages and help texts."""
DURATION_PATTERN = r"^\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)([smhdSMHD]?)\s*$"
"""A regular expression that durations written as text match, in the syntax of Python and of
ECMAScript."""


def whole(
    name: str,
    value: Any,
    at_least: int,
    at_most: int | None = None,
    *,
    error: type[DeepHyperError] = SettingsError,
) -> int:
    """Return the value as an int; numpy's integers count, booleans don't.

    Raises:
        SettingsError: if it isn't a whole number of at least ``at_least`` and, where that is given,
            at most ``at_most``; ``error`` replaces the class.
    """
    number = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not number or value < at_least or (at_most is not None and value > at_most):
        room = f"of at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"
        raise error(f"{name} is {value!r}; give a whole number {room}")
    return int(value)


def whole_or_none(
    name: str, value: Any, at_least: int, *, error: type[DeepHyperError] = SettingsError
) -> int | None:
    """Return the value as an int, or None for None; see :func:`whole`."""
    return None if value is None else whole(name, value, at_least, error=error)


def real(
    name: str,
    value: Any,
    *,
    above: float = -1.0,
    finite: bool = False,
    unit: str = "",
    error: type[DeepHyperError] = SettingsError,
) -> float:
    """Return the value as a float of at least 0 and more than ``above``.

    Args:
        name: what the message calls it.
        value: the value.
        above: what it must exceed.
        finite: whether infinity is refused.
        unit: what it counts.
        error: class of the error.

    Raises:
        SettingsError: if it isn't one; ``error`` replaces the class.
    """
    number = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            number = float(value)
    if not (number >= 0 and number > above) or (finite and math.isinf(number)):
        room = "more than 0" if above >= 0 else "at least 0"
        kind = "a finite number" if finite else "a number"
        what = f"{room} {unit}" if unit else f"{kind} of {room}"
        raise error(f"{name} is {value!r}; give {what}")
    return number


def duration(
    name: str, value: Any, *, zero: bool = False, error: type[DeepHyperError] = SettingsError
) -> float:
    """Return a duration in seconds.

    Args:
        name: what the message calls it.
        value: a number of seconds, infinity for no limit; or a text: a finite number of seconds,
            minutes, hours or days, such as "30", "30s", "10m", "2h", "1d".
        zero: whether 0 is taken.
        error: class of the error.

    Raises:
        SettingsError: if it isn't one; ``error`` replaces the class.
    """
    if not isinstance(value, str):
        return real(name, value, above=-1.0 if zero else 0.0, unit="seconds", error=error)
    match = re.match(DURATION_PATTERN, value)
    if match is None:
        raise error(f"{name} is {value!r}; give {DURATION_FORMS}")
    seconds = float(match[1]) * _UNITS[match[3].lower() or "s"]
    if math.isinf(seconds) or (seconds == 0 and not zero):
        room = "at least 0" if zero else "more than 0"
        raise error(f"{name} is {value!r}; give {room} seconds, and not infinitely many")
    return seconds


def user_path(name: str, value: Any, *, error: type[DeepHyperError] = SettingsError) -> Path:
    """Return the path that a user gave, ``~`` and ``~user`` being home directories.

    Args:
        name: what the message calls it.
        value: a text or a Path; ``./~`` and ``./-`` name files of these names.
        error: class of the error.

    Raises:
        SettingsError: if it isn't a path, or is empty, ``-``, or in the home directory of nobody.
    """
    given = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise error(f"{name} is {(value if given is None else given)!r}; give a path")
    if value == "-":
        raise error(f"{name} is '-', which is not a file; give ./- for a file of that name")
    expanded = os.path.expanduser(given)
    if expanded.startswith("~"):
        raise error(
            f"{name} is '{given}', and there is no such home directory; give ./{given} for a file "
            "of that name"
        )
    path = Path(expanded)
    # Path drops "./", without which the name would mean something else.
    return path.absolute() if str(path).startswith(("~", "-")) else path
