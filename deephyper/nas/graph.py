"""The graph of an architecture space: its nodes, and the connections between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from deephyper.errors import ArchitectureError
from deephyper.nas.operation import Operation
from deephyper.problem.point import show
from deephyper.suggest import did_you_mean

Merge = Literal["concatenate", "add"]
MERGES: tuple[Merge, ...] = ("concatenate", "add")
Role = Literal["input", "hidden", "output"]
Shape = tuple[int | None, ...]
"""Without the axis of the batch; None for an axis of any length."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node of a space.

    Attributes:
        name: stands for it in points, drawings and the names of layers.
        operations: to choose from; of an output, what makes it of the merged ends.
        merge: how several tensors that come in become one.
        role: the place in the graph.
        shape: of an input or output, without the axis of the batch.
        mirrored: the node whose choice it takes; None for a choice of its own.
    """

    name: str
    operations: tuple[Operation, ...] = field(default=(), repr=False)
    merge: Merge = field(default="concatenate", repr=False)
    role: Role = "hidden"
    shape: Shape | None = field(default=None, repr=False)
    mirrored: Node | None = field(default=None, repr=False)

    @property
    def has_zero(self) -> bool:
        """True if Zero is one of its operations."""
        return any(operation.is_zero for operation in self.operations)

    @property
    def decided_by(self) -> str | None:
        """Name of the hyperparameter that chooses its operation; None where there is no choice."""
        if self.role != "hidden" or len(self.operations) == 1:
            return None
        return self.name if self.mirrored is None else self.mirrored.name


@dataclass(frozen=True)
class Connection:
    """A connection between two nodes.

    Attributes:
        source: where it begins.
        target: where it ends.
        choice: name of the hyperparameter that decides whether it is there; None if it always is.
    """

    source: Node
    target: Node
    choice: str | None = None


class Graph:
    """Nodes and connections without a cycle, in the order added."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.connections: list[Connection] = []
        self._names: set[str] = set()

    def add_node(self, node: Node) -> None:
        """Add a node.

        Raises:
            ArchitectureError: something has its name already.
        """
        self._take(node.name)
        self.nodes[node.name] = node

    def add_connection(self, connection: Connection) -> None:
        """Add a connection.

        Raises:
            ArchitectureError: it begins at an output, ends at an input, is there already, or makes
                a cycle.
        """
        source, target = connection.source, connection.target
        if source.role == "output":
            raise ArchitectureError(f"nothing can come from '{source.name}', which is an output")
        if target.role == "input":
            raise ArchitectureError(f"nothing can lead to '{target.name}', which is an input")
        if any((c.source, c.target) == (source, target) for c in self.connections):
            raise ArchitectureError(
                f"'{source.name}' and '{target.name}' are connected already: leave one out"
            )
        path = self._path(target, source)
        if path:
            shown = " → ".join(node.name for node in (*path, target))
            raise ArchitectureError(
                f"connecting '{source.name}' to '{target.name}' makes a cycle: {shown}"
            )
        if connection.choice is not None:
            self._take(connection.choice)
        self.connections.append(connection)

    def _take(self, name: str) -> None:
        if name in self._names:
            raise ArchitectureError(f"'{name}' is in the space already: give another name")
        self._names.add(name)

    def node(self, given: Node | str) -> Node:
        """Return a node that is given by itself or its name.

        Raises:
            ArchitectureError: it isn't in the graph.
        """
        name = given.name if isinstance(given, Node) else given
        found = self.nodes.get(name) if isinstance(name, str) else None
        if found is None:
            hint = did_you_mean(name, self.nodes)
            raise ArchitectureError(f"there is no node {show(name)} in the space: {hint}")
        if isinstance(given, Node) and found is not given:
            raise ArchitectureError(f"'{name}' is a node of another space")
        return found

    def with_role(self, role: Role) -> list[Node]:
        """Return the nodes in one place of the graph."""
        return [node for node in self.nodes.values() if node.role == role]

    def _path(self, start: Node, end: Node) -> list[Node]:
        """Return the nodes from one to another; empty if no connections lead there."""
        before: dict[Node, Node | None] = {start: None}
        pending = [start]
        for node in pending:
            for connection in self.connections:
                if connection.source is node and connection.target not in before:
                    before[connection.target] = node
                    pending.append(connection.target)
        path: list[Node] = []
        step: Node | None = end if end in before else None
        while step is not None:
            path.insert(0, step)
            step = before[step]
        return path

    def completed(self) -> CompleteGraph:
        """Return the graph with its loose ends connected.

        Nodes from which no connection leads anywhere are connected to every output to which none
        leads.

        Raises:
            ArchitectureError: nothing leads to a node, or nothing from it to an output.
        """
        sources = {connection.source for connection in self.connections}
        targets = {connection.target for connection in self.connections}
        inner = [node for node in self.nodes.values() if node.role != "output"]
        loose = [node for node in inner if node not in sources]
        free = [node for node in self.with_role("output") if node not in targets]
        for node in inner:
            if node.role == "hidden" and node not in targets:
                raise ArchitectureError(
                    f"nothing leads to node '{node.name}': connect an input or another node to it"
                )
        for node in loose:
            if node.role == "input" and sources:
                raise ArchitectureError(
                    f"nothing comes from the input '{node.name}': connect it to a node"
                )
            if not free:
                raise ArchitectureError(
                    f"node '{node.name}' leads nowhere: connect it to an output or another node"
                )
        if free and not loose:
            raise ArchitectureError(
                f"nothing leads to the output '{free[0].name}': connect a node to it"
            )
        added = [Connection(node, output) for output in free for node in loose]
        return CompleteGraph(dict(self.nodes), (*self.connections, *added))


@dataclass(frozen=True)
class CompleteGraph:
    """A graph in which every node is between an input and an output.

    Attributes:
        nodes: by name, in the order added.
        connections: in the order added, those of loose ends last.
    """

    nodes: Mapping[str, Node]
    connections: tuple[Connection, ...]

    def into(self, node: Node) -> list[Connection]:
        """Return the connections that lead to a node."""
        return [each for each in self.connections if each.target is node]

    def out_of(self, node: Node) -> list[Connection]:
        """Return the connections that come from a node."""
        return [each for each in self.connections if each.source is node]

    def forward(self) -> Iterator[Node]:
        """Yield the nodes so that each comes after those that lead to it."""
        left = {node: len(self.into(node)) for node in self.nodes.values()}
        while left:
            ready = next(node for node, count in left.items() if count == 0)
            del left[ready]
            yield ready
            for connection in self.out_of(ready):
                left[connection.target] -= 1
