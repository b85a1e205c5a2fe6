"""Objects of the program that is run which pickle takes by their name alone, or not at all.

In the process that they are sent to, there is nothing of that name. They are sent by what they are
made of: a function with a cache (the new cache is empty), a cached property or a function with an
implementation for each type, which hold locks and weak references, a new type, a sentinel.
"""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, NewType

Recipe = tuple[Any, ...]
"""How pickle is to make an object, as from ``object.__reduce__``."""


def unpicklable(obj: Any, module: str) -> Recipe | None:
    """Return how to make an object that pickle doesn't take; None for another one.

    Args:
        obj: the object.
        module: the module whose functions are sent.
    """
    if type(obj) is functools.cached_property:
        return _cached_property, (obj.func, obj.attrname)
    if not isinstance(obj, FunctionType) or obj.__module__ != module:
        return None
    if {"dispatch", "registry"} <= vars(obj).keys():
        return _dispatching, (dict(vars(obj)["registry"]),)
    return None


def pickled_by_name(obj: Any) -> str:
    """Return the name by which alone an object is pickled; empty for one that isn't."""
    if getattr(type(obj), "__reduce__", object.__reduce__) is object.__reduce__:
        return ""
    name = obj.__reduce__()
    return name if isinstance(name, str) else ""


def by_value(obj: Any) -> Recipe:
    """Return how to make an object that is pickled by its name."""
    parameters = getattr(obj, "cache_parameters", None)
    if callable(parameters):
        return _cached, (obj.__wrapped__, parameters())
    if isinstance(obj, NewType):
        return _new_type, (obj.__name__, obj.__supertype__, obj.__module__)
    return copyreg.__newobj__, (type(obj),), obj.__getstate__()  # type: ignore[attr-defined]


def _cached(function: Callable[..., Any], parameters: dict[str, Any]) -> Callable[..., Any]:
    made: Callable[..., Any] = functools.lru_cache(**parameters)(function)
    return made


def _new_type(name: str, supertype: Any, module: str) -> Any:
    made: Any = NewType(name, supertype)  # type: ignore[misc]
    made.__module__ = module
    return made


def _cached_property(function: Callable[..., Any], name: str) -> functools.cached_property[Any]:
    made = functools.cached_property(function)
    made.attrname = name  # a class that is made piece by piece doesn't tell it
    return made


def _dispatching(registry: Mapping[type, Callable[..., Any]]) -> Callable[..., Any]:
    made = functools.singledispatch(registry[object])
    for cls, function in registry.items():
        made.register(cls, function)
    return made
