"""ConfigSpace's space, made of our own definition when something needs it.

ConfigSpace makes its graph of conditions again at each addition, and the time for a graph doubles
with each link of a chain of conditions. Here additions change the definition alone. The graph is
made of all of it at once, by the first call that samples or makes a configuration, with the part
that doubles replaced (:class:`_Graph`): its time grows with the square of the number of conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace

# Not part of ConfigSpace's documented interface: tests compare what is made of it with
# ConfigSpace's own space, and pyproject.toml bounds ConfigSpace from above.
from ConfigSpace._condition_tree import DAG, ConditionNode
from ConfigSpace.conditions import ConditionLike
from ConfigSpace.forbidden import ForbiddenLike
from ConfigSpace.hyperparameters import Hyperparameter

from deephyper.errors import ProblemError
from deephyper.problem.constraints import Constraint
from deephyper.problem.definition import CLAUSES, CONDITIONS, Definition
from deephyper.problem.domain import AnyHyperparameter
from deephyper.problem.point import show
from deephyper.problem.translation import translate


class Space(ConfigurationSpace):
    """A ConfigurationSpace to which one addition after another costs little.

    Args:
        seed: of its random numbers; None draws them from the system.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._definition = Definition()
        self._graph: DAG | None = None
        super().__init__(seed=seed)

    @property
    def definition(self) -> Definition:
        """The contents of the space; to be replaced by a definition made of this one."""
        return self._definition

    @definition.setter
    def definition(self, definition: Definition) -> None:
        self._definition = definition
        self._graph = None

    def add(self, *args: Any) -> None:
        """Add hyperparameters, conditions and forbidden clauses, or iterables of them.

        Raises:
            ProblemError: one can't be used; nothing is added then.
        """
        items = list(_flattened(args))
        for item in items:
            if not isinstance(item, (Hyperparameter, *CONDITIONS, *CLAUSES)):
                raise ProblemError(
                    f"{show(item)} ({type(item).__name__}) can't be added to a space: add"
                    " hyperparameters, conditions and forbidden clauses of ConfigSpace"
                )
        self.definition = (
            self.definition.with_hyperparameters(i for i in items if isinstance(i, Hyperparameter))
            .with_conditions(i for i in items if isinstance(i, CONDITIONS))
            .with_clauses(i for i in items if isinstance(i, CLAUSES))
        )

    # -- what the definition answers ---------------------------------------------------------------

    @property
    def conditions(self) -> Sequence[ConditionLike]:
        """All conditions, in the order of their children."""
        return [rule.original for rule in self.definition.ordered_conditions]

    @property
    def forbidden_clauses(self) -> Sequence[ForbiddenLike]:
        """All forbidden clauses; those of hyperparameters that are always active come first."""
        return [rule.original for rule in self.definition.ordered_clauses]

    def __getitem__(self, key: str) -> AnyHyperparameter:
        return self.definition.hyperparameters[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.definition.names)

    def items(self) -> Any:
        """Return the names and hyperparameters, parents before their children."""
        return {name: self[name] for name in self}.items()

    def __len__(self) -> int:
        return len(self.definition.hyperparameters)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfigurationSpace):
            return NotImplemented
        return (
            dict(self) == dict(other)
            and list(self.conditions) == list(other.conditions)
            and list(self.forbidden_clauses) == list(other.forbidden_clauses)
            and (self.name, self.meta) == (other.name, other.meta)
        )

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        # Nodes of the graph hold one another: copying it recurses as deep as its longest chain.
        return self.__dict__ | {"_graph": None}

    # -- what ConfigSpace's graph answers ----------------------------------------------------------

    @property
    def _dag(self) -> DAG:
        """The graph; ConfigSpace's own methods read it by this name."""
        if self._graph is None:
            self._graph = _graph_of(self.definition)
        return self._graph

    @_dag.setter
    def _dag(self, graph: DAG) -> None:
        """Leave out the empty graph that ConfigSpace's constructor makes."""


class _Node(ConditionNode):
    """A condition and the hyperparameters that it activates."""

    def depends_on(self, other: ConditionNode) -> bool:
        # ConfigSpace makes trees of the nodes that depend on each other, and walks along all paths
        # through them. _Graph finds what they are needed for without.
        return False


class _Graph(DAG):
    """ConfigSpace's graph of a definition, whose conditions are without a cycle."""

    def _check_cyclic_dependancy(self) -> None:
        """Leave out a search through the whole graph for each condition."""

    def _minimum_conditions(self) -> list[ConditionNode]:
        """Return one node for each condition, with all children that have it."""
        nodes: dict[Constraint, ConditionNode] = {}
        for child in self.nodes.values():
            if child.parent_condition is None:
                continue
            constraint = translate(child.parent_condition)
            if constraint in nodes:
                nodes[constraint].unique_children[child.idx] = child
            else:
                nodes[constraint] = _Node.from_node(child)
        for node in nodes.values():
            node.children_indices = np.array(list(node.unique_children), dtype=np.intp)
            node.nan_arr = np.full(len(node.unique_children), np.nan)
        return list(nodes.values())

    @contextmanager
    def update(self) -> Iterator[DAG]:  # type: ignore[override]
        with super().update():
            yield self

        # By the shallowest parent, as ConfigSpace orders them, a child is decided on before one of
        # its parents is.
        def depth(node: ConditionNode) -> int:
            return max(self.nodes[name].maximum_depth for name in node.node_parents())

        self.minimum_conditions.sort(key=depth)
        self.change_hp_lookup = self._dependent_conditions()

    def _dependent_conditions(self) -> dict[str, list[ConditionNode]]:
        """Return the conditions that can change with each hyperparameter, parents' first."""
        nodes = self.minimum_conditions
        direct: dict[str, set[int]] = {name: set() for name in self.nodes}
        for i, node in enumerate(nodes):
            for name in node.node_parents():
                direct[name].add(i)
        reached: dict[str, set[int]] = {}
        for name in reversed(self.nodes):  # children before their parents
            reached[name] = direct[name].union(
                *(reached[child] for child in self.nodes[name].children)
            )
        return {name: [nodes[i] for i in sorted(found)] for name, found in reached.items()}


def _graph_of(definition: Definition) -> DAG:
    """Return ConfigSpace's graph of a definition."""
    graph = _Graph()
    with graph.update():
        # In the order of the space, no depth has to be passed on to what was added before.
        for name in definition.names:
            graph.add(definition.hyperparameters[name])
        for rule in definition.ordered_conditions:
            graph.add_condition(rule.original)
        for rule in definition.clauses:
            graph.add_forbidden(rule.original)
    return graph


def _flattened(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, Iterable) and not isinstance(item, str):
            yield from _flattened(item)
        else:
            yield item
