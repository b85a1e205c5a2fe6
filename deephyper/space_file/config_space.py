"""ConfigSpace's own files, as version 1 writes them: JSON, or the same as YAML.

Its decoders are called one by one, on our own space: its own reader makes its graph of conditions
first, which takes long and goes wrong with some of them, see :mod:`deephyper.problem.translation`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

# Not part of ConfigSpace's documented interface: tests compare what is read with what was written,
# and pyproject.toml bounds ConfigSpace from above.
from ConfigSpace.read_and_write.dictionary import (
    CONDITION_DECODERS,
    FORBIDDEN_DECODERS,
    HYPERPARAMETER_DECODERS,
)

from deephyper.errors import ProblemError
from deephyper.problem.point import show
from deephyper.problem.problem import HpProblem
from deephyper.space_file.document import Document
from deephyper.space_file.space_file import SpaceFile
from deephyper.suggest import did_you_mean

_MARKS = ("conditions", "forbiddens", "format_version", "python_module_version")


def is_config_space(tree: Mapping[str, Any]) -> bool:
    """Return whether a file holds a space of ConfigSpace's."""
    return isinstance(tree.get("hyperparameters"), list) and any(key in tree for key in _MARKS)


def space_of_config_space(document: Document) -> SpaceFile:
    """Return the space of a file of ConfigSpace's.

    Raises:
        ProblemError: ConfigSpace can't read it, or its points can't be searched.
    """
    if "json_format_version" in document.value:
        raise document.error(
            "this is what ConfigSpace 0 wrote: read it with that version, and write it with 1"
        )
    problem = HpProblem()
    sections: list[tuple[str, Mapping[str, Any], Callable[[Any], Any]]] = [
        ("hyperparameters", HYPERPARAMETER_DECODERS, problem.add_hyperparameter),
        ("conditions", CONDITION_DECODERS, problem.add_condition),
        ("forbiddens", FORBIDDEN_DECODERS, problem.add_forbidden_clause),
    ]
    for section, decoders, add in sections:
        items = document.value.get(section) or []
        if not isinstance(items, list):
            raise document.error(f"{section} is {show(items)}: give them as a list", (section,))
        for i, item in enumerate(items):
            try:
                add(_decoded(item, problem.space, partial(_decoded, decoders=decoders), decoders))
            except ProblemError as error:
                raise document.error(str(error), (section, i)) from None
    return SpaceFile(problem, form="configspace")


def _decoded(item: Any, space: Any, decode: Any, decoders: Mapping[str, Any]) -> Any:
    """Return what a decoder of ConfigSpace's makes of an item; they hand on to this by name."""
    if not isinstance(item, dict) or "type" not in item:
        raise ProblemError(f"{show(item)} has no type: correct it, or let ConfigSpace write it")
    given = dict(item)
    kind = given.pop("type")
    if not isinstance(kind, str) or kind not in decoders:
        raise ProblemError(f"the type {show(kind)} is unknown: {did_you_mean(kind, decoders)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decoders[kind](given, space, decode)
    except ProblemError:
        raise
    except Exception as error:  # whatever its decoders stumble over
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ProblemError(f"ConfigSpace can't read {show(item)} ({reason}): correct it") from error
