"""Conditions and forbidden clauses: whether a point satisfies them, and how to say so.

They are ConfigSpace's objects, judged here by the values of a point. ConfigSpace judges them by
its vectors too, and there some of its classes go wrong (seen with 1.2.2); ``mended`` replaces
these by subclasses that agree with their values:

* ``NotEqualsCondition`` holds when its parent is inactive, because NaN differs from everything;
  a space whose default has such a parent is refused.
* ``ForbiddenLessThanEqualsClause`` forbids what is greater or equal when many configurations are
  sampled at once.
* ``ForbiddenGreaterThanEqualsClause`` prints each vector that it looks at.
* ``AndConjunction`` and ``OrConjunction`` take each other for equivalent when their parts are, so
  that "x if A and B, y if A or B" activates both alike.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ConfigSpace import (
    AndConjunction,
    EqualsCondition,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenEqualsRelation,
    ForbiddenGreaterThanClause,
    ForbiddenGreaterThanEqualsClause,
    ForbiddenGreaterThanEqualsRelation,
    ForbiddenGreaterThanRelation,
    ForbiddenInClause,
    ForbiddenLessThanClause,
    ForbiddenLessThanEqualsClause,
    ForbiddenLessThanEqualsRelation,
    ForbiddenLessThanRelation,
    ForbiddenOrConjunction,
    GreaterThanCondition,
    InCondition,
    LessThanCondition,
    NotEqualsCondition,
    OrConjunction,
)
from ConfigSpace.conditions import Condition, ConditionLike, Conjunction
from ConfigSpace.forbidden import (
    ForbiddenClause,
    ForbiddenConjunction,
    ForbiddenRelation,
)
from ConfigSpace.hyperparameters import Hyperparameter, OrdinalHyperparameter
from ConfigSpace.read_and_write.dictionary import CONDITION_ENCODERS, FORBIDDEN_ENCODERS

from deephyper.errors import ProblemError
from deephyper.problem.domain import Choices, Domain
from deephyper.problem.point import plain, show

# Constraints are typed Any below: ConfigSpace's unions of them share no attributes.
Compare = Callable[[Any, Any], bool]

# Subclasses stand before their bases: ConfigSpace derives <= from < and >= from >.
_CONDITIONS: tuple[tuple[type, str, Compare], ...] = (
    (EqualsCondition, "==", operator.eq),
    (NotEqualsCondition, "!=", operator.ne),
    (LessThanCondition, "<", operator.lt),
    (GreaterThanCondition, ">", operator.gt),
)
_CLAUSES: tuple[tuple[type, str, Compare], ...] = (
    (ForbiddenEqualsClause, "==", operator.eq),
    (ForbiddenLessThanEqualsClause, "<=", operator.le),
    (ForbiddenLessThanClause, "<", operator.lt),
    (ForbiddenGreaterThanEqualsClause, ">=", operator.ge),
    (ForbiddenGreaterThanClause, ">", operator.gt),
)
_RELATIONS: tuple[tuple[type, str, Compare], ...] = (
    (ForbiddenEqualsRelation, "==", operator.eq),
    (ForbiddenLessThanEqualsRelation, "<=", operator.le),
    (ForbiddenLessThanRelation, "<", operator.lt),
    (ForbiddenGreaterThanEqualsRelation, ">=", operator.ge),
    (ForbiddenGreaterThanRelation, ">", operator.gt),
)


def satisfied(condition: Any, point: Mapping[str, Any]) -> bool:
    """Whether the condition holds; an inactive (absent) parent satisfies nothing."""
    if isinstance(condition, AndConjunction):
        return all(satisfied(part, point) for part in condition.components)
    if isinstance(condition, OrConjunction):
        return any(satisfied(part, point) for part in condition.components)
    parent = condition.parent
    if parent.name not in point:
        return False
    value = point[parent.name]
    if isinstance(condition, InCondition):
        return value in condition.values
    _, compare = _operator(condition, _CONDITIONS)
    return _compare(compare, parent, value, condition.value)


def is_forbidden(clause: Any, point: Mapping[str, Any]) -> bool:
    """Whether the clause forbids the point; what speaks of an absent value never does."""
    if isinstance(clause, ForbiddenAndConjunction):
        return all(is_forbidden(part, point) for part in clause.components)
    if isinstance(clause, ForbiddenOrConjunction):
        return any(is_forbidden(part, point) for part in clause.components)
    if isinstance(clause, ForbiddenRelation):
        left, right = clause.left.name, clause.right.name
        if left not in point or right not in point:
            return False
        _, compare = _operator(clause, _RELATIONS)
        # ordinals are compared by value here, as ConfigSpace does
        return bool(compare(point[left], point[right]))
    hyperparameter = clause.hyperparameter
    if hyperparameter.name not in point:
        return False
    value = point[hyperparameter.name]
    if isinstance(clause, ForbiddenInClause):
        return value in clause.values
    _, compare = _operator(clause, _CLAUSES)
    return _compare(compare, hyperparameter, value, clause.value)


def describe(constraint: Any) -> str:
    """The constraint as a Python expression of the hyperparameters, on one line."""
    if isinstance(constraint, (Conjunction, ForbiddenConjunction)):
        both = isinstance(constraint, (AndConjunction, ForbiddenAndConjunction))
        parts = [
            f"({describe(part)})"
            if isinstance(part, (Conjunction, ForbiddenConjunction))
            else describe(part)
            for part in constraint.components
        ]
        return (" and " if both else " or ").join(parts)
    if isinstance(constraint, ForbiddenRelation):
        sign, _ = _operator(constraint, _RELATIONS)
        return f"{constraint.left.name} {sign} {constraint.right.name}"
    condition = isinstance(constraint, Condition)
    name = constraint.parent.name if condition else constraint.hyperparameter.name
    if isinstance(constraint, (InCondition, ForbiddenInClause)):
        return f"{name} in [{', '.join(show(plain(value)) for value in constraint.values)}]"
    sign, _ = _operator(constraint, _CONDITIONS if condition else _CLAUSES)
    return f"{name} {sign} {show(plain(constraint.value))}"


def parents(condition: Any) -> list[str]:
    """The names of the hyperparameters that the condition looks at, each once."""
    parts = condition.dlcs if isinstance(condition, Conjunction) else (condition,)
    return list(dict.fromkeys(part.parent.name for part in parts))


def mentioned(constraint: Any) -> list[Hyperparameter]:
    """The hyperparameters that the constraint is about, the child of a condition included."""
    parts = (
        constraint.dlcs
        if isinstance(constraint, (Conjunction, ForbiddenConjunction))
        else (constraint,)
    )
    found: list[Hyperparameter] = []
    for part in parts:
        if isinstance(part, Condition):
            found += [part.child, part.parent]
        elif isinstance(part, ForbiddenRelation):
            found += [part.left, part.right]
        else:
            found.append(part.hyperparameter)
    return found


def check_comparable(constraint: Any, domains: Mapping[str, Domain]) -> None:
    """Check that every < and > between two hyperparameters is defined for all their values.

    Args:
        constraint: a condition or forbidden clause.
        domains: name -> domain, of all hyperparameters that it mentions.

    Raises:
        ProblemError: a string would be compared with a number, or None with anything.
    """
    if isinstance(constraint, ForbiddenConjunction):
        for part in constraint.components:
            check_comparable(part, domains)
    elif isinstance(constraint, ForbiddenRelation):
        sign, _ = _operator(constraint, _RELATIONS)
        names = (constraint.left.name, constraint.right.name)
        kinds = {_order(domains[name]) for name in names}
        if sign != "==" and (len(kinds) > 1 or "none" in kinds):
            raise ProblemError(
                f"the forbidden clause {describe(constraint)} compares values without a common"
                " order: relate numbers with numbers, or strings with strings"
            )


def mended(constraint: Any) -> Any:
    """The constraint with ConfigSpace's faulty classes replaced; unknown kinds are refused.

    Raises:
        ProblemError: a kind of constraint that can't be judged by values.
    """
    kind = type(constraint)
    if isinstance(constraint, (Conjunction, ForbiddenConjunction)):
        parts = [mended(part) for part in constraint.components]
        mended_kind = {AndConjunction: _AndConjunction, OrConjunction: _OrConjunction}.get(kind)
        if mended_kind is None and all(
            new is old for new, old in zip(parts, constraint.components, strict=True)
        ):
            return constraint
        return (mended_kind or kind)(*parts)
    if kind is NotEqualsCondition:
        return _NotEqualsCondition(constraint.child, constraint.parent, constraint.value)
    if kind is ForbiddenLessThanEqualsClause:
        return _LessThanEqualsClause(constraint.hyperparameter, constraint.value)
    if kind is ForbiddenGreaterThanEqualsClause:
        return _GreaterThanEqualsClause(constraint.hyperparameter, constraint.value)
    if isinstance(constraint, (InCondition, ForbiddenInClause)):
        return constraint
    if isinstance(constraint, Condition):
        _operator(constraint, _CONDITIONS)
    elif isinstance(constraint, ForbiddenClause):
        _operator(constraint, _CLAUSES)
    else:
        _operator(constraint, _RELATIONS)
    return constraint


def _operator(constraint: Any, table: tuple[tuple[type, str, Compare], ...]) -> tuple[str, Compare]:
    for kind, sign, compare in table:
        if isinstance(constraint, kind):
            return sign, compare
    raise ProblemError(
        f"{type(constraint).__name__} isn't supported: use the conditions and forbidden clauses"
        " of ConfigSpace"
    )


def _order(domain: Domain) -> str:
    """The order that all values of the domain share: of numbers, of strings, or none."""
    if isinstance(domain, Choices):
        if all(type(value) is str for value in domain.values):
            return "strings"
        if any(value is None or type(value) is str for value in domain.values):
            return "none"
    return "numbers"


def _compare(compare: Compare, hyperparameter: Hyperparameter, value: Any, limit: Any) -> bool:
    """The comparison; an ordinal's values are ordered by their place in its sequence."""
    if isinstance(hyperparameter, OrdinalHyperparameter):
        sequence = hyperparameter.sequence
        return compare(sequence.index(value), sequence.index(limit))
    return bool(compare(value, limit))


