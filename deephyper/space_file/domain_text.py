"""Domains as text: ``(1e-4, 1.0, log-uniform)``, ``[adam, sgd]``, and Hydra's sweeps.

========================================  ===================================================
``(1e-4, 1.0, log-uniform)``              what ``HpProblem`` takes as a tuple
``[adam, sgd]``                           what it takes as a list
``choice(adam, sgd)``, ``adam,sgd``       Hydra's choices
``interval(0, 1)``                        floats, also ``tag(log, interval(1e-4, 1))``
``int(interval(1, 9))``                   ints from 1 to 9
``range(1, 10)``, ``range(0, 1, 0.25)``   1 to 9; 0, 0.25, 0.5, 0.75
========================================  ===================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from deephyper.space_file.tokens import Tokens

LONGEST_LIST = 10_000
"""Values that a range with a step may stand for."""


def parse_domain(text: str) -> tuple[Any, ...] | list[Any]:
    """Return the bounds as a tuple, or the values as a list, that a text stands for.

    Raises:
        ProblemError: it is none of the forms above.
    """
    tokens = Tokens(text, "domain")
    shorthand = _domain(tokens)
    tokens.require_end()
    return shorthand


def parse_definitions(text: str) -> dict[str, tuple[Any, ...] | list[Any]]:
    """Return the domains by name of a text ``NAME=DOMAIN``, or of several separated by ``;``.

    Raises:
        ProblemError: it isn't of this form, or a name is defined twice.
    """
    tokens = Tokens(text, "definition")
    found: dict[str, tuple[Any, ...] | list[Any]] = {}
    while tokens.next.kind != "end" or not found:
        name = tokens.next
        if name.kind not in ("word", "name"):
            raise tokens.error(f"give NAME=DOMAIN, as in 'lr=(1e-4, 1.0, log-uniform)', not {name}")
        tokens.take()
        if name.text in found:
            raise tokens.error(f"{name} is defined twice; leave out one of them")
        if tokens.take_sign("=") is None:
            raise tokens.error(f"give {name.text}=DOMAIN, as in '{name.text}=(1, 100)'")
        found[name.text] = _domain(tokens)
        if tokens.next.kind != "end":
            tokens.require(";")
            while tokens.take_sign(";"):
                pass
    return found


def _domain(tokens: Tokens) -> tuple[Any, ...] | list[Any]:
    if tokens.take_sign("("):
        return tuple(tokens.values(")"))
    if tokens.take_sign("["):
        return tokens.values("]")
    if tokens.next.kind not in ("word", "quoted"):
        raise tokens.error(
            f"give bounds as (low, high) or values as [first, second], not {tokens.next}"
        )
    first = tokens.take()
    if tokens.follows("("):
        return _called(tokens, first.text).shorthand(tokens)
    values = [first.value]
    while tokens.take_sign(","):
        values.append(tokens.value())
    if len(values) == 1:
        raise tokens.error(
            f"{first} is one value: write [{first.text}] if it is always this value, or give "
            "bounds as (low, high)"
        )
    return values


@dataclass(frozen=True)
class _Sweep:
    """The values or bounds that a function of Hydra's stands for.

    Attributes:
        values: the values, or bounds.
        bounds: whether they are bounds.
        log: whether it is tagged with log.
    """

    values: list[Any]
    bounds: bool = False
    log: bool = False

    def shorthand(self, tokens: Tokens) -> tuple[Any, ...] | list[Any]:
        if not self.bounds:
            if self.log:
                raise tokens.error("tag(log, ...) belongs to an interval or a range without a step")
            return self.values
        return (*self.values, "log-uniform") if self.log else tuple(self.values)


def _called(tokens: Tokens, function: str) -> _Sweep:
    """Return what a function stands for whose arguments are next."""
    if function not in _FUNCTIONS:
        known = ", ".join(_FUNCTIONS)
        raise tokens.error(f"{function!r} isn't known: use (low, high), [values], or {known}")
    tokens.require("(")
    sweep = _FUNCTIONS[function](tokens)
    tokens.require(")")
    return sweep


def _inner(tokens: Tokens) -> _Sweep:
    """Return what the function stands for that is next."""
    token = tokens.next
    if token.kind != "word":
        raise tokens.error(f"interval(...) or range(...) is expected, not {token}")
    tokens.take()
    return _called(tokens, token.text)


def _arguments(tokens: Tokens, names: tuple[str, ...]) -> dict[str, int | float]:
    """Return numbers by name; those without a name are in the order of the names."""
    found: dict[str, int | float] = {}
    while not tokens.follows(")"):
        if found:
            tokens.require(",")
        value, name = tokens.value(), None
        if tokens.take_sign("="):
            name, value = value, tokens.value()
        elif len(found) < len(names):
            name = names[len(found)]
        if name not in names or name in found:
            raise tokens.error(f"give {', '.join(names)}")
        if type(value) not in (int, float) or not math.isfinite(value):
            raise tokens.error(f"{name} is {value!r}: give a finite number")
        found[name] = value
    return found


def _choice(tokens: Tokens) -> _Sweep:
    values: list[Any] = []
    while tokens.next.kind != "sign" or not values:
        values.append(tokens.value())
        if tokens.take_sign(",") is None:
            break
    return _Sweep(values)


def _interval(tokens: Tokens) -> _Sweep:
    given = _arguments(tokens, ("start", "end"))
    if len(given) != 2:
        raise tokens.error("give interval(start, end)")
    return _Sweep([float(given["start"]), float(given["end"])], bounds=True)


def _range(tokens: Tokens) -> _Sweep:
    given = _arguments(tokens, ("start", "stop", "step"))
    if "stop" not in given:
        given = {"start": 0, "stop": given.get("start", 0), "step": given.get("step", 1)}
    start, stop, step = given.get("start", 0), given["stop"], given.get("step", 1)
    if step == 0:
        raise tokens.error("the step is 0: give another one")
    count = math.ceil((stop - start) / step)
    if count < 1:
        raise tokens.error(f"there is nothing from {start} to below {stop} with the step {step}")
    if step == 1 and type(start) is type(stop) is int and count > 1:
        return _Sweep([start, stop - 1], bounds=True)
    if count > LONGEST_LIST:
        raise tokens.error(f"these are {count} values: give at most {LONGEST_LIST}, or (low, high)")
    # Without the digits that adding up floats leaves: 0.3 rather than 0.30000000000000004.
    values = [start + i * step for i in range(count)]
    return _Sweep([float(f"{v:.12g}") if type(v) is float else v for v in values])


def _tag(tokens: Tokens) -> _Sweep:
    log = False
    while True:
        token = tokens.take()
        if token.kind == "word" and tokens.follows("("):
            inner = _called(tokens, token.text)
            return replace(inner, log=inner.log or log)
        if token.text != "log":
            raise tokens.error(f"the tag {token} has no meaning: log has one")
        log = True
        tokens.require(",")


def _int(tokens: Tokens) -> _Sweep:
    inner = _inner(tokens)
    if any(type(value) not in (int, float) for value in inner.values):
        raise tokens.error("int(...) takes an interval, a range or a choice of numbers")
    return replace(inner, values=[int(value) for value in inner.values])


def _float(tokens: Tokens) -> _Sweep:
    inner = _inner(tokens)
    if any(type(value) not in (int, float) for value in inner.values):
        raise tokens.error("float(...) takes an interval, a range or a choice of numbers")
    return replace(inner, values=[float(value) for value in inner.values])


_FUNCTIONS: dict[str, Callable[[Tokens], _Sweep]] = {
    "choice": _choice,
    "interval": _interval,
    "range": _range,
    "tag": _tag,
    "int": _int,
    "float": _float,
}


def domain_text(shorthand: tuple[Any, ...]) -> str:
    """Return bounds as the text that :func:`parse_domain` reads."""
    return f"({', '.join(v if isinstance(v, str) else repr(v) for v in shorthand)})"
