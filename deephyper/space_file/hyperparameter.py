"""A hyperparameter in a file: a text, a list, or a dictionary that says more.

==============================================  =================================================
``(1e-4, 1.0, log-uniform)``                    see :mod:`deephyper.space_file.domain_text`
``[adam, sgd]``                                 what ``HpProblem`` takes as a list
``{range: [1e-4, 1.0], log: true}``             with ``default``, ``integer``, and
                                                ``distribution`` (normal, beta) with ``mu`` and
                                                ``sigma``, or ``alpha`` and ``beta``
``{values: [s, m, l], ordered: true}``          with ``default`` and ``weights``
``{constant: 3}``                               always this value
==============================================  =================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from deephyper.errors import ProblemError
from deephyper.problem import config_space as cs
from deephyper.problem.domain import AnyHyperparameter, Choices, check_choices, domain_of
from deephyper.problem.point import plain, show
from deephyper.problem.shorthand import NAME, check_name, hyperparameter_from
from deephyper.space_file.domain_text import domain_text, parse_domain
from deephyper.suggest import did_you_mean

KINDS = {
    "range": ("log", "integer", "distribution", "mu", "sigma", "alpha", "beta", "default"),
    "values": ("ordered", "weights", "default"),
    "constant": (),
}
"""What a dictionary has one of, and what else it may have then."""
DISTRIBUTIONS = {"uniform": (), "normal": ("mu", "sigma"), "beta": ("alpha", "beta")}
"""What the values of a range may be distributed by, and the numbers that this needs."""


def hyperparameter_of(name: str, tree: Any) -> AnyHyperparameter:
    """Return the hyperparameter that a file describes.

    Raises:
        ProblemError: it is none of the forms above, or its values can't be used.
    """
    _check_name(name)
    if isinstance(tree, str):
        try:
            return hyperparameter_from(name, parse_domain(tree))
        except ProblemError as error:
            raise _about(name, error) from None
    if isinstance(tree, (tuple, list)):
        return hyperparameter_from(name, tree)
    if isinstance(tree, dict):
        return _from_dictionary(name, tree)
    raise ProblemError(
        f"{name!r} is {show(tree)} ({type(tree).__name__}): give bounds as (low, high), or values "
        f"as a list, [{tree}]"
    )


def _check_name(name: str) -> None:
    """Check a name; say of a key of Hydra's how it is given.

    Raises:
        ProblemError: it can't name a hyperparameter.
    """
    try:
        check_name(name)
    except ProblemError:
        ours = re.sub(r"[/@]", ".", name.lstrip("+"))
        if ours == name or not NAME.fullmatch(ours):
            raise
        raise ProblemError(
            f"{name!r} can't name a hyperparameter: call it {ours!r}, and write "
            f"'{name}={{{ours}}}' in the command of the program"
        ) from None


def tree_of(hyperparameter: AnyHyperparameter) -> Any:
    """Return the shortest form that :func:`hyperparameter_of` reads as the same.

    Raises:
        ProblemError: there is none.
    """
    for tree in _FORMS[type(hyperparameter)](hyperparameter):
        try:
            if _facts(hyperparameter_of(hyperparameter.name, tree)) == _facts(hyperparameter):
                return tree
        except ProblemError:
            continue
    raise ProblemError(
        f"{hyperparameter.name!r} can't be written to a file as it is: {show(hyperparameter)}"
    )


def _about(name: str, error: ProblemError) -> ProblemError:
    """Return an error that names the hyperparameter, if it doesn't yet."""
    text = str(error)
    return (
        error
        if text.startswith((repr(name), "default_value"))
        else ProblemError(f"{name!r}: {text}")
    )


def _from_dictionary(name: str, tree: Mapping[str, Any]) -> AnyHyperparameter:
    kinds = [key for key in KINDS if key in tree]
    if len(kinds) != 1:
        known = [*KINDS, *(key for keys in KINDS.values() for key in keys)]
        unknown = next((key for key in tree if key not in known), None)
        if unknown is not None and not kinds:
            raise ProblemError(f"{name!r} has the unknown key {show(unknown)}: {_hint(unknown)}")
        raise ProblemError(
            f"{name!r} has {' and '.join(kinds) or 'none of range, values and constant'}: give one "
            "of range, values and constant"
        )
    kind = kinds[0]
    for key in tree:
        if key not in (kind, *KINDS[kind]):
            if any(key in keys for keys in KINDS.values()):
                raise ProblemError(
                    f"{name!r} has {kind}, which {key!r} doesn't belong to: leave it out"
                )
            hint = did_you_mean(key, [kind, *KINDS[kind]])
            raise ProblemError(f"{name!r} has the unknown key {show(key)}: {hint}")
    return {"range": _range, "values": _values, "constant": _constant}[kind](name, tree)


