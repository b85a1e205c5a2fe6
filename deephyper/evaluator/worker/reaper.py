"""A small process that ends worker processes whose parent has died.

A parent that is killed by ``kill -9`` can't clean up. The reaper, started beside the workers, reads
``+PID MARK``, ``-PID``, ``*MARK`` and ``~MARK`` lines from its standard input. At the line ``end``,
or when the input closes because the parent is gone, it kills what it still knows.

It is run as a file by a bare interpreter (``python -I -S``), so it starts in a few milliseconds and
imports nothing of deephyper. It is not a child of the parent, because Ray kills a worker's children
when the worker exits.
"""

import contextlib
import os
import signal
import sys
import time

_PROC = "/proc"
_ROUNDS = 100
_ROUND_SECONDS = 0.01
_GRACE_SECONDS = 1.0


def main() -> None:
    """Fork a process that reads the lines until it is time to kill, and leave it alone."""
    if os.fork():
        os._exit(0)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    marks: dict[int, str] = {}
    left: list[str] = []
    for line in sys.stdin:
        if line.startswith("end"):
            break
        if line.startswith("+"):
            pid, _, mark = line[1:].strip().partition(" ")
            marks[int(pid)] = mark
        elif line.startswith("*"):
            left.append(line[1:].strip())
        elif line.startswith("~"):
            left.remove(line[1:].strip())
        else:
            marks.pop(int(line[1:]), None)
    for worker in marks:
        kill_all_of(worker)
    kill_marked([mark for mark in marks.values() if mark])
    if left:
        time.sleep(_GRACE_SECONDS)  # those that end by themselves tidy up
        kill_marked(left)


def kill_all_of(worker: int) -> None:
    """Kill a worker, the process group it leads, and what it started that has left the group."""
    started = descendants(worker)
    with contextlib.suppress(OSError):
        os.killpg(worker, signal.SIGKILL)
    kill([worker, *started])


def kill_marked(marks: list[str]) -> None:
    """Kill the processes that have one of these marks in their environment, where the system shows
    it (Linux), until there are none."""
    if not marks:
        return
    sought = [mark.encode() for mark in marks]
    for _ in range(_ROUNDS):
        found = _find(sought)
        if not found:
            return
        kill(found)
        time.sleep(_ROUND_SECONDS)


def marked(marks: list[str]) -> list[int]:
    """Return the processes that have one of these marks in their environment."""
    return _find([mark.encode() for mark in marks])


def kill(pids: list[int]) -> None:
    """Kill processes, those that have ended already excepted."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Return the processes below one, where the system lists them (Linux)."""
    found: list[int] = []
    pending = [pid]
    while pending:
        for child in children(pending.pop()):
            found.append(child)
            pending.append(child)
    return found


def children(pid: int) -> list[int]:
    """Return the children of a process, where the system lists them (Linux)."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    return found


def _find(marks: list[bytes]) -> list[int]:
    me = os.getpid()
    unread: list[int] = []
    with contextlib.suppress(OSError):
        unread = [int(name) for name in os.listdir(_PROC) if name.isdigit() and int(name) != me]
    found: list[int] = []
    for _ in range(_ROUNDS):
        beginning = []
        for pid in unread:
            with contextlib.suppress(OSError), open(f"{_PROC}/{pid}/environ", "rb") as file:
                environment = file.read()
                if any(mark in environment for mark in marks):
                    found.append(pid)
                elif not environment and _begins(pid):
                    beginning.append(pid)
        if not beginning:
            break
        unread = beginning
        time.sleep(_ROUND_SECONDS)
    return found


def _begins(pid: int) -> bool:
    """Return whether a process is about to become another program: its environment comes next."""
    with open(f"{_PROC}/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    memory, end_of_environment = int(fields[20]), int(fields[48])
    return memory > 0 and end_of_environment == 0  # threads of the kernel have no memory


if __name__ == "__main__":
    main()
