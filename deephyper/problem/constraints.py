"""Rules on points, as values of our own.

A condition says when a hyperparameter is active, a forbidden clause which combinations no point
has. Both are the same kinds of rule, translated from ConfigSpace's classes once
(:mod:`deephyper.problem.translation`) and judged by the plain values of a point alone.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deephyper.errors import ProblemError
from deephyper.problem.domain import Domain
from deephyper.problem.point import show

Sign = Literal["==", "!=", "<", "<=", ">", ">="]

_COMPARE: dict[Sign, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Constraint(ABC):
    """A rule on the values of some hyperparameters.

    Its text (``str``) is a Python expression of the hyperparameters, on one line.
    """

    @property
    @abstractmethod
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the hyperparameters that the rule looks at, each once."""

    @property
    def relations(self) -> tuple[Relation, ...]:
        """The comparisons of two hyperparameters within the rule."""
        return ()

    @abstractmethod
    def satisfied_by(self, point: Mapping[str, Any]) -> bool:
        """Return whether the rule holds; an absent (inactive) value satisfies nothing."""


@dataclass(frozen=True)
class Comparison(Constraint):
    """A hyperparameter compared with a value.

    Attributes:
        name: name of the hyperparameter.
        sign: the comparison.
        value: what it is compared with.
        sequence: the values of an ordinal, which are ordered by their place in it; None for other
            kinds, whose values have an order of their own.
    """

    name: str
    sign: Sign
    value: Any
    sequence: tuple[Any, ...] | None = None

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        return (self.name,)

    def satisfied_by(self, point: Mapping[str, Any]) -> bool:
        if self.name not in point:
            return False
        compare = _COMPARE[self.sign]
        if self.sequence is not None:
            place = self.sequence.index
            return compare(place(point[self.name]), place(self.value))
        return compare(point[self.name], self.value)

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {show(self.value)}"


@dataclass(frozen=True)
class Membership(Constraint):
    """A hyperparameter with one of several values.

    Attributes:
        name: name of the hyperparameter.
        values: the values.
    """

    name: str
    values: tuple[Any, ...]

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        return (self.name,)

    def satisfied_by(self, point: Mapping[str, Any]) -> bool:
        return self.name in point and point[self.name] in self.values

    def __str__(self) -> str:
        return f"{self.name} in [{', '.join(show(value) for value in self.values)}]"


@dataclass(frozen=True)
class Relation(Constraint):
    """Two hyperparameters compared with each other, by value also where they are ordinals.

    Attributes:
        left: name of one hyperparameter.
        sign: the comparison.
        right: name of the other.
    """

    left: str
    sign: Sign
    right: str

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.left, self.right)))

    @property
    def relations(self) -> tuple[Relation, ...]:
        return (self,)

    def satisfied_by(self, point: Mapping[str, Any]) -> bool:
        if self.left not in point or self.right not in point:
            return False
        return _COMPARE[self.sign](point[self.left], point[self.right])

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True)
class _Combination(Constraint):
    """Several rules in one.

    Attributes:
        parts: the rules.
    """

    parts: tuple[Constraint, ...]

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for part in self.parts for name in part.hyperparameters))

    @property
    def relations(self) -> tuple[Relation, ...]:
        return tuple(relation for part in self.parts for relation in part.relations)

    def _joined(self, word: str) -> str:
        return word.join(
            f"({part})" if isinstance(part, _Combination) else str(part) for part in self.parts
        )


@dataclass(frozen=True)
class AllOf(_Combination):
    """Rules that must all hold."""

    def satisfied_by(self, point: Mapping[str, Any]) -> bool:
        return all(part.satisfied_by(point) for part in self.parts)

    def __str__(self) -> str:
        return self._joined(" and ")


@dataclass(frozen=True)
class AnyOf(_Combination):
    """Rules of which one must hold."""

    def satisfied_by(self, point: Mapping[str, Any]) -> bool:
        return any(part.satisfied_by(point) for part in self.parts)

    def __str__(self) -> str:
        return self._joined(" or ")


def ancestors(names: Iterable[str], constraint_of: Callable[[str], Constraint | None]) -> set[str]:
    """Return these hyperparameters and all that decide on whether they are active.

    Args:
        names: the hyperparameters.
        constraint_of: gives the condition of a hyperparameter; None if it has none.
    """
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            constraint = constraint_of(name)
            if constraint is not None:
                pending += constraint.hyperparameters
    return found


def check_comparable(constraint: Constraint, domains: Mapping[str, Domain]) -> None:
    """Check that every < and > between two hyperparameters is defined for all their values.

    Args:
        constraint: a condition or forbidden clause.
        domains: name -> domain, of all hyperparameters that it looks at.

    Raises:
        ProblemError: a string would be compared with a number, or None with anything.
    """
    for relation in constraint.relations:
        orders = {domains[name].order for name in (relation.left, relation.right)}
        if relation.sign != "==" and (len(orders) > 1 or None in orders):
            raise ProblemError(
                f"the forbidden clause {constraint} compares values without a common order:"
                " relate numbers with numbers, or strings with strings"
            )
