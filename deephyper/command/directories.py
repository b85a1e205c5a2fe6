"""The directories of the evaluations that run here."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile


class Directories:
    """The directories of evaluations, each made when it begins. Those left empty are removed.

    That is done at :meth:`close`, since it takes a disk up to several milliseconds; before, the
    next evaluation has an empty one renamed.
    """

    def __init__(self) -> None:
        self._left: list[str] = []
        self._temporary: set[str] = set()

    def make(self, path: str | None) -> str:
        """Make the directory of an evaluation, if it isn't there, and return its path.

        Args:
            path: of the directory; None for a temporary one.

        Raises:
            OSError: if it can't be made.
        """
        if path is None:
            path = tempfile.mkdtemp(prefix="deephyper-evaluation-")
            self._temporary.add(path)
        elif path in self._left:
            self._left.remove(path)
        elif not (os.path.isdir(path) or self._rename_one(path)):
            os.makedirs(path, exist_ok=True)
        return path

    def leave(self, path: str, is_used: bool) -> None:
        """Take note that an evaluation has ended.

        Args:
            path: of its directory, as it was returned.
            is_used: whether processes may be in it that the program has left.
        """
        if path in self._temporary:
            self._temporary.remove(path)
            shutil.rmtree(path, ignore_errors=True)
        elif is_used:
            _remove(path)
        else:
            self._left.append(path)

    def close(self) -> None:
        """Remove the directories that were left empty."""
        for path in self._left:
            _remove(path)

    def _rename_one(self, path: str) -> bool:
        """Give a directory that was left empty another path; return whether there was one."""
        if self._left:
            left = self._left.pop()
            with contextlib.suppress(OSError), os.scandir(left) as entries:
                if next(entries, None) is None:
                    os.rename(left, path)
                    return True
        return False


def _remove(path: str) -> None:
    """Remove a directory, unless there is something in it."""
    with contextlib.suppress(OSError):
        os.rmdir(path)
