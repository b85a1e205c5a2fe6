"""The packages that callbacks are for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from deephyper.errors import MissingPackage


@contextlib.contextmanager
def importing(module: str, what: str, pip: str) -> Iterator[None]:
    """Import a package that may not be installed, as a context manager.

    Args:
        module: what is imported, at its top.
        what: what the package is called.
        pip: what pip installs.

    Raises:
        MissingPackage: if it isn't installed. What it needs itself may also be missing, which is
            another error.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise MissingPackage(what, pip) from error
