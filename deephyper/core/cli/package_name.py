"""Names that a project or problem may have: it becomes a directory and a Python package."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import sys
from importlib import metadata

from deephyper.errors import WorkspaceError

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?")
_LONGEST = 100


def check_package_name(name: str, what: str) -> None:
    """Make sure that a name can be a package of its own in the current directory.

    Args:
        name: the name.
        what: "project" or "problem", for the message.

    Raises:
        WorkspaceError: if it isn't an identifier, is taken, or would hide a module.
    """
    shown = repr(name if len(name) <= 60 else name[:57] + "...")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise WorkspaceError(
            f"{shown} can't be the name of a {what}; use ASCII letters, digits and underscores, "
            f"first a letter, last a letter or digit, at most {_LONGEST} characters"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise WorkspaceError(f"{shown} is a keyword of Python; choose another name for the {what}")
    if os.path.lexists(name):
        raise WorkspaceError(
            f"'{name}' exists already in this directory; choose another name for the {what}, or "
            "move it away"
        )
    hidden = _hides(name)
    if hidden is not None:
        raise WorkspaceError(f"{shown} would hide {hidden}; choose another name for the {what}")


def _hides(name: str) -> str | None:
    """Return what the name stands for already, or None."""
    if name in sys.stdlib_module_names or name in sys.builtin_module_names:
        return "a module of Python's standard library"
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        pass
    else:
        return f"the installed package '{distribution.metadata['Name']}' (pip uninstall removes it)"
    spec = importlib.util.find_spec(name)
    if spec is not None:
        where = spec.origin or next(iter(spec.submodule_search_locations or ()), "unknown place")
        return f"the module that is installed as {where}"
    return None
