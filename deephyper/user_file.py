"""Users' files as modules that every process can import, whatever the files are called.

A file such as ``model.v2.py``, or one that is called like an installed module, can't be imported by
its own name. What is defined there is pickled by the name of its module, though, and a process
that unpickles it, one of a pool or of a data loader, has to find the module by that name alone.
So this module acts as a package of all files: the name of a file's module holds its path.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

__path__: list[str] = []  # makes it a package, of which the finder below has all modules

_MARK = "_at_"


def name_of(file: Path) -> str:
    """Return the name of the module for a file."""
    readable = re.sub(r"\W", "_", file.stem, flags=re.ASCII)
    return f"{__name__}.{readable}{_MARK}{os.fsencode(file).hex()}"


def package_of(file: Path) -> str:
    """Return the package that a file is in, by its directories; empty for none."""
    names: list[str] = []
    directory = file.parent
    while (directory / "__init__.py").is_file() and directory.name.isidentifier():
        names.insert(0, directory.name)
        directory = directory.parent
    return ".".join(names)


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        # What it imports relative to itself is in the package that its directory is.
        module.__package__ = package_of(Path(self.path))
        super().exec_module(module)


class _Finder:
    """Finds the modules of this package."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is, if it is one of these."""
        prefix, mark, code = name.rpartition(_MARK)
        if not mark or not prefix.startswith(f"{__name__}."):
            return None
        with contextlib.suppress(ValueError):
            file = os.fsdecode(bytes.fromhex(code))
            return importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file))
        return None


sys.meta_path.append(_Finder)
