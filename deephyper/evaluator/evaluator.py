"""The interface to every way of evaluating points.

A backend says only how to start a job, how to hear from its workers and how to end one; see the
hooks of :class:`~deephyper.evaluator.bookkeeping.Bookkeeping`.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

from deephyper import checks
from deephyper.clock import Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.bookkeeping import Bookkeeping
from deephyper.evaluator.cores import check_bearable
from deephyper.evaluator.output import make_directory
from deephyper.evaluator.run_function import Function, RunFunction
from deephyper.evaluator.running_job import Running
from deephyper.job import Ended, Event, Job, Outcome
from deephyper.option import Option
from deephyper.printable import one_printable_line

DEFAULT_METHOD = "process"
"""The evaluator where none is named."""
_MOST_WORKERS = 1_000_000


class Evaluator(Bookkeeping):
    """Evaluates points on a number of workers; none waits for another.

    Use :meth:`create`, and the object as a context manager or :meth:`close` at the end.

    A backend is a subclass that implements the four hooks of :class:`.Bookkeeping` and declares
    what it adds to the command line as ``options``. Its name is registered as an entry point of the
    group ``deephyper.evaluators``.

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

    Attributes:
        search_name: the name of the search that it works for, which the names of processes have
            that are started from then on; empty for none.

    Raises:
        EvaluatorError: if an argument is out of its range.
        RunFunctionError: if ``run`` is neither a function nor a spec.
    """

    method: ClassVar[str]
    """The name that the backend is registered by."""
    options: ClassVar[tuple[Option, ...]] = ()
    """The command line options of this backend alone; each is a keyword argument of its class."""
    packages: ClassVar[tuple[str, ...]] = ()
    """The optional packages that this backend needs, by the names that pip has for them."""
    on_this_machine: ClassVar[bool] = True
    """False if workers are elsewhere, or may be."""
    keeps_records: ClassVar[bool] = False
    """True if it keeps records of evaluations itself, so that none can be made on trial."""

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
        super().__init__(
            checks.whole("num_workers", num_workers, 1, _MOST_WORKERS, error=refused),
            None if timeout is None else checks.duration("timeout", timeout, error=refused),
            None if output_dir is None else Path(output_dir).absolute(),
            RunFunction.of(run),
            clock or Clock(),
        )
        self.num_cpus_per_task = checks.whole(
            "num_cpus_per_task", num_cpus_per_task, 1, error=refused
        )
        self.num_gpus_per_task = checks.real(
            "num_gpus_per_task", num_gpus_per_task, finite=True, error=refused
        )
        self.search_name = ""
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

        What a thread is running can't be ended; it is left behind, and ends when it next reports.

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

    def request_stop(self, ids: Iterable[str], grace: float = math.inf) -> None:
        """Ask running jobs to end early; they do so when they next report, or ask.

        They are gathered as "pruned", or as "finished" if they end by themselves first.

        Args:
            ids: of the jobs; those that don't run are left alone.
            grace: seconds after which they are ended as by :meth:`prune`.
        """
        for running in [self._running[i] for i in dict.fromkeys(ids) if i in self._running]:
            if not running.stop_requested:
                running.stop_requested = True
                self._deadlines.set(running.job.id, self.clock.monotonic() + grace)
                self._request_stop(running.job.id, running.slot)

    def resize(self, num_workers: int) -> None:
        """Have more or fewer workers from now on.

        What runs goes on: of workers that are too many, the idle ones end at once, and the others
        with their jobs.

        Raises:
            EvaluatorError: if the number is out of its range, or the backend or this machine can't
                have so many.
        """
        self._require_open()
        number = checks.whole("num_workers", num_workers, 1, _MOST_WORKERS, error=EvaluatorError)
        if self.on_this_machine:
            check_bearable(number, self._most_workers)
        before = self.num_workers
        self.num_workers = number
        try:
            self._resize(number)
        except BaseException:
            self.num_workers = before
            raise
        self._place_workers()
        self._start_waiting()

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

    def is_running(self, job_id: str) -> bool:
        """Return whether a worker has a job."""
        return job_id in self._running

    @property
    def num_running(self) -> int:
        """The number of jobs that workers have; another thread may ask for it."""
        return len(self._running)

    @property
    def num_present(self) -> int:
        """The number of workers, with those that are too many and still busy; another thread may
        ask for it."""
        leaving = sum(running.slot >= self.num_workers for running in [*self._running.values()])
        return self.num_workers + leaving

    def running(self, most: int) -> list[Running]:
        """Return jobs that workers have, the oldest first; another thread may ask for them.

        Args:
            most: how many there may be.
        """
        return list(itertools.islice(self._running.values(), most))

    @property
    def busy_seconds(self) -> float:
        """The seconds that workers have spent in evaluations, from their start to their end or to
        now; another thread may ask for it."""
        number, seconds = self._worked
        return seconds + number * self.clock.monotonic()

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

    def __exit__(self, *error: object) -> None:
        self.close()

    def _label(self, slot: int) -> str:
        """Return the name of a worker, as those who look at processes see it."""
        of = one_printable_line(f" of {self.search_name}", 60) if self.search_name else ""
        return f"worker {slot} {of}".rstrip()

    def _require_open(self) -> None:
        if self._closed:
            raise EvaluatorError("the evaluator is closed; make a new one")
