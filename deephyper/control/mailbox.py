"""The directory of requests, as the search sees it.

Whoever asks first makes it, for the user alone, and the search removes it at its end. A request is
a whole file that is put there in one step, and the answer is another; so it works wherever both see
the same files, and no port is open. The directories are opened anew at each look, since a network
file system answers from a cache otherwise. A request is removed after it was carried out, written
to the journal and answered: one whose search is killed before is found by the next session.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from deephyper.control.requests import (
    ANSWER,
    DIRECTORY,
    LONGEST,
    NAME,
    REQUEST,
    Answer,
    DamagedRequest,
    Request,
    decode_request,
    encode,
)
from deephyper.errors import ResultsError
from deephyper.safe_files import open_to_others
from deephyper.standard_streams import open_apart

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_MOST_AT_A_TIME = 100


class Mailbox:
    """The requests to a session.

    Args:
        log_dir: the log directory, which this process has claimed.
        session: what requests name the session by.
        check: raises ResultsError where another session has taken the log directory since.

    Attributes:
        session: the same.
    """

    def __init__(self, log_dir: Path, session: str, check: Callable[[], None]) -> None:
        self._check = check
        self.session = session
        self._log_dir = log_dir
        self._fd = open_apart(log_dir, os.O_RDONLY | os.O_DIRECTORY)
        with contextlib.suppress(OSError):
            self._clear_answers()

    def requests(self) -> Iterator[tuple[str, Request | DamagedRequest]]:
        """Yield the requests that are there, each with its id, the first one first.

        Raises:
            ResultsError: if there are some, and another session has taken the log directory.
        """
        directory = self._opened()
        if directory is None:
            return
        try:
            found = sorted(name for name in os.listdir(directory) if NAME.fullmatch(name))
            if found:
                self._check()
            for name in found[:_MOST_AT_A_TIME]:
                request = self._read(directory, name)
                if request is not None:
                    yield name.removesuffix(REQUEST), request
        except OSError:  # the next look will tell
            return
        finally:
            os.close(directory)

    def answer(self, id_: str, answer: Answer) -> None:
        """Answer a request, which is gone then."""
        directory = self._opened()
        if directory is None:
            return
        partial = f".{id_}.partial"
        try:
            with contextlib.suppress(OSError):  # who asks will find out
                fd = os.open(partial, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=directory)
                try:
                    os.write(fd, encode(answer))
                finally:
                    os.close(fd)
                os.rename(partial, f"{id_}{ANSWER}", src_dir_fd=directory, dst_dir_fd=directory)
            with contextlib.suppress(FileNotFoundError):  # who asks has given up
                os.unlink(f"{id_}{REQUEST}", dir_fd=directory)
        except OSError:
            pass  # it was carried out, and is not carried out again
        finally:
            os.close(directory)

    def close(self) -> None:
        """Remove the directory, unless there is something in it that somebody waits for, or it is
        that of another session by now."""
        with contextlib.suppress(OSError, ResultsError):
            self._check()
            os.rmdir(DIRECTORY, dir_fd=self._fd)
        os.close(self._fd)

    def _opened(self) -> int | None:
        """Return the descriptor of the directory; None where it takes no requests."""
        with contextlib.suppress(OSError):  # it may have been renamed
            # So that a network file system learns of what is new in it.
            os.close(open_apart(self._log_dir, os.O_RDONLY | os.O_DIRECTORY))
        try:
            directory = open_apart(DIRECTORY, _OPEN, dir_fd=self._fd)
        except OSError:
            return None
        try:
            if self._is_private(directory):
                return directory
        except OSError:
            pass
        os.close(directory)
        return None

    def _is_private(self, directory: int) -> bool:
        """Return whether its user alone can have put something there."""
        status, above = os.fstat(directory), os.fstat(self._fd)
        # In a container the user may be root, and the log directory and all in it another's.
        own = status.st_uid in (os.geteuid(), above.st_uid)
        return own and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

    def _read(self, directory: int, name: str) -> Request | DamagedRequest | None:
        """Return a request; None if it was taken back."""
        if open_to_others(self._log_dir, group=True):
            return DamagedRequest(
                f"others may write to '{self._log_dir}', so that anybody could have asked for it; "
                "leave it to its owner (chmod go-w)"
            )
        try:
            fd = open_apart(name, _READ, dir_fd=directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            return DamagedRequest(f"it can't be read ({error.strerror or error})")
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                return DamagedRequest("it is not a file of its own")
            if status.st_uid not in (os.geteuid(), os.fstat(directory).st_uid):
                return DamagedRequest("it is somebody else's")
            return decode_request(os.read(fd, LONGEST + 1))
        except DamagedRequest as damage:
            return damage
        except OSError as error:
            return DamagedRequest(f"it can't be read ({error.strerror or error})")
        finally:
            os.close(fd)

    def _clear_answers(self) -> None:
        """Remove what nobody has fetched from an earlier session."""
        directory = self._opened()
        if directory is None:
            return
        try:
            for name in os.listdir(directory):
                if name.endswith((ANSWER, ".partial")):
                    os.unlink(name, dir_fd=directory)
        finally:
            os.close(directory)
