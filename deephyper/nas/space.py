"""Architecture spaces: graphs of nodes with operations to choose from."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from deephyper.errors import ArchitectureError, ProblemError
from deephyper.nas.choices import Choice, choices_of, to_config_space
from deephyper.nas.count import number_of_points
from deephyper.nas.graph import MERGES, CompleteGraph, Connection, Graph, Merge, Node, Role, Shape
from deephyper.nas.operation import Operation, operation_of, operations_of
from deephyper.problem.point import Point, plain, show
from deephyper.problem.problem import BaseProblem, HpProblem
from deephyper.problem.shorthand import check_name
from deephyper.suggest import did_you_mean

if TYPE_CHECKING:
    from deephyper.nas.drawing import Drawing

AnyLayer = str | Operation | Callable[..., object]
"""A layer of Keras, a class of layers, its name, a function that returns a layer, or an
:class:`Operation`."""
Shapes = Sequence[int | None] | Sequence[Sequence[int | None]] | Mapping[str, Sequence[int | None]]
"""One shape, several in a list, or several by name in a dictionary; without the axis of the
batch."""


class ArchitectureSpace:
    """A space of neural networks: a directed graph without cycles.

    >>> space = ArchitectureSpace(input_shape=(10,), output_shape=(1,))
    >>> hidden = space.variable("hidden", [op("Dense", 16), op("Dense", 64), Identity])
    >>> space.connect(space.input, hidden)
    >>> skip = space.optional(space.input, space.output)
    >>> space.connect(hidden, space.output)
    >>> space.size
    6

    Each choice is a hyperparameter: the label of an operation under the name of its node, True or
    False for an optional connection. A choice that makes no difference, because what it decides on
    isn't used, is inactive.

    Nodes from which no connection leads anywhere are loose ends: they lead to each output to which
    nothing else does. At an output, what comes in is merged, and a layer makes the output of it.

    Args:
        input_shape: of one example, without the axis of the batch; a list or a dictionary of shapes
            for several inputs, whose models are called with a list or a dictionary too.
        output_shape: the same of the outputs.
        merge: how a node merges several tensors where it doesn't say it: "concatenate" joins their
            last axes; "add" adds them up, those of another length of the last axis projected by
            a linear layer to that of the first.
        output: the layer that makes the output of the merged ends, the same for each output;
            None for ``Dense`` with as many units as the last axis is long, behind a ``Flatten``
            where the output is a vector and the ends are not. ``Identity`` takes them as they are.

    Raises:
        ArchitectureError: an argument can't be used.
    """

    def __init__(
        self,
        input_shape: Shapes,
        output_shape: Shapes,
        *,
        merge: Merge = "concatenate",
        output: AnyLayer | None = None,
    ) -> None:
        self._graph = Graph()
        self._merge = _checked_merge("merge", merge)
        self.input_structure = self._add_ends("input", input_shape, ())
        made_by = () if output is None else (operation_of("output", output),)
        if made_by and made_by[0].is_zero:
            raise ArchitectureError("output is Zero: give a layer, or Identity")
        self.output_structure = self._add_ends("output", output_shape, made_by)

    def _add_ends(self, role: Role, given: Shapes, made_by: tuple[Operation, ...]) -> type:
        """Add the inputs or outputs; return the type of what holds them in a model."""
        shapes, structure = _named_shapes(role, given)
        for name, shape in shapes.items():
            self._graph.add_node(Node(check_name(name), made_by, self._merge, role, shape))
        return structure

    # -- nodes -------------------------------------------------------------------------------

    @property
    def inputs(self) -> list[Node]:
        """The inputs, in the order of their shapes."""
        return self._graph.with_role("input")

    @property
    def outputs(self) -> list[Node]:
        """The outputs, in the order of their shapes."""
        return self._graph.with_role("output")

    @property
    def input(self) -> Node:
        """The input, of a space that has one.

        Raises:
            ArchitectureError: there are several.
        """
        return _single(self.inputs, "inputs")

    @property
    def output(self) -> Node:
        """The output, of a space that has one.

        Raises:
            ArchitectureError: there are several.
        """
        return _single(self.outputs, "outputs")

    @property
    def nodes(self) -> dict[str, Node]:
        """All nodes by name, in the order added."""
        return dict(self._graph.nodes)

    def variable(
        self,
        name: str,
        operations: Sequence[AnyLayer] | Mapping[str, AnyLayer],
        *,
        merge: Merge | None = None,
    ) -> Node:
        """Add a node with operations to choose from.

        Args:
            name: of the node and its hyperparameter.
            operations: layers of Keras (which are copied), ``op("Dense", 16)``, functions that
                return a layer, ``Identity``, ``Zero``; in a dictionary by labels of your own.
            merge: how it merges several tensors; None as the space does.

        Raises:
            ArchitectureError: the name is taken, or the operations can't be used.
        """
        return self._add(name, operations_of(name, operations), merge)

    def constant(self, name: str, operation: AnyLayer, *, merge: Merge | None = None) -> Node:
        """Add a node with a single operation.

        Args:
            name: of the node.
            operation: as one of those of :meth:`variable`.
            merge: how it merges several tensors; None as the space does.

        Raises:
            ArchitectureError: the name is taken, or the operation can't be used.
        """
        return self._add(name, operations_of(name, [operation]), merge)

    def mirror(self, name: str, of: Node | str, *, merge: Merge | None = None) -> Node:
        """Add a node with the operation that is chosen for another node, and weights of its own.

        Args:
            name: of the node.
            of: the other node, a variable one or a mirror itself.
            merge: how it merges several tensors; None as the space does.

        Raises:
            ArchitectureError: the name is taken, or the other node has no operation.
        """
        other = self._graph.node(of)
        if other.role != "hidden":
            raise ArchitectureError(f"'{other.name}' is an {other.role}: mirror a node between")
        return self._add(name, other.operations, merge, other.mirrored or other)

    def _add(
        self,
        name: str,
        operations: tuple[Operation, ...],
        merge: Merge | None,
        mirrored: Node | None = None,
    ) -> Node:
        merge = self._merge if merge is None else _checked_merge(f"merge of node '{name}'", merge)
        node = Node(_checked_name(name), operations, merge, mirrored=mirrored)
        self._change(lambda: self._graph.add_node(node))
        return node

    # -- connections -------------------------------------------------------------------------

    def connect(self, *nodes: Node | str) -> None:
        """Connect each node to the next one.

        Args:
            nodes: two or more, or their names.

        Raises:
            ArchitectureError: one isn't in the space, two are connected already, or it would make
                a cycle.
        """
        if len(nodes) < 2:
            raise ArchitectureError("connect() is given fewer than two nodes: give two or more")
        found = [self._graph.node(node) for node in nodes]
        for source, target in itertools.pairwise(found):
            self._connect(Connection(source, target))

    def optional(self, source: Node | str, target: Node | str, *, name: str | None = None) -> str:
        """Let it be a choice whether two nodes are connected; return its name.

        Args:
            source: where the connection begins.
            target: where it ends.
            name: of the hyperparameter; None for ``source-to-target``.

        Raises:
            ArchitectureError: as for :meth:`connect`, or the name is taken.
        """
        first, last = self._graph.node(source), self._graph.node(target)
        name = f"{first.name}-to-{last.name}" if name is None else name
        self._connect(Connection(first, last, _checked_name(name)))
        return name

    def _connect(self, connection: Connection) -> None:
        self._change(lambda: self._graph.add_connection(connection))

    def _change(self, change: Callable[[], None]) -> None:
        """Change the graph, and forget what followed from it."""
        change()
        for name in ("graph", "choices", "size"):
            self.__dict__.pop(name, None)

    # -- points ------------------------------------------------------------------------------

    @cached_property
    def graph(self) -> CompleteGraph:
        """The graph with its loose ends connected.

        Raises:
            ArchitectureError: nothing leads to a node, or nothing from it to an output.
        """
        return self._graph.completed()

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The hyperparameters, each after those that its condition depends on.

        Raises:
            ArchitectureError: the space isn't complete, see :attr:`graph`.
        """
        return choices_of(self.graph)

    @cached_property
    def size(self) -> int:
        """The exact number of points, inactive choices not counted.

        Where a node may get nothing, because of Zero or of optional connections alone, several
        points can be the same network, and each of them counts.

        Raises:
            ArchitectureError: the space isn't complete, see :attr:`graph`.
        """
        return number_of_points(self.choices)

    def sample(self, seed: int | None = None) -> Point:
        """Return a random point, each active choice being made with equal probabilities.

        Args:
            seed: of the random numbers; None draws them from the system.
        """
        source = random.Random(seed)
        point: Point = {}
        for choice in self.choices:
            if choice.condition.satisfied_by(point):
                point[choice.name] = source.choice(choice.values)
        return self._from_inputs_on(point)

    def validate(self, point: Mapping[str, Any]) -> Point:
        """Return the part of a point that belongs to this space, with plain values.

        Args:
            point: name -> value; other hyperparameters are left out, inactive choices too.

        Raises:
            ArchitectureError: an active choice is missing, or a value isn't one of its own.
        """
        found: Point = {}
        for choice in self.choices:
            if not choice.condition.satisfied_by(found):
                continue
            if choice.name not in point:
                values = ", ".join(map(show, choice.values))
                raise ArchitectureError(f"{choice.name!r} is missing: give one of {values}")
            value = plain(point[choice.name])
            if value not in choice.values:
                hint = did_you_mean(value, map(str, choice.values))
                raise ArchitectureError(f"{choice.name!r} is {show(value)}: {hint}")
            found[choice.name] = choice.values[choice.values.index(value)]  # True for 1
        return self._from_inputs_on(found)

    def _from_inputs_on(self, point: Point) -> Point:
        """Return a point in the order in which a reader follows the graph."""
        names: list[str | None] = []
        for node in self.graph.forward():
            names += [connection.choice for connection in self.graph.into(node)]
            names.append(node.name)
        return {name: point[name] for name in names if name is not None and name in point}

    def add_to(self, problem: BaseProblem) -> None:
        """Add the choices to a problem, as hyperparameters and conditions.

        Raises:
            ArchitectureError: the space isn't complete, see :attr:`graph`.
            ProblemError: the problem has a hyperparameter of the same name.
        """
        added: dict[str, Any] = {}
        for choice in self.choices:
            added[choice.name] = problem.add_hyperparameter(list(choice.values), choice.name)
        problem.add_conditions(
            [
                to_config_space(choice.condition, added[choice.name], added)
                for choice in self.choices
                if choice.is_conditional
            ]
        )

    def problem(self, seed: int | None = None) -> HpProblem:
        """Return a problem of the choices alone; see :class:`.NaProblem` for that of a search."""
        problem = HpProblem(seed)
        self.add_to(problem)
        return problem

    # -- networks ----------------------------------------------------------------------------

    def build(self, point: Mapping[str, Any]) -> Any:
        """Return the network of a point, a ``keras.Model`` that isn't compiled.

        Layers have the names of their nodes. Nodes that don't carry anything from an input to
        an output are left out; an output to which nothing leads is made of zeros.

        Args:
            point: name -> value; hyperparameters of other things are ignored.

        Raises:
            ArchitectureError: the point isn't complete, shapes can't be merged, or a layer can't be
                built; the message names the node.
            MissingPackage: Keras isn't installed.
        """
        from deephyper.nas.build import build_model

        return build_model(self, self.validate(point))

    def plot(self, point: Mapping[str, Any] | None = None) -> Drawing:
        """Return a drawing of a network, or of the whole space: the text of an SVG file.

        A notebook shows it; ``pathlib.Path("network.svg").write_text(space.plot(point))`` keeps it.

        Args:
            point: of the network; None for all nodes and connections.

        Raises:
            ArchitectureError: the point isn't complete.
        """
        from deephyper.nas.drawing import draw

        return draw(self, None if point is None else self.validate(point))

    def __repr__(self) -> str:
        return (
            f"ArchitectureSpace({len(self._graph.nodes)} nodes, "
            f"{len(self._graph.connections)} connections)"
        )


