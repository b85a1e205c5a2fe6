"""The append-only record of a search: ``journal.jsonl`` in its log directory.

One JSON object a line, each with ``event``, ``time`` (seconds since the epoch) and ``seconds`` (of
its session, by a clock that nobody sets):

========= =========================================================================================
event     further keys
========= =========================================================================================
search    version, space (the problem's description), settings, max_evals, timeout: begins a search
resumed   version, settings, max_evals, timeout: begins another session of it
known     point, objective (a number or "F_reason"): a result from elsewhere, from a warm start
submitted id, point, attempt, and predicted, predicted_std where the optimizer had a model
started   id, attempt, worker
reported  id, attempt, step, objective, and metrics where there are some
finished  id, attempt, worker, start, end, output, objective, and metrics where there are some
pruned    the same and step: the search ended it early
failed    id, attempt, worker, start, end, output, kind, message, text, retry (true: runs again)
stopped   id, attempt: interrupted from outside; runs again on a resume
ended     reason: ends a session
========= =========================================================================================

Version 1 knew no reported, no pruned, no metrics, and no version in resumed; it is read as well.

A line is written by one ``write`` the moment that it happens, so what was recorded survives the
death of this process; a thread at once asks the disk to keep it, so a power failure costs no more
than what the disk was being asked to keep. Nothing is ever changed, and a torn last line is dropped
on reading. No lock is held, so a shared file system will do.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading
from pathlib import Path
from typing import Any

from deephyper.clock import Clock
from deephyper.errors import ResultsError, argument, write_remedy
from deephyper.job import Outcome, Reported, Started
from deephyper.objective import Failure, Objective, observation_to_json
from deephyper.search.record import Evaluation, Record

FILE_NAME = "journal.jsonl"
VERSION = 2
"""Of the format that is written."""
READABLE_VERSIONS = (1, 2)

# The answers of file systems that know no such request; none of them means a loss.
_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_SYNC_SECONDS = 30.0


class Journal:
    """Appends events to the journal of a log directory.

    Raises:
        ResultsError: if it can't be written, here and in every method.
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
        self._syncer = _Syncer(self._fd)

    def append(self, event: str, **keys: Any) -> None:
        """Write one event."""
        now, seconds = self._clock.now(), self._clock.monotonic() - self._opened
        line = json.dumps(
            {"event": event, "time": round(now, 6), "seconds": round(seconds, 3), **keys}
        )
        data = line.encode() + b"\n"
        try:
            self._syncer.raise_error()
            before = os.fstat(self._fd)
            if before.st_nlink == 0:
                raise _deleted(self.path)
            try:
                written = os.write(self._fd, data)
                if written < len(data):  # a second attempt raises the reason
                    written += os.write(self._fd, data[written:])
                if written < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                # What is appended once there is room again must not stand behind half a line.
                os.ftruncate(self._fd, before.st_size)
                raise
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        self._syncer.request()

    def sync(self) -> None:
        """Wait until the disk says that it has what was written."""
        try:
            _sync(self._fd)
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def begin(self, record: Record) -> None:
        """Write what begins a session: "search", or "resumed" where there were earlier ones."""
        keys: dict[str, Any] = {
            "settings": record.settings,
            "max_evals": record.max_evals,
            "timeout": record.timeout,
        }
        if record.resumed:
            self.append("resumed", version=VERSION, **keys)
        else:
            self.append("search", version=VERSION, space=record.space, **keys)

    def known(self, point: dict[str, Any], observed: Objective | Failure) -> None:
        """Write a result from elsewhere."""
        self.append("known", point=point, objective=observation_to_json(observed))

    def submitted(self, evaluation: Evaluation) -> None:
        """Write that an evaluation is about to be submitted."""
        job = evaluation.job
        keys: dict[str, Any] = {"id": job.id, "point": job.point, "attempt": job.attempt}
        if evaluation.predicted is not None:
            keys["predicted"], keys["predicted_std"] = evaluation.predicted
        self.append("submitted", **keys)

    def started(self, event: Started) -> None:
        """Write that a worker has started an evaluation."""
        self.append("started", id=event.job.id, attempt=event.job.attempt, worker=event.worker)

    def reported(self, event: Reported) -> None:
        """Write what a running evaluation has reported."""
        self.append(
            "reported",
            id=event.job.id,
            attempt=event.job.attempt,
            step=event.step,
            objective=event.objective,
            **_metrics(event),
        )

    def outcome(self, outcome: Outcome, retry: bool = False) -> None:
        """Write what became of an evaluation; ``retry``: it failed and runs again."""
        keys: dict[str, Any] = {"id": outcome.job.id, "attempt": outcome.job.attempt}
        if outcome.status != "stopped":
            keys |= {
                "worker": outcome.worker,
                "start": outcome.start,
                "end": outcome.end,
                "output": outcome.output,
            }
        if outcome.failure is not None:
            failure = outcome.failure
            keys |= {"kind": failure.kind, "message": failure.message, "text": failure.text}
            if retry:
                keys["retry"] = True
        elif outcome.status != "stopped":
            keys |= {"objective": outcome.objective, **_metrics(outcome)}
            if outcome.status == "pruned":
                keys["step"] = outcome.step
        self.append(outcome.status, **keys)

    def ended(self, reason: str) -> None:
        """Write that the session has ended, and wait until the disk has it all."""
        self.append("ended", reason=reason)
        self.sync()

    def close(self) -> None:
        """Stop writing. What the disk could not keep is raised by :meth:`sync`, not here."""
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
        if torn and parse_line(torn) is not None:
            os.write(self._fd, b"\n")
        elif torn:
            os.ftruncate(self._fd, size - len(torn))


def _sync(fd: int) -> None:
    """Wait until the disk says that it has what was written.

    Raises:
        OSError: if the disk can't keep it.
    """
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


class _Syncer:
    """Asks the disk to keep what was written, in a thread, so that the search need not wait."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._wanted = threading.Event()
        self._closed = False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._work, name="journal-sync", daemon=True)
        self._thread.start()

    def request(self) -> None:
        self._wanted.set()

    def raise_error(self) -> None:
        """Raise the error that the disk has answered with, if it has."""
        if self._error is not None:
            raise self._error

    def close(self) -> bool:
        """End the thread; return whether it has ended."""
        self._closed = True
        self._wanted.set()
        self._thread.join(_SYNC_SECONDS)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while not self._closed:
            self._wanted.wait()
            self._wanted.clear()
            try:
                _sync(self._fd)
            except OSError as error:
                self._error = error


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return the event of a line; None if the line is damaged or cut off."""
    try:
        event = json.loads(line.decode())
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _metrics(source: Outcome | Reported) -> dict[str, Any]:
    return {"metrics": dict(source.metrics)} if source.metrics else {}


def _deleted(path: Path) -> ResultsError:
    return ResultsError(
        f"'{path}' was deleted while the search ran; what it held is in no other file unless "
        f"results.csv is still there: start a new search with {argument('warm_start')} from it"
    )


def _cannot_write(path: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"'{path}' can't be written ({error.strerror or error}); what was written before is "
        f"intact: {write_remedy(error)}, then resume the search"
    )
