"""What travels between a search and its evaluator: a Job goes in, an Outcome comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["finished", "failed", "stopped"]
"""finished: an objective came back; failed: the evaluation itself went wrong; stopped: it was
ended from outside (the search's time was over, or it was cancelled) and says nothing of its
point."""

FailureKind = Literal[
    "exception",
    "reported",
    "none",
    "not_a_number",
    "nan",
    "infinite",
    "timeout",
    "worker_died",
    "out_of_memory",
]
"""exception: ``run`` raised; reported: it returned ``"F_reason"``; none, not_a_number, nan,
infinite: what it returned is no finite number; timeout: it ran past its time limit; worker_died:
its process ended by a signal or by ``os._exit``; out_of_memory: as the name says."""

MACHINE_FAULTS: frozenset[FailureKind] = frozenset({"worker_died"})
"""Kinds that may be the machine's fault rather than the code's, and so are worth a retry."""


@dataclass(frozen=True)
class Job:
    """One point on its way to a worker.

    Attributes:
        id: unique within a search.
        point: hyperparameter name -> plain Python value.
        attempt: 1, and one more each time that the job is tried again.
    """

    id: str
    point: dict[str, Any]
    attempt: int = 1


@dataclass(frozen=True)
class Failure:
    """Why an evaluation has no objective.

    Attributes:
        kind: see :data:`FailureKind`.
        message: one line.
        text: the traceback, or the last lines of the evaluation's output; may be empty.
    """

    kind: FailureKind
    message: str
    text: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: the job.
        status: see :data:`Status`.
        objective: a finite number where status is "finished", otherwise None.
        failure: set where status is "failed".
        start: when the worker began, in seconds since the epoch; None if it never did.
        end: when it ended, in seconds since the epoch.
        worker: name of the worker.
        output: file with what the evaluation printed, where there is one.
    """

    job: Job
    status: Status
    objective: float | None
    failure: Failure | None
    start: float | None
    end: float
    worker: str
    output: str | None = None

    @property
    def elapsed_sec(self) -> float:
        """Seconds from start to end; 0 for a job that never began."""
        return 0.0 if self.start is None else max(0.0, self.end - self.start)
