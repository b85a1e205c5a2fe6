"""The parent's side of a worker process: start it, hand it jobs, hear from it, end it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from deephyper.evaluator.worker import reaper
from deephyper.evaluator.worker.channel import Channel
from deephyper.job import Failure, Job
from deephyper.loading import import_path
from deephyper.standard_streams import open_missing

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from deephyper.evaluator.worker.main import main; main(int(sys.argv[2]))"
)
_TAIL_BYTES = 4000
_REAPER_SECONDS = 10.0
"""How long to wait for the reaper's end."""
_own: set[int] = set()
"""Descriptors by which a worker or a reaper notices that this process has ended."""


def _let_go_in_child() -> None:
    """A fork of this process must not keep them open: nobody would notice this one's death."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in _own:
        os.dup2(null, fd, inheritable=False)  # the number stays taken, for whoever closes it
    os.close(null)
    _own.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)


class Reaper:
    """Kills the process groups that it guards if this process dies without closing it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        _own.add(self._stdin.fileno())
        self._process.wait()  # the one that stays is a child of this one

    def guard(self, pid: int) -> None:
        self._tell(f"+{pid}")

    def release(self, pid: int) -> None:
        self._tell(f"-{pid}")

    def close(self) -> None:
        """Kill what is still guarded, and end."""
        if self._stdin.closed:
            return
        self._tell("end")  # a forked child of ours may hold its input open
        _own.discard(self._stdin.fileno())
        with contextlib.suppress(OSError):
            self._stdin.close()
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            # Nothing comes; it ends with the reaper.
            select.select([self._process.stdout], [], [], _REAPER_SECONDS)
            self._process.stdout.close()

    @property
    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _tell(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stdin.write(line + "\n")
            self._stdin.flush()


class WorkerProcess:
    """A fresh interpreter in a process group of its own that runs one job at a time.

    Args:
        run: the run function as :meth:`RunFunction.dumps` gives it.
        reaper: guards the process.
        environment: variables to set on top of this process's own.
    """

    def __init__(self, run: str, reaper: Reaper, environment: Mapping[str, str]) -> None:
        open_missing()  # no descriptor of ours may get the number of a standard one
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                # -P: nothing that lies in the current folder is imported before the path is set.
                [
                    sys.executable,
                    "-P",
                    "-c",
                    _START,
                    json.dumps(import_path()),
                    str(theirs.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._reaper = reaper
        reaper.guard(self._process.pid)
        self._channel = Channel(ours.detach())
        _own.add(self._channel.fileno())
        # A child that user code forked may hold the socket open, so death is seen here instead.
        self._exit_fd = _pidfd(self._process.pid)
        self._out_of_memory_kills = _out_of_memory_kills()
        self.loaded = False
        self._run: str | None = run

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def tells_its_end(self) -> bool:
        """Whether its death makes one of :attr:`waitables` readable."""
        return self._exit_fd is not None

    @property
    def waitables(self) -> list[int]:
        """What becomes readable when there is something to :meth:`receive`."""
        fds = [self._channel.fileno()]
        return fds if self._exit_fd is None else [*fds, self._exit_fd]

    def load(self) -> None:
        """Have the run function loaded, if that hasn't begun yet."""
        if self._run is not None:
            self._send({"run": self._run})
            self._run = None

    def start(self, job: Job, output: str | None) -> None:
        """Hand over a job; it begins as soon as the run function is loaded."""
        self.load()
        self._send({"id": job.id, "point": job.point, "output": output})

    def receive(self) -> list[dict[str, Any]]:
        """Messages that have come, without waiting; see :mod:`deephyper.evaluator.worker.main`.

        The last one is ``{"died": Failure}`` if the process has ended.
        """
        ended = self._process.poll() is not None  # asked first: what it said before is read below
        messages: list[dict[str, Any]] = []
        with contextlib.suppress(EOFError, OSError):
            while self._channel.poll():
                message = self._channel.receive()
                self.loaded = self.loaded or "loaded" in message
                messages.append(message)
        if ended:
            messages.append({"died": self._cause_of_death()})
        return messages

    def kill(self) -> None:
        """End the process and everything in its group, at once; wait until it has ended."""
        reaper.kill_all_of(self._process.pid)
        self._process.wait()
        self._reaper.release(self._process.pid)
        _own.discard(self._channel.fileno())
        self._channel.close()
        if self._exit_fd is not None:
            os.close(self._exit_fd)
            self._exit_fd = None

    def _send(self, message: dict[str, Any]) -> None:
        # A worker that has just died is noticed by receive().
        with contextlib.suppress(OSError):
            self._channel.send(message)

    def _cause_of_death(self) -> Failure:
        code = self._process.returncode
        if code >= 0:
            return Failure("worker_died", f"the worker process exited with status {code}")
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        if -code == signal.SIGKILL and _out_of_memory_kills() > self._out_of_memory_kills:
            return Failure("out_of_memory", "the system ran out of memory and killed the worker")
        return Failure("worker_died", f"the worker process was ended by {name}")


def _pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when a process ends, where the kernel has such."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def tail(path: str | None) -> str:
    """The last lines of a file; empty if it can't be read."""
    if path is None:
        return ""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return text if size <= _TAIL_BYTES else text.partition("\n")[2]


def _out_of_memory_kills() -> int:
    """How often the kernel has killed a process of this machine for want of memory."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
