"""Messages between a worker process and its parent: one line of JSON each, over a descriptor.

It imports next to nothing, as every worker process has to import it before it can begin.
"""

from __future__ import annotations

import json
import os
import select
from typing import Any


class Channel:
    """One end of a stream socket.

    Args:
        fd: the descriptor; it belongs to the channel from now on.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._received = b""

    def fileno(self) -> int:
        return self._fd

    def send(self, message: dict[str, Any]) -> None:
        """Write a message.

        Raises:
            OSError: if nobody listens any more.
        """
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self._fd, data) :]

    def receive(self) -> dict[str, Any]:
        """Wait for a message.

        Raises:
            EOFError: if the other end is closed.
            OSError: if the connection is broken.
        """
        while b"\n" not in self._received:
            data = os.read(self._fd, 1 << 16)
            if not data:
                raise EOFError
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def poll(self) -> bool:
        """Whether :meth:`receive` has something to do: a message, a part of one, or the end."""
        if b"\n" in self._received:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        os.close(self._fd)
