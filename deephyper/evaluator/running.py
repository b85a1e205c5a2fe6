"""A job on a worker, and what becomes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from deephyper.evaluator.worker.messages import JobReported, JobStarted
from deephyper.job import Failure, Job, Objective, Outcome, Reported, Started, Status


@dataclass
class Running:
    """A job that a worker has.

    Attributes:
        job: the job.
        slot: number of the worker.
        worker: its name.
        output: file with what the evaluation prints.
        start: when it began, in seconds since the epoch; None as long as it hasn't.
        report: the last of its reports.
    """

    job: Job
    slot: int
    worker: str
    output: str | None
    start: float | None = None
    report: JobReported | None = None

    def started(self, message: JobStarted) -> Started:
        """Take note of its start."""
        self.start = message.time
        if message.worker is not None:
            self.worker = message.worker
        return Started(self.job, self.worker, message.time)

    def reported(self, message: JobReported) -> Reported:
        """Take note of a report."""
        self.report = message
        return Reported(self.job, message.step, message.objective, message.time, message.metrics)

    def ended(self, result: Objective | Failure, end: float) -> Outcome:
        """Return the outcome of an evaluation that has ended by itself or at its time limit."""
        if isinstance(result, Failure):
            return self._outcome("failed", end, failure=result)
        return self._outcome("finished", end, objective=result)

    def stopped(self, end: float) -> Outcome:
        """Return the outcome of an evaluation that was interrupted."""
        return self._outcome("stopped", end)

    def pruned(self, end: float) -> Outcome:
        """Return the outcome of an evaluation that was ended early: that of its last report."""
        if self.report is None:
            return self.stopped(end)
        return self._outcome("pruned", end, objective=self.report.objective, report=self.report)

    def _outcome(
        self,
        status: Status,
        end: float,
        *,
        objective: Objective | None = None,
        failure: Failure | None = None,
        report: JobReported | None = None,
    ) -> Outcome:
        printed = self.output is not None and os.path.exists(self.output)
        return Outcome(
            job=self.job,
            status=status,
            objective=objective,
            failure=failure,
            start=self.start,
            end=end,
            worker=self.worker,
            output=self.output if printed else None,
            step=None if report is None else report.step,
            metrics={} if report is None else report.metrics,
        )
