"""The choices of an architecture space: one hyperparameter each, and when each has a meaning.

A choice has a meaning where its node is used: where a path leads from the node to an output,
through connections that are there and nodes that are not Zero. It is decided from the outputs
backward, so that no choice depends on itself: what leads to a node with Zero is inactive, not what
comes from it. So several points can be one network; conditions, which have no circles, could make
a part of them inactive at most, and none in a cell whose edges all have Zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ConfigSpace import (
    AndConjunction,
    EqualsCondition,
    InCondition,
    OrConjunction,
)

from deephyper.nas.graph import CompleteGraph, Connection, Node
from deephyper.problem.constraints import AllOf, AnyOf, Constraint, Membership, ancestors

ALWAYS = AllOf(())
"""The condition that always holds."""


@dataclass(frozen=True)
class Choice:
    """A hyperparameter of a space.

    Attributes:
        name: of the hyperparameter.
        values: labels of operations; False and True for a connection.
        condition: when it is active; :data:`ALWAYS` for no condition.
    """

    name: str
    values: tuple[Any, ...]
    condition: Constraint

    def __str__(self) -> str:
        values = f"{self.name}: {', '.join(map(str, self.values))}"
        return f"{values}, if {self.condition}" if self.is_conditional else values

    @property
    def is_conditional(self) -> bool:
        """True if it has a condition."""
        return self.condition != ALWAYS


def choices_of(graph: CompleteGraph) -> tuple[Choice, ...]:
    """Return the choices of a graph, each after those that its condition depends on."""
    uses = _Uses(graph)
    mirrors: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        if node.mirrored is not None and node.decided_by is not None:
            mirrors.setdefault(node.decided_by, []).append(node)
    found: dict[str, Choice] = {}
    late: list[Node] = []

    def condition_of(name: str) -> Constraint | None:
        return found[name].condition if name in found else None

    for node in reversed(list(graph.forward())):
        if node.mirrored is None and node.decided_by is not None:
            if node.name in mirrors:
                late.append(node)
            else:
                found[node.name] = _of_node(node, uses.used(node))
        for connection in graph.into(node):
            if connection.choice is not None:
                condition = uses.carries(node)
                found[connection.choice] = Choice(connection.choice, (False, True), condition)
    for node in late:
        condition = any_of([uses.used(each) for each in (node, *mirrors[node.name])])
        # What leads to one of the two may depend on the choice for the other.
        if node.name in ancestors(condition.hyperparameters, condition_of):
            condition = ALWAYS
        found[node.name] = _of_node(node, condition)
    return _ordered(found)


def to_config_space(condition: Constraint, child: Any, parents: Mapping[str, Any]) -> Any:
    """Return a condition as ConfigSpace has it.

    Args:
        condition: of memberships alone, not :data:`ALWAYS`.
        child: the hyperparameter that it activates.
        parents: hyperparameters by name.
    """
    if isinstance(condition, Membership):
        parent, values = parents[condition.name], list(condition.values)
        if len(values) == 1:
            return EqualsCondition(child, parent, values[0])
        return InCondition(child, parent, values)
    assert isinstance(condition, (AllOf, AnyOf))
    parts = [to_config_space(part, child, parents) for part in condition.parts]
    conjunction = AndConjunction if isinstance(condition, AllOf) else OrConjunction
    return conjunction(*parts)


def all_of(parts: Iterable[Constraint]) -> Constraint:
    """Return the condition that all of several hold, as simply as it can be."""
    distinct = _flat(AllOf, parts)  # ALWAYS has no parts
    return distinct[0] if len(distinct) == 1 else AllOf(tuple(distinct))


def any_of(parts: Iterable[Constraint]) -> Constraint:
    """Return the condition that one of several holds, as simply as it can be."""
    distinct = _flat(AnyOf, parts)
    if ALWAYS in distinct:
        return ALWAYS
    return distinct[0] if len(distinct) == 1 else AnyOf(tuple(distinct))


def _flat(kind: type[AllOf] | type[AnyOf], parts: Iterable[Constraint]) -> list[Constraint]:
    """Return the parts, each once, those of the kind replaced by their own."""
    found: dict[Constraint, None] = {}
    for part in parts:
        found.update(dict.fromkeys(part.parts if isinstance(part, kind) else [part]))
    return list(found)


class _Uses:
    """The conditions under which nodes are used.

    Args:
        graph: of the nodes.
    """

    def __init__(self, graph: CompleteGraph) -> None:
        self._graph = graph
        self._mirrored = {node.mirrored for node in graph.nodes.values() if node.mirrored}
        self._used: dict[Node, Constraint] = {}
        for node in reversed(list(graph.forward())):
            leaving = graph.out_of(node)
            self._used[node] = any_of(map(self._carried, leaving)) if leaving else ALWAYS

    def used(self, node: Node) -> Constraint:
        """Return the condition that what comes from a node reaches an output."""
        return self._used[node]

    def carries(self, node: Node) -> Constraint:
        """Return the condition that what leads to a node reaches an output."""
        used = self._used[node]
        choice = node.decided_by
        if choice is None:
            return used
        nonzero = tuple(each.label for each in node.operations if not each.is_zero)
        if node.mirrored is None and node not in self._mirrored:
            # The choice is active where the node is used.
            needed = node.has_zero or used != ALWAYS
            return Membership(choice, nonzero) if needed else ALWAYS
        return all_of([Membership(choice, nonzero), used] if node.has_zero else [used])

    def _carried(self, connection: Connection) -> Constraint:
        if connection.choice is not None:  # active where its target carries
            return Membership(connection.choice, (True,))
        return self.carries(connection.target)


def _of_node(node: Node, condition: Constraint) -> Choice:
    return Choice(node.name, tuple(each.label for each in node.operations), condition)


def _ordered(choices: Mapping[str, Choice]) -> tuple[Choice, ...]:
    """Return choices so that each comes after those that its condition depends on."""
    ordered: dict[str, Choice] = {}
    left = dict(choices)
    while left:
        name = next(n for n, c in left.items() if not {*c.condition.hyperparameters} & left.keys())
        ordered[name] = left.pop(name)
    return tuple(ordered.values())
