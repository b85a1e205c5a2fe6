"""The jobs of an evaluator: which wait, which run, what is past its time, and what came of each."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from deephyper.clock import LONGEST_WAIT, Clock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.due_times import DueTimes
from deephyper.evaluator.output import output_file, tail
from deephyper.evaluator.run_function import RunFunction
from deephyper.evaluator.running_job import Running
from deephyper.evaluator.slots import Slots
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobReported
from deephyper.job import Ended, Event, Failure, Job, Notice, Outcome

LOAD_SECONDS = 300.0
"""The time in which a worker has to load the run function: on a busy shared file system, importing
a large library takes minutes."""


class Bookkeeping(ABC):
    """The jobs of an evaluator, and the hooks of its backend.

    Args:
        num_workers: number of concurrent evaluations.
        timeout: seconds that an evaluation may take; None for no limit.
        output_dir: directory for what each evaluation prints.
        run_function: the run function.
        clock: where the time is read.
    """

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
        num_workers: int,
        timeout: float | None,
        output_dir: Path | None,
        run_function: RunFunction,
        clock: Clock,
    ) -> None:
        self.num_workers = num_workers
        self._most_workers = num_workers
        self.timeout = timeout
        self.output_dir = output_dir
        self.run_function = run_function
        self.clock = clock
        self._waiting: deque[Job] = deque()
        self._running: dict[str, Running] = {}
        self._unfinished: set[str] = set()  # ids of both
        self._deadlines = DueTimes()  # by clock.monotonic()
        self._events: list[Event] = []  # not yet gathered
        self._places = Slots(num_workers)
        # How many jobs have begun and not ended, and the sum of all ends less that of all
        # beginnings; one value, since another thread may look at it.
        self._worked = (0, 0.0)

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

    def _request_stop(self, job_id: str, slot: int) -> None:  # noqa: B027 (it may stay as it is)
        """Let a running job know that it is to end early; not every backend can."""

    @abstractmethod
    def _stop(self, job_id: str, slot: int) -> None:
        """End a running job; its slot must be usable at once. Nothing more may be heard of it."""

    @abstractmethod
    def _close(self) -> None:
        """End all workers."""

    def _resize(self, num_workers: int) -> None:
        """Prepare for another number of workers, which is ``num_workers`` already; those whose
        slots aren't below it get no further jobs.

        Raises:
            EvaluatorError: if there can't be so many; here, if it is more than at first.
        """
        if num_workers > self._most_workers:
            raise EvaluatorError(
                f"this evaluator has had {self._most_workers} workers from its start, and can't "
                "have more; ask for fewer, or resume the search with more"
            )

    def _place_workers(self) -> None:
        """Let as many slots be used as there are workers."""
        self._places.withdraw_all_but(set(range(self.num_workers)))

    def _allowance(self, slot: int) -> float:
        """Return the seconds beyond the time limit in which the worker of a slot has to begin."""
        return self.startup_allowance

    def _check(self, limit: float) -> None:
        """Load the run function where it will run, within ``limit`` seconds."""
        self.run_function.load()

    # Bookkeeping.

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
        wake = min(until, self._deadlines.next)
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
                start = message.start if message.start is not None else running.start
                self._release(running, 0.0 if start is None else max(0.0, message.end - start))
                running.start = start
                self._events.append(Ended(running.ended(message)))
            elif isinstance(message, JobReported):
                self._events.append(running.reported(message))
            else:
                if self.timeout is not None and not running.stop_requested:
                    limit = self.timeout + self.overrun_allowance
                    self._deadlines.set(message.job_id, heard + limit)
                if running.start is None:
                    number, seconds = self._worked
                    self._worked = number + 1, seconds - heard
                self._events.append(running.started(message, heard))

    def _end_overdue(self) -> None:
        for job_id in self._deadlines.pop_until(self.clock.monotonic()):
            running = self._running[job_id]
            self._stop(job_id, running.slot)
            self._release(running)
            now = running.now(self.clock)
            if running.stop_requested:
                self._events.append(Ended(self._left_behind(running.pruned(now))))
                continue
            message = running.overdue(self.timeout or 0.0, self.can_kill)
            failure = Failure("timeout", message, tail(running.output))
            ended = running.ended(JobEnded(job_id, failure, None, now))
            self._events.append(Ended(self._left_behind(ended)))

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
            outcomes.append(self._left_behind(outcome_of(running, running.now(self.clock))))
        if outcomes and self._events:
            gone = {id(outcome.job) for outcome in outcomes}
            self._events = [
                e for e in self._events if isinstance(e, Notice) or id(e.job) not in gone
            ]
        self._start_waiting()
        return outcomes

    def _left_behind(self, outcome: Outcome) -> Outcome:
        """Return the outcome of a job that was ended here, which a thread may not know of."""
        return outcome if self.can_kill else replace(outcome, left_behind=True)

    def _drop_waiting(self, ids: set[str]) -> list[Outcome]:
        dropped = [job for job in self._waiting if job.id in ids]
        self._waiting = deque(job for job in self._waiting if job.id not in ids)
        self._unfinished.difference_update(job.id for job in dropped)
        now = self.clock.now()
        return [Outcome(job, "stopped", None, None, None, now, "") for job in dropped]

    def _release(self, running: Running, took: float | None = None) -> None:
        """Give up a job that doesn't run any more.

        Args:
            running: the job.
            took: how long it ran, where that is known better than by when it was heard of.
        """
        job_id = running.job.id
        number, seconds = self._worked
        if running.start is None:
            self._worked = number, seconds + (took or 0.0)
        else:
            end = self.clock.monotonic() if took is None else running.began + took
            self._worked = number - 1, seconds + end
        del self._running[job_id]
        self._unfinished.remove(job_id)
        self._deadlines.drop(job_id)
        self._places.give_back(running.slot)

    def _take_back(self, job_id: str) -> None:
        """Let a job that was handed to a worker, and has not begun, wait for another one."""
        running = self._running[job_id]
        self._release(running)
        self._unfinished.add(job_id)
        self._waiting.appendleft(running.job)
