"""Reading a journal: each line becomes an event, and the events become the record of a search."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from deephyper.errors import ResultsError, argument
from deephyper.job import Job, Outcome, Status
from deephyper.objective import Failure, objective_from_json, observation_from_json
from deephyper.safe_files import open_to_read
from deephyper.search.journal import FILE_NAME, READABLE_VERSIONS, parse_line
from deephyper.search.record import Evaluation, Record, StartCommand

_BEGINNINGS = (b'{"event": "search"', b'{"event": "resumed"')
_INTERNAL_ERRORS = (KeyError, TypeError, AttributeError, ValueError)
"""What a field of another type than ours leads to."""


def read_journal(log_dir: Path) -> Record:
    """Read a search back.

    Raises:
        ResultsError: if there is no journal, or it isn't that of a search.
    """
    path = log_dir / FILE_NAME
    record = Record(resumed=True)
    began = lasted = 0.0
    for event, size in _lines(path):
        record.size += size
        try:
            kind, when = event["event"], float(event["time"])
            if kind in ("search", "resumed"):
                record.seconds += lasted
                began, lasted = when, 0.0
                _check_version(event, path)
            lasted = max(lasted, float(event.get("seconds", when - began)))
            _APPLY[kind](record, event)
        except _INTERNAL_ERRORS as error:
            if isinstance(error, ResultsError):
                raise
            raise ResultsError(
                f"'{path}' is not the journal of a search ({error!r}); give the log directory of "
                "one"
            ) from error
    if not record.space:
        raise ResultsError(
            f"'{path}' holds no search, because it ended before it had started; start it again "
            f"without {argument('resume')}"
        )
    record.seconds += lasted
    return record


def read_start_command(log_dir: Path) -> StartCommand | None:
    """Return the command line that the last session of a search was started with.

    Only the lines that begin a session are parsed, of which there are few.

    Raises:
        ResultsError: if the journal can't be read.
    """
    last: bytes | None = None
    with _opened(log_dir / FILE_NAME) as file:
        for line in file:
            if line.startswith(_BEGINNINGS):
                last = line
    record = Record()
    event = None if last is None else parse_line(last)
    if event is not None:
        with contextlib.suppress(*_INTERNAL_ERRORS):
            _begin(record, event)
    return record.command


def read_events(log_dir: Path) -> Iterator[dict[str, Any]]:
    """Yield every event of the journal of a log directory.

    Raises:
        ResultsError: if it can't be read, or a line is damaged.
    """
    for event, _ in _lines(log_dir / FILE_NAME):
        yield event


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield events with the bytes of their lines."""
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            event = parse_line(line)
            if event is not None:
                yield event, len(line)
            elif line.endswith(b"\n"):
                raise ResultsError(
                    f"'{path}' is damaged at line {number}; restore it from a copy, or start a "
                    f"new search with {argument('warm_start')} from the results.csv beside it"
                )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a journal, as a context manager.

    Raises:
        ResultsError: if it can't be read, then or later.
    """
    try:
        with os.fdopen(open_to_read(path), "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise ResultsError(
            f"there is no search to resume in '{path.parent}': it holds no {FILE_NAME}"
        ) from error
    except NotADirectoryError as error:
        raise ResultsError(
            f"'{path.parent}' is a file, or lies below one; give the log directory of a search"
        ) from error
    except OSError as error:
        raise ResultsError(
            f"'{path}' can't be read ({error.strerror or error}); check its permissions"
        ) from error


def _check_version(event: dict[str, Any], path: Path) -> None:
    version = event["version"] if event["event"] == "search" else event.get("version", 1)
    if version not in READABLE_VERSIONS:
        raise ResultsError(
            f"'{path}' has format version {version}, and this deephyper reads "
            f"{' and '.join(map(str, READABLE_VERSIONS))}; use the deephyper that wrote it"
        )


def _begin(record: Record, event: dict[str, Any]) -> None:
    if event["event"] == "search":
        record.space = event["space"]
    record.settings = event["settings"]
    record.command = StartCommand(**event["command"]) if "command" in event else None
    record.max_evals, record.timeout = event["max_evals"], event["timeout"]


def _known(record: Record, event: dict[str, Any]) -> None:
    record.known.append((dict(event["point"]), observation_from_json(event["objective"])))


def _submitted(record: Record, event: dict[str, Any]) -> None:
    job = Job(_id(event["id"]), dict(event["point"]), _attempt(event["attempt"]))
    predicted = (event["predicted"], event["predicted_std"]) if "predicted" in event else None
    record.evaluations[job.id] = Evaluation(job, predicted=predicted)


def _ended(record: Record, event: dict[str, Any]) -> None:
    evaluation = record.evaluations[event["id"]]
    if event.get("retry"):
        record.retry(dataclasses.replace(evaluation.job, attempt=_attempt(event["attempt"])))
    elif evaluation.outcome is None:
        record.end(_outcome(evaluation.job, event))


def _nothing(record: Record, event: dict[str, Any]) -> None:
    """Change nothing: how a session went is for people and for other tools."""


_APPLY: dict[str, Callable[[Record, dict[str, Any]], None]] = {
    "search": _begin,
    "resumed": _begin,
    "known": _known,
    "submitted": _submitted,
    "started": _nothing,
    "reported": _nothing,
    "finished": _ended,
    "pruned": _ended,
    "failed": _ended,
    "stopped": _nothing,
    "ended": _nothing,
}


def _id(value: Any) -> str:
    """Return the id of an evaluation, which becomes part of the names of files."""
    if not isinstance(value, str) or re.fullmatch(r"[0-9]{1,18}", value) is None:
        raise ValueError(f"the id {value!r} is not a text of digits")
    return value


def _attempt(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"the attempt {value!r} is not a whole number of at least 1")
    return value


def _outcome(job: Job, event: dict[str, Any]) -> Outcome:
    status: Status = event["event"]
    failed = status == "failed"
    return Outcome(
        job=job,
        status=status,
        objective=None if failed else objective_from_json(event["objective"]),
        failure=Failure(event["kind"], event["message"], event["text"]) if failed else None,
        start=None if event["start"] is None else float(event["start"]),
        end=float(event["end"]),
        worker=event["worker"],
        output=event["output"],
        step=event["step"] if status == "pruned" else None,
        metrics=dict(event.get("metrics", {})),
    )
