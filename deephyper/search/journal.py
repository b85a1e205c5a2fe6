"""The append-only record of a search: ``journal.jsonl`` in its log directory.

One JSON object a line, each with ``event``, ``time`` (seconds since the epoch) and ``seconds`` (of
its session, by a clock that nobody sets):

========== ========================================================================================
event      further keys
========== ========================================================================================
search     version, space (the problem's description), settings, max_evals, timeout, and max_steps
           and command (directory, options) where there were such: begins a search
resumed    the same without space: begins another session of it
known      point, objective (a number or "F_reason"): a result from elsewhere, from a warm start
submitted  id, point, attempt, and predicted, predicted_std where the optimizer had a model
started    id, attempt, worker
reported   id, attempt, step, objective, and metrics where there are some
finished   id, attempt, worker, start, end, output, objective, and metrics where there are some
pruned     the same and step: the search ended it early
paused     the same: as pruned, and it may be submitted again, as its next attempt, in any session
failed     id, attempt, worker, start, end, output, kind, message, text, retry (true: runs again)
stopped    id, attempt: interrupted from outside; runs again on a resume
controlled request, action, and max_evals, workers, id or point: what its user asked for meanwhile
ended      reason, results: ends a session
========== ========================================================================================


Version 1 knew no reported, no pruned, no paused, no metrics, and no version in resumed; it is read
as well. Earlier ones of version 2 have a pruned for each that was paused at the end of a session.

A line is written by one ``write`` the moment that it happens, together with what happens at the
same moment, so what was recorded survives the death of this process; a thread at once asks the disk
to keep it, so a power failure costs no more than what the disk was being asked to keep. Nothing is
ever changed, and a torn last line is dropped on reading. No lock is held, so a shared file system
will do; :mod:`deephyper.claim` says why two searches never write one journal. The types of all keys
are in :mod:`deephyper.search.events`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deephyper.claim import Claim, sync
from deephyper.clock import Clock
from deephyper.errors import ResultsError, argument, write_remedy
from deephyper.job import Outcome, Reported, Started
from deephyper.objective import Failure, Objective, observation_to_json
from deephyper.safe_files import open_to_read
from deephyper.search.record import Evaluation, Record, Written

FILE_NAME = "journal.jsonl"
VERSION = 2
"""Of the format that is written."""
READABLE_VERSIONS = (1, 2)

LONGEST_LINE = 1 << 26  # bytes
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""An editor may put it at the beginning of a file."""

_SYNC_SECONDS = 30.0
_CHUNK = 1 << 16  # bytes


class Journal:
    """Appends events to the journal of a log directory.

    The journal of earlier sessions is taken over: a copy of it, without what is torn at its end,
    is put in its place, so that what an earlier owner may still write is not in it.

    Args:
        claim: to the log directory; nothing is written when it is gone.
        clock: what times are read from.

    Raises:
        ResultsError: if it can't be written, or the claim is gone, here and in every method.
    """

    def __init__(self, claim: Claim, clock: Clock | None = None) -> None:
        self.path = claim.log_dir / FILE_NAME
        self._claim = claim
        self._clock = clock or Clock()
        self._opened = self._clock.monotonic()
        try:
            self._fd = claim.replace(FILE_NAME, self._copy, durable=True)
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        self._syncer = _Syncer(self._fd)
        self._held: list[bytes] | None = None
        """Lines that will be written together."""

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Write what is appended inside at the end of the context, at once.

        Looking whether the journal is still ours costs more than writing a line.
        """
        self._held = []
        try:
            yield
        finally:
            data, self._held = b"".join(self._held), None
            if data:
                self._write(data)

    def check(self) -> None:
        """Make sure that what is written next is in the journal of this search.

        Raises:
            ResultsError: if another search has taken its place, or the journal was deleted.
        """
        try:
            found = self._claim.find(FILE_NAME)
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        if found is None:
            raise _gone(self.path, "deleted")
        try:
            self._claim.check()
        except ResultsError:
            # Who deletes the directory may have come to the claim first.
            with contextlib.suppress(OSError):
                if self._claim.find(FILE_NAME) is None:
                    raise _gone(self.path, "deleted") from None
            raise
        if not os.path.samestat(found, os.fstat(self._fd)):
            raise _gone(self.path, "replaced by another file")

    def append(self, event: str, **keys: Any) -> None:
        """Write one event."""
        now, seconds = self._clock.now(), self._clock.monotonic() - self._opened
        line = json.dumps(
            {"event": event, "time": round(now, 6), "seconds": round(seconds, 3), **keys}
        )
        data = line.encode() + b"\n"
        if len(data) > LONGEST_LINE:
            raise ResultsError(
                f"a line of '{self.path}' would have more than {LONGEST_LINE >> 20} MiB, and could "
                "not be read back; use smaller values in points and in the messages of errors"
            )
        if self._held is None:
            self._write(data)
        else:
            self._held.append(data)

    def _write(self, data: bytes) -> None:
        """Write whole lines; leave nothing of them behind if that fails."""
        try:
            self.check()
            self._syncer.raise_error()
            size = os.fstat(self._fd).st_size
            try:
                written = os.write(self._fd, data)
                if written < len(data):  # a second attempt raises the reason
                    written += os.write(self._fd, data[written:])
                if written < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                # What is appended once there is room again must not stand behind half a line.
                os.ftruncate(self._fd, size)
                raise
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        self.check()  # whoever takes the directory from now on copies these lines, too
        self._syncer.request()

    def sync(self) -> None:
        """Wait until the disk says that it has what was written."""
        try:
            sync(self._fd)
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def begin(self, record: Record) -> None:
        """Write what begins a session: "search", or "resumed" where there were earlier ones."""
        keys: dict[str, Any] = {
            "settings": record.settings,
            "max_evals": record.max_evals,
            "timeout": record.timeout,
        }
        if record.max_steps is not None:
            keys["max_steps"] = record.max_steps
        if record.command is not None:
            keys["command"] = dataclasses.asdict(record.command)
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
            keys |= _end(outcome)
        if outcome.failure is not None:
            failure = outcome.failure
            keys |= {"kind": failure.kind, "message": failure.message, "text": failure.text}
            keys |= _metrics(outcome)
            if retry:
                keys["retry"] = True
        elif outcome.status != "stopped":
            keys |= {"objective": outcome.objective, **_metrics(outcome)}
            if outcome.status == "pruned":
                keys["step"] = outcome.step
        self.append(outcome.status, **keys)

    def paused(self, outcome: Outcome) -> None:
        """Write that an evaluation is paused, and what came of it until now."""
        self.append(
            "paused",
            id=outcome.job.id,
            attempt=outcome.job.attempt,
            **_end(outcome),
            objective=outcome.objective,
            **_metrics(outcome),
            step=outcome.step,
        )

    def controlled(self, request: str, action: str, **values: Any) -> None:
        """Write that a request of the search's user is carried out."""
        self.append("controlled", request=request, action=action, **values)

    def ended(self, reason: str, results: Written | None = None) -> None:
        """Write that the session has ended, and wait until the disk has it all.

        Args:
            reason: why.
            results: the results file that it leaves, which a resume then need not make anew.
        """
        keys = {} if results is None else {"results": dataclasses.asdict(results)}
        self.append("ended", reason=reason, **keys)
        self.sync()

    def close(self) -> None:
        """Stop writing. What the disk could not keep is raised by :meth:`sync`, not here."""
        if not self._syncer.close():
            return  # the disk doesn't answer; the file is left to the end of this process
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1

    def _copy(self, fd: int) -> None:
        """Fill a new file with the journal of earlier sessions, if there is one."""
        try:
            old = os.fdopen(open_to_read(self.path), "rb")
        except FileNotFoundError:
            return
        with old:
            with contextlib.suppress(OSError):
                os.fchmod(fd, stat.S_IMODE(os.fstat(old.fileno()).st_mode))
            while chunk := memoryview(old.read(_CHUNK)):
                while chunk:
                    chunk = chunk[os.write(fd, chunk) :]
        _make_end_whole(fd)


