"""Packages whose modules are imported one by one, as they are used.

A package such as scipy.linalg imports all that it offers, which takes several times as long as a
proposal, and the model needs a module or two of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


def import_late(name: str, sources: Sequence[str] = ()) -> None:
    """Put a package in place whose ``__init__`` runs when it is needed, if it isn't imported yet.

    That is when a name is used that is neither one of its modules nor found in its sources. It is
    the package itself then, so whatever uses it gets what it would have got. To be used where only
    one thread imports.

    Args:
        name: of the package, whose parent is imported.
        sources: modules of the package that its names are looked for in.
    """
    spec = None if name in sys.modules else find_spec(name)
    if spec is None:
        return
    package = module_from_spec(spec)
    package.__class__ = _LatePackage
    assert isinstance(package, _LatePackage)
    package._late_sources = tuple(sources)
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, package)


class _LatePackage(ModuleType):
    """A package whose ``__init__`` has not run."""

    _late_sources: tuple[str, ...]

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__") and find_spec(f"{self.__name__}.{name}") is not None:
            return import_module(f"{self.__name__}.{name}")
        if name.startswith("_") and name != "__all__":
            # Modules of a package look for optional parts of it, which have private names.
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        for source in self._late_sources:
            module = import_module(f"{self.__name__}.{source}")
            if name != "__all__" and hasattr(module, name):
                return getattr(module, name)
        self._run()
        return getattr(self, name)

    def _run(self) -> None:
        """Become the package."""
        sources = vars(self).pop("_late_sources")
        # So its own modules see it as it is while it runs.
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        try:
            self.__spec__.loader.exec_module(self)
        except BaseException:
            self.__class__ = _LatePackage
            self._late_sources = sources
            raise
