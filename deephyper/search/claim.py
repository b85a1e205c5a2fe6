"""A claim to a log directory: which search it belongs to while the search runs.

A claim is a file ``running-<n>.json`` that only one process can have created (``O_EXCL``, which
network file systems honour too); no lock is held. If its process is gone, the next search creates
the file with the next number, and again only one can. On this host the process table tells whether
it is gone; for another host it counts as gone when it has not touched its file for a while.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deephyper.errors import ResultsError, argument
from deephyper.safe_files import open_partial, read_small

TOUCH_SECONDS = 5.0
"""How often a claim tells that its owner lives."""
_GONE_SECONDS = 60.0
_CLAIM = re.compile(r"running-(\d+)\.json")


class Claim:
    """Claims a log directory, as a context manager.

    Args:
        log_dir: the directory; it is made if it isn't there.
        touch_seconds: how often the claim tells that its owner lives.

    Raises:
        ResultsError: if another search is running in it, or it can't be written.
    """

    def __init__(self, log_dir: Path, touch_seconds: float = TOUCH_SECONDS) -> None:
        self._log_dir = log_dir
        self._touch_seconds = touch_seconds
        self._path: Path | None = None
        self._released = threading.Event()

    def __enter__(self) -> Self:
        try:
            self._path = self._claim()
        except OSError as error:
            raise ResultsError(
                f"the log directory '{self._log_dir}' can't be written "
                f"({error.strerror or error}); choose another {argument('log_dir')}"
            ) from error
        threading.Thread(target=self._touch, name="log-dir-owner", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._released.set()
        assert self._path is not None
        with contextlib.suppress(OSError):
            self._path.unlink()

    def check(self) -> None:
        """Make sure that no other search has taken the directory.

        It may have if this process, or its computer, or its file system, stood still for long.

        Raises:
            ResultsError: if one has.
        """
        assert self._path is not None
        if os.path.exists(self._path):
            return
        others: list[Path] = []
        with contextlib.suppress(OSError):  # what writes there will say so
            others = _claims(self._log_dir)
        if others:
            raise ResultsError(
                f"another search has taken '{self._log_dir}' ({_who(_owner(others[-1]))}), "
                "because this one gave no sign of life for long; what it had recorded is kept"
            )

    def _claim(self) -> Path:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        old = _claims(self._log_dir)
        for claim in old:
            _check_gone(claim)
        number = _number(old[-1]) + 1 if old else 1
        path = self._log_dir / f"running-{number:06}.json"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            raise _running_elsewhere(self._log_dir, "another process") from None
        try:
            try:
                os.write(fd, json.dumps(this_process()).encode())
            finally:
                os.close(fd)
            # While this one looked, others may have come and gone, so that numbers began anew.
            for claim in _claims(self._log_dir):
                if claim != path:
                    _check_gone(claim)
                    claim.unlink(missing_ok=True)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _touch(self) -> None:
        while not self._released.wait(self._touch_seconds):
            with contextlib.suppress(OSError):
                os.utime(self._path or "", follow_symlinks=False)


def check_unclaimed(log_dir: Path) -> None:
    """Make sure that no search is running in a log directory.

    Raises:
        ResultsError: if one is. A directory that can't be read is left to :class:`Claim`.
    """
    with contextlib.suppress(OSError):
        for claim in _claims(log_dir):
            _check_gone(claim)


def _check_gone(claim: Path) -> None:
    owner = _owner(claim)
    if _is_here(owner):
        if _is_alive(owner):
            raise _running_elsewhere(claim.parent, _who(owner))
    elif _seconds_since_touched(claim) < _GONE_SECONDS:
        raise _running_elsewhere(
            claim.parent,
            f"{_who(owner)}, which was last heard of less than {_GONE_SECONDS:.0f} s ago",
        )


def _running_elsewhere(log_dir: Path, who: str) -> ResultsError:
    return ResultsError(
        f"a search is running in '{log_dir}' ({who}); wait for it to end, or choose another "
        f"{argument('log_dir')}"
    )


def _claims(log_dir: Path) -> list[Path]:
    """Claims on a log directory, the latest last."""
    return sorted((p for p in log_dir.iterdir() if _CLAIM.fullmatch(p.name)), key=_number)


def _number(claim: Path) -> int:
    return int(claim.stem.partition("-")[2])


def _owner(claim: Path) -> dict[str, Any]:
    """Return who made a claim; empty while it is made or removed, or if its writer died at once."""
    with contextlib.suppress(OSError, ValueError, RecursionError, ResultsError):
        owner = json.loads(read_small(claim))
        if isinstance(owner, dict):
            return owner
    return {}


def _who(owner: dict[str, Any]) -> str:
    return f"process {owner.get('pid', '?')} on {owner.get('host', 'another host')}"


def this_process() -> dict[str, Any]:
    """Return what a claim says of its owner."""
    import psutil

    pid = os.getpid()
    began = psutil.Process(pid).create_time()
    return {
        "host": socket.gethostname(),
        "namespace": _pid_namespace(),
        "pid": pid,
        "began": began,
        "began_after_boot": began - psutil.boot_time(),
    }


def _pid_namespace() -> str | None:
    """Containers may share a host's name, but not its process table."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def _is_here(owner: dict[str, Any]) -> bool:
    return owner.get("host") == socket.gethostname() and owner.get("namespace") == _pid_namespace()


def _is_alive(owner: dict[str, Any]) -> bool:
    """Return whether the very process lives, and not another one that has its number now."""
    import psutil

    try:
        process = psutil.Process(int(owner["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        began = process.create_time()
        # Linux dates processes from the boot, which moves when the clock is set.
        after_boot = began - psutil.boot_time()
        apart = min(abs(began - owner["began"]), abs(after_boot - owner["began_after_boot"]))
        return bool(apart < 1.0)
    except psutil.AccessDenied:
        return True
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def _seconds_since_touched(claim: Path) -> float:
    """By the clock of the file server, which need not be ours."""
    fd, probe = open_partial(claim)
    try:
        return os.fstat(fd).st_mtime - claim.lstat().st_mtime
    except FileNotFoundError:
        return math.inf  # given up just now
    finally:
        os.close(fd)
        probe.unlink(missing_ok=True)
