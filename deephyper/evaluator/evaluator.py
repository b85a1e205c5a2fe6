"""One interface to every way of evaluating points, and the bookkeeping that all of them share.

A backend says only how to start a job, how to hear from its workers and how to end one. Which
worker is free, which job waits, what is past its time limit and what an outcome looks like is
decided here.
"""

from __future__ import annotations

import importlib
import itertools
import math
import os
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from deephyper.errors import EvaluatorError
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.job import Failure, Job, Outcome
from deephyper.loading import importing

METHODS: dict[str, tuple[str, str]] = {
    "thread": ("deephyper.evaluator.thread", "ThreadEvaluator"),
    "process": ("deephyper.evaluator.process", "ProcessEvaluator"),
    "subprocess": ("deephyper.evaluator.subprocess", "SubprocessEvaluator"),
    "ray": ("deephyper.evaluator.ray", "RayEvaluator"),
    "balsam": ("deephyper.balsam.evaluator", "BalsamEvaluator"),
}
CLASSIC_NAMES = {"threadPool": "thread", "processPool": "process"}
DEFAULT_METHOD = "process"


LOAD_SECONDS = 300.0
"""How long a worker may take to load the run function: on a busy shared file system, importing a
large library takes minutes."""


@dataclass(frozen=True)
class Started:
    """A worker has begun a job; ``time`` is in seconds since the epoch."""

    job_id: str
    worker: str
    time: float


@dataclass(frozen=True)
class Ended:
    """A worker is through with a job; times are in seconds since the epoch."""

    job_id: str
    result: float | Failure
    start: float | None
    end: float


_MOST_WORKERS = 1_000_000
_LONGEST_WAIT = 3600.0
"""Seconds that are waited at a time: the system's own waits have limits."""


@dataclass
class _Running:
    job: Job
    slot: int
    deadline: float  # by time.monotonic()
    worker: str
    output: str | None
    start: float | None = None


