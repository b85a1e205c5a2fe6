"""The name of a process, by which ps and top show whose it is."""

from __future__ import annotations

import contextlib
import sys

_PR_SET_NAME = 15
_LONGEST_SHORT_NAME = 15  # bytes
_ARG_START, _ARG_END = 45, 46  # in /proc/self/stat, counted from behind the short name


def name_process(title: str, short_name: str) -> None:
    """Give this process a name, where that is possible: on Linux.

    The title is written over the words of its command line, which Python has read already, as far
    as there is room; proc(5) says where they are.

    Args:
        title: in place of the command line.
        short_name: of at most 15 bytes, as top shows it.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError, ImportError):
        import ctypes

        ctypes.CDLL(None).prctl(
            _PR_SET_NAME, short_name.encode(errors="replace")[:_LONGEST_SHORT_NAME], 0, 0, 0
        )
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
        room = end - start
        if start > 0 and 1 < room < 1 << 24:
            # What is left must be zeros: the last byte tells that nothing follows.
            text = title.encode(errors="replace")[: room - 1]
            ctypes.memmove(start, text.ljust(room, b"\0"), room)
