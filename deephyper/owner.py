"""The owner of a log directory: which process it is, and whether that process is gone."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from typing import Any


def this_process() -> dict[str, Any]:
    """Return what a claim says of its owner."""
    import psutil

    pid = os.getpid()
    began = psutil.Process(pid).create_time()
    return {
        "host": socket.gethostname(),
        "boot": _boot(),
        "namespace": _pid_namespace(),
        "pid": pid,
        "began": began,
        "began_after_boot": began - psutil.boot_time(),
    }


def read_owner(text: bytes) -> dict[str, Any]:
    """Return the owner that a claim names; empty if it names none, as while it is written."""
    with contextlib.suppress(ValueError, RecursionError):
        owner = json.loads(text)
        if isinstance(owner, dict):
            return owner
    return {}


def name_of(owner: dict[str, Any]) -> str:
    """Return an owner in words."""
    text = f"process {owner.get('pid', '?')} on {owner.get('host', 'another host')}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)[:200]


def share_process_table(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether the process table of one owner can tell whether the other is gone.

    Hosts may have the same name, and containers that of their host.
    """
    return all(one.get(key) == other.get(key) for key in ("host", "boot", "namespace"))


def is_alive(owner: dict[str, Any]) -> bool:
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
    except (psutil.Error, KeyError, TypeError, ValueError, OverflowError):
        return False


def _pid_namespace() -> str | None:
    """Containers may share a host's name, but not its process table."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def _boot() -> str | None:
    """Return what identifies this start of this computer's kernel, if that is known."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(64).strip()
    except (OSError, ValueError):
        return None