class _NotEqualsCondition(NotEqualsCondition):
    def satisfied_by_vector(self, vector: np.ndarray) -> bool:
        value = vector[self.parent_vector_id]
        return bool(value != self.vector_value and not np.isnan(value))

    def satisfied_by_vector_array(self, arr: np.ndarray) -> np.ndarray:
        values = arr[self.parent_vector_id]
        return (values != self.vector_value) & ~np.isnan(values)


class _AndConjunction(AndConjunction):
    def equivalent_condition_on_parent(self, other: ConditionLike) -> bool:
        return _equivalent(self, other)


class _OrConjunction(OrConjunction):
    def equivalent_condition_on_parent(self, other: ConditionLike) -> bool:
        return _equivalent(self, other)


def _equivalent(one: Conjunction, other: ConditionLike) -> bool:
    """Whether both are the same conjunction of the same parts in the same order."""
    return (
        type(one) is type(other)
        and len(one.components) == len(other.components)
        and all(
            mine.equivalent_condition_on_parent(theirs)
            for mine, theirs in zip(one.components, other.components, strict=True)
        )
    )


class _LessThanEqualsClause(ForbiddenLessThanEqualsClause):
    def is_forbidden_vector_array(self, arr: np.ndarray) -> np.ndarray:
        return np.less_equal(arr[self.vector_id], self.vector_value, dtype=np.bool_)


class _GreaterThanEqualsClause(ForbiddenGreaterThanEqualsClause):
    def is_forbidden_vector(self, vector: np.ndarray) -> bool:
        return bool(vector[self.vector_id] >= self.vector_value)


# so that problem.space.to_json() and its kin still write them, as what they stand for
for _encoders, _mended, _original in (
    (CONDITION_ENCODERS, _NotEqualsCondition, NotEqualsCondition),
    (CONDITION_ENCODERS, _AndConjunction, AndConjunction),
    (CONDITION_ENCODERS, _OrConjunction, OrConjunction),
    (FORBIDDEN_ENCODERS, _LessThanEqualsClause, ForbiddenLessThanEqualsClause),
    (FORBIDDEN_ENCODERS, _GreaterThanEqualsClause, ForbiddenGreaterThanEqualsClause),
):
    _encoders[_mended] = _encoders[_original]
