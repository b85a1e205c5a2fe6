"""The program that Balsam runs for one evaluation; it knows files, not the database.

It is started in the evaluation's own directory, see :mod:`deephyper.balsam.evaluation_directory`,
which says what to evaluate and takes the messages. The file ``stop`` there asks it to end without a
result; so does SIGTERM, which the launcher sends when its time is over.

On one rank ``run`` is called in another process, so that time limits, output and causes of death
are those of every other evaluator; it may be one that has served earlier evaluations, see
:mod:`deephyper.balsam.kept_worker`. On several ranks it is called in the rank's own process,
as MPI needs it; the value that rank 0 returns counts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from deephyper.balsam.evaluation_directory import EvaluationDirectory, EvaluationSpec
from deephyper.balsam.kept_worker import kept_worker
from deephyper.clock import Clock
from deephyper.errors import DeepHyperError
from deephyper.evaluator.bookkeeping import LOAD_SECONDS
from deephyper.evaluator.current import Context
from deephyper.evaluator.output import open_output, tail
from deephyper.evaluator.run_function import RunFunction, call
from deephyper.evaluator.worker.environment import thread_variables
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobReported, JobStarted
from deephyper.evaluator.worker.worker_process import WorkerProcess, not_loaded_within
from deephyper.job import Failure, Objective
from deephyper.objective import Result

_RANK_VARIABLES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "ALPS_APP_PE", "SLURM_PROCID")
_POLL_SECONDS = 0.5
"""The time between two looks for a request to stop."""
_SIGNAL_SECONDS = 0.5
"""The time for which a failure is held back: SIGTERM reaches the programs of a job in any order,
and an error that a program has because another one was ended is not a result."""
_FAILED = 3  # not 1 or 255, which Balsam would try again
_ENDED_BY_SIGNAL = 128 + signal.SIGTERM


def main() -> int:
    """Run the evaluation in the current directory; return the exit status for Balsam."""
    rank = _rank()
    directory = EvaluationDirectory(Path(), writer=str(rank))
    spec = directory.read_spec()
    if rank == 0:
        directory.clear()
    if spec.ranks > 1:
        # An exception would be taken for one of the run function's, which is called here.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(_ENDED_BY_SIGNAL))
        return _Rank(spec, directory, rank).run()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_ENDED_BY_SIGNAL))
    return _run_in_a_process(spec, directory)


class _Worker(Protocol):
    """A process that has the job of this evaluation."""

    def events(self, timeout: float) -> list[JobMessage]: ...

    def request_stop(self, job_id: str) -> None: ...


def _run_in_a_process(spec: EvaluationSpec, directory: EvaluationDirectory) -> int:
    run = Path(spec.run_file).read_text()
    with _worker(run, spec) as worker:
        ended = _follow(worker, spec, directory)
    if ended is None:
        return 0
    if not isinstance(ended.result, Failure):
        directory.send(ended)
        return 0
    time.sleep(_SIGNAL_SECONDS)
    directory.send(ended)
    # Balsam takes the last lines of what is printed as the reason.
    print(f"{ended.result.kind}: {ended.result.message}", flush=True)
    return _FAILED


@contextlib.contextmanager
def _worker(run: str, spec: EvaluationSpec) -> Iterator[_Worker]:
    """Hand the job to a kept worker, or to one of this evaluation's own, that ends with it."""
    kept = kept_worker(run, spec)
    if kept is not None:
        with contextlib.closing(kept):
            yield kept
        return
    reaper = Reaper()
    process = WorkerProcess(run, reaper, thread_variables(spec.threads))
    try:
        process.start(spec.job, spec.output, worker=socket.gethostname())
        yield process
    finally:
        process.kill()
        reaper.close()


