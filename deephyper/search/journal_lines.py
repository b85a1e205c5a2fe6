"""The lines of a journal as events: all of them, or those that have come since the last look."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deephyper.errors import ResultsError, argument
from deephyper.safe_files import open_to_read
from deephyper.search import events
from deephyper.search.events import AnyEvent, Damaged
from deephyper.search.journal import (
    BYTE_ORDER_MARK,
    FILE_NAME,
    LONGEST_LINE,
    READABLE_VERSIONS,
)

_VERSIONED = (events.SearchBegan, events.Resumed)


def journal_lines(path: Path) -> Iterator[tuple[int, AnyEvent, int]]:
    """Yield the number of each line, its event, and its size in bytes.

    A last line that isn't whole, blank lines at the end and a byte order mark are passed over.
    """
    blank = 0
    with opened(path) as file:
        for number, line in numbered_lines(file):
            if line.isspace():
                blank = blank or number
                continue
            try:
                event = events.decode(line)
                if blank:
                    raise damaged(path, blank, Damaged("it is empty"))
            except Damaged as damage:
                if is_torn(line, damage):
                    return
                check_version(path, events.version_of(line))
                raise damaged(path, blank or number, damage) from damage
            if isinstance(event, _VERSIONED):
                check_version(path, event.version)
            yield number, event, len(line)


def numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a journal with their numbers, of long ones the beginning."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def is_torn(line: bytes, damage: Damaged) -> bool:
    """Return whether a line is what a crash leaves of the last one."""
    return not damage.is_json and not line.endswith(b"\n")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a journal, as a context manager.

    Raises:
        ResultsError: if it can't be read, then or later.
    """
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise ResultsError(
            f"there is no search to resume in '{path.parent}': it holds no {FILE_NAME}"
        ) from error
    except NotADirectoryError as error:
        raise ResultsError(
            f"'{path.parent}' is a file, or lies below one; give the log directory of a search"
        ) from error
    except OSError as error:
        raise ResultsError(
            f"'{path}' can't be read ({error.strerror or error}); check its permissions"
        ) from error


def damaged(path: Path, number: int, damage: Damaged) -> ResultsError:
    return ResultsError(
        f"'{path}' is damaged at line {number}: {damage}; restore it from a copy, or start a new "
        f"search with {argument('warm_start')} from the results.csv beside it"
    )


def check_version(path: Path, version: int | None) -> None:
    if version is not None and version not in READABLE_VERSIONS:
        raise ResultsError(
            f"'{path}' has format version {version}, and this deephyper reads "
            f"{' and '.join(map(str, READABLE_VERSIONS))}; use the deephyper that wrote it"
        )


class JournalFollower:
    """Reads what has come to a journal since it was last looked at.

    Args:
        log_dir: the log directory.

    Attributes:
        path: of the journal.
    """

    def __init__(self, log_dir: Path) -> None:
        self.path = log_dir / FILE_NAME
        self._file: tuple[int, int] | None = None
        self._offset = 0
        self._number = 0

    def is_another(self) -> bool:
        """Return whether another journal has taken the place of the one that was read.

        Then :meth:`new_events` begins anew. A search that is resumed may replace its journal.

        Raises:
            ResultsError: if it isn't there.
        """
        with opened(self.path) as file:
            found = os.fstat(file.fileno())
        same = (found.st_dev, found.st_ino) == self._file and found.st_size >= self._offset
        if not same:
            self._file, self._offset, self._number = (found.st_dev, found.st_ino), 0, 0
        return not same

    def new_events(self) -> Iterator[AnyEvent]:
        """Yield the events that have come; a line that isn't whole yet comes the next time.

        Raises:
            ResultsError: if the journal can't be read, or a line is damaged.
        """
        with opened(self.path) as file:
            file.seek(self._offset)
            while (line := file.readline(LONGEST_LINE + 1)).endswith(b"\n"):
                self._offset += len(line)
                self._number += 1
                text = line.removeprefix(BYTE_ORDER_MARK) if self._number == 1 else line
                if not text.isspace():
                    yield self._decoded(text)

    def _decoded(self, line: bytes) -> AnyEvent:
        try:
            event = events.decode(line)
        except Damaged as damage:
            check_version(self.path, events.version_of(line))
            raise damaged(self.path, self._number, damage) from damage
        if isinstance(event, _VERSIONED):
            check_version(self.path, event.version)
        return event
