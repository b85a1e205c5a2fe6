"""From a point to a Keras model, with any backend of Keras."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deephyper.callbacks.package import importing
from deephyper.errors import ArchitectureError, DeepHyperError
from deephyper.nas.flow import network_of
from deephyper.nas.graph import Node
from deephyper.nas.operation import Operation
from deephyper.objective import one_line
from deephyper.problem.point import Point, show
from deephyper.suggest import did_you_mean

with importing("keras", "Keras", pip="tensorflow"):
    import keras

if TYPE_CHECKING:
    from deephyper.nas.space import ArchitectureSpace

_UNFIT = re.compile(r"[^\w.-]")
"""Characters that no name of a layer has with every backend."""


def build_model(space: ArchitectureSpace, point: Point) -> Any:
    """Return the network of a point.

    Args:
        space: of the network.
        point: a valid one, of this space alone.

    Raises:
        ArchitectureError: shapes can't be merged, or a layer can't be built.
    """
    network = network_of(space.graph, point)
    tensors: dict[Node, Any] = {
        node: keras.Input(shape=node.shape, name=_layer_name(node.name)) for node in space.inputs
    }
    inputs = dict(tensors)
    for node in space.graph.forward():
        if node in network.operations:
            sources = {each.name: tensors[each] for each in network.sources[node]}
            merged = _merged(node, sources)
            tensors[node] = _applied(node, network.operations[node], merged)
        elif node.role == "output":
            sources = {each.name: tensors[each] for each in network.sources[node]}
            if not sources:
                sources = {"nothing": _zeros(node, tensors[space.inputs[0]])}
            tensors[node] = _output(node, sources)
    outputs = {node: tensors[node] for node in space.outputs}
    return keras.Model(
        _structured(inputs, space.input_structure),
        _structured(outputs, space.output_structure),
        name="architecture",
    )


def _structured(tensors: dict[Node, Any], structure: type) -> Any:
    """Return tensors in a list or a dictionary, as the shapes were given; one by itself."""
    if structure is dict:
        return {node.name: tensor for node, tensor in tensors.items()}
    return list(tensors.values()) if structure is list else next(iter(tensors.values()))


def _output(node: Node, sources: dict[str, Any]) -> Any:
    """Return the tensor of an output.

    Raises:
        ArchitectureError: it can't have the shape.
    """
    assert node.shape is not None
    if len(node.shape) == 1 and not node.operations:
        sources = {
            name: keras.layers.Flatten()(tensor) if len(tensor.shape) > 2 else tensor
            for name, tensor in sources.items()
        }
    merged = _merged(node, sources)
    if node.operations:
        made = _applied(node, node.operations[0], merged)
    else:
        head = keras.layers.Dense(node.shape[-1], name=_layer_name(node.name))
        made = _called(node, "Dense", head, merged)
    shape = tuple(made.shape)[1:]
    if shape != node.shape:
        raise ArchitectureError(
            f"the output '{node.name}' has the shape {shape}, not {node.shape}: correct"
            " output_shape, the layers before it, or the layer given by output"
        )
    if not node.operations or node.operations[0].kind != "identity":
        return made
    return keras.layers.Identity(name=_layer_name(node.name))(made)


def _zeros(node: Node, tensor: Any) -> Any:
    """Return zeros for an output to which nothing leads, of layers that every Keras knows."""
    assert node.shape is not None
    if len(node.shape) == 1 and len(tensor.shape) > 2:
        tensor = keras.layers.GlobalMaxPooling1D()(
            keras.layers.Reshape((-1, tensor.shape[-1]))(tensor)
        )
    zeros = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", trainable=False)
    return zeros(tensor)


def _merged(node: Node, sources: dict[str, Any]) -> Any:
    """Return one tensor of those that lead to a node.

    Args:
        node: the node.
        sources: the tensors, by the names of the nodes that they come from.

    Raises:
        ArchitectureError: they can't be merged.
    """
    names, tensors = list(sources), list(sources.values())
    if len(tensors) == 1:
        return tensors[0]
    name = _layer_name(node.name)
    for other, tensor in sources.items():
        if len(tensor.shape) < 2 or tensor.shape[:-1] != tensors[0].shape[:-1]:
            shapes = f"{tuple(tensors[0].shape[1:])} and {tuple(tensor.shape[1:])}"
            raise ArchitectureError(
                f"node '{node.name}' can't merge '{names[0]}' and '{other}', whose shapes"
                f" {shapes} differ before the last axis: bring them to one size, or leave out a"
                " connection"
            )
    if node.merge == "concatenate":
        return keras.layers.Concatenate(name=f"{name}_merge")(tensors)
    length = tensors[0].shape[-1]
    projected = [
        tensor
        if tensor.shape[-1] == length
        else keras.layers.Dense(length, use_bias=False, name=f"{name}_from_{_layer_name(other)}")(
            tensor
        )
        for other, tensor in sources.items()
    ]
    return keras.layers.Add(name=f"{name}_merge")(projected)


def _applied(node: Node, operation: Operation, tensor: Any) -> Any:
    """Return what an operation makes of a tensor.

    Raises:
        ArchitectureError: the layer can't be made, or not be built for the shape.
    """
    if operation.kind == "identity":
        return tensor
    made = _guarded(node, operation.label, "made", lambda: _made(node, operation))
    for layer in made if isinstance(made, (list, tuple)) else [made]:
        tensor = _called(node, operation.label, layer, tensor)
    return tensor


def _made(node: Node, operation: Operation) -> Any:
    """Return a new layer, a list of them, or a function of a tensor."""
    layer, kwargs = operation.layer, dict(operation.kwargs)
    if operation.kind == "layer":
        return type(layer).from_config({**layer.get_config(), "name": _layer_name(node.name)})
    if operation.kind == "function":
        return layer(*operation.args, **kwargs)
    if operation.kind == "by_name":
        found = getattr(keras.layers, layer, None)
        if not isinstance(found, type):
            known = [name for name in dir(keras.layers) if name[0].isupper()]
            raise ArchitectureError(
                f"node '{node.name}': keras.layers has no {layer!r}: {did_you_mean(layer, known)}"
            )
        layer = found
    made = layer(*operation.args, **kwargs)
    if "name" not in kwargs and isinstance(made, keras.layers.Layer):
        made.name = _layer_name(node.name)
    return made


def _called(node: Node, label: str, layer: Any, tensor: Any) -> Any:
    shape = tuple(tensor.shape)[1:]
    result = _guarded(node, label, f"built for the shape {shape}", lambda: layer(tensor))
    if not isinstance(result, keras.KerasTensor):
        raise ArchitectureError(
            f"node '{node.name}': {label} makes {show(result)}: give a layer that returns one"
            " tensor"
        )
    return result


def _guarded(node: Node, label: str, what: str, make: Callable[[], Any]) -> Any:
    """Return what a function makes, or raise an ArchitectureError with the name of the node."""
    try:
        return make()
    except (DeepHyperError, MemoryError):
        raise
    except Exception as error:
        raise ArchitectureError(
            f"node '{node.name}': {label} can't be {what}: {one_line(error)}"
        ) from error


def _layer_name(name: str) -> str:
    return _UNFIT.sub("_", name)
