"""Standard input, output and error, where a process was started without some of them.

A daemon may close descriptors 0, 1 and 2. The next file that is opened then gets such a number, and
what is printed goes into it.
"""

from __future__ import annotations

import os
import sys


def open_missing() -> None:
    """Open the null device in the place of those that are closed."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
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
