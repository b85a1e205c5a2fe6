"""Files and directories that an export is written to: all of it or nothing."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from deephyper.checks import user_path
from deephyper.errors import ResultsError
from deephyper.safe_files import new_file


@contextlib.contextmanager
def file_to_fill(
    path: str | os.PathLike[str], endings: Sequence[str], *, named: str, force: bool
) -> Iterator[Path]:
    """Give a path to write to, whose file is renamed when all is written.

    Raises:
        ResultsError: if it exists, has another ending, or can't be written.
        SettingsError: if it isn't a path.
    """
    target = new_file(path, endings, named=named, force=force)
    partial = target.with_name(f".{target.stem}.{secrets.token_hex(8)}{target.suffix}")
    try:
        try:
            yield partial
            os.replace(partial, target)
        except OSError as error:
            raise _not_written(target, error) from error
    finally:
        # SQLite's and Optuna's own files beside it too.
        for left in target.parent.glob(f"{partial.name}*"):
            left.unlink(missing_ok=True)


@contextlib.contextmanager
def directory_to_fill(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a directory to write to, which is renamed when all is written.

    Raises:
        ResultsError: if it exists and isn't empty, or can't be written.
        SettingsError: if it isn't a path.
    """
    target = user_path("the directory to save in", path)
    if os.path.lexists(target) and not (target.is_dir() and not any(target.iterdir())):
        raise ResultsError(f"'{target}' exists already; choose another directory")
    if not target.absolute().parent.is_dir():
        raise ResultsError(
            f"'{target}' can't be made (there is no directory '{target.parent}'); choose another "
            "place"
        )
    partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        try:
            partial.mkdir()
            yield partial
            os.replace(partial, target)
        except OSError as error:
            raise _not_written(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _not_written(target: Path, error: OSError) -> ResultsError:
    reason = error.strerror or str(error)
    return ResultsError(f"'{target}' can't be written ({reason}); choose another place")
