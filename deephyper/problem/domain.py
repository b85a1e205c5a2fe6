"""The plain values that one hyperparameter may take."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    FloatHyperparameter,
    Hyperparameter,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)

from deephyper.cell import encodable
from deephyper.errors import ProblemError
from deephyper.problem.point import is_plain, plain, show

AnyHyperparameter = Hyperparameter[Any, Any]
"""A hyperparameter of ConfigSpace, whatever its values."""

DECIMALS = 13
"""Decimals to which ConfigSpace rounds the value and the bounds of a float."""
SMALLEST_STEP = 10.0**-DECIMALS
"""The step that this leaves between two floats."""
LARGEST_FLOAT = 1e290
"""The rounding overflows above this."""
LARGEST_INT = 2**53
"""ConfigSpace computes with floats, which represent every int exactly up to this."""

# A float that was written to a file and read back may be off in its last digits, and ConfigSpace
# rounds a bound by half a step at most: values this near to a bound or a choice are taken for it.
RELATIVE_TOLERANCE = 1e-12
ABSOLUTE_TOLERANCE = 0.6 * SMALLEST_STEP

Order = Literal["numbers", "strings"]
"""The kind of all values of a hyperparameter, if any two of them can be compared by <."""


@dataclass(frozen=True)
class Range:
    """All ints, or all floats, from lower to upper, both included.

    Attributes:
        name: name of the hyperparameter.
        lower: the smallest value.
        upper: the largest value.
        integer: whether the values are ints.
    """

    name: str
    lower: float
    upper: float
    integer: bool

    @property
    def order(self) -> Order:
        """The order that all values share."""
        return "numbers"

    def holds(self, value: Any) -> bool:
        """Return whether the value is one of the range, and of its type."""
        return type(value) is (int if self.integer else float) and (
            self.lower <= value <= self.upper
        )

    def accept(self, value: Any) -> int | float:
        """Return the value as a plain int or float of this range.

        An int is accepted for a float, a float with an integer value for an int, and a float
        that exceeds a bound by its last digits is moved onto the bound.

        Raises:
            ProblemError: the value isn't a number, or lies outside.
        """
        number: int | float = plain(value)
        if type(number) not in (int, float):
            raise ProblemError(
                f"{self.name!r} is {show(value)} ({type(value).__name__}): give {self}"
            )
        if self.integer:
            if type(number) is float:
                if not number.is_integer():
                    raise ProblemError(f"{self.name!r} is {number!r}: give {self}")
                number = int(number)
        elif type(number) is int:
            # an int that no float can hold is beyond every bound
            infinite = math.inf if number > 0 else -math.inf
            number = float(number) if abs(number) < 2**1000 else infinite
        if self.lower <= number <= self.upper:
            return number
        if not self.integer:
            for bound in (self.lower, self.upper):
                if math.isclose(
                    number, bound, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE
                ):
                    return bound
        raise ProblemError(f"{self.name!r} is {show(number)}: give {self}")

    def few_values(self, limit: int) -> list[float] | None:
        """Return all floats of the range, in order, as ConfigSpace rounds them.

        None where there are more than about ``limit``, and for ints.
        """
        steps = (self.upper - self.lower) / SMALLEST_STEP
        gap = min(math.ulp(self.lower), math.ulp(self.upper))  # the widest count
        if self.integer or min(steps, (self.upper - self.lower) / gap) > limit:
            return None
        step = max(SMALLEST_STEP, gap)
        n = math.ceil((self.upper - self.lower) / step)
        # numpy's rounding, as ConfigSpace's: of large numbers it gives fewer than Python's.
        inner = np.round(self.lower + np.arange(1, n) * step, DECIMALS)
        inner = inner[(inner > self.lower) & (inner < self.upper)]
        return [self.lower, *np.unique(inner).tolist(), self.upper]

    def __str__(self) -> str:
        kind = "an int" if self.integer else "a float"
        return f"{kind} from {self.lower!r} to {self.upper!r}"


@dataclass(frozen=True)
class Choices:
    """A few values, in the order given.

    Attributes:
        name: name of the hyperparameter.
        values: the values.
        index: position of each value, by what makes it the same choice as another.
    """

    name: str
    values: tuple[Any, ...]
    index: dict[tuple[str, Any], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {_key(value): i for i, value in enumerate(self.values)}
        object.__setattr__(self, "index", index)

    @property
    def order(self) -> Order | None:
        """The order that all values share, if there is one; booleans count as numbers."""
        if all(type(value) is str for value in self.values):
            return "strings"
        if any(value is None or type(value) is str for value in self.values):
            return None
        return "numbers"

    def holds(self, value: Any) -> bool:
        """Return whether the value is one of the choices, and of its type."""
        if not is_plain(value):
            return False
        at = self.index.get(_key(value))
        return at is not None and type(self.values[at]) is type(value)

    def accept(self, value: Any) -> Any:
        """Return the choice that equals the value, with the type it has among the choices.

        1 and 1.0 are the same choice; True isn't 1.

        Raises:
            ProblemError: there is no such choice.
        """
        return self.values[self.position(value)]

    def position(self, value: Any) -> int:
        """Return the position of the choice that equals the value.

        Raises:
            ProblemError: there is no such choice.
        """
        value = plain(value)
        if is_plain(value):
            at = self.index.get(_key(value))
            if at is not None:
                return at
            if type(value) is float:
                for i, choice in enumerate(self.values):
                    if type(choice) is float and math.isclose(
                        choice, value, rel_tol=RELATIVE_TOLERANCE
                    ):
                        return i
        raise ProblemError(f"{self.name!r} is {show(value)}: give {self}")

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{show(self.values[0])}, its only value"
        shown = ", ".join(show(value) for value in self.values[:12])
        return f"one of {shown}" + (", ..." if len(self.values) > 12 else "")


Domain = Range | Choices


def _key(value: Any) -> tuple[str, Any]:
    """Return what is equal for values that are one choice: 1 and 1.0 are, 1 and True aren't."""
    kind = type(value)
    return ("number" if kind in (int, float) else kind.__name__), value


