"""The parent's side of a worker process: start it, hand it jobs, hear from it, end it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from deephyper.clock import LONGEST_WAIT
from deephyper.evaluator.output import tail
from deephyper.evaluator.worker import reaper
from deephyper.evaluator.worker.channel import Channel
from deephyper.evaluator.worker.guard import LIFELINES, Reaper
from deephyper.evaluator.worker.messages import (
    Died,
    JobEnded,
    JobMessage,
    JobStarted,
    Loaded,
    LoadFailed,
    Message,
    from_json,
)
from deephyper.job import Failure, Job
from deephyper.loading import import_path
from deephyper.standard_streams import open_missing

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from deephyper.evaluator.worker.main import main; main(int(sys.argv[2]))"
)
POLL_SECONDS = 0.1
"""The time between two looks at a process, where the system has no descriptor for its death."""


@dataclass
class _Assignment:
    """The job that a worker process has.

    Attributes:
        job_id: its id.
        output: file for what it prints.
        start: when it began, in seconds since the epoch; None as long as it hasn't.
    """

    job_id: str
    output: str | None
    start: float | None = None

    def ended(self, failure: Failure) -> JobEnded:
        return JobEnded(self.job_id, failure, self.start, time.time())


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
                # -P: nothing that lies in the current directory is imported before the path is set.
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
        LIFELINES.add(self._channel.fileno())
        # A child that user code forked may hold the socket open, so death is seen here instead.
        self._exit_fd = _pidfd(self._process.pid)
        self._out_of_memory_kills = _out_of_memory_kills()
        self._run: str | None = run  # until it is sent
        self._loaded: Loaded | LoadFailed | None = None
        self._assignment: _Assignment | None = None
        self._unread: list[Message] = []  # received while it was loading

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """True if it lives and hasn't failed to load the run function."""
        return not isinstance(self._loaded, LoadFailed) and self._process.poll() is None

    @property
    def busy(self) -> bool:
        """True if it has a job."""
        return self._assignment is not None

    @property
    def death_is_waitable(self) -> bool:
        """True if its death makes one of :attr:`waitables` readable."""
        return self._exit_fd is not None

    @property
    def waitables(self) -> list[int]:
        """The descriptors that become readable when there is something to :meth:`receive`."""
        fds = [self._channel.fileno()]
        return fds if self._exit_fd is None else [*fds, self._exit_fd]

    def load(self, limit: float) -> Loaded | LoadFailed:
        """Load the run function in the process, and wait until it is done.

        Args:
            limit: seconds that it may take. The process is of no use after that.
        """
        self._begin_loading()
        until = time.monotonic() + limit
        while self._loaded is None:
            left = until - time.monotonic()
            if left <= 0:
                return self._load_failed(not_loaded_within(limit))
            self._unread = self.receive(left)
            if self._loaded is None and self._unread and isinstance(self._unread[-1], Died):
                cause = self._unread[-1].failure.message
                return self._load_failed(f"the worker process ended while loading run: {cause}")
        return self._loaded

    def start(self, job: Job, output: str | None) -> None:
        """Hand over a job, which begins as soon as the run function is loaded.

        Args:
            job: the job.
            output: file for what it prints; None leaves it where this process's output goes.
        """
        self._begin_loading()
        self._assignment = _Assignment(job.id, output)
        self._send({"id": job.id, "point": job.point, "output": output})

    def receive(self, timeout: float = 0.0) -> list[Message]:
        """Return what it has said, waiting up to ``timeout`` seconds for something.

        The last message is Died if the process has ended.
        """
        if timeout > 0 and not self._unread:
            longest = LONGEST_WAIT if self.death_is_waitable else POLL_SECONDS
            wait(self.waitables, min(timeout, longest))
        ended = self._process.poll() is not None  # asked first: what it said before is read below
        messages, self._unread = self._unread, []
        for values in self._channel.drain():
            message = from_json(values)
            if isinstance(message, Loaded | LoadFailed):
                self._loaded = message
            messages.append(message)
        if ended:
            messages.append(Died(self._cause_of_death()))
        return messages

    def events(self, timeout: float = 0.0) -> list[JobMessage]:
        """Return what has happened to its job, waiting up to ``timeout`` seconds for something.

        A job ends with the process, or with its failure to load the run function, too; it is not
        :attr:`usable` then.
        """
        events: list[JobMessage] = []
        for message in self.receive(timeout):
            assignment = self._assignment
            if assignment is None or isinstance(message, Loaded):
                continue
            if isinstance(message, Died):
                failure = replace(message.failure, text=tail(assignment.output))
                message = assignment.ended(failure)
            elif isinstance(message, LoadFailed):
                message = assignment.ended(Failure("exception", message.message))
            if isinstance(message, JobStarted):
                assignment.start = message.time
            elif isinstance(message, JobEnded):
                self._assignment = None
            events.append(message)
        return events

    def kill(self) -> None:
        """End the process and everything in its group, at once; wait until it has ended."""
        reaper.kill_all_of(self._process.pid)
        self._process.wait()
        self._reaper.release(self._process.pid)
        LIFELINES.discard(self._channel.fileno())
        self._channel.close()
        if self._exit_fd is not None:
            os.close(self._exit_fd)
            self._exit_fd = None

    def _begin_loading(self) -> None:
        if self._run is not None:
            self._send({"run": self._run})
            self._run = None

    def _load_failed(self, message: str) -> LoadFailed:
        self._loaded = LoadFailed(message)
        return self._loaded

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


def not_loaded_within(limit: float) -> str:
    """Return the message for a run function that takes too long to load."""
    return f"run could not be loaded within {limit:g} s; check what its module does when imported"


def _pidfd(pid: int) -> int | None:
    """Return a descriptor that becomes readable when a process ends, where the kernel has them."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _out_of_memory_kills() -> int:
    """Return how often the kernel has killed a process of this machine for lack of memory."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
