"""A claim to a log directory: which search it belongs to while the search runs.

A claim is a file ``running-<n>.json`` that only one process can have created (``O_EXCL``, which
network file systems honor too); no lock is held. If its process is gone, the next search creates
the file with the next number, and again only one can, and removes the old one. On this host the
process table tells whether it is gone; for another host or container it counts as gone when it
gives no sign of life for a while.

That is a guess: a process that stood still for long (SIGSTOP, a suspended computer, a file system
that did not answer) wakes up and continues between any two of its instructions. So whatever the
guess, three rules keep two owners from writing one search:

1. Each session has a file of its own. It takes over the journal by :meth:`Claim.replace`: a copy
   under a name that only it uses is renamed onto the journal. The descriptor of an earlier owner
   then belongs to a file without a name, so whatever is written there late is read by nobody.
2. Only what was written while the claim was there counts as kept. An owner looks for its claim
   *before* it appends, and *after* that, before it tells anyone what it has appended. A successor
   removes the claim before it copies. So what was kept is in the copy, and what isn't in the copy
   was never called kept: that evaluation runs again.
3. Nobody replaces what a successor has written. A replacement is renamed from the staged file, so
   its existence is the right to replace. A successor removes earlier claims, *then* all staged
   files that aren't its own, *then* copies; an owner looks for its claim after it has staged a
   file and before it copies. So either the successor sees the staged file and removes it, which
   makes the late renaming fail, or the owner sees that its claim is gone.

Files are opened, not only asked after, because network file systems answer from a cache otherwise;
and relative to the directory, which may be renamed.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import stat
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deephyper import owner
from deephyper.errors import DirectoryInUse, ResultsError, argument
from deephyper.standard_streams import open_apart

TOUCH_SECONDS = 5.0
"""How often a claim tells that its owner lives."""
GONE_SECONDS = 60.0
"""After so many seconds without that, the owner counts as gone where nothing else tells."""
_CLAIM = re.compile(r"running-(\d{1,18})\.json")
_STAGED = re.compile(r".+\.([0-9a-f]{32})\.partial")
_LONGEST_CLAIM = 1 << 16  # bytes
# Who else may write here may have put a link or a pipe there.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_GONE_ERRORS = (errno.ENOENT, errno.ESTALE)
# The answers of file systems that know no such request; none of them means a loss.
_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


class Claim:
    """Claims a log directory, as a context manager.

    Args:
        log_dir: the directory; it is made if it isn't there.
        touch_seconds: how often the claim tells that its owner lives.
        this_owner: says who claims it; None for this process.
        notify: called with a line for the user.
        sleep: waits for a number of seconds; None for the computer's.

    Attributes:
        log_dir: the directory.
        token: a word that no other claim has.

    Raises:
        DirectoryInUse: if another search is running in it.
        ResultsError: if it can't be written.
    """

    def __init__(
        self,
        log_dir: Path,
        touch_seconds: float = TOUCH_SECONDS,
        *,
        this_owner: dict[str, Any] | None = None,
        notify: Callable[[str], None] | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.log_dir = log_dir
        self._touch_seconds = touch_seconds
        self._owner = this_owner
        self._notify = notify
        self._sleep = sleep or time.sleep
        self.token = uuid.uuid4().hex
        self._directory = self._fd = -1
        self._name = ""
        self._text = b""
        self._judged_gone: dict[str, int] = {}  # claims, and when they were touched
        self._released = threading.Event()
        self._toucher: threading.Thread | None = None

    def __enter__(self) -> Self:
        try:
            self.log_dir.mkdir(parents=True, exist_ok=True)
            self._directory = open_apart(self.log_dir, os.O_RDONLY | os.O_DIRECTORY)
            try:
                self._claim()
            except BaseException:
                self._close()
                raise
        except OSError as error:
            raise _cannot_write(self.log_dir, error) from error
        self._toucher = threading.Thread(
            target=self._touch_often, name="log-dir-owner", daemon=True
        )
        self._toucher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._released.set()
        if self._toucher is not None:
            self._toucher.join(self._touch_seconds)
        with contextlib.suppress(OSError):
            if self._holds():
                os.unlink(self._name, dir_fd=self._directory)
        if self._toucher is None or not self._toucher.is_alive():
            self._close()  # otherwise the file system doesn't answer, and numbers mustn't be reused

    def check(self) -> None:
        """Make sure that the directory is still this search's.

        It may not be if this process, its computer or its file system stood still for long.

        Raises:
            ResultsError: if it isn't, or if that can't be found out.
        """
        try:
            if self._holds():
                return
        except OSError as error:
            raise _cannot_write(self.log_dir, error) from error
        raise self._lost()

    def replace(self, name: str, write: Callable[[int], None], durable: bool = False) -> int:
        """Replace or create a file of the directory in one step, unless the claim is gone.

        Args:
            name: of the file.
            write: fills the new file, given its descriptor, and may read what is to be replaced.
            durable: wait until the disk has it.

        Returns:
            The descriptor of the new file, which reads, and appends.

        Raises:
            ResultsError: if the claim is gone; then the file is as it was.
            OSError: if the file can't be written.
        """
        staged = f"{name}.{self.token}.partial"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
        fd = open_apart(staged, flags, 0o666, dir_fd=self._directory)
        try:
            self.check()  # now, see rule 3
            write(fd)
            if durable:
                sync(fd)
            try:
                os.replace(staged, name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
            except FileNotFoundError:
                raise self._lost() from None
            if durable:
                sync(self._directory)
        except BaseException:
            os.close(fd)
            with contextlib.suppress(OSError):
                os.unlink(staged, dir_fd=self._directory)
            raise
        return fd

    def find(self, name: str) -> os.stat_result | None:
        """Return the status of a file of the directory, also where that was renamed; None without
        such a file.

        Raises:
            OSError: if the file system doesn't tell.
        """
        try:
            return os.stat(name, dir_fd=self._directory, follow_symlinks=False)
        except OSError as error:
            if error.errno in _GONE_ERRORS:
                return None
            raise

    def touch(self) -> None:
        """Tell that the owner lives."""
        with contextlib.suppress(OSError):
            os.utime(self._fd)

    def _holds(self) -> bool:
        """Return whether the claim is there, and this one's."""
        try:
            return _read(self._directory, self._name) == self._text
        except OSError as error:
            if error.errno in _GONE_ERRORS:
                return False
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
        return self._is_there()  # no descriptor is left to open it with

    def _is_there(self) -> bool:
        """Return whether the file of the claim is there, whatever it holds."""
        found, ours = self.find(self._name), os.fstat(self._fd)
        return found is not None and os.path.samestat(found, ours)

    def _lost(self) -> ResultsError:
        others: list[str] = []
        with contextlib.suppress(OSError):
            others = claims_in(self._directory)
        who = ""
        with contextlib.suppress(OSError, IndexError):
            who = owner.name_of(owner.read_owner(_read(self._directory, others[-1])))
        if who:
            what = (
                f"another search has taken '{self.log_dir}' over ({who}), because this one gave no "
                "sign of life for long; this one ends. What it had recorded is kept, in "
                "results.csv there with what came later"
            )
        else:
            what = (
                f"the claim of this search to '{self.log_dir}' is gone, because another search "
                "took it over and has ended since, or because somebody deleted it; this one ends. "
                "What it had recorded is kept, unless that was deleted too"
            )
        return ResultsError(
            f"{what}; to continue, use {argument('resume', 'True', str(self.log_dir))} when no "
            "search runs there"
        )

    def _claim(self) -> None:
        me = owner.this_process() if self._owner is None else self._owner
        self._text = json.dumps({**me, "token": self.token}).encode()
        old = claims_in(self._directory)
        for name in old:
            self._check_gone(name, me)
        self._name = f"running-{_number(old[-1]) + 1 if old else 1:06}.json"
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            self._fd = open_apart(self._name, flags, 0o666, dir_fd=self._directory)
        except FileExistsError:
            raise _running_elsewhere(self.log_dir, "another process") from None
        try:
            if os.write(self._fd, self._text) != len(self._text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.utime(self._fd)
            # While this one looked, others may have come and gone, so that numbers began anew.
            for name in claims_in(self._directory):
                if name != self._name:
                    self._check_gone(name, me)
                    self.check()
                    _remove(self._directory, name)
            for name in os.listdir(self._directory):
                staged = _STAGED.fullmatch(name)
                if staged is not None and staged[1] != self.token:
                    _remove(self._directory, name)
        except BaseException:
            with contextlib.suppress(OSError):
                if self._is_there():
                    os.unlink(self._name, dir_fd=self._directory)
            raise

    def _check_gone(self, name: str, me: dict[str, Any]) -> None:
        """Raise ResultsError unless the owner of a claim seems to be gone."""
        _check_not_known_alive(self.log_dir, self._directory, name, me)
        other = owner_of(self._directory, name)
        if other is None or owner.share_process_table(me, other):
            return
        before = touched_at(self._directory, name)
        if before is None or self._judged_gone.get(name) == before:
            return
        # The clock of the file server may have been set, and then the time since its last sign of
        # life is not what it seems. But if it lives it gives another one soon.
        seconds = 2.4 * self._touch_seconds
        if self._notify is not None:
            self._notify(
                f"waiting {seconds:.0f} s for a sign of life of the search that was running in "
                f"'{self.log_dir}' ({owner.name_of(other)})"
            )
        self._sleep(seconds)
        if touched_at(self._directory, name) not in (before, None):
            raise _running_elsewhere(self.log_dir, owner.name_of(other))
        self._judged_gone[name] = before

    def _touch_often(self) -> None:
        while not self._released.wait(self._touch_seconds):
            self.touch()

    def _close(self) -> None:
        for fd in (self._fd, self._directory):
            if fd >= 0:
                os.close(fd)
        self._fd = self._directory = -1


def sync(fd: int) -> None:
    """Wait until the disk says that it has what was written to a file or directory.

    Raises:
        OSError: if the disk can't keep it.
    """
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def check_unclaimed(log_dir: Path) -> None:
    """Make sure that no search is known to be running in a log directory.

    Raises:
        ResultsError: if one is. A directory that can't be read is left to :class:`Claim`.
    """
    with contextlib.suppress(OSError):
        directory = open_apart(log_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            claims = claims_in(directory)
            me = owner.this_process() if claims else {}
            for name in claims:
                _check_not_known_alive(log_dir, directory, name, me)
        finally:
            os.close(directory)


def _check_not_known_alive(log_dir: Path, directory: int, name: str, me: dict[str, Any]) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.lstat(name, dir_fd=directory).st_mode):
            raise ResultsError(
                f"'{log_dir / name}' is not a regular file, and so tells of no search; move it "
                "away, or use another directory"
            )
    other = owner_of(directory, name)
    if other is None:
        return  # given up just now
    if owner.share_process_table(me, other):
        if owner.is_alive(other):
            raise _running_elsewhere(log_dir, owner.name_of(other))
    elif abs(_seconds_since_touched(directory, name)) < GONE_SECONDS:
        raise _running_elsewhere(
            log_dir,
            f"{owner.name_of(other)}, which was last heard of less than {GONE_SECONDS:.0f} s ago",
        )


def _cannot_write(log_dir: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"the log directory '{log_dir}' can't be written ({error.strerror or error}); choose "
        f"another {argument('log_dir')}"
    )


def _running_elsewhere(log_dir: Path, who: str) -> DirectoryInUse:
    return DirectoryInUse(
        f"a search is running in '{log_dir}' ({who}); wait for it to end, or choose another "
        f"{argument('log_dir')}"
    )


def claims_in(directory: int) -> list[str]:
    """Return the names of the claims on a log directory, the latest last."""
    return sorted((n for n in os.listdir(directory) if _CLAIM.fullmatch(n)), key=_number)


def _number(claim: str) -> int:
    return int(claim.removesuffix(".json").partition("-")[2])


def owner_of(directory: int, name: str) -> dict[str, Any] | None:
    """Return who made a claim; empty while it is made; None if it is given up."""
    try:
        return owner.read_owner(_read(directory, name))
    except OSError as error:
        return None if error.errno in _GONE_ERRORS else {}


def _read(directory: int, name: str) -> bytes:
    fd = open_apart(name, _READ, dir_fd=directory)
    try:
        return os.read(fd, _LONGEST_CLAIM)
    finally:
        os.close(fd)


def _remove(directory: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)


def touched_at(directory: int, name: str) -> int | None:
    """Return when a claim was touched, by the clock of the file server; None if it is given up."""
    try:
        fd = open_apart(name, _READ, dir_fd=directory)
    except FileNotFoundError:
        return None
    try:
        return os.fstat(fd).st_mtime_ns
    finally:
        os.close(fd)


def _seconds_since_touched(directory: int, name: str) -> float:
    """Return how long ago a claim was touched, by the clock of the file server, which need not be
    ours; infinite if it is given up."""
    probe = f"running.{uuid.uuid4().hex}.probe"
    fd = open_apart(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=directory)
    try:
        os.utime(fd)
        now = os.fstat(fd).st_mtime_ns
    finally:
        os.close(fd)
        _remove(directory, probe)
    touched = touched_at(directory, name)
    return math.inf if touched is None else (now - touched) / 1e9
