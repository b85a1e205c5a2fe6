"""Writing new folders: all of one or nothing of it, and never over anything."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deephyper.errors import WorkspaceError

TEMPLATES = Path(__file__).parent / "templates"


def write_new_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Make a folder that doesn't exist yet, with these files in it.

    Args:
        folder: the folder; its parent exists.
        files: path relative to the folder -> content.

    Raises:
        WorkspaceError: if the folder exists or can't be written; nothing of it is left then.
    """
    try:
        folder.mkdir()
    except FileExistsError:
        raise WorkspaceError(f"'{folder}' exists already; choose another name") from None
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _cannot_write(folder, error) from error


def _cannot_write(folder: Path, error: OSError) -> WorkspaceError:
    reason = error.strerror or str(error)
    return WorkspaceError(f"can't make '{folder}': {reason}; choose a folder you can write to")
