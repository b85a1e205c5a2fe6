"""The definition of a search space: its hyperparameters and the rules on them, checked as added.

It is ours, and complete without ConfigSpace's graph of conditions, which takes long to make: what
is added is checked, validated against and encoded for an optimizer by this alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ConfigSpace.conditions import Condition, ConditionLike, Conjunction
from ConfigSpace.forbidden import (
    ForbiddenClause,
    ForbiddenConjunction,
    ForbiddenLike,
    ForbiddenRelation,
)

from deephyper.errors import ProblemError
from deephyper.problem.constraints import Constraint, ancestors, check_comparable
from deephyper.problem.domain import AnyHyperparameter, Domain, domain_of
from deephyper.problem.point import Point, show
from deephyper.problem.translation import ConstraintLike, corrected, referenced, translate
from deephyper.problem.validity import Validity
from deephyper.suggest import did_you_mean

CONDITIONS = (Condition, Conjunction)
CLAUSES = (ForbiddenClause, ForbiddenConjunction, ForbiddenRelation)


@dataclass(frozen=True)
class Rule:
    """A condition or forbidden clause.

    Attributes:
        original: ConfigSpace's, its faults corrected.
        constraint: the same as our own.
    """

    original: Any
    constraint: Constraint


@dataclass(frozen=True)
class Definition:
    """Hyperparameters, conditions and forbidden clauses; each addition gives a new definition.

    Attributes:
        hyperparameters: name -> ConfigSpace's, in the order added; so are the next three.
        domains: name -> the values that it may take.
        defaults: name -> its default value.
        conditions: child -> its condition; hyperparameters that are always active are absent.
        clauses: the forbidden combinations.
    """

    hyperparameters: Mapping[str, AnyHyperparameter] = field(default_factory=dict)
    domains: Mapping[str, Domain] = field(default_factory=dict)
    defaults: Point = field(default_factory=dict)
    conditions: Mapping[str, Rule] = field(default_factory=dict)
    clauses: tuple[Rule, ...] = ()

    # -- adding ----------------------------------------------------------------------------------

    def with_hyperparameters(self, added: Iterable[AnyHyperparameter]) -> Definition:
        """Return the definition with more hyperparameters.

        Raises:
            ProblemError: there is one of this name, or points can't hold the values of one.
        """
        hyperparameters, domains = dict(self.hyperparameters), dict(self.domains)
        defaults = dict(self.defaults)
        for each in added:
            name = each.name
            if name in hyperparameters:
                raise ProblemError(f"{name!r} is in the problem already: rename one")
            hyperparameters[name] = each
            domains[name] = domain_of(each)
            defaults[name] = domains[name].accept(each.default_value)
        return replace(self, hyperparameters=hyperparameters, domains=domains, defaults=defaults)

    def with_conditions(self, added: Iterable[ConditionLike]) -> Definition:
        """Return the definition with more conditions.

        Raises:
            ProblemError: one refers to an unknown hyperparameter, is a second one for its child, or
                makes a cycle.
        """
        conditions = dict(self.conditions)

        def constraint_of(name: str) -> Constraint | None:
            return conditions[name].constraint if name in conditions else None

        for rule in self._rules(added, "condition"):
            child = rule.original.child.name
            known = conditions.get(child)
            if known is not None and known.original != rule.original:
                raise ProblemError(
                    f"the condition {rule.constraint} is a second one for its hyperparameter"
                    f" {child!r}: combine them by AndConjunction or OrConjunction"
                )
            if child in ancestors(rule.constraint.hyperparameters, constraint_of):
                raise ProblemError(
                    f"the condition {rule.constraint} makes a hyperparameter its own ancestor:"
                    f" leave it out, {child!r} can't depend on itself"
                )
            conditions[child] = rule
        # No clause can forbid the default now that didn't before: a condition takes values away.
        return replace(self, conditions=conditions)

    def with_clauses(self, added: Iterable[ForbiddenLike]) -> Definition:
        """Return the definition with more forbidden clauses.

        Raises:
            ProblemError: one refers to an unknown hyperparameter, compares values without an order,
                or forbids the default configuration.
        """
        rules = self._rules(added, "forbidden clause")
        self._check_default(rules)
        return replace(self, clauses=(*self.clauses, *rules))

    def _rules(self, added: Iterable[ConstraintLike], what: str) -> list[Rule]:
        """Return constraints with their translations, after checking what they refer to."""
        rules = []
        for each in added:
            for hyperparameter in referenced(each):
                self._check_known(hyperparameter, what)
            constraint = translate(each)
            check_comparable(constraint, self.domains)
            rules.append(Rule(corrected(each), constraint))
        return rules

    def _check_known(self, hyperparameter: AnyHyperparameter, what: str) -> None:
        name = hyperparameter.name
        known = self.hyperparameters.get(name)
        if known is None:
            raise ProblemError(
                f"the {what} refers to {show(name)}, which isn't in the problem:"
                f" {did_you_mean(name, self.hyperparameters)}"
            )
        if known is not hyperparameter and known != hyperparameter:
            raise ProblemError(
                f"the {what} refers to another {name!r} than the problem's: use the object that"
                " add_hyperparameter returned"
            )

    def _check_default(self, added: Sequence[Rule]) -> None:
        """Check that clauses don't forbid the default configuration.

        Raises:
            ProblemError: one does.
        """
        default: Point = {}
        for name in self.depths:
            rule = self.conditions.get(name)
            if rule is None or rule.constraint.satisfied_by(default):
                default[name] = self.defaults[name]
        for clause in added:
            if clause.constraint.satisfied_by(default):
                raise ProblemError(
                    f"the forbidden clause {clause.constraint} makes the default configuration a"
                    " forbidden one: give one of its hyperparameters another default_value"
                )

    # -- order -----------------------------------------------------------------------------------

    @cached_property
    def depths(self) -> dict[str, int]:
        """Name -> 1 for a hyperparameter without a condition, else 1 more than its deepest parent.

        In the order of ConfigSpace: by depth, then by name.
        """
        depths: dict[str, int] = {}
        for name in self.hyperparameters:
            stack = [name]
            while stack:
                rule = self.conditions.get(stack[-1])
                parents = () if rule is None else rule.constraint.hyperparameters
                missing = [parent for parent in parents if parent not in depths]
                if missing:
                    stack += missing
                else:
                    depths[stack.pop()] = 1 + max((depths[p] for p in parents), default=0)
        return dict(sorted(depths.items(), key=lambda item: (item[1], item[0])))

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of ConfigSpace: alphabetical, but children after their parents."""
        return tuple(self.depths)

    @cached_property
    def ordered_conditions(self) -> tuple[Rule, ...]:
        """The conditions, in the order of their children."""
        return tuple(self.conditions[name] for name in self.depths if name in self.conditions)

    @cached_property
    def ordered_clauses(self) -> tuple[Rule, ...]:
        """The clauses in the order of ConfigSpace: those of what is always active come first."""
        return tuple(
            sorted(
                self.clauses,
                key=lambda rule: (
                    any(self.depths[name] > 1 for name in rule.constraint.hyperparameters),
                    str(rule.original),
                ),
            )
        )

    @cached_property
    def validity(self) -> Validity:
        """The rules about points, in plain values."""
        return Validity(
            names=self.names,
            domains={name: self.domains[name] for name in self.depths},
            defaults={name: self.defaults[name] for name in self.depths},
            conditions={name: rule.constraint for name, rule in self.conditions.items()},
            clauses=tuple(rule.constraint for rule in self.ordered_clauses),
        )
