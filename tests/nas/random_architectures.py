"""Random architecture spaces, for property tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from deephyper.nas import ArchitectureSpace, Identity, Zero, op
from deephyper.nas.graph import Node
from deephyper.nas.operation import Operation

OPERATIONS = [op("Dense", 2), op("Dense", 3, activation="relu"), Identity, Zero]


@st.composite
def spaces(draw: st.DrawFn, max_nodes: int = 4, merge: bool = True) -> ArchitectureSpace:
    """Return a complete space of a few nodes with Zero, mirrors and optional connections."""
    how: Any = draw(st.sampled_from(["concatenate", "add"])) if merge else "concatenate"
    num_inputs, num_outputs = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    space = ArchitectureSpace([(3,)] * num_inputs, [(1,)] * num_outputs, merge=how)
    hidden: list[Node] = []
    for i in range(draw(st.integers(1, max_nodes))):
        if hidden and draw(st.integers(0, 3)) == 0:
            node = space.mirror(f"node_{i}", draw(st.sampled_from(hidden)))
        else:
            operations: list[Operation] = draw(
                st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=3, unique=True).filter(
                    lambda found: found != [Zero]
                )
            )
            node = space.variable(f"node_{i}", operations)
        before = [*space.inputs, *hidden]
        sources = draw(st.lists(st.sampled_from(before), min_size=1, max_size=3, unique=True))
        for source in sources:
            if draw(st.booleans()):
                space.optional(source, node)
            else:
                space.connect(source, node)
        hidden.append(node)
    # What is left over: inputs without a node, nodes without an output.
    targets = {c.target for c in space._graph.connections}
    sources = [c.source for c in space._graph.connections]
    for node in space.inputs:
        if node not in sources:
            space.optional(node, hidden[-1])
    if draw(st.booleans()):
        for node in hidden:
            if node not in sources:
                for output in space.outputs:
                    space.connect(node, output)
    assert {node for node in hidden if node not in targets} == set()
    return space


def assignments(space: ArchitectureSpace) -> Iterator[dict[str, Any]]:
    """Yield every combination of values, of inactive choices too."""
    names = [choice.name for choice in space.choices]
    for values in itertools.product(*(choice.values for choice in space.choices)):
        yield dict(zip(names, values, strict=True))
