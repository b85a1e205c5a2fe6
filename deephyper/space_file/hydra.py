"""Hydra's configuration of a sweep: ``hydra.sweeper.params``, or ``search_space`` of Hydra 1.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deephyper.errors import ProblemError
from deephyper.problem.point import show
from deephyper.space_file.document import Document
from deephyper.space_file.domain_text import parse_domain
from deephyper.space_file.foreign import Converted, bounds, multiples, number
from deephyper.space_file.scalars import scalar
from deephyper.space_file.yaml_text import Path
from deephyper.suggest import did_you_mean

_TYPES = ("categorical", "float", "int")


def is_hydra(tree: Mapping[str, Any]) -> bool:
    """Return whether a file holds the configuration of a sweep of Hydra's."""
    return bool(_spaces(tree))


def converted_hydra(document: Document) -> Converted:
    """Return a sweep of Hydra's in our own form.

    Raises:
        ProblemError: a parameter isn't one of Hydra's.
    """
    found = Converted(document, "hydra")
    for path, space in _spaces(document.value).items():
        for name, given in space.items():
            place = (*path, name)
            try:
                domain = _domain(name, given)
            except ProblemError as error:
                raise document.error(f"{name!r}: {error}", place) from None
            found.add(name, domain, place)
    sweeper = document.value["hydra"]["sweeper"]
    direction = sweeper.get("direction")
    found.direction = "maximize" if direction == "maximize" else "minimize"
    if direction is None:
        found.further_notices.append(
            "no direction is named: minimized, as by Hydra's sweepers; else give --direction "
            "maximize"
        )
    elif direction not in ("minimize", "maximize"):
        found.further_notices.append(
            f"the direction {show(direction)} has no effect here: minimized; else give --direction "
            "maximize"
        )
    if "n_trials" in sweeper:
        found.further_notices.append(
            f"n_trials has no effect here: give --max-evals {show(sweeper['n_trials'])}"
        )
    return found


def is_configuration(tree: Mapping[str, Any]) -> bool:
    """Return whether a file is an application's configuration, in which no sweep needs to be."""
    return "hydra" in tree or isinstance(tree.get("defaults"), list)


def _spaces(tree: Mapping[str, Any]) -> dict[Path, dict[str, Any]]:
    """Return the parameters of a sweep by their path in the file."""
    hydra = tree.get("hydra")
    sweeper = hydra.get("sweeper") if isinstance(hydra, dict) else None
    if not isinstance(sweeper, dict):
        return {}
    return {
        ("hydra", "sweeper", key): sweeper[key]
        for key in ("params", "search_space")
        if isinstance(sweeper.get(key), dict)
    }


def _domain(name: str, given: Any) -> Any:
    if isinstance(given, str):
        # A single word is the value that the parameter always has.
        single = not any(sign in given for sign in "(,[")
        return {"constant": scalar(given)} if single else parse_domain(given)
    if isinstance(given, dict):
        return _typed(name, given)
    return given if isinstance(given, list) else {"constant": given}


def _typed(name: str, given: Mapping[str, Any]) -> Any:
    """Return what is meant by Hydra 1.1's form."""
    kind = given.get("type")
    if kind not in _TYPES:
        raise ProblemError(f"its type is {show(kind)}: {did_you_mean(kind, _TYPES)}")
    if kind == "categorical":
        return given.get("choices")
    low, high = number(name, given, "low"), number(name, given, "high")
    step = given.get("step")
    if kind == "float":
        low, high = float(low), float(high)
    if step is None or (kind == "int" and step == 1):
        return bounds(low, high, log=given.get("log") is True)
    values = multiples(low, high, number(name, given, "step"))
    if values is None:
        raise ProblemError(f"there are too many steps of {step}: leave the step out")
    return values
