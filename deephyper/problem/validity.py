"""The points of a space that are valid: each active hyperparameter in its domain, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deephyper.errors import ProblemError
from deephyper.problem.constraints import Constraint
from deephyper.problem.domain import Domain
from deephyper.problem.point import Point, plain, show
from deephyper.suggest import did_you_mean


@dataclass(frozen=True)
class Validity:
    """The rules of a space about points, in plain values.

    A hyperparameter is active when it has no condition or its condition holds; an inactive parent
    satisfies no condition.

    Attributes:
        names: of the hyperparameters, in the order of the space: parents before their children.
        domains: name -> the values that it may take.
        defaults: name -> its default value.
        conditions: child -> its condition; hyperparameters that are always active are absent.
        clauses: the forbidden combinations.
    """

    names: tuple[str, ...]
    domains: dict[str, Domain]
    defaults: Point
    conditions: dict[str, Constraint]
    clauses: tuple[Constraint, ...]

    def validate(self, point: Mapping[str, Any], complete: bool = False) -> Point:
        """Return the point with plain values of the right types, in the order of the space.

        Args:
            point: name -> value; inactive hyperparameters absent.
            complete: give active hyperparameters that are missing their default, where otherwise
                they are an error.

        Raises:
            ProblemError: with the reason why the point isn't valid.
        """
        if self._is_canonical(point):
            return dict(point)
        if not isinstance(point, Mapping):
            raise ProblemError(f"a point is a dictionary, not {show(point)}")
        if not point.keys() <= self.domains.keys():
            unknown = next(name for name in point if name not in self.domains)
            raise ProblemError(
                f"unknown hyperparameter {show(unknown)}: {did_you_mean(unknown, self.names)}"
            )
        return self._assembled(point, lambda name: self.domains[name].accept(point[name]), complete)

    def _is_canonical(self, point: Mapping[str, Any]) -> bool:
        """Return whether a point is valid as it is: what most are, and quickly found out."""
        if type(point) is not dict:
            return False
        conditions = self.conditions
        active = self.names
        if conditions:
            active = tuple(
                [n for n in active if n not in conditions or conditions[n].satisfied_by(point)]
            )
        if tuple(point) != active:
            return False
        for name, value in point.items():
            if not self.domains[name].holds(value):
                return False
        return not (self.clauses and any(clause.satisfied_by(point) for clause in self.clauses))

    def complete(self, point: Point) -> Point:
        """Return a point with defaults for what is missing, in the order of the space.

        Args:
            point: name -> value, each of which the domain accepts as it is.

        Raises:
            ProblemError: a value is given for an inactive hyperparameter, or the combination is
                forbidden.
        """
        return self._assembled(point, point.__getitem__, complete=True)

    def _assembled(
        self, point: Mapping[str, Any], value_of: Callable[[str], Any], complete: bool
    ) -> Point:
        """Return the active values of a point, in order; see ``validate``."""
        result: Point = {}
        for name in self.names:
            condition = self.conditions.get(name)
            if condition is not None and not condition.satisfied_by(result):
                if name in point:
                    raise self._inactive(name, result, point)
            elif name in point:
                result[name] = value_of(name)
            elif complete:
                result[name] = self.defaults[name]
            else:
                raise ProblemError(f"{name!r} is missing: give {self.domains[name]}")
        for clause in self.clauses:
            if clause.satisfied_by(result):
                raise ProblemError(f"the combination {clause} is forbidden: change one of them")
        return result

    def activate(self, values: Mapping[str, Any]) -> Point:
        """Return the values of active hyperparameters, with defaults for missing ones.

        Nothing is checked: values must be accepted by their domains, and the point may be a
        forbidden combination.
        """
        result: Point = {}
        for name in self.names:
            condition = self.conditions.get(name)
            if condition is None or condition.satisfied_by(result):
                result[name] = values[name] if name in values else self.defaults[name]
        return result

    def _inactive(self, name: str, active: Point, given: Mapping[str, Any]) -> ProblemError:
        """Return the error for a value of an inactive hyperparameter."""
        condition = self.conditions[name]
        states = [
            f"{parent} is {active[parent]!r}" + ("" if parent in given else " by default")
            if parent in active
            else f"{parent} is inactive"
            for parent in condition.hyperparameters
        ]
        return ProblemError(
            f"{name!r} is given ({show(plain(given[name]))}) but inactive: it needs"
            f" {condition}, and {', '.join(states)}; leave it out or change the condition"
        )
