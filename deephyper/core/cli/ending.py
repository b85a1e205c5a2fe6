"""The end of a program, which nothing that a run function has left in a thread may hold up."""

from __future__ import annotations

import atexit
import os
import sys
import threading

_SECONDS = 3.0
"""The time that threads of users get to end when the program does."""


def end_soon(status: int) -> None:
    """See to it that this process ends, with this status, whatever users' code still does.

    Python waits for the threads of executors, for all that aren't daemons, and for the processes of
    :mod:`multiprocessing`, not for ever then. What is registered for the exit is waited for.
    """
    exiting = threading.Event()

    def end_children() -> None:
        exiting.set()
        if "multiprocessing.process" in sys.modules:
            from multiprocessing.process import active_children

            for child in active_children():
                child.kill()

    def wait() -> None:
        if not exiting.wait(_SECONDS):
            end_children()
            os._exit(status)

    atexit.register(end_children)
    if threading.active_count() > 1:
        threading.Thread(target=wait, daemon=True).start()
