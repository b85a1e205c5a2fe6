"""Finite spaces: every point has its curve in a table, so that a lookup is exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ConfigSpace import EqualsCondition, InCondition

from deephyper.problem import HpProblem

Point = dict[str, Any]


@dataclass(frozen=True)
class Space:
    """Hyperparameters with a few values each.

    Attributes:
        values: of each hyperparameter; numbers are ordered, texts are categories. A parent comes
            before its children.
        when: child -> (parent, the values of the parent with which it is active).
    """

    values: Mapping[str, list[Any]]
    when: Mapping[str, tuple[str, list[Any]]] = field(default_factory=dict)

    def problem(self) -> HpProblem:
        """Return the problem that the searches get."""
        problem = HpProblem()
        made = {name: problem.add_dim(name, values) for name, values in self.values.items()}
        for child, (parent, values) in self.when.items():
            problem.add_condition(
                EqualsCondition(made[child], made[parent], values[0])
                if len(values) == 1
                else InCondition(made[child], made[parent], values)
            )
        return problem

    def points(self) -> Iterator[Point]:
        """Every point, in the order of the rows of a table."""
        yield from self._extended({}, list(self.values))

    def _extended(self, chosen: Point, names: list[str]) -> Iterator[Point]:
        if not names:
            yield chosen
            return
        name, *others = names
        for value in self.values[name] if self._is_active(name, chosen) else [None]:
            added = {} if value is None else {name: value}
            yield from self._extended({**chosen, **added}, others)

    def _is_active(self, name: str, chosen: Point) -> bool:
        if name not in self.when:
            return True
        parent, values = self.when[name]
        return chosen.get(parent) in values

    def key(self, point: Point) -> tuple[Any, ...]:
        """Return what identifies a point."""
        return tuple(point.get(name) for name in self.values)
