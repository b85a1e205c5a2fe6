"""Which search a log directory belongs to while it runs.

The owner is a file ``running-<n>.json`` that only one process can have created (``O_EXCL``, which
network file systems honour too); no lock is held. If its process is gone, the next search creates
the file with the next number, and again only one can. On this host the process table tells whether
it is gone; for another host it counts as gone when it has not touched its file for a while.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deephyper.errors import ResultsError

_TOUCH_SECONDS = 5.0
_GONE_SECONDS = 60.0


class Ownership:
    """Claims a log directory, as a context manager.

    Raises:
        ResultsError: if another search is running in it, or it can't be written.
    """

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._path: Path | None = None
        self._released = threading.Event()

    def __enter__(self) -> Self:
        try:
            self._path = self._claim()
        except OSError as error:
            raise ResultsError(
                f"the log directory '{self._log_dir}' can't be written "
                f"({error.strerror or error}); choose another with --log-dir"
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

    def _claim(self) -> Path:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        claims = sorted(self._log_dir.glob("running-*.json"))
        number = 1
        if claims:
            self._refuse_if_running(claims[-1])
            number = int(claims[-1].stem.partition("-")[2]) + 1
        path = self._log_dir / f"running-{number:06}.json"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            raise self._running_elsewhere("another process") from None
        try:
            os.write(fd, json.dumps(_this_process()).encode())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        for old in claims:
            old.unlink(missing_ok=True)
        return path

    def _refuse_if_running(self, claim: Path) -> None:
        try:
            owner = json.loads(claim.read_text())
        except (OSError, ValueError):
            owner = {}  # it is being created or removed just now, or its writer died at once
        who = f"process {owner.get('pid', '?')} on {owner.get('host', 'another host')}"
        if owner.get("host") == socket.gethostname():
            if _is_alive(owner):
                raise self._running_elsewhere(who)
        elif _seconds_since_touched(claim) < _GONE_SECONDS:
            raise self._running_elsewhere(
                f"{who}, which was last heard of less than {_GONE_SECONDS:.0f} s ago"
            )

    def _running_elsewhere(self, who: str) -> ResultsError:
        return ResultsError(
            f"a search is running in '{self._log_dir}' ({who}); wait for it to end, or choose "
            "another --log-dir"
        )

    def _touch(self) -> None:
        while not self._released.wait(_TOUCH_SECONDS):
            with contextlib.suppress(OSError):
                os.utime(self._path or "")


def _this_process() -> dict[str, Any]:
    import psutil

    pid = os.getpid()
    began = psutil.Process(pid).create_time()
    return {"host": socket.gethostname(), "pid": pid, "began": began}


def _is_alive(owner: dict[str, Any]) -> bool:
    """Whether the very process lives, and not another one that got its number since."""
    import psutil

    try:
        return abs(psutil.Process(owner["pid"]).create_time() - owner["began"]) < 1.0
    except (psutil.Error, KeyError):
        return False


def _seconds_since_touched(claim: Path) -> float:
    """By the clock of the file server, which need not be ours."""
    probe = claim.with_name(f"{claim.stem}.{os.getpid()}.probe")
    try:
        probe.touch()
        return probe.stat().st_mtime - claim.stat().st_mtime
    except FileNotFoundError:
        return 0.0
    finally:
        probe.unlink(missing_ok=True)
