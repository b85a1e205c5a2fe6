"""A worker that outlives an evaluation in the job mode serial, as the evaluation sees it.

What a run function imports may take longer than the evaluation. So the first evaluation on a node
leaves its worker to a process that keeps it, :mod:`deephyper.balsam.keeper`, and a later one that
would start the same worker takes that one. A keeper that is free listens on a Unix socket in a
directory that only its user can enter, one directory for each launcher. A busy one doesn't, so
that whoever connects has it for itself. Each message is a line of JSON.

Whatever fails before a worker is taken leaves the evaluation with a process of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from deephyper.balsam.evaluation_directory import EvaluationSpec
from deephyper.evaluator.output import tail
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobStarted, from_json
from deephyper.job import Failure

PER_JOB = ("BALSAM_JOB_ID",)
"""The environment variables that Balsam sets anew for each job."""
IDLE_SECONDS = 120.0
"""The time for which a worker is kept that nobody needs."""
_LONGEST_ADDRESS = 100  # bytes of the path of a Unix socket
_ANSWER_SECONDS = 60.0
"""The time in which a keeper takes a job; one that has just been started has to import first."""
_AGAIN_SECONDS = 0.01
"""The time after which keepers are looked for anew that others were quicker to take."""
_NOT_YET = "."
_END_SECONDS = 20.0
"""The time in which a keeper ends its worker."""
_READ_BYTES = 1 << 16
_CREDENTIALS = struct.Struct("3i")  # process, user and group of the other side of a socket


@dataclass(frozen=True)
class Place:
    """The place of the keepers of one launcher on a node, and the name of those that fit.

    Attributes:
        directory: theirs alone.
        key: tells apart the workers that differ in anything that an evaluation could notice.
        launcher: process id of the launcher's process on this node.
        began: the time of its start, as :func:`began` gives it.
    """

    directory: str
    key: str
    launcher: int
    began: str

    @classmethod
    def of(cls, run: str, written: int, threads: int) -> Self | None:
        """Return the place for the parent of this process; None where none can be kept.

        Args:
            run: the run function as :meth:`RunFunction.dumps` gives it.
            written: when that was written. Each session writes it anew, and may follow a change of
                the module that a worker has imported.
            threads: of the worker.
        """
        launcher = os.getppid()
        start = began(launcher)
        if not hasattr(os, "pidfd_open") or launcher == 1 or start is None:
            return None
        variables = {n: value for n, value in os.environ.items() if n not in PER_JOB}
        cores = sorted(os.sched_getaffinity(0))
        key = _digest(run, written, threads, sys.executable, sys.flags[:], cores, variables)
        # The directory for temporary files may be one that nodes share.
        owner = _digest(_boot(), os.stat("/proc/self/ns/pid").st_ino, launcher, start)
        directory = Path(tempfile.gettempdir(), f"deephyper-{os.geteuid()}-{owner}")
        place = cls(str(directory), key, launcher, start)
        return place if len(os.fsencode(place.address(1 << 22))) <= _LONGEST_ADDRESS else None

    def address(self, pid: int) -> str:
        """Return the path of the socket of a keeper by its process id."""
        return f"{self.directory}/{self.key}-{pid}"

    def address_before(self, pid: int) -> str:
        """Return the path of the same socket as long as nobody can be connected to it."""
        return f"{self.directory}/{_NOT_YET}{self.key}-{pid}"


class KeptWorker:
    """A worker that a keeper has given to this evaluation, and runs its job.

    Args:
        connection: leads to the keeper.
        spec: the evaluation.
        limit: seconds in which the keeper has to take the job.

    Raises:
        OSError: if the keeper doesn't take the job, because another evaluation was first.
        ValueError: if the other side is not a keeper.
    """

    def __init__(self, connection: Lines, spec: EvaluationSpec, limit: float) -> None:
        self._spec = spec
        self._connection = connection
        self._start: float | None = None
        variables = {name: os.environ[name] for name in PER_JOB if name in os.environ}
        request = {
            "id": spec.id,
            "point": spec.point,
            "attempt": spec.attempt,
            "output": spec.output,
            "directory": os.getcwd(),
            "seed": spec.seed,
            "own_directory": spec.directory,
            "variables": variables,
        }
        try:
            connection.send(request)
            if connection.receive(limit) != "taken":
                raise OSError("the keeper did not take the job")
        except (OSError, ValueError):
            connection.close()
            raise

    def request_stop(self, job_id: str) -> None:
        """Ask the job to end early."""
        with contextlib.suppress(OSError):
            self._connection.send({"stop": job_id})

    def events(self, timeout: float) -> list[JobMessage]:
        """Return what has happened to the job, waiting up to ``timeout`` seconds for something."""
        events: list[JobMessage] = []
        for line in self._connection.waiting(timeout):
            message = from_json(line)
            if isinstance(message, JobStarted):
                self._start = message.time
            if isinstance(message, JobMessage):
                events.append(message)
        if self._connection.closed and not (events and isinstance(events[-1], JobEnded)):
            text = "the process that keeps its worker has ended"
            failure = Failure("worker_died", text, tail(self._spec.output))
            events.append(JobEnded(self._spec.id, failure, self._start, time.time()))
        return events

    def close(self) -> None:
        """Let the worker go, which is killed with all that it has started if it isn't through."""
        self._connection.hang_up()


def kept_worker(run: str, spec: EvaluationSpec) -> KeptWorker | None:
    """Return a worker that has the job of an evaluation; None if the evaluation needs its own.

    Args:
        run: the run function as :meth:`RunFunction.dumps` gives it.
        spec: the evaluation.
    """
    # What is printed without a file goes to the standard output of this very process.
    if not spec.keeps_worker or spec.ranks > 1 or spec.output is None:
        return None
    try:
        place = Place.of(run, os.stat(spec.run_file).st_mtime_ns, spec.threads)
        if place is None:
            return None
        make_private(place.directory)
        return _free(place, spec) or _new(place, run, spec)
    except (OSError, ValueError):
        return None