def _named_shapes(role: Role, given: object) -> tuple[dict[str, Shape], type]:
    """Return shapes by the names of their nodes, and the type of what holds them in a model.

    Raises:
        ArchitectureError: they aren't shapes.
    """
    if isinstance(given, Mapping) and given:
        return {name: _shape(role, shape) for name, shape in given.items()}, dict
    if isinstance(given, Sequence) and given and not isinstance(given, str):
        if all(isinstance(each, Sequence) and not isinstance(each, str) for each in given):
            named = {f"{role}_{i}": _shape(role, shape) for i, shape in enumerate(given)}
            return named, list
        return {role: _shape(role, given)}, tuple
    raise _no_shape(role, given)


def _shape(role: Role, given: object) -> Shape:
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise _no_shape(role, given)
    shape = tuple(plain(each) for each in given)
    for length in shape:
        if length is not None and (type(length) is not int or length < 1):
            raise _no_shape(role, given)
    if role == "output" and shape[-1] is None:
        raise ArchitectureError(f"output_shape has {show(shape)}: give the length of its last axis")
    return shape


def _no_shape(role: Role, given: object) -> ArchitectureError:
    return ArchitectureError(
        f"{role}_shape has {show(given)}: give the shape of an example without the axis of the"
        " batch, as (10,), or a list or dictionary of shapes"
    )


def _checked_name(name: object) -> str:
    try:
        return check_name(name)
    except ProblemError:
        raise ArchitectureError(
            f"{show(name)} can't name a node or connection: use letters, digits and '_', then also"
            " '.', ':' and '-'"
        ) from None


def _checked_merge(what: str, merge: object) -> Merge:
    for known in MERGES:
        if merge == known:
            return known
    raise ArchitectureError(f"{what} is {show(merge)}: give {' or '.join(map(repr, MERGES))}")


def _single(nodes: list[Node], what: str) -> Node:
    if len(nodes) > 1:
        names = ", ".join(node.name for node in nodes)
        raise ArchitectureError(
            f"the space has several {what}, {names}: use {what}[i], or the name"
        )
    return nodes[0]
