"""The two ends of the socket between a worker process and its parent.

What user code writes to the descriptors that it finds must neither be taken for a message nor keep
the parent waiting. So the worker's end has a number that nobody meets by chance and no child has,
each message comes in a frame with a secret that only the two ends know, and the parent's end never
waits: what came of a message, or has yet to be written, is kept until the rest can follow.

This module imports next to nothing, as every worker process has to import it before it can begin.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import select
import struct
import threading
from collections import deque
from collections.abc import Iterator

# By their own names: user code may replace the functions in their modules.
from os import fstat, read, write
from zlib import crc32

_SECRET_BYTES = 16
_HEADER = struct.Struct("!II")  # bytes of the payload, and its checksum
_READ_BYTES = 1 << 16  # more would be mapped and unmapped at each read
_WRITE_BYTES = 1 << 20
_COPIED_BYTES = 1 << 16
LONGEST_MESSAGE = 16 << 20
"""Bytes of the longest message that a worker may send."""
_ANY_LENGTH = 1 << 32
_HIGHEST_NUMBER = 1 << 14  # a table of descriptors that reaches so far costs 128 KB


class BrokenChannel(Exception):
    """Something in a channel was not written by its other end, or can't be a message."""


class ParentEnd:
    """The parent's end, which never blocks.

    Args:
        fd: the descriptor; it belongs to the channel from now on.

    Attributes:
        closed: True if nothing more will come: the worker's end is closed.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        os.set_blocking(fd, False)
        self._secret = _secret()
        self._received = bytearray()
        self._unsent = deque([memoryview(self._secret)])
        self.closed = False

    def fileno(self) -> int:
        return self._fd

    @property
    def interest(self) -> int:
        """The events to poll the descriptor for."""
        return (0 if self.closed else select.POLLIN) | (select.POLLOUT if self._unsent else 0)

    def send(self, payload: bytes) -> None:
        """Take a message, and write what can be written at once."""
        header = self._secret + _HEADER.pack(len(payload), crc32(payload))
        if len(payload) <= _COPIED_BYTES:  # a second write would wake the worker a second time
            self._unsent.append(memoryview(header + payload))
        else:
            self._unsent += (memoryview(header), memoryview(payload))
        self.flush()

    def flush(self) -> None:
        """Write what can be written at once."""
        try:
            while self._unsent:
                data = self._unsent[0]
                written = write(self._fd, data[:_WRITE_BYTES])
                if written < len(data):
                    self._unsent[0] = data[written:]
                else:
                    self._unsent.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()  # nobody reads any more; that it has ended is seen elsewhere

    def drain(self, to_the_end: bool = False) -> Iterator[bytes]:
        """Yield the messages that have come, without waiting for one or for the rest of one.

        Args:
            to_the_end: take all that has come, rather than a bounded share of it.

        Raises:
            BrokenChannel: behind the messages, if something else has come.
        """
        try:
            while not self.closed:
                data = read(self._fd, _READ_BYTES)
                self._received += data
                self.closed = not data
                if len(data) < _READ_BYTES and not to_the_end:
                    break
                if len(self._received) > 2 * LONGEST_MESSAGE:
                    break
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True
        while self._received:
            message = _take_message(self._received, self._secret, LONGEST_MESSAGE)
            if message is None:
                return
            yield message

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._fd)


class WorkerEnd:
    """The worker's end, which waits.

    Args:
        fd: the descriptor; it belongs to the channel from now on.

    Raises:
        EOFError: if the other end is closed.
    """

    def __init__(self, fd: int) -> None:
        self._fd = _move_away(fd)
        self._identity = _identity(self._fd)
        self._received = bytearray()
        self._sending = threading.Lock()
        os.register_at_fork(after_in_child=self._close_in_child)
        while len(self._received) < _SECRET_BYTES:
            self._receive_more()
        self._secret = bytes(self._received[:_SECRET_BYTES])
        del self._received[:_SECRET_BYTES]

    def send(self, payload: bytes) -> None:
        """Write a message.

        Raises:
            OSError: if nobody listens any more, or the descriptor is another file's by now.
            ValueError: if the message is too long.
        """
        if len(payload) > LONGEST_MESSAGE:
            raise ValueError(f"a message of {len(payload)} bytes is too long")
        frame = memoryview(self._secret + _HEADER.pack(len(payload), crc32(payload)) + payload)
        with self._sending:
            if _identity(self._fd) != self._identity:
                raise OSError("the descriptor is another file's")
            while frame:
                try:
                    frame = frame[write(self._fd, frame) :]
                except BlockingIOError:  # user code has changed the mode of the descriptor
                    self._wait(select.POLLOUT)

    def receive(self) -> bytes:
        """Wait for a message.

        Raises:
            EOFError: if the other end is closed.
            OSError: if the connection is broken.
            BrokenChannel: if something else has come.
        """
        while (message := _take_message(self._received, self._secret)) is None:
            self._receive_more()
        return message

    def has_message(self) -> bool:
        """Return whether a message has come, without waiting for one or for the rest of one."""
        while not _is_whole(self._received, self._secret):
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            if not poll.poll(0):
                return False
            self._receive_more()
        return True

    def _receive_more(self) -> None:
        try:
            data = read(self._fd, _READ_BYTES)
        except BlockingIOError:
            self._wait(select.POLLIN)
            return
        if not data:
            raise EOFError
        self._received += data

    def _wait(self, events: int) -> None:
        poll = select.poll()
        poll.register(self._fd, events)
        poll.poll()

    def _close_in_child(self) -> None:
        with contextlib.suppress(OSError):
            if _identity(self._fd) == self._identity:
                os.close(self._fd)


def _is_whole(received: bytearray, secret: bytes) -> bool:
    """Return whether the first message is there to be taken."""
    begin = len(secret) + _HEADER.size
    if len(received) < begin:
        return False
    size, _ = _HEADER.unpack_from(received, len(secret))
    return len(received) >= begin + int(size)


def _take_message(received: bytearray, secret: bytes, longest: int = _ANY_LENGTH) -> bytes | None:
    """Remove the first message from what was received; return None if it isn't whole."""
    if not received.startswith(secret):
        if not secret.startswith(received[: len(secret)]):
            raise BrokenChannel("something else was written to it")
        return None
    begin = len(secret) + _HEADER.size
    if len(received) < begin:
        return None
    size, checksum = _HEADER.unpack_from(received, len(secret))
    if size > longest:
        raise BrokenChannel("a message is too long")
    if len(received) < begin + size:
        return None
    payload = bytes(memoryview(received)[begin : begin + size])
    if crc32(payload) != checksum:
        raise BrokenChannel("something else was written into a message")
    del received[: begin + size]
    return payload


def _secret() -> bytes:
    """Return the beginning of a channel's messages, with which no text in UTF-8 begins."""
    first, *others = os.urandom(_SECRET_BYTES)
    return bytes([0x80 | first & 0x3F, *others])


def _move_away(fd: int) -> int:
    """Give a descriptor a number far from those that programs use, and keep it from children."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    top = _HIGHEST_NUMBER if limit == resource.RLIM_INFINITY else min(limit, _HIGHEST_NUMBER)
    lowest = top // 2 + int.from_bytes(os.urandom(4), "big") % max(1, top // 2 - 10)
    try:
        moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)
    except OSError:
        os.set_inheritable(fd, False)
        return fd
    os.close(fd)
    return moved


def _identity(fd: int) -> tuple[int, int]:
    status = fstat(fd)
    return status.st_dev, status.st_ino
