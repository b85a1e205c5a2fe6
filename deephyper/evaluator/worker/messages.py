"""The messages of a worker, which a worker process sends as JSON.

For each job: one JobStarted, any number of JobReported, one JobEnded; a job that can't be started
has the last alone. All times are in seconds since the epoch; only on the way from a worker process
to its parent they are those of the system's monotonic clock, which both share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deephyper.fast_init import fast_init
from deephyper.job import Failure, Objective

_digits = float.__repr__
BROKEN = 70  # EX_SOFTWARE
"""The exit status of a worker process in which user code has broken what the worker needs."""


@dataclass(frozen=True)
class Loaded:
    """The worker has loaded the run function."""


@dataclass(frozen=True)
class LoadFailed:
    """The worker can't load the run function, and has ended or will.

    Attributes:
        message: the reason, in one line.
    """

    message: str


@fast_init
@dataclass(frozen=True)
class JobStarted:
    """A worker has begun a job.

    Attributes:
        job_id: id of the job.
        time: when.
        worker: name of the worker; None for the one by which the evaluator knows it.
    """

    job_id: str
    time: float
    worker: str | None = None


@fast_init
@dataclass(frozen=True)
class JobReported:
    """A running evaluation has called :func:`deephyper.evaluator.current.CurrentEvaluation.report`.

    Attributes:
        job_id: id of the job.
        step: how far it is.
        objective: the objective at that step.
        time: when.
        metrics: further numbers by name.
    """

    job_id: str
    step: int
    objective: Objective
    time: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@fast_init
@dataclass(frozen=True)
class JobEnded:
    """A worker is through with a job.

    Attributes:
        job_id: id of the job.
        result: the objective, or why there is none.
        start: when it began; None if it never did, or if JobStarted has said it.
        end: when it ended.
        metrics: further numbers by name that ``run`` returned.
        pruned: whether it was ended early and knew it; then its last report counts.
    """

    job_id: str
    result: Objective | Failure
    start: float | None
    end: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    pruned: bool = False


@dataclass(frozen=True)
class Leaving:
    """The worker takes no more jobs after the one it is on: what it has become can't be undone."""


@dataclass(frozen=True)
class Died:
    """The worker process has ended.

    Attributes:
        failure: the cause, without the output of the job that it was on.
    """

    failure: Failure


JobMessage = JobStarted | JobReported | JobEnded
Message = Loaded | LoadFailed | JobMessage | Leaving | Died
SENT: tuple[type[Message], ...] = (
    Loaded,
    LoadFailed,
    JobStarted,
    JobReported,
    JobEnded,
    Leaving,
)
"""The messages that are sent."""


def to_json(message: Message) -> dict[str, Any]:
    """Return a message as JSON can hold it; :func:`from_json` turns it back."""
    values = {"says": type(message).__name__, **vars(message)}
    if isinstance(values.get("result"), Failure):
        values["result"] = vars(values["result"])
    return values


def to_text(message: Message, encode: Callable[[object], str]) -> str:
    """Return a message as JSON text.

    The two that every job has are written without a dictionary, in a third of the time.

    Args:
        message: the message.
        encode: writes any other value as JSON.
    """
    if type(message) is JobStarted and message.worker is None:
        job_id = encode(message.job_id)
        return f'{{"says": "JobStarted", "job_id": {job_id}, "time": {_digits(message.time)}}}'
    if (
        type(message) is JobEnded
        and type(message.result) is float
        and message.start is not None
        and not (message.metrics or message.pruned)
    ):
        return (
            f'{{"says": "JobEnded", "job_id": {encode(message.job_id)}, '
            f'"result": {_digits(message.result)}, '
            f'"start": {_digits(message.start)}, "end": {_digits(message.end)}}}'
        )
    return encode(to_json(message))


def from_json(values: object) -> Message:
    """Return the message that :func:`to_json` has made a dictionary of.

    Raises:
        ValueError: if it is none.
    """
    from deephyper.evaluator.worker.decoding import convert

    return convert(values)
