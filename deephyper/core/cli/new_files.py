"""Writing new directories: all of one or nothing of it, and never over anything."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deephyper.errors import WorkspaceError

TEMPLATES = Path(__file__).parent / "templates"


def write_new_directory(directory: Path, files: Mapping[str, str]) -> None:
    """Make a directory that doesn't exist yet, with these files in it.

    Args:
        directory: the directory; its parent exists.
        files: path relative to the directory -> content.

    Raises:
        WorkspaceError: if the directory exists or can't be written; nothing of it is left then.
    """
    try:
        directory.mkdir()
    except FileExistsError:
        raise WorkspaceError(f"'{directory}' exists already; choose another name") from None
    except OSError as error:
        raise _cannot_write(directory, error) from error
    try:
        for name, content in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise _cannot_write(directory, error) from error


def _cannot_write(directory: Path, error: OSError) -> WorkspaceError:
    reason = error.strerror or str(error)
    return WorkspaceError(
        f"can't make '{directory}': {reason}; choose a directory you can write to"
    )
