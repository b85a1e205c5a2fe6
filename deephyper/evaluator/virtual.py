"""Evaluations on simulated workers in virtual time: whole searches that wait for nothing.

It is a real evaluator to whoever uses it. What an evaluation is worth is computed in this process;
how long it takes is stated, and the clock jumps from one event to the next::

    evaluator = VirtualEvaluator(run, 64, duration=lambda job: job.point["epochs"] * 30.0)
    RandomSearch(problem, evaluator, clock=evaluator.clock).search(timeout=3600)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from deephyper.clock import VirtualClock
from deephyper.errors import EvaluatorError
from deephyper.evaluator.current import Context
from deephyper.evaluator.due_times import DueTimes
from deephyper.evaluator.evaluator import Evaluator
from deephyper.evaluator.run_function import Function, RunFunction, call
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobReported, JobStarted
from deephyper.job import Failure, Job, Objective
from deephyper.objective import Result

Reports = Sequence[tuple[float, int, Objective]]
"""The reports of an evaluation: seconds since its start, step and objective of each."""

KEPT = 10_000
"""Submitted jobs that are kept at least, so that long searches don't fill the memory."""


@dataclass
class _Simulated:
    """A job on a simulated worker. Times are those of the virtual clock's ``seconds``.

    Attributes:
        job: the job.
        end: when it will end.
        reports: time, step and objective of those that are still to come.
        report: the one that comes next; None if the next event is the end.
        stop_requested: whether it is to end after its next report.
    """

    job: Job
    end: float
    reports: Iterator[tuple[float, int, Objective]]
    report: tuple[float, int, Objective] | None = None
    stop_requested: bool = False

    def next_time(self) -> float:
        """Turn to the next event; return its time."""
        self.report = next(self.reports, None)
        if self.report is not None and self.report[0] > self.end:
            self.report = None
        return self.end if self.report is None else self.report[0]


class VirtualEvaluator(Evaluator):
    """Evaluates on simulated workers. See :class:`~deephyper.evaluator.Evaluator`.

    An event costs the logarithm of the number of workers, so thousands of them can be simulated.

    Args:
        run: function of the point; it is called when the evaluation ends.
        num_workers: number of simulated workers.
        run_job: in place of ``run``, a function of the job that gives the objective, a failure, or
            a :class:`~deephyper.objective.Result`.
        duration: gives the seconds that a job takes; infinity for one that never ends.
        reports: gives what a job reports, each with the seconds since its start; what would come
            after its end is left out.
        timeout: time limit of an evaluation.
        output_dir: no effect; nothing is printed by a simulated worker.
        num_cpus_per_task: no effect.
        num_gpus_per_task: no effect.
        clock: the virtual clock; None for a new one.

    Attributes:
        clock: the virtual clock.
        submitted: the jobs that were submitted, in that order; of very many the last
            :data:`KEPT` or more.

    Raises:
        EvaluatorError: if an argument is out of its range, or not exactly one of ``run`` and
            ``run_job`` is given.
    """

    method = "virtual"
    on_this_machine = False
    startup_allowance = 0.0
    clock: VirtualClock

    def __init__(
        self,
        run: str | Function | RunFunction | None = None,
        num_workers: int = 1,
        *,
        run_job: Callable[[Job], Objective | Failure | Result] | None = None,
        duration: Callable[[Job], float] = lambda job: 1.0,
        reports: Callable[[Job], Reports] | None = None,
        timeout: float | str | None = None,
        output_dir: str | os.PathLike[str] | None = None,
        num_cpus_per_task: int = 1,
        num_gpus_per_task: float = 0,
        clock: VirtualClock | None = None,
    ) -> None:
        if (run is None) == (run_job is None):
            raise EvaluatorError("give either run, a function of the point, or run_job, of the job")
        super().__init__(
            _no_run if run is None else run,
            num_workers,
            timeout=timeout,
            num_cpus_per_task=num_cpus_per_task,
            num_gpus_per_task=num_gpus_per_task,
            clock=clock or VirtualClock(),
        )
        self.submitted: list[Job] = []
        self._run_job = run_job or self._evaluate
        self._function: Function | None = None
        self._duration = duration
        self._reports = reports
        self._simulated: dict[str, _Simulated] = {}  # by id of the job
        self._due = DueTimes()  # of their next events
        self._said: list[JobMessage] = []

    def submit(self, points: Iterable[dict[str, Any] | Job]) -> list[Job]:
        jobs = super().submit(points)
        self.submitted += jobs
        if len(self.submitted) > 2 * KEPT:
            del self.submitted[:-KEPT]
        return jobs

    def _check(self, limit: float) -> None:
        self._function = self.run_function.load()

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        start = self.clock.seconds
        planned = [] if self._reports is None else self._reports(job)
        reports = ((start + after, step, objective) for after, step, objective in planned)
        simulated = _Simulated(job, start + self._duration(job), reports)
        self._simulated[job.id] = simulated
        self._due.set(job.id, simulated.next_time())
        self._said.append(JobStarted(job.id, self.clock.now()))
        return f"{slot}"

    def _wait(self, timeout: float) -> Sequence[JobMessage]:
        until = self.clock.seconds + (0.0 if self._said else timeout)
        while True:
            time = min(until, self._due.next)
            if self.clock.pass_until(time):
                break  # otherwise a planned action came first
        # A clock that also moves by itself may be beyond it.
        time = max(time, self.clock.seconds)
        while self._due.next <= time:
            for job_id in self._due.pop_until(time):
                self._happen(self._simulated[job_id])
        said, self._said = self._said, []
        return said

    def _happen(self, simulated: _Simulated) -> None:
        job, now = simulated.job, self.clock.now()
        if simulated.report is None:
            del self._simulated[job.id]
            result = self._run_job(job)
            if not isinstance(result, Result):
                result = Result(result)
            self._said.append(JobEnded(job.id, result.value, None, now, result.metrics))
        else:
            _, step, objective = simulated.report
            self._said.append(JobReported(job.id, step, objective, now))
            if simulated.stop_requested:
                del self._simulated[job.id]
                early = Failure("reported", "it was ended early")
                self._said.append(JobEnded(job.id, early, None, now, pruned=True))
            else:
                self._due.set(job.id, simulated.next_time())

    def _resize(self, num_workers: int) -> None:
        pass

    def _request_stop(self, job_id: str, slot: int) -> None:
        self._simulated[job_id].stop_requested = True

    def _stop(self, job_id: str, slot: int) -> None:
        del self._simulated[job_id]
        self._due.drop(job_id)

    def _close(self) -> None:
        self._simulated.clear()
        self._due.clear()

    def _evaluate(self, job: Job) -> Result:
        if self._function is None:
            self._function = self.run_function.load()
        context = Context(job.id, job.attempt, job.seed, "", job.directory)
        return call(self._function, job.point, context)


def _no_run(point: dict[str, Any]) -> NoReturn:
    raise NotImplementedError("this evaluator was given run_job, which takes the job")
