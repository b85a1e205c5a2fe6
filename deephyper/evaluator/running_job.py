"""A job on a worker, and what becomes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from deephyper.clock import Clock
from deephyper.evaluator.worker.messages import JobEnded, JobReported, JobStarted
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
        stop_requested: whether it is to end early.
        began: when its start was heard of, by the clock's ``monotonic``.
    """

    job: Job
    slot: int
    worker: str
    output: str | None
    start: float | None = None
    report: JobReported | None = None
    began: float = 0.0
    stop_requested: bool = False

    def started(self, message: JobStarted, began: float) -> Started:
        """Take note of its start, and of when it was heard of, by the clock's ``monotonic``."""
        self.start, self.began = message.time, began
        if message.worker is not None:
            self.worker = message.worker
        return Started(self.job, self.worker, message.time)

    def now(self, clock: Clock) -> float:
        """Return the time since the epoch, as far from its start as time has passed."""
        return clock.now() if self.start is None else self.start + clock.monotonic() - self.began

    def reported(self, message: JobReported) -> Reported:
        """Take note of a report."""
        self.report = message
        return Reported(self.job, message.step, message.objective, message.time, message.metrics)

    def ended(self, message: JobEnded) -> Outcome:
        """Return the outcome of an evaluation that has ended by itself or at its time limit.

        A metric that was reported and not returned has the value of the last report.
        """
        result = message.result
        if message.pruned and self.stop_requested:
            return self.pruned(message.end)
        if isinstance(result, Failure):
            outcome = self._outcome("failed", None, result, message.end)
        else:
            outcome = self._outcome("finished", result, None, message.end)
        reported = {} if self.report is None else self.report.metrics
        if message.metrics or reported:
            outcome = replace(outcome, metrics={**reported, **message.metrics})
        return outcome

    def stopped(self, end: float) -> Outcome:
        """Return the outcome of an evaluation that was interrupted."""
        return self._outcome("stopped", None, None, end)

    def pruned(self, end: float) -> Outcome:
        """Return the outcome of an evaluation that was ended early: that of its last report."""
        report = self.report
        if report is None:
            return self.stopped(end)
        outcome = self._outcome("pruned", report.objective, None, end)
        return replace(outcome, step=report.step, metrics=report.metrics)

    def _outcome(
        self,
        status: Status,
        objective: Objective | None,
        failure: Failure | None,
        end: float,
    ) -> Outcome:
        output = self.output
        if output is not None and not os.path.exists(output):
            output = None
        return Outcome(self.job, status, objective, failure, self.start, end, self.worker, output)

    def overdue(self, limit: float, can_kill: bool) -> str:
        """Return why it is ended at its time limit, in seconds."""
        if self.start is None:
            return "its worker did not begin in time: it could not load the run function, or hangs"
        left = "" if can_kill else "; a thread can't be killed, so it may still be running"
        return f"it ran past its limit of {limit:g} s{left}"
