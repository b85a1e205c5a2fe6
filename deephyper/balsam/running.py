"""An evaluation in the launcher: its messages, and when it counts as dead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deephyper.balsam.evaluation_directory import EvaluationDirectory, MessageReader
from deephyper.balsam.job_spec import BalsamJobSpec
from deephyper.balsam.jobs import DELETED, ENDED, SUCCEEDED
from deephyper.clock import Clock
from deephyper.evaluator.output import tail
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobStarted
from deephyper.job import MACHINE_FAULTS, Failure
from deephyper.objective import Result, one_line, read_result

DEATH_SECONDS = 10.0
"""The time for which the death of an evaluation is held back: a scheduler that ends the whole job
ends evaluations before the search, which then learns of its own end first."""
FILE_SECONDS = 30.0
"""The time that the file of a job that has ended may take to appear on another node."""


class Source(Protocol):
    """The origin of the messages of an evaluation."""

    def read(self, state: str) -> list[JobMessage]:
        """Return the messages since the last call, given the state of the evaluation's job."""

    def may_follow(self, state: str) -> bool:
        """Return whether a result may yet come, though the job has ended."""


class OwnProgram:
    """:mod:`deephyper.balsam.evaluation`, which leaves its messages in files.

    In mode serial Balsam says seconds late that a job runs, so they are looked for in every state.
    """

    def __init__(self, directory: EvaluationDirectory, clock: Clock) -> None:
        self._reader = MessageReader(directory)
        self._clock = clock
        self._ended: float | None = None  # since when the job is known to have ended well

    def read(self, state: str) -> list[JobMessage]:
        return self._reader.read()

    def may_follow(self, state: str) -> bool:
        if state not in SUCCEEDED:
            return False
        now = self._clock.monotonic()
        self._ended = now if self._ended is None else self._ended
        return now <= self._ended + FILE_SECONDS


class OtherProgram:
    """A program that a run function has specified: it says nothing but its objective at the end."""

    def __init__(self, job_id: str, spec: BalsamJobSpec, path: Path, clock: Clock) -> None:
        self._job_id = job_id
        self._spec = spec
        self._path = path
        self._clock = clock
        self._start: float | None = None

    def read(self, state: str) -> list[JobMessage]:
        now = self._clock.now()
        if state == "RUNNING" and self._start is None:
            self._start = now
            return [JobStarted(self._job_id, now, "balsam")]
        # After RUN_DONE the job's own postprocessing may yet come.
        if state in ("POSTPROCESSED", "JOB_FINISHED"):
            try:
                result = read_result(self._spec.read(self._path))
            except Exception as error:
                result = Result(Failure("none", f"no objective can be read: {one_line(error)}"))
            return [JobEnded(self._job_id, result.value, self._start, now, result.metrics)]
        return []

    def may_follow(self, state: str) -> bool:
        return state in SUCCEEDED


@dataclass
class RunningEvaluation:
    """An evaluation whose end is not known yet.

    Attributes:
        job_id: id of the job.
        directory: its own.
        key: of its BalsamJob.
        printed: file with what the BalsamJob prints.
        source: of its messages.
        clock: where the time is read.
        death: its end by what may be the machine's fault, held back.
        death_seen: when that was first seen, by clock.monotonic().
    """

    job_id: str
    directory: EvaluationDirectory
    key: Any
    printed: Path
    source: Source
    clock: Clock
    death: JobEnded | None = None
    death_seen: float = 0.0

    def messages(self, state: str) -> list[JobMessage]:
        """Return the messages since the last call, given the state of its job."""
        messages = self.source.read(state)
        ended = bool(messages) and isinstance(messages[-1], JobEnded)
        # A job that the end of a launcher has cut off is not in one of these states.
        over = state in ENDED and not ended and self.death is None
        if over and not self.source.may_follow(state):
            messages.append(self._died(state))
        return self._believed(messages)

    def _believed(self, messages: list[JobMessage]) -> list[JobMessage]:
        """Return the messages without a death that is held back."""
        last = messages[-1] if messages else None
        if isinstance(last, JobEnded):
            if not (isinstance(last.result, Failure) and last.result.kind in MACHINE_FAULTS):
                return messages
            if self.death is None:
                self.death, self.death_seen = last, self.clock.monotonic()
            messages = messages[:-1]
        if self.death is not None and self.clock.monotonic() >= self.death_seen + DEATH_SECONDS:
            return [*messages, self.death]
        return messages

    def _died(self, state: str) -> JobEnded:
        reasons = {
            "USER_KILLED": "its BalsamJob was killed",
            DELETED: "its BalsamJob was deleted",
        }
        message = reasons.get(state, f"its BalsamJob ended as {state} without a result")
        failure = Failure("worker_died", message, tail(self.printed))
        return JobEnded(self.job_id, failure, None, self.clock.now())
