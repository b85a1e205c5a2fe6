"""The exact number of architectures in a space, without making them one by one.

Choices are decided in order. Of what was decided before, only what is left of the conditions of
later choices matters, so that all ways to the same rest are counted together (dynamic programming
over the frontier). A choice on which one other depends, as an optional connection, isn't decided at
all: it is known how many ways there are in which one of several such choices holds. So the number
of rests stays small where later choices differ by how many connections there are, not by which.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from deephyper.nas.choices import ALWAYS, Choice, all_of, any_of
from deephyper.problem.constraints import AllOf, AnyOf, Constraint, Membership

_NEVER = AnyOf(())
"""The condition that never holds."""
_ABSENT = object()
"""The value of a hyperparameter that is inactive."""


@dataclass(frozen=True)
class _Part:
    """A choice that isn't decided, since one later choice alone depends on it, or none.

    Attributes:
        condition: what is left of when it is active.
        yes: in how many ways it then activates the later one.
        no: in how many ways it doesn't.
    """

    condition: Constraint
    yes: int
    no: int


@dataclass(frozen=True)
class _Pending:
    """The rest of the condition of a later choice: one of these holds.

    Attributes:
        condition: what is left of the choices that are decided.
        parts: those that aren't, as long as it is open whether they are active.
        total: in how many ways the others can be made.
        none: in how many of these none of them holds.
    """

    condition: Constraint
    parts: tuple[_Part, ...] = ()
    total: int = 1
    none: int = 1

    def decided(self, name: str, value: object) -> _Pending:
        """Return what is left of it once a choice is decided."""
        total, none = self.total, self.none
        parts: list[_Part] = []
        for part in self.parts:
            left = _decided(part.condition, name, value)
            if left == ALWAYS:
                total, none = total * (part.yes + part.no), none * part.no
            elif left != _NEVER:
                parts.append(replace(part, condition=left))
        condition = _decided(self.condition, name, value)
        # Which of the parts is which makes no difference.
        return _Pending(condition, tuple(sorted(parts, key=str)), total, none)

    def ways(self) -> tuple[int, int]:
        """Return in how many ways it holds, and in how many it doesn't; all is decided."""
        if self.condition == ALWAYS:
            return self.total, 0
        return self.total - self.none, self.none


def number_of_points(choices: Sequence[Choice]) -> int:
    """Return how many points there are, each choice being made only where it is active.

    The time grows with the number of different rests: about as 2 to the number of nodes that have
    optional connections to different nodes each, and Zero among their operations.

    Args:
        choices: each after those that its condition depends on.
    """
    total = 1
    for group in _independent(choices):
        total *= _number(group)
    return total


def _number(choices: Sequence[Choice]) -> int:
    decided, pending = _planned(choices)
    # The last one stands for the choices on which nothing depends.
    rests = {tuple(pending): 1}
    for choice in decided:
        following: dict[tuple[_Pending, ...], int] = {}
        for (own, *others), count in rests.items():
            active, inactive = own.ways()
            for value, ways in ((_ABSENT, inactive), *((value, active) for value in choice.values)):
                if ways:
                    after = tuple(each.decided(choice.name, value) for each in others)
                    following[after] = following.get(after, 0) + count * ways
        rests = following
    return sum(last.total * count for (last,), count in rests.items())


def _planned(choices: Sequence[Choice]) -> tuple[list[Choice], list[_Pending]]:
    """Return the choices to decide, and their conditions, with one more for what is left over."""
    children: dict[str, list[Choice]] = {choice.name: [] for choice in choices}
    for choice in choices:
        for parent in choice.condition.hyperparameters:
            children[parent].append(choice)
    to_decide: set[str] = set()
    parts: dict[str, dict[str, _Part]] = {choice.name: {} for choice in choices}
    left_over: list[_Part] = []
    for choice in choices:
        depending = children[choice.name]
        yes = _num_activating(choice, depending[0].condition) if len(depending) == 1 else 0
        if choice.name in to_decide or (depending and not yes):
            to_decide.add(choice.name)
        elif depending:
            part = _Part(choice.condition, yes, len(choice.values) - yes)
            parts[depending[0].name][choice.name] = part
            to_decide.add(depending[0].name)  # a part of what isn't decided is none
        else:
            left_over.append(_Part(choice.condition, len(choice.values), 0))
    decided = [choice for choice in choices if choice.name in to_decide]
    pending = [
        _Pending(_without(each.condition, parts[each.name]), tuple(parts[each.name].values()))
        for each in decided
    ]
    pending.append(_Pending(_NEVER, tuple(left_over)))
    return decided, [each.decided("", None) for each in pending]


def _alternatives(condition: Constraint) -> tuple[Constraint, ...]:
    """Return the conditions of which one has to hold."""
    return condition.parts if isinstance(condition, AnyOf) else (condition,)


def _num_activating(choice: Choice, condition: Constraint) -> int:
    """Return how many values of a choice make a condition hold by themselves.

    0 where the condition depends on the choice in another way too.
    """
    own = [each for each in _alternatives(condition) if choice.name in each.hyperparameters]
    if len(own) != 1 or not isinstance(own[0], Membership):
        return 0
    return len(own[0].values)


def _without(condition: Constraint, names: Collection[str]) -> Constraint:
    """Return the rest of a condition, without the alternatives that are parts."""
    if not names:
        return condition
    rest = [each for each in _alternatives(condition) if not {*each.hyperparameters} & {*names}]
    return any_of(rest)


def _decided(condition: Constraint, name: str, value: object) -> Constraint:
    """Return what is left of a condition once a choice is decided."""
    if name not in condition.hyperparameters:
        return condition
    if isinstance(condition, Membership):
        holds = value is not _ABSENT and value in condition.values
        return ALWAYS if holds else _NEVER
    assert isinstance(condition, (AllOf, AnyOf))
    parts = [_decided(part, name, value) for part in condition.parts]
    if isinstance(condition, AllOf):
        return _NEVER if _NEVER in parts else all_of(parts)
    return any_of([part for part in parts if part != _NEVER])


def _independent(choices: Sequence[Choice]) -> list[list[Choice]]:
    """Return the choices in groups between which there is no condition, each group in order."""
    group = {choice.name: {choice.name} for choice in choices}
    for choice in choices:
        for parent in choice.condition.hyperparameters:
            if group[parent] is not group[choice.name]:
                joined = group[parent] | group[choice.name]
                for name in joined:
                    group[name] = joined
    groups = {id(names): names for names in group.values()}
    return [[each for each in choices if each.name in names] for names in groups.values()]
