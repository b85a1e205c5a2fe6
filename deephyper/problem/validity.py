"""Which points of a space are valid: every active hyperparameter in its domain, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ConfigSpace import ConfigurationSpace

from deephyper.errors import ProblemError
from deephyper.problem.constraints import describe, is_forbidden, parents, satisfied
from deephyper.problem.domain import Domain, domain_of
from deephyper.problem.point import Point, did_you_mean, plain, show


@dataclass(frozen=True)
class Validity:
    """What a ConfigurationSpace says about points, in plain values.

    A hyperparameter is active when it has no condition or its condition holds; an inactive parent
    satisfies no condition.
    """

    names: tuple[str, ...]
    """In the order of the space: parents before their children."""
    domains: dict[str, Domain]
    defaults: Point
    conditions: dict[str, Any]
    """Child -> its condition; hyperparameters that are always active are absent."""
    clauses: tuple[Any, ...]

    @classmethod
    def of(cls, space: ConfigurationSpace) -> Validity:
        """What the space says now.

        Raises:
            ProblemError: it has a hyperparameter that points can't hold.
        """
        domains = {name: domain_of(space[name]) for name in space}
        return cls(
            names=tuple(space),
            domains=domains,
            defaults={
                name: domain.accept(space[name].default_value) for name, domain in domains.items()
            },
            conditions={condition.child.name: condition for condition in space.conditions},
            clauses=tuple(space.forbidden_clauses),
        )

    def validate(self, point: Mapping[str, Any], complete: bool = False) -> Point:
        """The point with plain values of the right types, in the order of the space.

        Args:
            point: name -> value; inactive hyperparameters absent.
            complete: give active hyperparameters that are missing their default, where otherwise
                they are an error.

        Raises:
            ProblemError: with the reason why the point isn't valid.
        """
        if not isinstance(point, Mapping):
            raise ProblemError(f"a point is a dictionary, not {show(point)}")
        if not point.keys() <= self.domains.keys():
            unknown = next(name for name in point if name not in self.domains)
            raise ProblemError(
                f"unknown hyperparameter {show(unknown)}: {did_you_mean(unknown, self.names)}"
            )
        result: Point = {}
        for name in self.names:
            condition = self.conditions.get(name)
            if condition is not None and not satisfied(condition, result):
                if name in point:
                    self._refuse_inactive(name, result, point)
            elif name in point:
                result[name] = self.domains[name].accept(point[name])
            elif complete:
                result[name] = self.defaults[name]
            else:
                raise ProblemError(f"{name!r} is missing: give {self.domains[name]}")
        for clause in self.clauses:
            if is_forbidden(clause, result):
                raise ProblemError(
                    f"the combination {describe(clause)} is forbidden: change one of them"
                )
        return result

    def activate(self, values: Mapping[str, Any]) -> Point:
        """The values of active hyperparameters, defaults for missing ones; nothing is refused.

        Values must be accepted by their domains; the forbidden clauses are not looked at.
        """
        result: Point = {}
        for name in self.names:
            condition = self.conditions.get(name)
            if condition is None or satisfied(condition, result):
                result[name] = values[name] if name in values else self.defaults[name]
        return result

    def _refuse_inactive(self, name: str, active: Point, given: Mapping[str, Any]) -> None:
        condition = self.conditions[name]
        states = [
            f"{parent} is {active[parent]!r}" + ("" if parent in given else " by default")
            if parent in active
            else f"{parent} is inactive"
            for parent in parents(condition)
        ]
        raise ProblemError(
            f"{name!r} is given ({show(plain(given[name]))}) but inactive: it needs"
            f" {describe(condition)}, and {', '.join(states)}; leave it out or change the condition"
        )
