"""The directory of one evaluation, through whose files the search and the evaluation communicate.

=============== ================================================================================
evaluation.json from the search: what to evaluate, an :class:`EvaluationSpec`
started.json    from the evaluation: a JobStarted, when ``run`` begins
reports.jsonl   from the evaluation: a JobReported a line
result.json     from the evaluation: its JobEnded
stop            from the search: asks the evaluation to end without a result
prune           from the search: asks the evaluation to end early, with its last report
point.json      from the search, for the job of a :class:`~deephyper.balsam.job_spec.BalsamJobSpec`
=============== ================================================================================

The messages are those of :mod:`deephyper.evaluator.worker.messages`. The directory lies on a file
system that the nodes share, so every file but the reports appears whole or not at all, and of the
reports only whole lines are read.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deephyper.evaluator.worker.messages import (
    JobEnded,
    JobMessage,
    JobReported,
    JobStarted,
    from_json,
    to_json,
)
from deephyper.job import Job

_SPEC = "evaluation.json"
_STARTED = "started.json"
_REPORTS = "reports.jsonl"
_RESULT = "result.json"
_STOP = "stop"
_PRUNE = "prune"
_POINT = "point.json"


@dataclass(frozen=True)
class EvaluationSpec:
    """An evaluation that is to be made.

    Attributes:
        id: of the job.
        point: hyperparameter name -> plain value.
        attempt: of the job.
        output: file for what the evaluation prints.
        run_file: file that holds the run function as :meth:`RunFunction.dumps` gives it.
        timeout: seconds that it may last; None for no limit.
        ranks: in all, over all nodes.
        threads: of each rank.
        seed: of the job.
        directory: of the job.
        keeps_worker: whether its worker is kept for later evaluations of the same launcher.
    """

    id: str
    point: dict[str, Any]
    attempt: int
    output: str | None
    run_file: str
    timeout: float | None
    ranks: int
    threads: int
    keeps_worker: bool
    seed: int = 0
    directory: str | None = None

    @property
    def job(self) -> Job:
        """The job."""
        return Job(self.id, self.point, self.attempt, self.directory, self.seed)


class EvaluationDirectory:
    """The directory, as either side sees it.

    Args:
        path: of the directory.
        writer: tells those apart that may write at once, as the ranks of an evaluation.
    """

    def __init__(self, path: Path, writer: str = "0") -> None:
        self.path = path
        self._writer = writer

    # The search.

    def write_spec(self, spec: EvaluationSpec) -> None:
        """Leave what to evaluate."""
        self._write(_SPEC, asdict(spec))

    def write_point(self, point: dict[str, Any]) -> None:
        """Leave the point for a program that isn't ours."""
        self._write(_POINT, point)

    def request_stop(self) -> None:
        """Ask the evaluation to end without a result."""
        with contextlib.suppress(OSError):
            (self.path / _STOP).touch()

    def request_prune(self) -> None:
        """Ask the evaluation to end early, with its last report."""
        with contextlib.suppress(OSError):
            (self.path / _PRUNE).touch()

    # The evaluation.

    def read_spec(self) -> EvaluationSpec:
        """Return what to evaluate."""
        return EvaluationSpec(**json.loads((self.path / _SPEC).read_text()))

    @property
    def stop_requested(self) -> bool:
        """True if the search has asked the evaluation to end."""
        return (self.path / _STOP).exists()

    @property
    def prune_requested(self) -> bool:
        """True if the search has asked the evaluation to end early."""
        return (self.path / _PRUNE).exists()

    def clear(self) -> None:
        """Remove the messages of an earlier try, which a launcher has cut off."""
        for name in (_STARTED, _REPORTS, _RESULT):
            (self.path / name).unlink(missing_ok=True)

    def send(self, message: JobMessage) -> None:
        """Leave a message for the search."""
        if isinstance(message, JobReported):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            file = os.open(self.path / _REPORTS, flags, 0o666)
            try:
                os.write(file, json.dumps(to_json(message)).encode() + b"\n")
            finally:
                os.close(file)
        else:
            name = _STARTED if isinstance(message, JobStarted) else _RESULT
            self._write(name, to_json(message))

    # Both.

    def started(self) -> JobStarted | None:
        """Return the evaluation's first message; None as long as there is none."""
        message = self._read(_STARTED)
        return message if isinstance(message, JobStarted) else None

    def ended(self) -> JobEnded | None:
        """Return the evaluation's last message; None as long as there is none."""
        message = self._read(_RESULT)
        return message if isinstance(message, JobEnded) else None

    def reports(self, offset: int) -> tuple[list[JobReported], int]:
        """Return the reports from a position in their file on, and the position behind them."""
        try:
            with (self.path / _REPORTS).open("rb") as file:
                file.seek(offset)
                data = file.read()
        except OSError:
            return [], offset
        whole = data[: data.rfind(b"\n") + 1]
        messages = [from_json(json.loads(line)) for line in whole.splitlines()]
        return [m for m in messages if isinstance(m, JobReported)], offset + len(whole)

    def _write(self, name: str, values: dict[str, Any]) -> None:
        """Write a file that nobody can see half-written."""
        draft = self.path / f".{name}.{self._writer}"
        draft.write_text(json.dumps(values))
        draft.replace(self.path / name)

    def _read(self, name: str) -> object:
        """Return a message; None if the file isn't there, or is a user's own of that name."""
        try:
            return from_json(json.loads((self.path / name).read_text()))
        except (OSError, ValueError, KeyError, TypeError):
            return None


class MessageReader:
    """Reads the messages of an evaluation from its directory, each once.

    Args:
        directory: the evaluation's.
    """

    def __init__(self, directory: EvaluationDirectory) -> None:
        self._directory = directory
        self._started = False
        self._offset = 0
        self._ended = False

    def read(self) -> list[JobMessage]:
        """Return the messages since the last call, in their order."""
        if self._ended:
            return []
        ended = self._directory.ended()  # looked for first: reports before it are read below
        messages: list[JobMessage] = []
        if not self._started:
            started = self._directory.started()
            if started is not None:
                self._started = True
                messages.append(started)
        if self._started:
            reports, self._offset = self._directory.reports(self._offset)
            messages += reports
        if ended is not None:
            self._ended = True
            messages.append(ended)
        return messages