class Evaluator(ABC):
    """Evaluates points on a number of workers; none waits for another.

    Use :meth:`create`, and the object as a context manager or :meth:`close` at the end.

    Args:
        run: function of one argument, the point (a dict that is its own copy), that returns the
            objective to maximize; or where to find it, see :mod:`.run_function`.
        num_workers: how many evaluations run at a time.
        timeout: seconds that an evaluation may last; None for no limit.
        output_dir: folder for what each evaluation prints, ``<id>.<attempt>.log``; None leaves it
            where this process's output goes.
        num_cpus_per_task: processor cores of a worker.
        num_gpus_per_task: GPUs of a worker; it finds them in ``CUDA_VISIBLE_DEVICES``.

    Raises:
        EvaluatorError: if an argument is out of its range.
        RunFunctionError: if ``run`` is neither a function nor a spec.
    """

    method: ClassVar[str]
    can_kill: ClassVar[bool] = True
    startup_allowance: ClassVar[float] = LOAD_SECONDS
    """Seconds beyond the time limit in which a worker has to begin."""

    def __init__(
        self,
        run: str | Function | RunFunction,
        num_workers: int = 1,
        *,
        timeout: float | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        num_cpus_per_task: int = 1,
        num_gpus_per_task: float = 0,
    ) -> None:
        for name, count in (("num_workers", num_workers), ("num_cpus_per_task", num_cpus_per_task)):
            if not isinstance(count, int):
                raise EvaluatorError(f"{name} is {count!r}; give a whole number")
            _at_least(name, count, 1)
            if count > _MOST_WORKERS:
                raise EvaluatorError(f"{name} is {count}; give at most {_MOST_WORKERS}")
        _at_least("num_gpus_per_task", num_gpus_per_task, 0)
        if timeout is not None and not timeout > 0:
            raise EvaluatorError(f"the time limit is {timeout} seconds; give more than 0")
        self.run_function = RunFunction.of(run)
        self.num_workers = num_workers
        self.timeout = timeout
        self.output_dir = None if output_dir is None else Path(output_dir).absolute()
        self.num_cpus_per_task = num_cpus_per_task
        self.num_gpus_per_task = num_gpus_per_task
        self.on_start: Callable[[Job, str, float], None] | None = None
        """Called with job, worker and time (seconds since the epoch) when a worker begins."""
        self._waiting: deque[Job] = deque()
        self._running: dict[str, _Running] = {}
        self._done: list[Outcome] = []
        self._free = list(reversed(range(num_workers)))
        self._ids = itertools.count()
        self._closed = False
        self._process_id = os.getpid()

    @staticmethod
    def create(
        run: str | Function | RunFunction,
        method: str = DEFAULT_METHOD,
        num_workers: int | None = None,
        **options: Any,
    ) -> Evaluator:
        """Make an evaluator.

        Args:
            run: see the class.
            method: "thread", "process", "subprocess", "ray" or "balsam" (or the classic
                "threadPool" and "processPool").
            num_workers: how many evaluations run at a time; None for 1, with balsam for as many
                as its launcher has room for.
            options: what the class of the method takes.

        Raises:
            EvaluatorError: if the method is unknown or an option doesn't suit it.
            MissingExtra: if the method needs a package that isn't installed.
        """
        name = CLASSIC_NAMES.get(method, method)
        if name not in METHODS:
            raise EvaluatorError(
                f"unknown evaluator '{method}'; choose one of {', '.join(METHODS)}"
            )
        if importing():
            raise EvaluatorError(
                "a search is begun while its file is imported; put that code under "
                "if __name__ == '__main__':"
            )
        module, cls = METHODS[name]
        backend: type[Evaluator] = getattr(importlib.import_module(module), cls)
        try:
            if num_workers is not None:
                options["num_workers"] = num_workers
            return backend(run, **options)
        except TypeError as error:
            if "unexpected keyword argument" not in str(error):
                raise
            option = str(error).rpartition("argument ")[2]
            raise EvaluatorError(f"the {name} evaluator has no option {option}") from error

    # What a search calls.

    def check(self, limit: float | None = None) -> None:
        """Make sure that the run function can be loaded where it will run.

        Args:
            limit: seconds that it may take; None leaves it at :data:`LOAD_SECONDS`.

        Raises:
            RunFunctionError: if it can't.
            EvaluatorError: if the evaluator is closed, or its output folder can't be made.
        """
        self._refuse_if_closed()
        self._check(self.startup_allowance if limit is None else limit)
        self._make_output_dir()

    def submit(self, points: Iterable[dict[str, Any] | Job]) -> list[Job]:
        """Take points, or jobs with ids of their own; those beyond the free workers wait."""
        self._refuse_if_closed()
        jobs = [p if isinstance(p, Job) else Job(str(next(self._ids)), dict(p)) for p in points]
        self._waiting.extend(jobs)
        self._start_waiting()
        return jobs

    def gather(self, at_least: int = 1, timeout: float | None = None) -> list[Outcome]:
        """Everything that has ended since the last call, as soon as it is enough.

        Args:
            at_least: how many outcomes to wait for; 0 takes what is there. Never more than the
                jobs that are left.
            timeout: seconds after which to return with fewer; None waits.
        """
        until = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            wanted = min(at_least, len(self._done) + self.num_unfinished)
            enough = len(self._done) >= wanted
            now = time.monotonic()
            if self._running:
                wake = min(until, *(running.deadline for running in self._running.values()))
                wait = 0.0 if enough else max(0.0, wake - now)
                self._take(self._wait(min(wait, _LONGEST_WAIT)))
                self._end_overdue()
                self._start_waiting()
            if enough or now >= until:
                done, self._done = self._done, []
                return done

    def gather_all(self) -> list[Outcome]:
        """Wait for every job that was submitted."""
        return self.gather(at_least=len(self._done) + self.num_unfinished)

    def cancel(self, ids: Iterable[str] | None = None) -> list[Outcome]:
        """End jobs, all without ids; outcomes "stopped" for those that had not ended by
        themselves. What a thread is running can't be ended; it is left alone."""
        wanted = None if ids is None else set(ids)
        stopped: list[Outcome] = []
        for job in [j for j in self._waiting if wanted is None or j.id in wanted]:
            self._waiting.remove(job)
            stopped.append(Outcome(job, "stopped", None, None, None, time.time(), ""))
        self._take(self._wait(0.0) if self._running else [])
        for running in [r for r in self._running.values() if wanted is None or r.job.id in wanted]:
            self._stop(running.job.id, running.slot)
            stopped.append(self._outcome(running, "stopped", None, time.time()))
        self._start_waiting()
        return stopped

    def close(self) -> None:
        """End everything, workers included. What had not ended is lost."""
        if os.getpid() != self._process_id:
            return  # in a child that was forked: the workers aren't its own
        if not self._closed:
            self._closed = True
            self._waiting.clear()
            self._running.clear()
            self._close()

    @property
    def num_unfinished(self) -> int:
        """Jobs that were submitted and have not ended."""
        return len(self._running) + len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether every outcome of what was submitted has been gathered."""
        return not (self._running or self._waiting or self._done)

    @property
    def num_free(self) -> int:
        """Workers with nothing to do."""
        return max(0, len(self._free) - len(self._waiting))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # What a backend gives.

    @abstractmethod
    def _start(self, job: Job, slot: int, output: str | None) -> str:
        """Hand a job to the worker of a slot; return the worker's name. Must not block."""

    @abstractmethod
    def _wait(self, timeout: float | None) -> Sequence[Started | Ended]:
        """What has happened, waiting up to ``timeout`` seconds (None: for ever) if nothing has."""

    @abstractmethod
    def _stop(self, job_id: str, slot: int) -> None:
        """End a running job; its slot must be usable at once. Nothing more may be heard of it."""

    @abstractmethod
    def _close(self) -> None:
        """End all workers."""

    def _check(self, limit: float) -> None:
        """Load the run function where it will run, within ``limit`` seconds."""
        self.run_function.load()

    # Bookkeeping.

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise EvaluatorError("the evaluator is closed; make a new one")

    def _make_output_dir(self) -> None:
        if self.output_dir is not None:
            try:
                self.output_dir.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise EvaluatorError(
                    f"the folder '{self.output_dir}' for what evaluations print can't be made "
                    f"({error.strerror or error}); move away what is there, or choose another"
                ) from error

    def _start_waiting(self) -> None:
        while self._waiting and self._free:
            job, slot = self._waiting.popleft(), self._free.pop()
            output = None
            if self.output_dir is not None:
                self._make_output_dir()
                output = str(self.output_dir / f"{job.id}.{job.attempt}.log")
            worker = self._start(job, slot, output)
            limit = math.inf if self.timeout is None else self.timeout + self.startup_allowance
            self._running[job.id] = _Running(job, slot, time.monotonic() + limit, worker, output)

    def _take(self, events: Sequence[Started | Ended]) -> None:
        for event in events:
            running = self._running.get(event.job_id)
            if running is None:
                continue
            if isinstance(event, Started):
                running.start = event.time
                running.worker = event.worker
                if self.timeout is not None:
                    running.deadline = time.monotonic() + self.timeout
                if self.on_start is not None:
                    self.on_start(running.job, event.worker, event.time)
            else:
                running.start = event.start if event.start is not None else running.start
                self._done.append(self._outcome(running, "", event.result, event.end))

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for running in [r for r in self._running.values() if r.deadline <= now]:
            self._stop(running.job.id, running.slot)
            if running.start is None:
                message = "the worker could not load the run function in time"
            else:
                message = f"it ran past its limit of {self.timeout:g} s"
                if not self.can_kill:
                    message += "; a thread can't be killed, so it may still be running"
            result = Failure("timeout", message, self._tail(running.output))
            self._done.append(self._outcome(running, "", result, time.time()))

    def _outcome(
        self, running: _Running, status: str, result: float | Failure | None, end: float
    ) -> Outcome:
        del self._running[running.job.id]
        self._free.append(running.slot)
        failure = result if isinstance(result, Failure) else None
        output = running.output
        if output is not None and not os.path.exists(output):
            output = None
        return Outcome(
            job=running.job,
            status="stopped" if status == "stopped" else "failed" if failure else "finished",
            objective=None if result is None or isinstance(result, Failure) else result,
            failure=failure,
            start=running.start,
            end=end,
            worker=running.worker,
            output=output,
        )

    @staticmethod
    def _tail(output: str | None) -> str:
        from deephyper.evaluator.worker.process import tail

        return tail(output)


def _at_least(name: str, value: float, least: int) -> None:
    if not value >= least:
        raise EvaluatorError(f"{name} is {value}; give at least {least}")
