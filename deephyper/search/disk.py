"""Having a disk keep what was written to a file."""

from __future__ import annotations

import errno
import os
import threading

# What a file system answers that can't be told to keep a file; none of it means a loss.
_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_SYNC_SECONDS = 30.0


def sync(fd: int) -> None:
    """Wait until the disk says that it has what was written.

    Raises:
        OSError: if it can't be kept.
    """
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


class Syncer:
    """Asks the disk to keep what was written, in a thread, so that the search need not wait."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._wanted = threading.Event()
        self._closed = False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="journal-sync", daemon=True)
        self._thread.start()

    def request(self) -> None:
        self._wanted.set()

    def raise_error(self) -> None:
        """Raise what the disk has answered, if that was an error."""
        if self._error is not None:
            raise self._error

    def close(self) -> bool:
        """End the thread; whether it has ended."""
        self._closed = True
        self._wanted.set()
        self._thread.join(_SYNC_SECONDS)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while not self._closed:
            self._wanted.wait()
            self._wanted.clear()
            try:
                sync(self._fd)
            except OSError as error:
                self._error = error
