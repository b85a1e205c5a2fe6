"""The files of other tools as trees in our own form: the steps that all of them have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deephyper.errors import ProblemError
from deephyper.objective import Direction
from deephyper.problem.point import show
from deephyper.space_file.document import Document
from deephyper.space_file.yaml_text import Path, Places

LONGEST_LIST = 1000
"""Values in steps that are searched as a list."""


@dataclass
class Converted:
    """A file of another tool, in our own form.

    Attributes:
        document: the file.
        form: whose it is.
        hyperparameters: in our own form.
        places: where in the file they are.
        notices: on hyperparameters that can't be kept exactly, by name.
        further_notices: on all else.
        direction: as in :class:`~deephyper.space_file.space_file.SpaceFile`, as are the next ones.
        metric: as well.
        program: as well.
        command: as well.
        no_command: as well.
        early_terminate: as well.
    """

    document: Document
    form: str
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)
    further_notices: list[str] = field(default_factory=list)
    direction: Direction | None = None
    metric: str | None = None
    program: str | None = None
    command: tuple[str, ...] | None = None
    no_command: str = ""
    early_terminate: Mapping[str, Any] | None = None

    def add(self, name: str, tree: Any, path: Path) -> None:
        """Add a hyperparameter.

        Raises:
            ProblemError: there is one of this name.
        """
        if name in self.hyperparameters:
            raise self.document.error(f"there are two hyperparameters {name!r}: rename one", path)
        self.hyperparameters[name] = tree
        place = self.document.place(path)
        if place is not None:
            self.places[("hyperparameters", name)] = place

    def notice(self, name: str, text: str) -> None:
        """Say what is not kept exactly of a hyperparameter."""
        self.notices[name] = f"{name}: {text}"


def number(name: str, tree: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """Return a finite number of a hyperparameter's.

    Raises:
        ProblemError: it isn't there, or isn't one.
    """
    value: Any = tree.get(key, default)
    if isinstance(value, (int, float)) and type(value) is not bool and math.isfinite(value):
        return value
    what = "is not given" if value is None else f"is {show(value)}"
    raise ProblemError(f"{name!r}: its {key} {what}: give a finite number")


def multiples(first: float, last: float, step: float) -> list[Any] | None:
    """Return the numbers from one to another in steps; None if there are too many to be listed."""
    count = math.floor((last - first) / step + 1e-9) + 1
    if not 1 <= count <= LONGEST_LIST:
        return None
    if type(first) is type(step) is int:
        return [first + i * step for i in range(count)]
    # Without the digits that adding up floats leaves: 0.3 rather than 0.30000000000000004.
    return list(dict.fromkeys(float(f"{first + i * step:.12g}") for i in range(count)))


def bounds(low: Any, high: Any, *, log: bool = False, **further: Any) -> Any:
    """Return a range in our own form; the one value where both are the same."""
    if low == high:
        return {"constant": low}
    return {"range": [low, high], **({"log": True} if log else {}), **further}
