"""The nodes of a network as a list, for people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from deephyper.nas.flow import network_of

if TYPE_CHECKING:
    from deephyper.nas.space import ArchitectureSpace


class ListedNode(NamedTuple):
    """A node of a network.

    Attributes:
        node: its name.
        operation: its label; for an input or output its shape.
        sources: names of the nodes that lead to it.
    """

    node: str
    operation: str
    sources: tuple[str, ...]


def listing(space: ArchitectureSpace, point: Mapping[str, Any]) -> list[ListedNode]:
    """Return the nodes that the network of a point uses, each after those that lead to it.

    Args:
        space: of the networks.
        point: name -> value; others than those of choices are ignored.

    Raises:
        ArchitectureError: it isn't a point of the space.
    """
    network = network_of(space.graph, space.validate(point))
    used = network.inputs
    found = []
    for node in space.graph.forward():
        if node in network.operations:
            label = network.operations[node].label
        elif node.role == "output" or node in used:
            label = str(node.shape)
        else:
            continue
        sources = network.sources.get(node, ())
        found.append(ListedNode(node.name, label, tuple(each.name for each in sources)))
    return found