def _free(place: Place, spec: EvaluationSpec) -> KeptWorker | None:
    """Return the worker of a keeper that is free; None if there is none, and none that is idle.

    Idle ones that don't fit are ended first: what they hold, such as the memory of a GPU, belongs
    to whoever runs there now.
    """
    until = time.monotonic() + _ANSWER_SECONDS
    while (entries := _entries(place)) and time.monotonic() < until:
        for entry in entries:
            with contextlib.suppress(OSError, ValueError):
                connection = _connect(f"{place.directory}/{entry}")
                return KeptWorker(connection, spec, _ANSWER_SECONDS)
        # Others were quicker. Yet another keeper may have become free since.
        time.sleep(_AGAIN_SECONDS)
    for entry in _entries(place, others=True):
        with contextlib.suppress(OSError):
            connection = _connect(f"{place.directory}/{entry}")
            with contextlib.suppress(OSError):
                connection.send(None)
            connection.hang_up()
    return None


def _entries(place: Place, others: bool = False) -> list[str]:
    """Return the names of the sockets of keepers that fit, or of the others; living ones'."""
    found = []
    with contextlib.suppress(FileNotFoundError):  # the last keeper removes the directory
        for entry in sorted(os.listdir(place.directory)):
            # A socket outlives a keeper that is killed. One that refuses may be about to listen,
            # or have been taken just now, so that refusing says nothing.
            if not _lives(entry.rpartition("-")[2]):
                with contextlib.suppress(OSError):
                    os.unlink(f"{place.directory}/{entry}")
            elif not entry.startswith(_NOT_YET) and entry.startswith(f"{place.key}-") != others:
                found.append(entry)
    return found


def _lives(pid: str) -> bool:
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def _connect(address: str) -> Lines:
    """Connect to a keeper.

    Raises:
        OSError: if it has ended, or another evaluation was first, or it is another user's.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_ANSWER_SECONDS)
        connection.connect(address)
        if not is_ours(connection):
            raise OSError("another user's")
    except OSError:
        connection.close()
        raise
    return Lines(connection)


def _new(place: Place, run: str, spec: EvaluationSpec) -> KeptWorker:
    """Start a keeper, whose first job is this evaluation's.

    Raises:
        OSError: if it doesn't start.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        settings = {"place": asdict(place), "threads": spec.threads, "idle": IDLE_SECONDS}
        arguments = json.dumps(settings)
        subprocess.Popen(
            [sys.executable, "-m", "deephyper.balsam.keeper", str(theirs.fileno()), arguments],
            stdin=subprocess.DEVNULL,
            stdout=_file_or_nothing(1),
            stderr=_file_or_nothing(2),
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    ours.settimeout(_ANSWER_SECONDS)
    connection = Lines(ours)
    try:
        connection.send(run)
    except OSError:
        connection.close()
        raise
    return KeptWorker(connection, spec, _ANSWER_SECONDS)


def _file_or_nothing(fd: int) -> int | None:
    """Return what a keeper takes in place of a stream of this process; None for the stream itself.

    What a run function prints while it is loaded belongs to the first evaluation. But whoever reads
    a pipe to its end waits for this process, not for the keeper.
    """
    with contextlib.suppress(OSError):
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return None
    return subprocess.DEVNULL


class Lines:
    """Values in JSON, one in each line, over a connection.

    Args:
        connection: belongs to this object from now on.

    Attributes:
        closed: True if nothing more will come.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        self.closed = False

    def fileno(self) -> int:
        return self._connection.fileno()

    def send(self, value: Any) -> None:
        """Send a value.

        Raises:
            OSError: if nobody takes it.
        """
        self._connection.sendall(json.dumps(value).encode() + b"\n")

    def receive(self, timeout: float) -> Any:
        """Wait for one value.

        Raises:
            OSError: if none comes in time.
            ValueError: if something else comes.
        """
        until = time.monotonic() + timeout
        while b"\n" not in self._received:
            if self.closed or time.monotonic() >= until:
                raise OSError("no answer")
            self._read(until - time.monotonic())
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def waiting(self, timeout: float) -> list[Any]:
        """Return the values that have come, waiting up to ``timeout`` seconds for something."""
        if b"\n" not in self._received:
            self._read(timeout)
        *lines, self._received = self._received.split(b"\n")
        return [json.loads(line) for line in lines]

    def hang_up(self) -> None:
        """Say that nothing more will be sent, wait until the other side has closed, and close."""
        until = time.monotonic() + _END_SECONDS
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            while not self.closed and time.monotonic() < until:
                self._read(until - time.monotonic())
        self.close()

    def close(self) -> None:
        self._connection.close()

    def _read(self, timeout: float) -> None:
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        if not poll.poll(max(0.0, 1000 * timeout)):
            return
        try:
            data = self._connection.recv(_READ_BYTES)
        except OSError:
            data = b""
        self._received += data
        self.closed = not data


def make_private(directory: str) -> None:
    """Make a directory that only this user can enter, if it isn't there.

    Raises:
        OSError: if it can't be made, or something else is there.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory, 0o700)
    status = os.lstat(directory)
    private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
    if not private or status.st_uid != os.geteuid():
        raise OSError(f"'{directory}' is not private")


def is_ours(connection: socket.socket) -> bool:
    """Return whether the other side is a process of the same user."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(data)
    return bool(user == os.geteuid())


def began(pid: int) -> str | None:
    """Return when a process began, by which it differs from a later one of its number."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()


def _digest(*values: object) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
