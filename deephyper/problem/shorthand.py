"""The shorthand of a hyperparameter, turned into a ConfigSpace hyperparameter.

========================================  ===================================================
``(1, 100)``                              ints from 1 to 100
``(0.0, 1.0)``, ``(0, 1.0)``              floats; one float among the bounds is enough
``(1e-4, 1.0, "log-uniform")``            the logarithm is uniform; ints too
``(1, 100, "uniform")``                   the same as ``(1, 100)``
``[16, 32, 64]``                          an ordinal: these numbers, in this order
``["relu", "tanh"]``, ``[True, False]``   a categorical: these values, without an order
a ConfigSpace hyperparameter              taken as it is
========================================  ===================================================
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Hyperparameter,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from deephyper.errors import ProblemError
from deephyper.problem.domain import (
    DECIMALS,
    LARGEST_FLOAT,
    LARGEST_INT,
    SMALLEST_STEP,
    AnyHyperparameter,
    Choices,
    Domain,
    Range,
    check_choices,
    domain_of,
)
from deephyper.problem.point import plain, show
from deephyper.suggest import did_you_mean

PRIORS = ("uniform", "log-uniform")
NARROWEST_LOG = 1.0 + 1e-6
"""Below this ratio of its bounds a log-uniform range is a uniform one: the two differ by less than
its width in the density, and logarithms of neighboring values may be equal."""
_PRIOR_WORDS = (
    (("log", "exp", "recip", "geom"), "log-uniform"),
    (("uni", "lin", "flat"), "uniform"),
)
"""Words by which a prior is recognized that has another name elsewhere, and what it is here."""

# Names are column titles, command-line words and parts of file names.
NAME = re.compile(r"\w[\w.:\-]*")


def hyperparameter_from(name: Any, value: Any, default_value: Any = None) -> AnyHyperparameter:
    """Return the hyperparameter that the user's value stands for.

    Args:
        name: of the hyperparameter; None takes the name of a ConfigSpace object.
        value: a shorthand (see this module) or a ConfigSpace hyperparameter.
        default_value: None leaves it to ConfigSpace: the middle of a range (of the logarithms, if
            log-uniform), or the first choice.

    Raises:
        ProblemError: the name, the value or the default can't be used.
    """
    if isinstance(value, Hyperparameter):
        return _taken_as_is(name, value, default_value)
    name = check_name(name)
    if isinstance(value, tuple):
        return _from_bounds(name, value, default_value)
    if isinstance(value, list):
        return _from_choices(name, value, default_value)
    hint = f"[{show(value)}]" if isinstance(value, (str, int, float)) else "list(...)"
    raise ProblemError(
        f"{name!r} is {show(value)} ({type(value).__name__}): give bounds as a tuple (low, high)"
        f" or values as a list, {hint}"
    )


def check_name(name: Any) -> str:
    """Return the name as a plain string.

    Raises:
        ProblemError: it isn't made of letters, digits, '_', '.', ':' and '-' alone, or it starts
            with one of the last three.
    """
    name = plain(name)
    if isinstance(name, (tuple, list)):
        raise ProblemError(
            f"the name of a hyperparameter must be a string, not {show(name)}: add_hyperparameter"
            " takes the value first, add_dim the name"
        )
    if type(name) is not str:
        raise ProblemError(f"the name of a hyperparameter must be a string, not {show(name)}")
    if not NAME.fullmatch(name):
        raise ProblemError(
            f"{show(name)} can't name a hyperparameter: use letters, digits and '_', then also"
            " '.', ':' and '-'"
        )
    return name


def _taken_as_is(name: Any, given: AnyHyperparameter, default_value: Any) -> AnyHyperparameter:
    if name is not None and plain(name) != given.name:
        raise ProblemError(
            f"the hyperparameter {show(given.name)} is added under the name {show(name)}:"
            " use one name for both"
        )
    check_name(given.name)
    domain = domain_of(given)
    default = _check_default(domain, given.default_value)
    if default_value is not None and _check_default(domain, default_value) != default:
        raise ProblemError(
            f"{given.name!r} has the default {default!r} already: give {show(default_value)} to"
            f" {type(given).__name__} itself"
        )
    return given


@dataclass(frozen=True)
class _Bounds:
    """Bounds that can be used, and whether the logarithm is uniform between them."""

    name: str
    low: int | float
    high: int | float
    log: bool

    def __str__(self) -> str:
        return f"({show(self.low)}, {show(self.high)})"


def _from_bounds(name: str, value: tuple[Any, ...], default_value: Any) -> AnyHyperparameter:
    bounds = _check_bounds(name, value)
    if type(bounds.low) is int and type(bounds.high) is int:
        return _int_range(bounds, default_value)
    return _float_range(bounds, default_value)


def _check_bounds(name: str, value: tuple[Any, ...]) -> _Bounds:
    if len(value) not in (2, 3):
        raise ProblemError(
            f'{name!r} is {show(value)}: give (low, high) or (low, high, "log-uniform"), or a list'
            " if these are the values to choose from"
        )
    log = len(value) == 3 and _check_prior(name, value) == "log-uniform"
    bounds = _Bounds(name, _check_bound(name, value[0]), _check_bound(name, value[1]), log)
    low, high = show(bounds.low), show(bounds.high)
    if bounds.low == bounds.high:
        raise ProblemError(
            f"{name!r} has equal bounds {bounds}: give a larger high, or [{low}] for a single value"
        )
    if bounds.low > bounds.high:
        raise ProblemError(f"{name!r} has reversed bounds {bounds}: write ({high}, {low})")
    if log and bounds.low <= 0:
        raise ProblemError(
            f"{name!r} is log-uniform from {low}: give a low bound above 0, or leave out"
            ' "log-uniform"'
        )
    if log and bounds.high <= bounds.low * NARROWEST_LOG:
        return replace(bounds, log=False)
    return bounds


def _check_bound(name: str, value: Any) -> int | float:
    bound: int | float = plain(value)
    if type(bound) not in (int, float):
        hint = "give a list if these are the values to choose from"
        if isinstance(value, str) and _is_number(value):
            hint = f"write {value.strip()} without quotes, or {hint}"
        raise ProblemError(
            f"{name!r} has the bound {show(bound)} ({type(bound).__name__}): bounds are ints"
            f" or floats; {hint}"
        )
    if type(bound) is float and not math.isfinite(bound):
        raise ProblemError(f"{name!r} has the bound {bound!r}: give finite bounds")
    return bound


def _int_range(bounds: _Bounds, default_value: Any) -> AnyHyperparameter:
    name, low, high = bounds.name, int(bounds.low), int(bounds.high)
    if max(abs(low), abs(high)) > LARGEST_INT:
        raise ProblemError(
            f"{name!r} has int bounds {bounds} beyond 2**53: give floats, or search the exponent"
        )
    domain = Range(name, low, high, integer=True)
    default = None if default_value is None else _check_default(domain, default_value)
    return UniformIntegerHyperparameter(name, low, high, default_value=default, log=bounds.log)


def _float_range(bounds: _Bounds, default_value: Any) -> AnyHyperparameter:
    name = bounds.name
    if max(abs(bounds.low), abs(bounds.high)) > LARGEST_FLOAT:
        raise ProblemError(
            f"{name!r} has bounds {bounds} beyond {LARGEST_FLOAT:g}: search the exponent"
        )
    low, high = float(bounds.low), float(bounds.high)
    if round(high - low, DECIMALS) == 0 or (bounds.log and low < SMALLEST_STEP):
        raise ProblemError(
            f"{name!r} has bounds {bounds} that need steps below {SMALLEST_STEP:g}: rescale it, or"
            " search the exponent"
        )
    domain = Range(name, low, high, integer=False)
    default = None if default_value is None else _check_default(domain, default_value)
    try:
        return UniformFloatHyperparameter(name, low, high, default_value=default, log=bounds.log)
    except ValueError as error:
        # Far from zero, rounding can bring the bounds together.
        raise ProblemError(
            f"{name!r} has bounds {bounds} too near to each other: search the difference"
        ) from error


def _check_prior(name: str, value: tuple[Any, ...]) -> str:
    prior = plain(value[2])
    if type(prior) is not str:
        raise ProblemError(
            f'{name!r} is {show(value)}: the third place is "uniform" or "log-uniform"; give a'
            " list if these are the values to choose from"
        )
    if prior not in PRIORS:
        raise ProblemError(f"{name!r} has the unknown prior {show(prior)}: {_prior_hint(prior)}")
    return prior


def _prior_hint(prior: str) -> str:
    """Return a hint for an unknown prior, from what other libraries call theirs."""
    words = prior.lower()
    if "norm" in words or "gauss" in words or "beta" in words:
        return (
            "choose uniform or log-uniform, or add one of ConfigSpace's hyperparameters, such as"
            " NormalFloatHyperparameter"
        )
    for prior_words, meant in _PRIOR_WORDS:
        if any(word in words for word in prior_words):
            return f"did you mean {meant!r}?"
    return did_you_mean(prior, PRIORS)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _from_choices(name: str, value: list[Any], default_value: Any) -> AnyHyperparameter:
    choices = check_choices(name, tuple(value))
    default = choices[0]
    if default_value is not None:
        default = _check_default(Choices(name, choices), default_value)
    ordered = all(type(choice) in (int, float) for choice in choices)
    if ordered:
        return OrdinalHyperparameter(name, choices, default_value=default)
    return CategoricalHyperparameter(name, choices, default_value=default)


def _check_default(domain: Domain, default_value: Any) -> Any:
    try:
        return domain.accept(default_value)
    except ProblemError as error:
        raise ProblemError(f"default_value: {error}") from None