def _hint(key: str) -> str:
    hint = did_you_mean(key, [*KINDS, *dict.fromkeys(k for keys in KINDS.values() for k in keys)])
    if hint.startswith("did"):
        return hint
    return "a hyperparameter has range, values or constant; quote a name that has a dot in TOML"


def _range(name: str, tree: Mapping[str, Any]) -> AnyHyperparameter:
    bounds = tree["range"]
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise ProblemError(f"{name!r} has the range {show(bounds)}: give [low, high]")
    low, high = bounds
    log = _flag(name, tree, "log") or False
    integer = _flag(name, tree, "integer")
    if integer is not None and all(type(each) in (int, float) for each in bounds):
        if integer and not all(float(each).is_integer() for each in bounds):
            raise ProblemError(f"{name!r} is of integers from {low} to {high}: give whole bounds")
        low, high = (int(each) if integer else float(each) for each in bounds)
    default = tree.get("default")
    if "default" in tree and default is None:
        raise ProblemError(f"{name!r} has no number as its default: give one, or leave it out")
    distribution = tree.get("distribution", "uniform")
    if distribution not in DISTRIBUTIONS:
        hint = did_you_mean(distribution, DISTRIBUTIONS)
        if isinstance(distribution, str) and "log" in distribution:
            hint = "write log: true"
        raise ProblemError(f"{name!r} has the unknown distribution {show(distribution)}: {hint}")
    needed = DISTRIBUTIONS[distribution]
    for key in ("mu", "sigma", "alpha", "beta"):
        if (key in tree) != (key in needed):
            reason = "needs" if key in needed else "has no"
            raise ProblemError(f"{name!r} is {distribution}, which {reason} {key}")
    numbers = {key: _number(name, key, tree[key]) for key in needed}
    # The bounds and the default are checked as those of a uniform one are.
    shorthand = (low, high, "log-uniform") if log else (low, high)
    checked: Any = hyperparameter_from(name, shorthand, default)
    if not needed:
        return hyperparameter_from(name, shorthand, default)
    whole = type(low) is int and type(high) is int
    kinds: dict[tuple[str, bool], Callable[..., AnyHyperparameter]] = {
        ("normal", True): cs.NormalIntegerHyperparameter,
        ("normal", False): cs.NormalFloatHyperparameter,
        ("beta", True): cs.BetaIntegerHyperparameter,
        ("beta", False): cs.BetaFloatHyperparameter,
    }
    make = kinds[distribution, whole]
    given = None if default is None else checked.default_value
    return _made(
        name,
        lambda: make(
            name, lower=checked.lower, upper=checked.upper, log=log, default_value=given, **numbers
        ),
    )


def _values(name: str, tree: Mapping[str, Any]) -> AnyHyperparameter:
    values = tree["values"]
    if not isinstance(values, list):
        raise ProblemError(f"{name!r} has the values {show(values)}: give a list, [first, second]")
    choices = check_choices(name, tuple(values))
    ordered = _flag(name, tree, "ordered")
    if ordered is None:
        ordered = all(type(choice) in (int, float) for choice in choices) and "weights" not in tree
    given: dict[str, Any] = {}
    if "default" in tree:
        try:
            given["default_value"] = Choices(name, choices).accept(tree["default"])
        except ProblemError as error:
            raise ProblemError(f"default: {error}") from None
    elif "weights" not in tree:
        given["default_value"] = choices[0]
    if ordered:
        if "weights" in tree:
            raise ProblemError(f"{name!r} is ordered, which has no weights: leave one of them out")
        return _made(name, lambda: cs.OrdinalHyperparameter(name, choices, **given))
    if "weights" in tree:
        weights = tree["weights"]
        if not isinstance(weights, list) or len(weights) != len(choices):
            raise ProblemError(
                f"{name!r} has the weights {show(weights)}: give a number for each of the "
                f"{len(choices)} values"
            )
        given["weights"] = [_number(name, "weights", each) for each in weights]
        if min(given["weights"]) < 0 or sum(given["weights"]) <= 0:
            raise ProblemError(f"{name!r} has the weights {show(weights)}: give positive numbers")
    return _made(name, lambda: cs.CategoricalHyperparameter(name, choices, **given))


