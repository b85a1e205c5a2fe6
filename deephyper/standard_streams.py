"""Standard input, output and error: there from the start, and no reason for a program to fail.

A daemon may close descriptors 0, 1 and 2. The next file that is opened then gets such a number, and
what is printed goes into it. A disk may be full, a reader may have left, a terminal may not have a
character; and a run function in a thread may close, replace or redirect what we print to.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import sys
from abc import abstractmethod
from collections.abc import Iterator
from typing import TextIO

from deephyper.printable import printable

_LAST_STANDARD = 2


def open_missing() -> None:
    """Open the null device in the place of those that are closed."""
    for fd in (0, 1, 2):
        try:
            os.get_inheritable(fd)  # of what finds out that a descriptor is open, the fastest
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            if null != fd:
                os.dup2(null, fd)
                os.close(null)
            os.set_inheritable(fd, True)
    for name, fd, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            stream = open(fd, mode, errors="replace", closefd=False)  # noqa: SIM115 - it stays
            setattr(sys, name, stream)


def open_apart(
    path: str | os.PathLike[str], flags: int, mode: int = 0o777, *, dir_fd: int | None = None
) -> int:
    """Return the descriptor of a file of ours, which is never that of a standard stream.

    A run function in a thread may close descriptors 1 and 2, and close them again in a later
    evaluation, or print. That must not close a file of ours that was opened in between, nor write
    into it.

    Args:
        path: as in :func:`os.open`, as all others.

    Raises:
        OSError: if it can't be opened.
    """
    while True:
        fd = os.open(path, flags, mode, dir_fd=dir_fd)
        if fd > _LAST_STANDARD:
            return fd
        try:
            return _moved_apart(fd)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
        flags &= ~os.O_EXCL  # it was closed just now by somebody else, but it has been made


def _moved_apart(fd: int) -> int:
    """Return another descriptor of the same file, which isn't that of a standard stream."""
    try:
        return _duplicated(fd)
    finally:
        with contextlib.suppress(OSError):
            os.close(fd)


def _duplicated(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LAST_STANDARD + 1)


@contextlib.contextmanager
def tolerant_streams() -> Iterator[None]:
    """Let nothing fail that is printed meanwhile, by us or by a run function in a thread."""
    open_missing()
    before = sys.stdout, sys.stderr
    tolerant = Output(sys.stdout), Output(sys.stderr)
    sys.stdout, sys.stderr = tolerant
    try:
        yield
    finally:
        for stream in tolerant:
            stream.close()
        sys.stdout, sys.stderr = before


class Output(io.TextIOWrapper):
    """A stream that never fails to be written, and that nothing closes.

    What its encoding doesn't have is written as an escape, and what can't be written is lost.

    Args:
        stream: where it writes to; one that has a file is flushed now, and its file written to.
        own: write to a file of its own for the same place, so that it doesn't matter what becomes
            of the descriptor of ``stream``; and at once.

    Attributes:
        stream: the same.
    """

    def __init__(self, stream: TextIO, *, own: bool = False) -> None:
        self.stream = stream
        encoding = getattr(stream, "encoding", None)
        encoding = encoding if isinstance(encoding, str) else "utf-8"
        fd = _descriptor(stream)
        inner = stream.stream if isinstance(stream, Output) else stream
        raw: _Target = _TextTarget(inner, encoding) if fd is None else _FileTarget(fd, own)
        self._target = raw
        # Ours are whole lines, and a text stream has a buffer of its own.
        at_once = own or fd is None or bool(getattr(stream, "write_through", False))
        super().__init__(
            raw if at_once else io.BufferedWriter(raw),  # type: ignore[arg-type]
            encoding=encoding,
            errors="backslashreplace",
            newline="\n" if fd is None else None,
            line_buffering=bool(getattr(stream, "line_buffering", False)),
            write_through=at_once,
        )

    @property
    def failure(self) -> OSError | None:
        """The first error in writing; None if there was none."""
        return self._target.failure

    def print(self, line: str) -> None:
        """Write a line of ours, with what is invisible in it written out."""
        with contextlib.suppress(Exception):  # what was printed before comes before
            self.stream.flush()
        super().write(printable(line, lines=True) + "\n")
        super().flush()

    def isatty(self) -> bool:
        with contextlib.suppress(Exception):
            return self.stream.isatty()
        return False

    def close(self) -> None:
        """Write what is buffered; the stream stays open."""
        with contextlib.suppress(Exception):  # run may have put anything in the place of flush
            super().flush()


class _Target(io.RawIOBase):
    """The end of a stream, whose errors are kept rather than raised."""

    def __init__(self) -> None:
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        assert isinstance(data, (bytes, bytearray, memoryview))
        try:
            self._write(data)
        except OSError as error:
            self.failure = self.failure or error
        except ValueError as error:  # it was closed
            self.failure = self.failure or OSError(str(error))
        return len(data)

    @abstractmethod
    def _write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of the data, or raise OSError or ValueError."""


class _FileTarget(_Target):
    def __init__(self, fd: int, own: bool) -> None:
        super().__init__()
        self._fd = fd
        self._own = _duplicated(fd) if own else None

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd if self._own is None else self._own, left) :]

    def fileno(self) -> int:
        return self._fd if self._own is None else self._own

    def close(self) -> None:
        if self._own is not None and not self.closed:
            os.close(self._own)
        super().close()


class _TextTarget(_Target):
    def __init__(self, stream: TextIO, encoding: str) -> None:
        super().__init__()
        self._stream = stream
        self._encoding = encoding

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        self._stream.write(bytes(data).decode(self._encoding))
        self._stream.flush()


def _descriptor(stream: TextIO) -> int | None:
    """Return the descriptor of a stream that writes to a file; None for any other."""
    with contextlib.suppress(Exception):
        stream.flush()
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