def _follow(
    worker: _Worker, spec: EvaluationSpec, directory: EvaluationDirectory
) -> JobEnded | None:
    """Pass on what happens until the evaluation ends; return its end, None if it was to stop."""
    start: float | None = None
    pruned = False
    deadline = time.monotonic() + LOAD_SECONDS
    while True:
        left = max(0.0, deadline - time.monotonic())
        for message in worker.events(min(_POLL_SECONDS, left)):
            if isinstance(message, JobEnded):
                return message
            if isinstance(message, JobStarted):
                start = message.time
                deadline = time.monotonic() + _limit(spec)
                message = dataclasses.replace(message, worker=socket.gethostname())
            # A report that can't be written is worth less than the evaluation.
            with contextlib.suppress(OSError):
                directory.send(message)
        if directory.stop_requested:
            return None
        if not pruned and directory.prune_requested:
            worker.request_stop(spec.id)
            pruned = True
        if time.monotonic() >= deadline:
            return _overdue(spec, start)


class _Rank:
    """One of several ranks of an evaluation."""

    def __init__(self, spec: EvaluationSpec, directory: EvaluationDirectory, rank: int) -> None:
        self._spec = spec
        self._directory = directory
        self._rank = rank
        self._now = Clock().steady()

    def run(self) -> int:
        """Call ``run`` in this process; return the exit status."""
        spec = self._spec
        for name, value in thread_variables(spec.threads).items():
            os.environ.setdefault(name, value)
        if spec.output is not None:
            with contextlib.suppress(OSError):
                file = open_output(spec.output)
                os.dup2(file, 1)
                os.dup2(file, 2)
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            run = RunFunction.loads(Path(spec.run_file).read_text()).load()
        except DeepHyperError as error:
            return self._end(None, Result(Failure("exception", str(error))))
        start = self._now()
        if self._rank == 0:
            self._directory.send(JobStarted(spec.id, start, socket.gethostname()))
        context = Context(
            spec.id,
            spec.attempt,
            spec.seed,
            socket.gethostname(),
            spec.directory,
            send=self._report if self._rank == 0 else None,
            stop_requested=lambda: self._directory.prune_requested,
            whole_process=True,
        )
        return self._end(start, call(run, spec.point, context))

    def _report(self, step: int, objective: Objective, metrics: Mapping[str, float]) -> None:
        with contextlib.suppress(OSError):
            message = JobReported(self._spec.id, step, objective, self._now(), metrics)
            self._directory.send(message)

    def _end(self, start: float | None, returned: Result) -> int:
        """Write what rank 0 returned, or the first failure of any rank."""
        result = returned.value
        if isinstance(result, Failure) and not returned.pruned:
            time.sleep(_SIGNAL_SECONDS)
            # Another rank's None is not a failure: only rank 0 has to return the objective.
            if self._rank != 0 and result.kind not in ("exception", "out_of_memory"):
                return 0
            if self._rank != 0:
                message = f"rank {self._rank}: {result.message}"
                result = dataclasses.replace(result, message=message)
            if self._directory.ended() is None:
                self._directory.send(JobEnded(self._spec.id, result, start, self._now()))
            # The other ranks may be waiting for this one; the launcher of the ranks ends them.
            os._exit(_FAILED)
        if self._rank == 0:
            ended = JobEnded(
                self._spec.id, result, start, self._now(), returned.metrics, returned.pruned
            )
            self._directory.send(ended)
        return 0

    def _watch(self) -> None:
        """End this process when the search asks for it, or at the time limit."""
        end = time.monotonic() + LOAD_SECONDS
        start: float | None = None
        while True:
            time.sleep(_POLL_SECONDS)
            if start is None:
                started = self._directory.started()
                if started is not None:
                    start, end = started.time, time.monotonic() + _limit(self._spec)
            if self._directory.stop_requested:
                os._exit(0)
            if time.monotonic() >= end:
                if self._rank == 0:
                    self._directory.send(_overdue(self._spec, start))
                os._exit(_FAILED)


def _limit(spec: EvaluationSpec) -> float:
    return math.inf if spec.timeout is None else spec.timeout


def _overdue(spec: EvaluationSpec, start: float | None) -> JobEnded:
    if start is None:
        message = not_loaded_within(LOAD_SECONDS)
    else:
        message = f"it ran past its limit of {_limit(spec):g} s"
    return JobEnded(spec.id, Failure("timeout", message, tail(spec.output)), start, time.time())


def _rank() -> int:
    for name in _RANK_VARIABLES:
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