def _constant(name: str, tree: Mapping[str, Any]) -> AnyHyperparameter:
    value = tree["constant"]
    check_choices(name, (value,))
    return _made(name, lambda: cs.Constant(name, value))


def _flag(name: str, tree: Mapping[str, Any], key: str) -> bool | None:
    value = tree.get(key)
    if key in tree and not isinstance(value, bool):
        raise ProblemError(f"{name!r} has {show(value)} for {key}: give true or false")
    return value


def _number(name: str, key: str, value: Any) -> float:
    if type(value) not in (int, float):
        raise ProblemError(f"{name!r} has {show(value)} for {key}: give a number")
    return float(value)


def _made(name: str, make: Callable[[], AnyHyperparameter]) -> AnyHyperparameter:
    try:
        made = make()
    except (TypeError, ValueError, AssertionError) as error:  # ConfigSpace's own checks
        reason = " ".join(str(error).split())
        raise ProblemError(f"{name!r} can't be used: {reason}") from error
    domain_of(made)
    return made


# -- the other way -------------------------------------------------------------------------------


def _uniform(given: Any) -> list[Any]:
    log = {"log": True} if given.log else {}
    full = {"range": [given.lower, given.upper], **log}
    shorthand = (given.lower, given.upper, *(["log-uniform"] if given.log else []))
    return [domain_text(shorthand), {**full, "default": plain(given.default_value)}]


def _distributed(distribution: str) -> Callable[[Any], list[Any]]:
    def forms(given: Any) -> list[Any]:
        log = {"log": True} if given.log else {}
        numbers = {key: getattr(given, key) for key in DISTRIBUTIONS[distribution]}
        full = {
            "range": [plain(given.lower), plain(given.upper)],
            **log,
            "distribution": distribution,
            **numbers,
        }
        return [full, {**full, "default": plain(given.default_value)}]

    return forms


def _listed(given: Any) -> list[Any]:
    is_ordinal = isinstance(given, cs.OrdinalHyperparameter)
    values = [plain(v) for v in (given.sequence if is_ordinal else given.choices)]
    default = {"default": plain(given.default_value)}
    forms: list[Any] = [values, {"values": values, **default}]
    full: dict[str, Any] = {"values": values, "ordered": is_ordinal}
    if not is_ordinal and given.weights is not None:
        full["weights"] = [float(each) for each in given.weights]
    return [*forms, full, {**full, **default}]


_FORMS: dict[type, Callable[[Any], list[Any]]] = {
    cs.UniformFloatHyperparameter: _uniform,
    cs.UniformIntegerHyperparameter: _uniform,
    cs.NormalFloatHyperparameter: _distributed("normal"),
    cs.NormalIntegerHyperparameter: _distributed("normal"),
    cs.BetaFloatHyperparameter: _distributed("beta"),
    cs.BetaIntegerHyperparameter: _distributed("beta"),
    cs.OrdinalHyperparameter: _listed,
    cs.CategoricalHyperparameter: _listed,
    cs.Constant: lambda given: [{"constant": plain(given.value)}],
}

_FACTS = ("name", "lower", "upper", "log", "mu", "sigma", "alpha", "beta", "value")


def _facts(hyperparameter: AnyHyperparameter) -> Any:
    """Return what makes two hyperparameters the same, types of values included."""
    kind = type(hyperparameter)
    domain = domain_of(hyperparameter)
    facts = [repr(plain(getattr(hyperparameter, key, None))) for key in _FACTS]
    weights = [*getattr(hyperparameter, "probabilities", ())]
    default = repr(plain(hyperparameter.default_value))
    weighted = getattr(hyperparameter, "weights", None) is not None
    return kind, repr(domain), default, facts, weights, weighted
