"""Packages that import a module only when one of its names is asked for.

A worker process and the command line's help need little of a package, and wait for what it imports.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Any]:
    """Return the ``__getattr__`` and ``__dir__`` of a package whose names are imported lazily.

    Args:
        package: the package's ``__name__``.
        homes: name -> the module that defines it, absolute; an empty attribute part
            (``"ConfigSpace:"``) stands for the module itself.
    """

    def getattr_(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        module, separator, _ = homes[name].partition(":")
        found = import_module(module)
        return found if separator else getattr(found, name)

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return getattr_, dir_
