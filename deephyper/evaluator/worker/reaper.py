"""A small process that ends worker processes whose parent has died.

A parent that is killed by ``kill -9`` can't clean up. The reaper, started beside the workers, reads
``+pid`` and ``-pid`` lines from its standard input. At the line ``end``, or when the input closes
because the parent is gone, it kills the process groups that it still knows.

It is run as a file by a bare interpreter (``python -I -S``), so it starts in a few milliseconds and
imports nothing of deephyper. It is not a child of the parent, because Ray kills a worker's children
when the worker exits.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Fork a process that reads the lines until it is time to kill, and leave it alone."""
    if os.fork():
        os._exit(0)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        if line.startswith("end"):
            break
        if line.startswith("+"):
            groups.add(int(line[1:]))
        else:
            groups.discard(int(line[1:]))
    for group in groups:
        kill_all_of(group)


def kill_all_of(worker: int) -> None:
    """Kill a worker, the process group it leads, and what it started that has left the group."""
    started = _descendants(worker)
    with contextlib.suppress(OSError):
        os.killpg(worker, signal.SIGKILL)
    for pid in (worker, *started):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Return the processes below one, where the system lists them (Linux)."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                for child in map(int, file.read().split()):
                    found += [child, *_descendants(child)]
    return found


if __name__ == "__main__":
    main()
