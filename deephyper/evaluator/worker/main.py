"""The worker's side of a worker process: load the run function once, then evaluate what comes.

Over the channel the parent sends ``{"run": TEXT}`` once, and ``{"id", "point", "output"}`` for each
job. The answers are those of :mod:`deephyper.evaluator.worker.messages`.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from deephyper.errors import DeepHyperError
from deephyper.evaluator.output import open_output
from deephyper.evaluator.run_function import Function, RunFunction, evaluate
from deephyper.evaluator.worker.channel import Channel
from deephyper.evaluator.worker.messages import (
    JobEnded,
    JobReported,
    JobStarted,
    Loaded,
    LoadFailed,
    to_json,
)
from deephyper.loading import current_directory
from deephyper.objective import Objective
from deephyper.standard_streams import open_missing


def main(fd: int) -> None:
    """Serve the parent at the other end of a socket until it closes."""
    channel = Channel(fd)
    open_missing()
    faulthandler.enable()
    _adopt_orphans()
    sys.stdout, sys.stderr = _stream(1), _stream(2)
    with contextlib.suppress(EOFError, OSError):
        function = _load(channel, channel.receive()["run"])
        home = current_directory()
        while True:
            job = channel.receive()
            _reopen_closed_streams()
            with _output_to(job["output"]):
                start = time.time()
                channel.send(to_json(JobStarted(job["id"], start)))
                result = evaluate(function, job["point"], partial(_report, channel, job["id"]))
                end = time.time()
            channel.send(to_json(JobEnded(job["id"], result, start, end)))
            with contextlib.suppress(OSError):
                os.chdir(home or os.curdir)
    # Whatever user code left behind (threads, exit handlers) must not keep the process alive.
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def _load(channel: Channel, text: str) -> Function:
    try:
        function = RunFunction.loads(text).load()
    except DeepHyperError as error:
        channel.send(to_json(LoadFailed(str(error))))
        os._exit(0)
    except BaseException as error:
        reason = f"run can't be loaded: {type(error).__name__}: {error}"
        channel.send(to_json(LoadFailed(reason)))
        os._exit(0)
    channel.send(to_json(Loaded()))
    return function


def _report(
    channel: Channel, job_id: str, step: int, objective: Objective, metrics: Mapping[str, float]
) -> None:
    # An evaluation whose parent is gone is about to be killed.
    with contextlib.suppress(OSError):
        channel.send(to_json(JobReported(job_id, step, objective, time.time(), metrics)))


def _adopt_orphans() -> None:
    """Adopt what evaluations have started when its own parent ends, so that it is found when this
    process is killed. Only Linux can do that."""
    if sys.platform == "linux":
        import ctypes

        pr_set_child_subreaper = 36
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


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


def _reopen_closed_streams() -> None:
    """Reopen for the next evaluation the streams that one has closed."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        if getattr(getattr(sys, name), "closed", False):
            setattr(sys, name, _stream(fd))


@contextlib.contextmanager
def _output_to(path: str | None) -> Iterator[None]:
    """Send what the evaluation prints, C code included, to a file of its own."""
    if path is None:
        yield
        return
    try:
        file = open_output(path)
    except OSError:
        # An objective is worth more than what was printed on the way.
        file = os.open(os.devnull, os.O_WRONLY)
    saved = [os.dup(1), os.dup(2)]
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        for fd, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, fd)
            os.close(copy)
