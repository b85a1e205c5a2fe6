"""ConfigSpace's conditions and forbidden clauses: translated into our own, and corrected.

ConfigSpace also judges its constraints by its vectors, and there some of its classes go wrong
(seen with 1.2.0 and 1.2.2); :func:`corrected` replaces these by subclasses that agree with the
values:

* ``NotEqualsCondition`` holds when its parent is inactive, because NaN differs from everything;
  a space whose default has such a parent is refused.
* ``ForbiddenLessThanEqualsClause`` forbids what is greater or equal when many configurations are
  sampled at once.
* ``ForbiddenGreaterThanEqualsClause`` prints each vector that it looks at.
* ``AndConjunction`` and ``OrConjunction`` take each other for equivalent when their parts are, so
  that "x if A and B, y if A or B" activates both alike.
"""

from __future__ import annotations

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
from ConfigSpace.forbidden import ForbiddenConjunction, ForbiddenLike, ForbiddenRelation
from ConfigSpace.hyperparameters import OrdinalHyperparameter
from ConfigSpace.read_and_write.dictionary import CONDITION_ENCODERS, FORBIDDEN_ENCODERS
from numpy.typing import NDArray

from deephyper.errors import ProblemError
from deephyper.problem.constraints import (
    AllOf,
    AnyOf,
    Comparison,
    Constraint,
    Membership,
    Relation,
    Sign,
)
from deephyper.problem.domain import AnyHyperparameter
from deephyper.problem.point import plain

ConstraintLike = ConditionLike | ForbiddenLike
"""A condition or forbidden clause of ConfigSpace."""

_SIGNS: dict[type, Sign] = {
    EqualsCondition: "==",
    NotEqualsCondition: "!=",
    LessThanCondition: "<",
    GreaterThanCondition: ">",
    ForbiddenEqualsClause: "==",
    ForbiddenLessThanClause: "<",
    ForbiddenLessThanEqualsClause: "<=",
    ForbiddenGreaterThanClause: ">",
    ForbiddenGreaterThanEqualsClause: ">=",
    ForbiddenEqualsRelation: "==",
    ForbiddenLessThanRelation: "<",
    ForbiddenLessThanEqualsRelation: "<=",
    ForbiddenGreaterThanRelation: ">",
    ForbiddenGreaterThanEqualsRelation: ">=",
}


def translate(constraint: ConstraintLike) -> Constraint:
    """Return a constraint as our own: when a child is active, or what is forbidden.

    Raises:
        ProblemError: it is of a kind that can't be judged by values.
    """
    if isinstance(constraint, Conjunction | ForbiddenConjunction):
        parts = tuple(translate(part) for part in constraint.components)
        if isinstance(constraint, AndConjunction | ForbiddenAndConjunction):
            return AllOf(parts)
        if isinstance(constraint, OrConjunction | ForbiddenOrConjunction):
            return AnyOf(parts)
        raise _unsupported(constraint)
    if isinstance(constraint, ForbiddenRelation):
        return Relation(constraint.left.name, _sign(constraint), constraint.right.name)
    subject = constraint.parent if isinstance(constraint, Condition) else constraint.hyperparameter
    if isinstance(constraint, InCondition | ForbiddenInClause):
        return Membership(subject.name, tuple(plain(value) for value in constraint.values))
    sign = _sign(constraint)
    sequence = None
    if isinstance(subject, OrdinalHyperparameter):
        sequence = tuple(plain(value) for value in subject.sequence)
    # Every class that has a sign compares with a value; ConfigSpace's base class doesn't say so.
    value = plain(constraint.value)  # type: ignore[union-attr]
    return Comparison(subject.name, sign, value, sequence)


def hyperparameters_in(constraint: ConstraintLike) -> tuple[str, ...]:
    """Return the names of the hyperparameters whose values decide on a constraint, each once.

    The child of a condition isn't one of them.

    Raises:
        ProblemError: the constraint is of a kind that can't be judged by values.
    """
    return translate(constraint).hyperparameters


