"""The end of a program, which nothing that a run function has left in a thread may hold up."""

from __future__ import annotations

import atexit
import os
import threading

_SECONDS = 3.0
"""The time that threads of users get to end when the program does."""


def end_soon(status: int) -> None:
    """See to it that this process ends, with this status, though threads of users still run.

    Python waits for the threads of executors, and for all that aren't daemons, before it calls what
    was registered for the exit. What is registered is waited for.
    """
    exiting = threading.Event()
    atexit.register(exiting.set)

    def wait() -> None:
        if not exiting.wait(_SECONDS):
            os._exit(status)

    if threading.active_count() > 1:
        threading.Thread(target=wait, daemon=True).start()
