"""Reading a journal as it grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from deephyper.search import events
from deephyper.search.events import AnyEvent, Damaged
from deephyper.search.journal import BYTE_ORDER_MARK, FILE_NAME, LONGEST_LINE
from deephyper.search.replay import VERSIONED, check_version, damaged, opened


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
        if isinstance(event, VERSIONED):
            check_version(self.path, event.version)
        return event
