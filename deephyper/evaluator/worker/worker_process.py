"""The parent's side of a worker process: start it, hand it jobs, hear from it, end it."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deephyper.clock import LONGEST_WAIT
from deephyper.evaluator.output import tail
from deephyper.evaluator.surroundings import MARK, marks
from deephyper.evaluator.worker import reaper
from deephyper.evaluator.worker.channel import BrokenChannel, ParentEnd
from deephyper.evaluator.worker.decoding import decode
from deephyper.evaluator.worker.guard import LIFELINES, Reaper
from deephyper.evaluator.worker.messages import (
    BROKEN,
    Died,
    JobEnded,
    JobMessage,
    JobReported,
    JobStarted,
    Leaving,
    Loaded,
    LoadFailed,
    Message,
)
from deephyper.job import Failure, Job
from deephyper.loading import import_path
from deephyper.standard_streams import open_missing

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from deephyper.evaluator.worker.supervisor import split_off; "
    "split_off(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]); "
    "from deephyper.evaluator.worker.main import main; main(int(sys.argv[3]))"
)
POLL_SECONDS = 0.1
"""The time between two looks at a process, where nothing tells of its death."""
_END_SECONDS = 5.0
"""The time in which a process ends whose channel is closed, or that is killed."""


@dataclass
class _Assignment:
    """The job that a worker process has.

    Attributes:
        job_id: its id.
        output: file for what it prints.
        handed_over: when, by the monotonic clock.
        start: when it began, in seconds since the epoch; None as long as it hasn't.
        began: the same by the monotonic clock.
    """

    job_id: str
    output: str | None
    handed_over: float
    start: float | None = None
    began: float = math.inf

    def begin(self, time_: float) -> None:
        """Take note of the begin, at a time of the monotonic clock."""
        now = time.monotonic()
        self.began = min(max(time_, self.handed_over), now)
        self.start = time.time() - (now - self.began)

    def at(self, time_: float) -> float:
        """Return a time of the monotonic clock in seconds since the epoch.

        A worker's clock counts as far as it can be right, and the time that has passed since the
        begin doesn't follow an epoch's clock that is set.
        """
        assert self.start is not None
        return self.start + min(max(time_, self.began), time.monotonic()) - self.began

    def ended(self, failure: Failure) -> JobEnded:
        end = time.time() if self.start is None else self.at(time.monotonic())
        return JobEnded(self.job_id, failure, self.start, end)


class WorkerProcess:
    """A fresh interpreter in a process group of its own that runs one job at a time.

    Args:
        run: the run function as :meth:`RunFunction.dumps` gives it.
        reaper: guards the process.
        environment: variables to set on top of this process's own.
        label: its name, as ps shows it, with the id of this process.
    """

    def __init__(
        self, run: str, reaper: Reaper, environment: Mapping[str, str], label: str = "worker"
    ) -> None:
        open_missing()  # no descriptor of ours may get the number of a standard one
        self._mark = os.urandom(16).hex()
        ours, theirs = socket.socketpair()
        with theirs:
            name = f"{label} (pid {os.getpid()})"
            descriptor = str(theirs.fileno())
            arguments = (json.dumps(import_path()), str(os.getpid()), descriptor, name)
            self._process = subprocess.Popen(
                # -P: nothing that lies in the current directory is imported before the path is set.
                [sys.executable, "-P", "-c", _START, *arguments],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment, MARK: marks(self._mark)},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._reaper = reaper
        reaper.guard(self._process.pid, self._mark)
        self._channel = ParentEnd(ours.detach())
        LIFELINES.add(self._channel.fileno())
        # Its death is seen here also where a child of its own holds the socket open.
        self._exit_fd = _pidfd(self._process.pid)
        self._out_of_memory_kills = _out_of_memory_kills()
        self._run: str | None = run  # until it is sent
        self._loaded: Loaded | LoadFailed | None = None
        self._leaving = False
        self._fault: Failure | None = None  # for which it was ended
        self._closed_at = math.inf  # when its end of the channel was found closed
        self._assignment: _Assignment | None = None
        self._unread: list[Message] = []  # received while it was loading
        self.served = False
        """Whether it has been through a job, which may have left behind what ends it later."""

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """True if it lives, hasn't failed to load the run function, and takes further jobs."""
        return not self.retired and self._process.poll() is None

    @property
    def retired(self) -> bool:
        """True if it is known to take no further jobs, without a look at the process."""
        return (
            self._leaving
            or isinstance(self._loaded, LoadFailed)
            or self._process.returncode is not None
        )

    @property
    def loaded(self) -> bool:
        """True if it has loaded the run function."""
        return isinstance(self._loaded, Loaded)

    @property
    def busy(self) -> bool:
        """True if it has a job."""
        return self._assignment is not None

    @property
    def has_to_be_asked(self) -> bool:
        """True if its death may make none of the descriptors of :attr:`interest` readable."""
        return self._exit_fd is None or self._channel.closed

    @property
    def interest(self) -> dict[int, int]:
        """The descriptors, and their events to poll for, that call for :meth:`receive`."""
        wanted = {} if self._exit_fd is None else {self._exit_fd: select.POLLIN}
        if events := self._channel.interest:
            wanted[self._channel.fileno()] = events
        return wanted

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

    def start(
        self,
        job: Job,
        output: str | None,
        directory: str | None = None,
        variables: Mapping[str, str] | None = None,
        *,
        worker: str = "",
    ) -> None:
        """Hand over a job, which begins as soon as the run function is loaded.

        Args:
            job: the job.
            output: file for what it prints; None leaves it where this process's output goes.
            directory: to run in; None for the one in which the process was started.
            variables: of the environment, to set before.
            worker: name of the worker.
        """
        self._begin_loading()
        self._assignment = _Assignment(job.id, output, time.monotonic())
        message = {
            "id": job.id,
            "point": job.point,
            "attempt": job.attempt,
            "seed": job.seed,
            "worker": worker,
            "own_directory": job.directory,
            "output": output,
            "directory": directory,
            "variables": dict(variables or {}),
        }
        self._channel.send(json.dumps(message).encode())

    def request_stop(self, job_id: str) -> None:
        """Ask a job to end early, which it does when it reports or asks next."""
        self._channel.send(json.dumps({"stop": job_id}).encode())

    def receive(self, timeout: float = 0.0) -> list[Message]:
        """Return what it has said, waiting up to ``timeout`` seconds for something.

        The last message is Died if the process has ended and has nothing more to say.
        """
        if timeout > 0 and not self._unread:
            self._wait(timeout)
        messages, self._unread = self._unread, []
        self._channel.flush()
        messages += self._read(to_the_end=False)
        if messages and self._fault is None and not self._channel.closed:
            return messages  # if it has ended, the next look finds out
        ended = self._process.poll() is not None  # asked first: what it said before is read below
        if ended:
            messages += self._read(to_the_end=True)
        if self._channel.closed and not ended:
            now = time.monotonic()
            self._closed_at = min(self._closed_at, now)
            if now > self._closed_at + _END_SECONDS:
                self._give_up("run closed its worker's channel to the search")
        if ended or self._fault is not None:
            messages.append(Died(self._fault or self._cause_of_death()))
        return messages

    def events(self, timeout: float = 0.0) -> list[JobMessage]:
        """Return what has happened to its job, waiting up to ``timeout`` seconds for something.

        A job ends with the process, or with its failure to load the run function, too; it is not
        :attr:`usable` then.
        """
        events: list[JobMessage] = []
        for message in self.receive(timeout):
            assignment = self._assignment
            if assignment is None or isinstance(message, (Loaded, Leaving)):
                continue
            if isinstance(message, Died):
                failure = replace(message.failure, text=tail(assignment.output))
                message = assignment.ended(failure)
            elif isinstance(message, LoadFailed):
                message = assignment.ended(Failure("exception", message.message))
            if isinstance(message, JobEnded):
                self._assignment = None
            events.append(message)
        return events

    def kill(self) -> None:
        """End the process and everything that it has started, at once; wait until it has ended."""
        self._end()
        self._reaper.release(self._process.pid)
        LIFELINES.discard(self._channel.fileno())
        self._channel.close()
        if self._exit_fd is not None:
            os.close(self._exit_fd)
            self._exit_fd = None

    def _end(self) -> None:
        """End the processes, through the supervisor as long as it lives.

        The supervisor ends when it has ended what its worker has left.
        """
        if self._process.poll() is None:
            below = reaper.children(self._process.pid)
            reaper.kill(below)
            with contextlib.suppress(OSError):
                os.kill(self._process.pid, signal.SIGCONT)
            if below and self._has_ended_within(_END_SECONDS):
                return
            reaper.kill_all_of(self._process.pid)
            self._process.wait()
        # The supervisor may have been killed before it was through.
        reaper.kill_marked([self._mark])

    def _has_ended_within(self, seconds: float) -> bool:
        if self._exit_fd is not None:
            poll = select.poll()
            poll.register(self._exit_fd, select.POLLIN)
            poll.poll(1000 * seconds)
            return self._process.poll() is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False

    def _read(self, to_the_end: bool) -> list[Message]:
        """Return the messages that have come."""
        messages: list[Message] = []
        try:
            for data in self._channel.drain(to_the_end):
                messages.append(self._understood(decode(data)))
        except (BrokenChannel, ValueError) as error:
            self._give_up(f"run broke its worker's channel to the search: {error}")
        return messages

    def _give_up(self, reason: str) -> None:
        """End the process for what it has done."""
        if self._fault is None:
            self._fault = Failure("worker_died", reason)
            self._end()

    def _understood(self, message: Message) -> Message:
        """Return a message whose times are those of an epoch.

        Raises:
            ValueError: if it can't come now.
        """
        if isinstance(message, (Loaded, LoadFailed)):
            if self._loaded is not None:
                raise ValueError("it loads a second time")
            self._loaded = message
        elif isinstance(message, Leaving):
            self._leaving = True
        elif isinstance(message, (JobStarted, JobReported, JobEnded)):  # faster than a union
            assignment = self._assignment
            if assignment is None or message.job_id != assignment.job_id:
                raise ValueError("it tells of another job")
            if isinstance(message, JobStarted):
                assignment.begin(message.time)
                assert assignment.start is not None
                return JobStarted(message.job_id, assignment.start)
            if assignment.start is None:
                raise ValueError("its job ends before it begins")
            if isinstance(message, JobReported):
                return replace(message, time=assignment.at(message.time))
            end = assignment.at(message.end)
            self.served = True
            return replace(message, start=assignment.start, end=end)
        return message

    def _wait(self, timeout: float) -> None:
        poll = select.poll()
        for fd, events in self.interest.items():
            poll.register(fd, events)
        longest = POLL_SECONDS if self.has_to_be_asked else LONGEST_WAIT
        poll.poll(math.ceil(1000 * min(timeout, longest)))

    def _begin_loading(self) -> None:
        if self._run is not None:
            self._channel.send(_encoded(self._run))
            self._run = None

    def _load_failed(self, message: str) -> LoadFailed:
        self._loaded = LoadFailed(message)
        return self._loaded

    def _cause_of_death(self) -> Failure:
        code = self._process.returncode
        if code == BROKEN and self.loaded:
            return Failure("worker_died", "run broke what its worker process needs")
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


@functools.lru_cache(maxsize=1)
def _encoded(run: str) -> bytes:
    """Return a run function's text as it is sent, one copy for all workers."""
    return run.encode()


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