def check_choices(name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values as plain ones.

    Raises:
        ProblemError: there are none, one has a type that a point can't hold or can't be written to
            a file, or two are equal.
    """
    if not values:
        raise ProblemError(f"{name!r} has no values: give at least one")
    choices = tuple(plain(value) for value in values)
    seen: dict[Any, Any] = {}
    for given, choice in zip(values, choices, strict=True):
        if not is_plain(choice):
            raise ProblemError(
                f"{name!r} has the choice {show(given)} ({type(given).__name__}): choices are None,"
                " bool, int, float or str; name it by a string and look it up in run"
            )
        if type(choice) is float and not math.isfinite(choice):
            raise ProblemError(f"{name!r} has the choice {choice!r}: give finite numbers")
        if type(choice) is int and abs(choice) > LARGEST_INT:
            raise ProblemError(
                f"{name!r} has the choice {show(choice)}, beyond 2**53: give a string or a float"
            )
        if type(choice) is str and ("\0" in choice or not encodable(choice)):
            raise ProblemError(
                f"{name!r} has the choice {show(choice)}, which a text file can't hold: rename it"
            )
        if choice in seen:
            other = seen[choice]
            why = (
                "twice: leave one out"
                if type(other) is type(choice)
                else f"and {other!r}, which are equal in Python: use strings for them"
            )
            raise ProblemError(f"{name!r} has the choice {show(choice)} {why}")
        seen[choice] = choice
    return choices


def domain_of(hyperparameter: AnyHyperparameter) -> Domain:
    """Return the values that a ConfigSpace hyperparameter may take.

    Raises:
        ProblemError: its kind, bounds or choices are such that points can't hold its values.
    """
    name = hyperparameter.name
    if isinstance(hyperparameter, CategoricalHyperparameter):
        return Choices(name, check_choices(name, tuple(hyperparameter.choices)))
    if isinstance(hyperparameter, OrdinalHyperparameter):
        return Choices(name, check_choices(name, tuple(hyperparameter.sequence)))
    if isinstance(hyperparameter, Constant):
        return Choices(name, check_choices(name, (hyperparameter.value,)))
    if isinstance(hyperparameter, (IntegerHyperparameter, FloatHyperparameter)):
        low, high = hyperparameter.lower, hyperparameter.upper
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ProblemError(f"{name!r} has bounds ({low!r}, {high!r}): give finite bounds")
        if isinstance(hyperparameter, IntegerHyperparameter):
            if max(abs(low), abs(high)) > LARGEST_INT:
                raise ProblemError(
                    f"{name!r} has int bounds ({low}, {high}) beyond 2**53: give floats, or search"
                    " the exponent"
                )
            return Range(name, int(low), int(high), integer=True)
        return Range(name, float(low), float(high), integer=False)
    raise ProblemError(
        f"{name!r} is of type {type(hyperparameter).__name__}: use a float, integer, categorical,"
        " ordinal or constant hyperparameter"
    )
