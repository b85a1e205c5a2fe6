"""The worker's side of a worker process: load the run function once, then evaluate what comes.

Over the channel the parent sends the run function once, as :meth:`RunFunction.dumps` gives it, and
for each job ``{"id", "point", "output", "directory", "variables"}`` as JSON, see
:meth:`WorkerProcess.start`. The answers are those of :mod:`deephyper.evaluator.worker.messages`.

User code may replace whatever it can reach, in modules too. So what is needed after it has run is
bound to names of this module, and where that isn't enough this process ends, and not the search.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import sys
import time
from collections import deque
from collections.abc import Mapping

# By their own names: user code may replace the functions in their modules.
from os import _exit, chdir, close, dup2, environ
from os import open as open_file
from typing import Any

from deephyper.errors import DeepHyperError
from deephyper.evaluator.current import Context
from deephyper.evaluator.output import open_output
from deephyper.evaluator.run_function import Function, RunFunction, call
from deephyper.evaluator.worker.channel import WorkerEnd
from deephyper.evaluator.worker.home import Home
from deephyper.evaluator.worker.messages import (
    BROKEN,
    JobEnded,
    JobReported,
    JobStarted,
    Leaving,
    Loaded,
    LoadFailed,
    Message,
    to_text,
)
from deephyper.objective import Failure, Objective, Result, one_line
from deephyper.standard_streams import open_missing


def main(fd: int) -> None:
    """Serve the parent at the other end of a socket until it closes."""
    open_missing()
    status, end = BROKEN, _exit
    try:
        channel = WorkerEnd(fd)
        faulthandler.enable()
        _Worker(channel).serve()
    except EOFError:
        status = 0  # the parent has ended
    finally:
        # Whatever user code left behind (threads, exit handlers) must not keep the process alive.
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            end(status)


class _Worker:
    """The worker in this process.

    Args:
        channel: leads to the parent.
    """

    def __init__(self, channel: WorkerEnd) -> None:
        self._channel = channel
        self._encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode
        self._decode = json.JSONDecoder().raw_decode  # of a text without spaces around it
        self._now = time.monotonic  # a clock that is replaced everywhere is not replaced here
        self._job_id = ""
        self._received: deque[dict[str, Any]] = deque()  # while a job ran
        sys.stdout, sys.stderr = _stream(1), _stream(2)

    def serve(self) -> None:
        """Load the run function, then take jobs."""
        function = self._load(self._channel.receive().decode())
        if function is None:
            return
        home = Home()
        streams = sys.stdout, sys.stderr
        while True:
            job = self._received.popleft() if self._received else self._receive()
            if "stop" in job:
                continue  # a job that has ended meanwhile
            sys.stdout, sys.stderr = streams = _open(streams[0], 1), _open(streams[1], 2)
            if not self._run(function, job, home):
                return

    def _run(self, function: Function, job: dict[str, Any], home: Home) -> bool:
        """Evaluate a job; return whether this process is as it was before."""
        self._job_id = job["id"]
        if job["output"] is not None:
            _redirect(job["output"])
        start = self._now()
        self._send(JobStarted(self._job_id, start))
        failure = _enter(job["directory"], job["variables"])
        context = Context(
            self._job_id,
            job["attempt"],
            job["seed"],
            job["worker"],
            job["own_directory"],
            send=self._report,
            stop_requested=self._stop_requested,
            whole_process=True,
        )
        result = Result(failure) if failure else call(function, job["point"], context)
        end = self._now()
        _flush()
        restored = _restored(home)
        if not restored:
            self._send(Leaving())
        ended = JobEnded(
            self._job_id, result.value, start, end, result.metrics, pruned=result.pruned
        )
        self._send(ended)
        return restored

    def _load(self, text: str) -> Function | None:
        try:
            run = RunFunction.loads(text)
            sys.argv = run.argv()
            function = run.load()
            sys.argv = run.argv()
        except DeepHyperError as error:
            reason = str(error)
        except BaseException as error:
            reason = f"run can't be loaded: {one_line(error)}"
        else:
            self._send(Loaded())
            return function
        self._send(LoadFailed(reason))
        return None

    def _receive(self) -> dict[str, Any]:
        job: dict[str, Any]
        job, _ = self._decode(self._channel.receive().decode())
        return job

    def _stop_requested(self) -> bool:
        """Return whether the parent has asked the job to end early."""
        while self._channel.has_message():
            self._received.append(self._receive())
        return any(message.get("stop") == self._job_id for message in self._received)

    def _report(self, step: int, objective: Objective, metrics: Mapping[str, float]) -> None:
        message = JobReported(self._job_id, step, objective, self._now(), dict(metrics))
        # An evaluation whose parent is gone is about to be killed.
        with contextlib.suppress(OSError):
            self._send(message)

    def _send(self, message: Message) -> None:
        # A text may hold half a character, which no reader of JSON takes.
        self._channel.send(to_text(message, self._encode).encode(errors="replace"))


class _Descriptor(io.FileIO):
    """A file that takes what can't be written, as to a full disk, without an error."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return memoryview(data).nbytes  # an objective is worth more than what was printed


def _stream(fd: int) -> io.TextIOWrapper:
    """Return standard output or error, written line by line: a kill loses nothing printed."""
    buffer = io.BufferedWriter(_Descriptor(fd, "w", closefd=False))
    return io.TextIOWrapper(
        buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True
    )


def _open(stream: Any, fd: int) -> Any:
    """Return a stream for the next evaluation, a new one if an earlier one has closed it."""
    return _stream(fd) if getattr(stream, "closed", False) else stream


def _restored(home: Home) -> bool:
    """Set this process back to what it was; return whether that was possible."""
    try:
        open_missing()
        return home.restore()
    except BaseException:  # user code has replaced what is needed
        return False


def _enter(directory: str | None, variables: Mapping[str, str]) -> Failure | None:
    """Go where a job is to run; return why that isn't possible."""
    environ.update(variables)
    try:
        if directory is not None:
            chdir(directory)
    except OSError as error:
        return Failure("exception", f"the directory '{directory}' can't be entered: {error}")
    return None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()


def _redirect(path: str) -> None:
    """Send what the evaluation prints, C code included, to a file of its own.

    What threads print that it leaves behind goes there too, until the next evaluation.
    """
    try:
        file = open_output(path)
    except OSError:
        # An objective is worth more than what was printed on the way.
        file = open_file(os.devnull, os.O_WRONLY)
    dup2(file, 1)
    dup2(file, 2)
    if file > 2:
        close(file)
