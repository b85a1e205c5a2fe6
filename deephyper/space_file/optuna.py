"""Optuna's distributions by name, each as its ``distribution_to_json`` writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deephyper.errors import ProblemError
from deephyper.space_file.document import Document
from deephyper.space_file.foreign import Converted, bounds, multiples, number
from deephyper.suggest import did_you_mean

_FLOATS = {"FloatDistribution", "UniformDistribution", "LogUniformDistribution"} | {
    "DiscreteUniformDistribution"
}
_INTS = {"IntDistribution", "IntUniformDistribution", "IntLogUniformDistribution"}
_CHOICES = {"CategoricalDistribution"}
_KINDS = sorted(_FLOATS | _INTS | _CHOICES)


def is_optuna(tree: Mapping[str, Any]) -> bool:
    """Return whether a file holds distributions of Optuna's."""
    return bool(tree) and all(
        isinstance(each, dict) and each.keys() == {"name", "attributes"}
        for each in map(_read, tree.values())
    )


def converted_optuna(document: Document) -> Converted:
    """Return distributions of Optuna's in our own form.

    Raises:
        ProblemError: one isn't Optuna's.
    """
    found = Converted(document, "optuna")
    for name, given in document.value.items():
        try:
            domain = _domain(found, name, _read(given))
        except ProblemError as error:
            raise document.error(str(error), (name,)) from None
        found.add(name, domain, (name,))
    return found


def _read(given: Any) -> Any:
    """Return a distribution that may be written as the text of its JSON."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            return json.loads(given)
        except (ValueError, RecursionError):
            return given
    return given


def _domain(found: Converted, name: str, given: Mapping[str, Any]) -> Any:
    kind, attributes = given["name"], given["attributes"]
    if kind not in _KINDS or not isinstance(attributes, dict):
        raise ProblemError(
            f"{name!r} is of the unknown kind {kind!r}: {did_you_mean(kind, _KINDS)}"
        )
    if kind in _CHOICES:
        return attributes.get("choices")
    low, high = number(name, attributes, "low"), number(name, attributes, "high")
    log = attributes.get("log") is True or "Log" in kind
    step = attributes.get("step") or attributes.get("q")
    if kind in _FLOATS:
        low, high = float(low), float(high)
    elif step == 1:
        step = None
    if step is None:
        return bounds(low, high, log=log)
    values = multiples(low, high, number(name, {"step": step}, "step"))
    if values is None:
        found.notice(name, f"its values are searched without steps of {step}, which are too many")
        return bounds(low, high, log=log)
    return values
