"""The values that travel: a Proposal becomes a Job, whose events tell of it up to its Outcome.

All of it is plain values that know nothing of any optimizer, evaluator or file:

optimizer -- Proposal --> search -- Job --> evaluator -- Started, Reported, Ended, Notice --> search
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from deephyper.fast_init import fast_init
from deephyper.objective import MACHINE_FAULTS, Failure, FailureKind, Objective

__all__ = [
    "MACHINE_FAULTS",
    "Ended",
    "Estimate",
    "Event",
    "Failure",
    "FailureKind",
    "Job",
    "Notice",
    "Objective",
    "Outcome",
    "Prediction",
    "Proposal",
    "Reported",
    "Started",
    "Status",
    "evaluation_seed",
]

Status = Literal["finished", "failed", "pruned", "stopped"]
"""finished: an objective came back; failed: the evaluation itself went wrong; pruned: the search
ended it early, its objective belongs to the step that it had reached; stopped: it was interrupted
from outside (the search's time was over, or it was canceled), says nothing of its point, and runs
again on a resume."""


@fast_init
@dataclass(frozen=True)
class Prediction:
    """The expectation of a model about a point.

    Attributes:
        mean: the expected objective.
        std: its standard deviation.
        acquisition: the value by which the point was chosen; larger is better.
    """

    mean: Objective
    std: float
    acquisition: float


@fast_init
@dataclass(frozen=True)
class Estimate:
    """The expectation of an objective that isn't known yet.

    Attributes:
        mean: the expected objective.
        std: its standard deviation.
    """

    mean: Objective
    std: float


@fast_init
@dataclass(frozen=True)
class Proposal:
    """A point that an optimizer wants to have evaluated.

    Attributes:
        point: hyperparameter name -> plain Python value.
        prediction: what the optimizer's model expects of it; None without a model.
    """

    point: dict[str, Any]
    prediction: Prediction | None = None


@fast_init
@dataclass(frozen=True)
class Job:
    """One point on its way to a worker.

    Attributes:
        id: unique within a search.
        point: hyperparameter name -> plain Python value.
        attempt: 1, and one more each time that the job is tried again.
        directory: the evaluation's own, the same for every attempt; it need not exist. None for an
            evaluation that has none.
        seed: for what is random in the evaluation, the same for every attempt.
    """

    id: str
    point: dict[str, Any]
    attempt: int = 1
    directory: str | None = None
    seed: int = 0


@fast_init
@dataclass(frozen=True)
class Started:
    """A worker has started a job.

    Attributes:
        job: the job.
        worker: name of the worker.
        time: in seconds since the epoch.
    """

    job: Job
    worker: str
    time: float


@fast_init
@dataclass(frozen=True)
class Reported:
    """A running evaluation has reported how it is doing.

    Attributes:
        job: the job.
        step: how far it is, in units of its own (epochs, say); never less than before.
        objective: the objective at that step.
        time: in seconds since the epoch.
        metrics: further numbers by name.
    """

    job: Job
    step: int
    objective: Objective
    time: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@fast_init
@dataclass(frozen=True)
class Outcome:
    """The end of a job: its status, what it came to, its times.

    Attributes:
        job: the job.
        status: see :data:`Status`.
        objective: set where status is "finished" or "pruned", otherwise None.
        failure: set where status is "failed".
        start: when the worker began, in seconds since the epoch; None if it never did.
        end: when it ended, in seconds since the epoch.
        worker: name of the worker.
        output: file with what the evaluation printed, where there is one.
        step: the step that the objective of a pruned evaluation belongs to.
        metrics: further numbers by name.
        earlier_sec: seconds that it ran before it was paused and taken up again.
        left_behind: True if it may still be running, because it was ended and can't be killed.
    """

    job: Job
    status: Status
    objective: Objective | None
    failure: Failure | None
    start: float | None
    end: float
    worker: str
    output: str | None = None
    step: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    earlier_sec: float = 0.0
    left_behind: bool = field(default=False, compare=False)

    @property
    def elapsed_sec(self) -> float:
        """Seconds that it ran: from start to end, and before it was paused."""
        last = 0.0 if self.start is None else max(0.0, self.end - self.start)
        return self.earlier_sec + last

    @property
    def observed(self) -> Objective | Failure:
        """The observation for an optimizer; of what ended early, the last reported objective."""
        if self.objective is not None:
            return self.objective
        return self.failure or Failure("exception", "unknown")


@fast_init
@dataclass(frozen=True)
class Ended:
    """A worker is through with a job.

    Attributes:
        outcome: what became of it.
    """

    outcome: Outcome

    @property
    def job(self) -> Job:
        """The job."""
        return self.outcome.job


@fast_init
@dataclass(frozen=True)
class Notice:
    """Something has happened to the workers, and to no job in particular.

    Attributes:
        text: a line for the user.
    """

    text: str


Event = Started | Reported | Ended | Notice
"""Events that an evaluator returns: of a job, or of its workers."""


def evaluation_seed(seed: int, id_: str) -> int:
    """Return the seed of an evaluation: the same in every session and at every attempt.

    Args:
        seed: of the search.
        id_: of the evaluation.
    """
    return zlib.crc32(f"{seed}/{id_}".encode())
