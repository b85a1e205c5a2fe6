"""The append-only record of a search: ``journal.jsonl`` in its log directory.

One JSON object a line, each with ``event``, ``time`` (seconds since the epoch) and ``seconds`` (of
its session, by a clock that nobody sets):

========= =========================================================================================
event     further keys
========= =========================================================================================
search    version, space (the problem's description), settings, max_evals, timeout: begins a search
resumed   settings, max_evals, timeout: begins another session of it
known     point, objective (a number or "F_reason"): a result from elsewhere, from a warm start
submitted id, point, attempt, and predicted, predicted_std where the optimizer had a model
started   id, attempt, worker
finished  id, attempt, worker, start, end, objective, output
failed    id, attempt, worker, start, end, kind, message, text, output, retry (true: runs again)
stopped   id, attempt: ended from outside; runs again on a resume
ended     reason: ends a session
========= =========================================================================================

A line is written by one ``write`` the moment that it happens, so what was reported survives the
death of this process; a thread at once asks the disk to keep it, so a power cut costs no more than
what the disk was being told. Nothing is ever changed, and a torn last line is dropped on reading.
No lock is held, so a shared file system will do.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deephyper.clock import Clock
from deephyper.errors import ResultsError
from deephyper.job import Failure, Job, Outcome
from deephyper.search.disk import Syncer, sync

FILE_NAME = "journal.jsonl"
_VERSION = 1


@dataclass
class Evaluation:
    """One evaluation as the journal knows it.

    Attributes:
        job: id, point and attempt.
        outcome: None while it is unfinished.
        predicted: the objective that the optimizer's model expected, and its standard deviation.
    """

    job: Job
    outcome: Outcome | None = None
    predicted: tuple[float, float] | None = None


@dataclass
class Record:
    """A search as its journal tells it.

    Attributes:
        space: description of the search space.
        settings: the last session's.
        max_evals, timeout: the last session's budget.
        evaluations: by id, in the order of submission.
        order: ids in the order in which they ended.
        known: points with their objectives (a number, or "F_reason") from elsewhere.
        seconds: how long its sessions have lasted together.
        size: bytes of the journal that it was read from.
    """

    space: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    max_evals: int | None = None
    timeout: float | None = None
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    known: list[tuple[dict[str, Any], float | str]] = field(default_factory=list)
    seconds: float = 0.0
    size: int = field(default=0, compare=False)

    @property
    def ended(self) -> list[Evaluation]:
        """Evaluations with an outcome, in the order in which they ended."""
        return [self.evaluations[id_] for id_ in self.order]

    @property
    def unfinished(self) -> list[Evaluation]:
        """Evaluations without an outcome, in the order of submission."""
        return [e for e in self.evaluations.values() if e.outcome is None]


class Journal:
    """Appends events to the journal of a log directory.

    Raises:
        ResultsError: if it can't be written, here and in :meth:`append`.
    """

    def __init__(self, log_dir: Path, clock: Clock | None = None) -> None:
        self.path = log_dir / FILE_NAME
        self._clock = clock or Clock()
        self._opened = self._clock.monotonic()
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                self._drop_torn_line()
            except OSError:
                os.close(self._fd)
                raise
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        self._syncer = Syncer(self._fd)

    def append(self, event: str, **keys: Any) -> None:
        """Write one event."""
        now, seconds = self._clock.now(), self._clock.monotonic() - self._opened
        line = json.dumps(
            {"event": event, "time": round(now, 6), "seconds": round(seconds, 3), **keys}
        )
        data = line.encode() + b"\n"
        try:
            self._syncer.raise_error()
            if os.fstat(self._fd).st_nlink == 0:
                raise _deleted(self.path)
            size = os.fstat(self._fd).st_size
            if os.write(self._fd, data) != len(data):
                # What is appended once there is room again must not stand behind half a line.
                os.ftruncate(self._fd, size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        self._syncer.request()

    def sync(self) -> None:
        """Wait until the disk says that it has what was written."""
        try:
            sync(self._fd)
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def begin(self, event: str, record: Record) -> None:
        """Write the event that begins a session: "search" or "resumed"."""
        keys: dict[str, Any] = {
            "settings": record.settings,
            "max_evals": record.max_evals,
            "timeout": record.timeout,
        }
        if event == "search":
            keys = {"version": _VERSION, "space": record.space, **keys}
        self.append(event, **keys)

    def append_submitted(self, evaluation: Evaluation) -> None:
        job = evaluation.job
        keys: dict[str, Any] = {"id": job.id, "point": job.point, "attempt": job.attempt}
        if evaluation.predicted is not None:
            keys["predicted"], keys["predicted_std"] = evaluation.predicted
        self.append("submitted", **keys)

    def append_outcome(self, outcome: Outcome, retry: bool = False) -> None:
        keys: dict[str, Any] = {"id": outcome.job.id, "attempt": outcome.job.attempt}
        if outcome.status != "stopped":
            keys.update(
                worker=outcome.worker, start=outcome.start, end=outcome.end, output=outcome.output
            )
        if outcome.status == "finished":
            keys["objective"] = outcome.objective
        elif outcome.failure is not None:
            failure = outcome.failure
            keys.update(kind=failure.kind, message=failure.message, text=failure.text)
            if retry:
                keys["retry"] = True
        self.append(outcome.status, **keys)

    def close(self) -> None:
        """Write no more. What a disk could not keep is told by :meth:`sync`, not here."""
        if not self._syncer.close():
            return  # the disk doesn't answer; the file is left to the end of this process
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1

    def _drop_torn_line(self) -> None:
        """Make the file end in a whole line, so that the next one stands by itself."""
        size = os.fstat(self._fd).st_size
        keep, tail = size, b""
        while keep > 0 and b"\n" not in tail:
            step = min(keep, 1 << 16)
            keep -= step
            tail = os.pread(self._fd, step, keep) + tail
        torn = tail[tail.rfind(b"\n") + 1 :]
        if torn and _parse(torn) is not None:
            os.write(self._fd, b"\n")
        elif torn:
            os.ftruncate(self._fd, size - len(torn))


def holds_search(log_dir: Path) -> bool:
    """Whether the journal of a log directory tells of a search.

    It does not if there is none, or if its writer died before the first line was whole.
    """
    try:
        with (log_dir / FILE_NAME).open("rb") as file:
            first = file.readline()
            return bool(first) and (first.endswith(b"\n") or _parse(first) is not None)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # something is there, and reading it will say what is wrong


def journal_size(log_dir: Path) -> int | None:
    """Bytes of the journal of a log directory, or None if it can't be told."""
    try:
        return (log_dir / FILE_NAME).stat().st_size
    except OSError:
        return None


