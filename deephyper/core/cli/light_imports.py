"""Imports of a command that is called for every single point, and so has to be quick.

ConfigSpace imports scipy.stats for its hyperparameters with normal and beta distributions, which
takes longer than all else that is imported for a proposal together. The model needs three modules
of SciPy's, whose packages import all of SciPy.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from deephyper.core.cli.late_packages import import_late

_PACKAGES = {"scipy.linalg": (), "scipy.special": ("_ufuncs",)}
"""Packages of which parts are imported, and where their functions are."""
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_LATE = ("scipy.stats", "scipy.stats._distn_infrastructure")


def import_lightly() -> None:
    """Import ConfigSpace, and leave what is large of SciPy to who needs something of it.

    To be called before another thread imports anything.
    """
    with _one_blas_thread():
        import_module("scipy")
        for package, sources in _PACKAGES.items():
            import_late(package, sources)
        _import_config_space()
        import_module("scipy.linalg.lapack")


@contextlib.contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Have what is imported start no threads, as a context manager.

    OpenBLAS would start one for each core, which wait for work in a loop, and get none.
    """
    if _BLAS_THREADS in os.environ:
        yield
        return
    os.environ[_BLAS_THREADS] = "1"
    try:
        yield
    finally:
        del os.environ[_BLAS_THREADS]


def _import_config_space() -> None:
    """Import ConfigSpace without scipy.stats."""
    if any(name in sys.modules for name in ("ConfigSpace", *_LATE)):
        return
    late = {name: _LateModule(name) for name in _LATE}
    sys.modules.update(late)
    try:
        import_module("ConfigSpace")
    finally:
        for name, module in late.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


class _LateModule(ModuleType):
    """A module whose names are imported when they are used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Late(self.__name__, name)


class _Late:
    """A function or class of a module that is imported when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._found(*args, **kwargs)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._found, name)

    @property
    def _found(self) -> Any:
        return getattr(import_module(self._module), self._name)
