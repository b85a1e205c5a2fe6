"""The part of a graph that a point uses: what passes anything from an input to an output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deephyper.nas.graph import CompleteGraph, Node
from deephyper.nas.operation import Operation


@dataclass(frozen=True)
class Network:
    """The nodes of one architecture.

    Attributes:
        operations: of the hidden nodes that are used, each after those that lead to it.
        sources: of these and of the outputs, the nodes that lead there, in the order connected;
            empty for an output to which nothing leads.
    """

    operations: Mapping[Node, Operation]
    sources: Mapping[Node, tuple[Node, ...]]

    @property
    def inputs(self) -> set[Node]:
        """The inputs that are used."""
        return {each for found in self.sources.values() for each in found if each.role == "input"}


def network_of(graph: CompleteGraph, point: Mapping[str, Any]) -> Network:
    """Return the nodes that a point uses.

    Args:
        graph: of the space.
        point: name -> value; inactive choices absent.
    """
    chosen = {node: _operation(node, point) for node in graph.forward() if node.role == "hidden"}
    there = [c for c in graph.connections if c.choice is None or point.get(c.choice) is True]
    carrying: set[Node] = set()
    for node in graph.forward():
        operation = chosen.get(node)
        fed = node.role == "input" or any(c.target is node and c.source in carrying for c in there)
        if fed and (operation is not None or node.role != "hidden"):
            carrying.add(node)
    used: set[Node] = set()
    for node in reversed(list(graph.forward())):
        if node.role == "output" or (
            node in carrying and any(c.source is node and c.target in used for c in there)
        ):
            used.add(node)
    sources = {
        node: tuple(c.source for c in there if c.target is node and c.source in used)
        for node in graph.forward()
        if node in used and node.role != "input"
    }
    operations = {node: each for node, each in chosen.items() if node in used and each is not None}
    return Network(operations, sources)


def _operation(node: Node, point: Mapping[str, Any]) -> Operation | None:
    """Return the operation of a hidden node; None for Zero, and for a choice that is inactive."""
    choice = node.decided_by
    label = node.operations[0].label if choice is None else point.get(choice)
    for operation in node.operations:
        if operation.label == label and not operation.is_zero:
            return operation
    return None
