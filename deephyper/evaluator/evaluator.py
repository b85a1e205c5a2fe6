"""The interface to every way of evaluating points, and the bookkeeping that all of them share.

A backend says only how to start a job, how to hear from its workers and how to end one. Which
worker is free, which job waits, what is past its time limit and what an outcome looks like is
decided here.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from deephyper import checks
from deephyper.clock import LONGEST_WAIT, Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.due_times import DueTimes
from deephyper.evaluator.output import make_directory, output_file, tail
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.evaluator.running_job import Running
from deephyper.evaluator.slots import Slots
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobReported
from deephyper.job import Ended, Event, Failure, Job, Notice, Outcome
from deephyper.option import Option

DEFAULT_METHOD = "process"
LOAD_SECONDS = 300.0
"""The time in which a worker has to load the run function: on a busy shared file system, importing
a large library takes minutes."""

_MOST_WORKERS = 1_000_000


class Evaluator(ABC):
    """Evaluates points on a number of workers; none waits for another.

    Use :meth:`create`, and the object as a context manager or :meth:`close` at the end.

    A backend is a subclass that implements the four hooks below and declares what it adds to the
    command line as ``options``. Its name is registered as an entry point of the group
    ``deephyper.evaluators``.

    Args:
        run: function of one argument, the point (a dictionary that is its own copy), that returns
            the objective to maximize; or where to find it, see :mod:`.run_function`.
        num_workers: number of concurrent evaluations.
        timeout: time limit of an evaluation: seconds, or a text such as "10m"; None for no limit.
        output_dir: directory for what each evaluation prints, ``<id>.<attempt>.log``; None leaves
            it where this process's output goes.
        num_cpus_per_task: processor cores of a worker.
        num_gpus_per_task: GPUs of a worker; it finds them in ``CUDA_VISIBLE_DEVICES``.
        clock: where the time is read; None for the computer's clock.

    Raises:
        EvaluatorError: if an argument is out of its range.
        RunFunctionError: if ``run`` is neither a function nor a spec.
    """

    method: ClassVar[str]
    """The name that the backend is registered by."""
    options: ClassVar[tuple[Option, ...]] = ()
    """The command line options of this backend alone; each is a keyword argument of its class."""
    can_kill: ClassVar[bool] = True
    """False if what runs can't be ended, only left behind."""
    startup_allowance: ClassVar[float] = LOAD_SECONDS
    """The seconds beyond the time limit in which a worker has to begin."""

    @property
    def overrun_allowance(self) -> float:
        """Seconds beyond the time limit that a job may take once it has begun.

        More than 0 where workers end their jobs in time themselves; this is for lost ones.
        """
        return 0.0

    def __init__(
        self,
        run: str | Function | RunFunction,
        num_workers: int = 1,
        *,
        timeout: float | str | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        num_cpus_per_task: int = 1,
        num_gpus_per_task: float = 0,
        clock: Clock | None = None,
    ) -> None:
        refused = EvaluatorError
        self.num_workers = checks.whole("num_workers", num_workers, 1, _MOST_WORKERS, error=refused)
        self.num_cpus_per_task = checks.whole(
            "num_cpus_per_task", num_cpus_per_task, 1, error=refused
        )
        self.num_gpus_per_task = checks.real(
            "num_gpus_per_task", num_gpus_per_task, finite=True, error=refused
        )
        self.timeout = (
            None if timeout is None else checks.duration("timeout", timeout, error=refused)
        )
        self.output_dir = None if output_dir is None else Path(output_dir).absolute()
        self.run_function = RunFunction.of(run)
        self.clock = clock or Clock()
        self._waiting: deque[Job] = deque()
        self._running: dict[str, Running] = {}
        self._unfinished: set[str] = set()  # ids of both
        self._deadlines = DueTimes()  # by clock.monotonic()
        self._events: list[Event] = []  # not yet gathered
        self._places = Slots(self.num_workers)
        self._ids = itertools.count()
        self._closed = False
        self._process_id = os.getpid()

    @staticmethod
    def create(
        run: str | Function | RunFunction,
        method: str = DEFAULT_METHOD,
        num_workers: int | None = None,
        *,
        timeout: float | str | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        num_cpus_per_task: int | None = None,
        num_gpus_per_task: float | None = None,
        clock: Clock | None = None,
        **backend_options: object,
    ) -> Evaluator:
        """Make an evaluator. For arguments that are None the backend's own defaults hold.

        Args:
            run: see the class.
            method: "thread", "process", "subprocess", "ray", or the name of another backend that
                is registered.
            num_workers: number of concurrent evaluations.
            timeout: see the class.
            output_dir: see the class.
            num_cpus_per_task: see the class.
            num_gpus_per_task: see the class.
            clock: see the class.
            backend_options: further arguments of the backend's class.

        Raises:
            EvaluatorError: if the method is unknown, an option doesn't suit it or is out of range,
                or if the module of a problem or a run function is being imported.
            MissingExtra: if the method needs a package that isn't installed.
        """
        from deephyper.evaluator.create import create_evaluator

        common = {
            "num_workers": num_workers,
            "timeout": timeout,
            "output_dir": output_dir,
            "num_cpus_per_task": num_cpus_per_task,
            "num_gpus_per_task": num_gpus_per_task,
            "clock": clock,
        }
        given = {name: value for name, value in common.items() if value is not None}
        return create_evaluator(run, method, {**given, **backend_options})

    # For a search and for direct use.

    def wait_for_workers(self, limit: float | None = None) -> Iterator[str]:
        """Wait until there is a place for every worker, where a backend doesn't make the places.

        Args:
            limit: the seconds that it may take; None leaves it to the backend.

        Yields:
            Lines for the user.

        Raises:
            EvaluatorError: if there is no place for any.
        """
        yield from ()

    def check(self, limit: float | None = None) -> None:
        """Make sure that the run function can be loaded where it will run.

        Args:
            limit: seconds that it may take; None leaves it at :data:`LOAD_SECONDS`.

        Raises:
            RunFunctionError: if it can't.
            EvaluatorError: if the evaluator is closed, or its output directory can't be made.
        """
        self._require_open()
        self._check(self.startup_allowance if limit is None else limit)
        if self.output_dir is not None:
            make_directory(self.output_dir)

    def submit(self, points: Iterable[dict[str, Any] | Job]) -> list[Job]:
        """Take points, or jobs with ids of their own; those beyond the free workers wait.

        Raises:
            EvaluatorError: if the evaluator is closed, a job has the id of one that has not ended,
                or a worker can't be started.
        """
        self._require_open()
        jobs = [p if isinstance(p, Job) else Job(str(next(self._ids)), dict(p)) for p in points]
        for job in jobs:
            if job.id in self._unfinished:
                raise EvaluatorError(f"a job with the id '{job.id}' has not ended yet; use another")
            self._unfinished.add(job.id)
            self._waiting.append(job)
        self._start_waiting()
        return jobs

    def gather(self, timeout: float | None = None) -> list[Event]:
        """Return what has happened since the last call, as soon as there is something.

        The events of a job come in this order: Started, any number of Reported, Ended. A job that
        could not be started has the last alone. A Notice belongs to no job.

        Args:
            timeout: seconds after which to return without an event; None waits as long as needed.

        Returns:
            The events; none at once if everything that was submitted has ended.
        """
        until = math.inf if timeout is None else self.clock.monotonic() + timeout
        while True:
            if self._waiting:
                self._start_waiting()
            if self._running or self._waiting:
                self._take(self._wait(self._longest_wait(until)))
                if self.timeout is not None:
                    self._end_overdue()
                if self._waiting:
                    self._start_waiting()
            if self._events or not self._unfinished or self.clock.monotonic() >= until:
                events, self._events = self._events, []
                return events

    def gather_outcomes(self, at_least: int = 1, timeout: float | None = None) -> list[Outcome]:
        """Return what has ended since the last call, as soon as it is enough; drop other events.

        Args:
            at_least: number of outcomes to wait for; 0 takes what is there. Never more than the
                jobs that are left.
            timeout: seconds after which to return with fewer; None waits as long as needed.
        """
        until = math.inf if timeout is None else self.clock.monotonic() + timeout
        left = timeout if at_least > 0 else 0.0
        outcomes: list[Outcome] = []
        while True:
            events = self.gather(left)
            outcomes += [event.outcome for event in events if isinstance(event, Ended)]
            if len(outcomes) >= at_least or not self._unfinished:
                return outcomes
            if left is not None:
                left = until - self.clock.monotonic()
                if left <= 0:
                    return outcomes

    def gather_all(self) -> list[Outcome]:
        """Wait for every job that was submitted, and return the outcomes."""
        return self.gather_outcomes(at_least=sys.maxsize)

    def cancel(self, ids: Iterable[str] | None = None) -> list[Outcome]:
        """End jobs, without ids all of them.

        What a thread is running can't be ended; it is left alone.

        Returns:
            Outcomes with the status "stopped" of those that had not ended by themselves. Nothing
            more is gathered of them.
        """
        return self._end_early(ids, Running.stopped)

    def prune(self, ids: Iterable[str]) -> list[Outcome]:
        """End running jobs early and keep what they have reached.

        Returns:
            Outcomes of those that had not ended by themselves: "pruned", with objective, step and
            metrics of the last report, or "stopped" for a job that has reported nothing. Nothing
            more is gathered of them.
        """
        return self._end_early(ids, Running.pruned)

    def close(self) -> None:
        """End everything, workers included. What had not ended is lost."""
        if os.getpid() != self._process_id:
            return  # in a child that was forked: the workers aren't its own
        if not self._closed:
            self._closed = True
            self._waiting.clear()
            self._running.clear()
            self._unfinished.clear()
            self._deadlines.clear()
            self._close()

    @property
    def num_unfinished(self) -> int:
        """The number of jobs that were submitted and have not ended."""
        return len(self._unfinished)

    @property
    def idle(self) -> bool:
        """True if every job that was submitted has ended and all events have been gathered."""
        return not (self._unfinished or self._events)

    @property
    def num_free(self) -> int:
        """The number of workers with nothing to do.

        Where no worker has a place, one job may wait for the first that gets one.
        """
        free = 1 if self._places.none_usable else self._places.num_free
        return max(0, free - len(self._waiting))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # The hooks of a backend.

    @abstractmethod
    def _start(self, job: Job, slot: int, output: str | None) -> str:
        """Hand a job to the worker of a slot; return the worker's name. Must not block."""

    @abstractmethod
    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        """Return what running jobs have said, waiting up to ``timeout`` seconds for something.

        It is called only while jobs are running, or wait for a place. What is said of other jobs is
        ignored.
        """

    @abstractmethod
    def _stop(self, job_id: str, slot: int) -> None:
        """End a running job; its slot must be usable at once. Nothing more may be heard of it."""

    @abstractmethod
    def _close(self) -> None:
        """End all workers."""

    def _allowance(self, slot: int) -> float:
        """Return the seconds beyond the time limit in which the worker of a slot has to begin."""
        return self.startup_allowance

    def _check(self, limit: float) -> None:
        """Load the run function where it will run, within ``limit`` seconds."""
        self.run_function.load()

    # Bookkeeping.

    def _require_open(self) -> None:
        if self._closed:
            raise EvaluatorError("the evaluator is closed; make a new one")

    def _start_waiting(self) -> None:
        while self._waiting and (slot := self._places.take()) is not None:
            job = self._waiting.popleft()
            try:
                output = None if self.output_dir is None else output_file(self.output_dir, job)
                worker = self._start(job, slot, output)
            except BaseException:
                self._places.give_back(slot)
                self._unfinished.discard(job.id)
                raise
            self._running[job.id] = Running(job, slot, worker, output)
            if self.timeout is not None:
                limit = self.timeout + self._allowance(slot)
                self._deadlines.set(job.id, self.clock.monotonic() + limit)

    def _longest_wait(self, until: float) -> float:
        if self._events:
            return 0.0
        wake = until if self.timeout is None else min(until, self._deadlines.next)
        if math.isinf(wake):
            return LONGEST_WAIT
        return min(max(0.0, wake - self.clock.monotonic()), LONGEST_WAIT)

    def _take(self, messages: Sequence[JobMessage]) -> None:
        heard = self.clock.monotonic()
        for message in messages:
            running = self._running.get(message.job_id)
            if running is None:
                continue
            if isinstance(message, JobEnded):
                running.start = message.start if message.start is not None else running.start
                self._release(running)
                outcome = running.ended(message.result, message.end, message.metrics)
                self._events.append(Ended(outcome))
            elif isinstance(message, JobReported):
                self._events.append(running.reported(message))
            else:
                if self.timeout is not None:
                    limit = self.timeout + self.overrun_allowance
                    self._deadlines.set(message.job_id, heard + limit)
                self._events.append(running.started(message, heard))

    def _end_overdue(self) -> None:
        for job_id in self._deadlines.pop_until(self.clock.monotonic()):
            running = self._running[job_id]
            self._stop(job_id, running.slot)
            self._release(running)
            message = running.overdue(self.timeout or 0.0, self.can_kill)
            failure = Failure("timeout", message, tail(running.output))
            self._events.append(Ended(running.ended(failure, running.now(self.clock))))

    def _end_early(
        self, ids: Iterable[str] | None, outcome_of: Callable[[Running, float], Outcome]
    ) -> list[Outcome]:
        wanted = [*self._running, *(j.id for j in self._waiting)] if ids is None else list(ids)
        if self._running:
            self._take(self._wait(0.0))  # what has ended by itself stays so
        outcomes = self._drop_waiting(set(wanted)) if self._waiting else []
        for running in [self._running[i] for i in dict.fromkeys(wanted) if i in self._running]:
            self._stop(running.job.id, running.slot)
            self._release(running)
            outcomes.append(outcome_of(running, running.now(self.clock)))
        if outcomes and self._events:
            gone = {id(outcome.job) for outcome in outcomes}
            self._events = [
                e for e in self._events if isinstance(e, Notice) or id(e.job) not in gone
            ]
        self._start_waiting()
        return outcomes

    def _drop_waiting(self, ids: set[str]) -> list[Outcome]:
        dropped = [job for job in self._waiting if job.id in ids]
        self._waiting = deque(job for job in self._waiting if job.id not in ids)
        self._unfinished.difference_update(job.id for job in dropped)
        now = self.clock.now()
        return [Outcome(job, "stopped", None, None, None, now, "") for job in dropped]

    def _release(self, running: Running) -> None:
        job_id = running.job.id
        del self._running[job_id]
        self._unfinished.remove(job_id)
        if self.timeout is not None:
            self._deadlines.drop(job_id)
        self._places.give_back(running.slot)

    def _take_back(self, job_id: str) -> None:
        """Let a job that was handed to a worker, and has not begun, wait for another one."""
        running = self._running[job_id]
        self._release(running)
        self._unfinished.add(job_id)
        self._waiting.appendleft(running.job)
