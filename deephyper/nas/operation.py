"""Operations: what a node of an architecture may do, with a label that stands for it in points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, Literal

from deephyper.errors import ArchitectureError
from deephyper.problem.point import is_plain, plain, show

Kind = Literal["identity", "zero", "by_name", "class", "layer", "function"]


@dataclass(frozen=True)
class Operation:
    """A transformation that a node may make; see :func:`op`.

    Attributes:
        label: stands for it in points, results and drawings.
        kind: "identity" passes on what it gets and "zero" cuts the node out; "by_name" is the name
            of a class of ``keras.layers``, "class" a class, "layer" a layer to be copied, and
            "function" makes a layer.
        layer: the name, class, layer or function; None for the first two kinds.
        args: positional arguments of the class or function.
        kwargs: keyword arguments of it.
    """

    label: str
    kind: Kind
    layer: Any = field(default=None, repr=False, hash=False)
    args: tuple[Any, ...] = field(default=(), repr=False, hash=False)
    kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    @property
    def is_zero(self) -> bool:
        """True if nothing passes through it."""
        return self.kind == "zero"


Identity = Operation("Identity", "identity")
"""Passes on what the node gets."""
Zero = Operation("Zero", "zero")
"""Cuts the node out: nothing comes from it, and it merges with nothing."""


def op(layer: str | Callable[..., object], *args: object, **kwargs: object) -> Operation:
    """Return an operation that makes a new layer each time it is built.

    >>> op("Dense", 16, activation="relu")
    Operation(label='Dense(16, relu)', kind='by_name')

    A class that is given by its name keeps Keras out of the process that searches.

    Args:
        layer: name of a class of ``keras.layers``, a class of layers, or a function that returns a
            layer, a list of layers, or any function of a tensor.
        args: positional arguments of it.
        kwargs: keyword arguments of it.

    Raises:
        ArchitectureError: it is something else, or a function without a name.
    """
    kind: Kind
    if isinstance(layer, str):
        kind, name = "by_name", layer
        if not name.isidentifier():
            raise ArchitectureError(
                f"{show(layer)} can't name a layer: give the name of a class of keras.layers, as"
                ' in op("Dense", 16)'
            )
    elif isinstance(layer, type):
        kind, name = "class", layer.__name__
    elif callable(layer) and not _is_layer(layer):
        kind, name = "function", _name_of(layer)
    else:
        raise ArchitectureError(
            f"op() is given {show(layer)} ({type(layer).__name__}): give the name of a class of"
            " keras.layers, a class, or a function that returns a layer"
        )
    return Operation(_label(name, args, kwargs), kind, layer, args, kwargs)


def operations_of(node: str, given: object) -> tuple[Operation, ...]:
    """Return the operations that a user gives a node to choose from.

    Args:
        node: its name, for messages.
        given: operations, layers, classes of layers, their names, functions that return a layer;
            in a list, or in a dictionary by their labels.

    Raises:
        ArchitectureError: there are none, one is something else, or two have the same label.
    """
    if isinstance(given, Mapping):
        found = [_relabeled(node, label, each) for label, each in given.items()]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        found = [operation_of(node, each) for each in given]
    else:
        raise ArchitectureError(
            f"the operations of node '{node}' are {show(given)} ({type(given).__name__}): give a"
            " list, or a dictionary of labels and operations"
        )
    if not found:
        raise ArchitectureError(f"node '{node}' has no operations: give at least one")
    if all(each.is_zero for each in found):
        raise ArchitectureError(
            f"node '{node}' has Zero alone: leave the node out, or give another operation"
        )
    labels = [each.label for each in found]
    for label in labels:
        if labels.count(label) > 1:
            raise ArchitectureError(
                f"node '{node}' has two operations {label!r}: leave one out, or tell them apart"
                " in a dictionary of labels and operations"
            )
    return tuple(found)


def operation_of(node: str, given: object) -> Operation:
    """Return one operation that a user gives a node; see :func:`operations_of`.

    Raises:
        ArchitectureError: it is something else.
    """
    if isinstance(given, Operation):
        return given
    try:
        if _is_layer(given):
            return Operation(_label_of_layer(given), "layer", given)
        if isinstance(given, str) or callable(given):
            return op(given)
    except ArchitectureError as error:
        raise ArchitectureError(f"node '{node}': {error}") from None
    raise ArchitectureError(
        f"node '{node}' has the operation {show(given)} ({type(given).__name__}): give a layer of"
        ' Keras, op("Dense", 16), a function that returns a layer, Identity or Zero'
    )


def _relabeled(node: str, label: object, given: object) -> Operation:
    """Return an operation under the label that the user gives it."""
    label = plain(label)
    if not isinstance(label, str) or not label.strip() or not label.isprintable():
        raise ArchitectureError(
            f"node '{node}' has an operation with the label {show(label)}: give a text"
        )
    if callable(given) and not isinstance(given, type) and not _is_layer(given):
        return Operation(label, "function", given)
    found = operation_of(node, given)
    return Operation(label, found.kind, found.layer, found.args, found.kwargs)


def _is_layer(given: object) -> bool:
    """Return whether it is a layer of Keras, without importing Keras."""
    return not isinstance(given, type) and hasattr(given, "get_config") and callable(given)


def _name_of(function: object) -> str:
    """Return the name of a function that makes layers.

    Raises:
        ArchitectureError: it has none, as a lambda.
    """
    name = getattr(function, "__name__", "")
    if not isinstance(name, str) or not name.isidentifier():
        raise ArchitectureError(
            f"the function {show(function)} has no name: give it a label, in a dictionary of labels"
            ' and operations, as in {"wide": lambda: Dense(512)}'
        )
    return name


def _label_of_layer(layer: Any) -> str:
    """Return the class of a layer with the arguments that tell it from one with defaults alone."""
    kind = type(layer)
    try:
        config = layer.get_config()
        required = [
            each.name
            for each in list(signature(kind.__init__).parameters.values())[1:]
            if each.default is Parameter.empty
            and each.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        ]
        args = [config[name] for name in required]
        usual = kind(*args).get_config()
        kwargs = {
            name: value
            for name, value in config.items()
            if name not in (*required, "name") and value != usual.get(name) and _is_short(value)
        }
    except Exception:  # of a class of the user's: the label is the name of the class
        return kind.__name__
    return _label(kind.__name__, args, kwargs)


def _is_short(value: object) -> bool:
    values = value if isinstance(value, (tuple, list)) else [value]
    return all(is_plain(plain(each)) for each in values)


def _label(name: str, args: Sequence[object], kwargs: Mapping[str, object]) -> str:
    words = [_word(each) for each in args]
    words += [
        _word(value) if key == "activation" else f"{key}={_word(value)}"
        for key, value in kwargs.items()
        if key != "name"
    ]
    return f"{name}({', '.join(words)})" if words else name


def _word(value: object) -> str:
    if isinstance(value, str):
        return value if value.isprintable() else show(value)
    if callable(value) and isinstance(name := getattr(value, "__name__", None), str):
        return name
    return show(value)