def holds_events(path: Path) -> bool:
    """Return whether a journal tells of anything.

    It does not if its writer died before the first line was whole.

    Raises:
        OSError: if it can't be read.
    """
    from deephyper.search import events

    with os.fdopen(open_to_read(path), "rb") as file:
        start = file.read(len(BYTE_ORDER_MARK))
        line = b"" if start == BYTE_ORDER_MARK else start
        while True:
            line += file.readline(LONGEST_LINE)
            if line.strip() or not line:
                break
            line = b""
    if line.endswith(b"\n") or len(line) >= LONGEST_LINE:
        return True
    try:
        events.decode(line)
    except events.Damaged as damage:
        return damage.is_json
    return True


def _make_end_whole(fd: int) -> None:
    """Make a file end in a whole line, so that the next one stands by itself."""
    last, end = _last_part(fd, os.fstat(fd).st_size, lambda data: b"\n" in data)
    start = last.rfind(b"\n") + 1
    if _is_json(last[start:]):
        os.write(fd, b"\n")
        return
    # Blank lines at the end would come to stand in the middle.
    last, end = _last_part(fd, end + start, lambda data: bool(data.strip()))
    last = last.rstrip()
    if end == 0 and last in (b"", BYTE_ORDER_MARK):
        os.ftruncate(fd, 0)
    else:
        os.ftruncate(fd, end + len(last))
        os.write(fd, b"\n")


def _last_part(fd: int, end: int, is_enough: Callable[[bytes], bool]) -> tuple[bytes, int]:
    """Return a last part of what a file has before ``end`` that is enough, and where it starts."""
    part = b""
    while end > 0 and not is_enough(part):
        step = min(end, _CHUNK)
        end -= step
        part = os.pread(fd, step, end) + part
    return part, end


def _is_json(line: bytes) -> bool:
    from deephyper.search import events

    try:
        events.decode(line.removeprefix(BYTE_ORDER_MARK))
    except events.Damaged as damage:
        return damage.is_json
    return True


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
        if not self._wanted.is_set():  # which costs less than setting it again
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
                sync(self._fd)
            except OSError as error:
                self._error = error


def _end(outcome: Outcome) -> dict[str, Any]:
    return {
        "worker": outcome.worker,
        "start": outcome.start,
        "end": outcome.end,
        "output": outcome.output,
    }


def _metrics(source: Outcome | Reported) -> dict[str, Any]:
    return {"metrics": dict(source.metrics)} if source.metrics else {}


def _gone(path: Path, how: str) -> ResultsError:
    return ResultsError(
        f"'{path}' was {how} while the search ran; what it held is in no other file unless "
        f"results.csv is still there: start a new search with {argument('warm_start')} from it"
    )


def _cannot_write(path: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"'{path}' can't be written ({error.strerror or error}); what was written before is "
        f"intact: {write_remedy(error)}, then resume the search"
    )