def referenced(constraint: ConstraintLike) -> list[AnyHyperparameter]:
    """Return ConfigSpace's objects in a constraint, the child of a condition included."""
    if isinstance(constraint, Conjunction | ForbiddenConjunction):
        return [each for part in constraint.components for each in referenced(part)]
    if isinstance(constraint, Condition):
        return [constraint.child, constraint.parent]
    if isinstance(constraint, ForbiddenRelation):
        return [constraint.left, constraint.right]
    return [constraint.hyperparameter]


def corrected(constraint: Any) -> Any:
    """Return the constraint with ConfigSpace's faulty classes replaced, itself if it has none."""
    kind = type(constraint)
    if isinstance(constraint, Conjunction | ForbiddenConjunction):
        parts = [corrected(part) for part in constraint.components]
        kept = all(new is old for new, old in zip(parts, constraint.components, strict=True))
        new_kind = _CORRECTED_CONJUNCTIONS.get(kind, kind)
        return constraint if kept and new_kind is kind else new_kind(*parts)
    if kind is NotEqualsCondition:
        return _NotEqualsCondition(constraint.child, constraint.parent, constraint.value)
    if kind in _CORRECTED_CLAUSES:
        return _CORRECTED_CLAUSES[kind](constraint.hyperparameter, constraint.value)
    return constraint


def _sign(constraint: ConstraintLike) -> Sign:
    for kind in type(constraint).__mro__:
        if kind in _SIGNS:
            return _SIGNS[kind]
    raise _unsupported(constraint)


def _unsupported(constraint: ConstraintLike) -> ProblemError:
    return ProblemError(
        f"{type(constraint).__name__} isn't supported: use the conditions and forbidden clauses"
        " of ConfigSpace"
    )


class _NotEqualsCondition(NotEqualsCondition):
    def satisfied_by_vector(self, vector: NDArray[np.float64]) -> bool:
        value = vector[self.parent_vector_id]
        return bool(value != self.vector_value and not np.isnan(value))

    def satisfied_by_vector_array(self, arr: NDArray[np.float64]) -> NDArray[np.bool_]:
        values = arr[self.parent_vector_id]
        return np.not_equal(values, self.vector_value, dtype=np.bool_) & ~np.isnan(values)


class _AndConjunction(AndConjunction):
    def equivalent_condition_on_parent(self, other: ConditionLike) -> bool:
        return _equivalent(self, other)


class _OrConjunction(OrConjunction):
    def equivalent_condition_on_parent(self, other: ConditionLike) -> bool:
        return _equivalent(self, other)


def _equivalent(one: Conjunction, other: ConditionLike) -> bool:
    """Return whether both are the same conjunction of the same parts in the same order."""
    return (
        type(one) is type(other)
        and len(one.components) == len(other.components)
        and all(
            mine.equivalent_condition_on_parent(theirs)
            for mine, theirs in zip(one.components, other.components, strict=True)
        )
    )


class _LessThanEqualsClause(ForbiddenLessThanEqualsClause):
    def is_forbidden_vector_array(self, arr: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.less_equal(arr[self.vector_id], self.vector_value, dtype=np.bool_)


class _GreaterThanEqualsClause(ForbiddenGreaterThanEqualsClause):
    def is_forbidden_vector(self, vector: NDArray[np.float64]) -> bool:
        return bool(vector[self.vector_id] >= self.vector_value)


_CORRECTED_CONJUNCTIONS: dict[type, type] = {
    AndConjunction: _AndConjunction,
    OrConjunction: _OrConjunction,
}
_CORRECTED_CLAUSES: dict[type, type] = {
    ForbiddenLessThanEqualsClause: _LessThanEqualsClause,
    ForbiddenGreaterThanEqualsClause: _GreaterThanEqualsClause,
}

# So that problem.space.to_json() and the like still write them, as what they stand for. The two
# registries are not part of ConfigSpace's documented interface: a test pins what is used of them,
# and pyproject.toml bounds ConfigSpace from above.
CONDITION_ENCODERS[_NotEqualsCondition] = CONDITION_ENCODERS[NotEqualsCondition]
for _original, _correction in _CORRECTED_CONJUNCTIONS.items():
    CONDITION_ENCODERS[_correction] = CONDITION_ENCODERS[_original]
for _original, _correction in _CORRECTED_CLAUSES.items():
    FORBIDDEN_ENCODERS[_correction] = FORBIDDEN_ENCODERS[_original]
