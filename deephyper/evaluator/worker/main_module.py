"""Functions of the program that is run: what it defines itself has no module to import.

A script, a notebook or a prompt is the module ``__main__`` of its own process alone. What it
defines is sent to a worker by value, and found there in a ``__main__`` again: whatever pickles an
object of such a class, or a pool that is given such a function, looks it up by that name.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any

_MAIN = "__main__"


def pickled(function: Callable[..., Any]) -> bytes:
    """Return a function, and what it needs of the program's own, for :func:`unpickled`."""
    import cloudpickle

    from deephyper.evaluator.worker.by_value import by_value, pickled_by_name, unpicklable

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        """Notes what it pickles of the program's own."""

        def __init__(self, file: io.BytesIO) -> None:
            super().__init__(file)
            self.own: dict[str, Any] = {}

        def reducer_override(self, obj: Any) -> Any:
            if getattr(obj, "__module__", None) == _MAIN:
                definition = isinstance(obj, type | FunctionType)
                name = obj.__qualname__ if definition else pickled_by_name(obj)
                if name and _found(name) is obj:
                    self.own[name] = obj
                    if not definition:
                        return by_value(obj)
            return unpicklable(obj, _MAIN) or super().reducer_override(obj)

    file = io.BytesIO()
    pickler = Pickler(file)
    main = sys.modules.get(_MAIN)
    script = getattr(main, "__file__", None)
    pickler.dump(os.path.abspath(script) if isinstance(script, str) else None)
    pickler.dump(getattr(getattr(main, "__spec__", None), "name", None))
    pickler.dump(function)
    pickler.dump(pickler.own)
    return file.getvalue()


def unpickled(data: bytes) -> Callable[..., Any]:
    """Return the function, and make ``__main__`` what the program's own is found in."""
    unpickler = pickle.Unpickler(io.BytesIO(data))
    main = ModuleType(_MAIN)
    script, module = unpickler.load(), unpickler.load()
    sys.modules[_MAIN] = main
    function: Callable[..., Any] = unpickler.load()
    own = unpickler.load()
    for item in own.values():
        if isinstance(item, FunctionType):
            names = item.__globals__.items()
            vars(main).update({name: value for name, value in names if name[:2] != "__"})
    for name, item in own.items():
        if isinstance(item, type | FunctionType):
            item.__qualname__ = name  # which isn't kept of a class in a class
        if "." not in name:
            setattr(main, name, item)
    if own:  # a process that is spawned from here finds it in the program's file
        if script is not None and os.path.isfile(script):  # what is read from a pipe is none
            main.__file__ = script
        if module is not None:
            main.__spec__ = ModuleSpec(module, None, origin=script)
    return function


def _found(name: str) -> Any:
    """Return what has a name in ``__main__``; None if there is nothing."""
    found: Any = sys.modules.get(_MAIN)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
