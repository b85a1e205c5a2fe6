"""Messages between a worker process and its parent: one line of JSON each, over a descriptor.

It imports next to nothing, as every worker process has to import it before it can begin.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
from typing import Any

_READ_BYTES = 1 << 20


class Channel:
    """One end of a stream socket.

    Args:
        fd: the descriptor; it belongs to the channel from now on.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self._received = bytearray()
        self._searched = 0
        """The number of received bytes that are known to end no message."""

    def fileno(self) -> int:
        return self._fd

    def send(self, message: dict[str, Any]) -> None:
        """Write a message.

        Raises:
            OSError: if nobody listens any more.
        """
        data = memoryview(json.dumps(message).encode() + b"\n")
        while data:
            data = data[os.write(self._fd, data) :]

    def receive(self) -> dict[str, Any]:
        """Wait for a message.

        Raises:
            EOFError: if the other end is closed.
            OSError: if the connection is broken.
        """
        while (end := self._received.find(b"\n", self._searched)) < 0:
            self._searched = len(self._received)
            data = os.read(self._fd, _READ_BYTES)
            if not data:
                raise EOFError
            self._received += data
        message: dict[str, Any] = json.loads(self._received[:end])
        del self._received[: end + 1]
        self._searched = 0
        return message

    def drain(self) -> list[dict[str, Any]]:
        """Return the messages that have come, without waiting for one or for the rest of one."""
        with contextlib.suppress(OSError):
            while self._poll.poll(0):
                data = os.read(self._fd, _READ_BYTES)
                self._received += data
                if len(data) < _READ_BYTES:
                    break
        lines = self._received.split(b"\n")
        self._received = lines.pop()
        self._searched = 0
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        os.close(self._fd)