def read_journal(log_dir: Path) -> Record:
    """Read a search back.

    Raises:
        ResultsError: if there is no journal, or it isn't one.
    """
    path = log_dir / FILE_NAME
    record = Record()
    began = lasted = 0.0
    try:
        for event, size in _events(path):
            record.size += size
            kind, when = event["event"], float(event["time"])
            if kind in ("search", "resumed"):
                record.seconds += lasted
                began, lasted = when, 0.0
                _begin(record, event)
            else:
                _add(record, kind, event)
            lasted = max(lasted, float(event.get("seconds", when - began)))
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise ResultsError(
                f"there is no search to go on with in '{log_dir}': it holds no {FILE_NAME}"
            ) from error
        if isinstance(error, NotADirectoryError):
            raise ResultsError(
                f"'{log_dir}' is a file, or lies below one; give the log directory of a search"
            ) from error
        raise _cannot_read(path, error) from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, ResultsError):
            raise
        raise ResultsError(
            f"'{path}' is no journal of a search ({error!r}); give the log directory of one"
        ) from error
    if not record.space:
        raise ResultsError(
            f"'{path}' holds no search, since it ended before it had begun; begin it again "
            "without --resume"
        )
    record.seconds += lasted
    return record


def read_events(log_dir: Path) -> Iterator[dict[str, Any]]:
    """Every event of the journal of a log directory.

    Raises:
        ResultsError: if it can't be read, or a line is damaged.
    """
    path = log_dir / FILE_NAME
    try:
        for event, _ in _events(path):
            yield event
    except OSError as error:
        raise _cannot_read(path, error) from error


def _events(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Events with the bytes of their lines."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            event = _parse(line)
            if event is not None:
                yield event, len(line)
            elif line.endswith(b"\n"):
                raise ResultsError(
                    f"'{path}' is damaged at line {number}; restore it from a copy, or begin a new "
                    "search with --warm-start from the results.csv beside it"
                )


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line.decode())
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _begin(record: Record, event: dict[str, Any]) -> None:
    if event["event"] == "search":
        if event["version"] != _VERSION:
            raise ResultsError(
                f"the journal has version {event['version']} and this deephyper reads {_VERSION}; "
                "use the deephyper that wrote it"
            )
        record.space = event["space"]
    record.settings = event["settings"]
    record.max_evals, record.timeout = event["max_evals"], event["timeout"]


def _add(record: Record, kind: str, event: dict[str, Any]) -> None:
    if kind == "known":
        record.known.append((dict(event["point"]), _objective(event["objective"])))
        return
    if kind == "ended":
        return
    id_ = event["id"]
    if kind == "submitted":
        job = Job(_id(id_), dict(event["point"]), _attempt(event["attempt"]))
        predicted = (event["predicted"], event["predicted_std"]) if "predicted" in event else None
        record.evaluations[id_] = Evaluation(job, predicted=predicted)
    elif kind == "failed" and event.get("retry"):
        job = record.evaluations[id_].job
        record.evaluations[id_].job = Job(job.id, job.point, _attempt(event["attempt"]) + 1)
    elif kind in ("finished", "failed"):
        evaluation = record.evaluations[id_]
        if evaluation.outcome is None:
            record.order.append(id_)
            evaluation.outcome = _outcome(evaluation.job, kind, event)


def _id(value: Any) -> str:
    """The id of an evaluation, which becomes part of the names of files."""
    if not isinstance(value, str) or re.fullmatch(r"[0-9]{1,18}", value) is None:
        raise ValueError(f"the id {value!r} is no text of digits")
    return value


def _attempt(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"the attempt {value!r} is no whole number of at least 1")
    return value


def _objective(value: Any) -> float | str:
    return value if isinstance(value, str) else float(value)


def _outcome(job: Job, kind: str, event: dict[str, Any]) -> Outcome:
    failure = None
    if kind == "failed":
        failure = Failure(event["kind"], event["message"], event["text"])
    return Outcome(
        job=job,
        status="finished" if kind == "finished" else "failed",
        objective=float(event["objective"]) if kind == "finished" else None,
        failure=failure,
        start=None if event["start"] is None else float(event["start"]),
        end=float(event["end"]),
        worker=event["worker"],
        output=event["output"],
    )


def _deleted(path: Path) -> ResultsError:
    return ResultsError(
        f"'{path}' was deleted while the search ran; what it held is in no other file unless "
        "results.csv is still there: begin a new search with --warm-start from it"
    )


def _cannot_read(path: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"'{path}' can't be read ({error.strerror or error}); check its permissions"
    )


def _cannot_write(path: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"'{path}' can't be written ({error.strerror or error}); what was written before is "
        "intact: make room or mend the permissions, then go on with --resume"
    )
