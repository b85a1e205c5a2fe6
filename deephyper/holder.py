"""The process that has a log directory, for those who only look."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deephyper import owner
from deephyper.claim import GONE_SECONDS, claims_in, owner_of, touched_at
from deephyper.errors import ResultsError
from deephyper.standard_streams import open_apart


@dataclass(frozen=True)
class Holder:
    """The process that has a log directory.

    Attributes:
        pid: its number, where that is known.
        host: its host, where that is known.
        alive: whether it seems to live: by the process table, or for another host or container by
            its last sign of life.
        same_host: whether the process table tells.
    """

    pid: int | None
    host: str | None
    alive: bool
    same_host: bool


def read_holder(log_dir: Path) -> Holder | None:
    """Return the process that has a log directory, None without one; nothing is written.

    The clock of a file server may differ from ours, so that its age is a guess.

    Raises:
        ResultsError: if the directory can't be read.
    """
    try:
        directory = open_apart(log_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in reversed(claims_in(directory)):
                other, touched = owner_of(directory, name), touched_at(directory, name)
                if other is not None and touched is not None:
                    return _holder(other, touched / 1e9)
        finally:
            os.close(directory)
    except OSError as error:
        raise ResultsError(
            f"'{log_dir}' can't be read ({error.strerror or error}); check its permissions"
        ) from error
    return None


def session_of(log_dir: Path) -> str | None:
    """Return the word that the claim of the session has which runs in a log directory.

    Returns:
        None where there is no claim.

    Raises:
        OSError: if the directory can't be read.
    """
    directory = open_apart(log_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in reversed(claims_in(directory)):
            token = (owner_of(directory, name) or {}).get("token")
            if isinstance(token, str):
                return token
    finally:
        os.close(directory)
    return None


def _holder(other: dict[str, Any], touched: float) -> Holder:
    same = owner.share_process_table(owner.this_process(), other)
    alive = owner.is_alive(other) if same else abs(time.time() - touched) < GONE_SECONDS
    pid, host = other.get("pid"), other.get("host")
    return Holder(
        pid if isinstance(pid, int) else None, host if isinstance(host, str) else None, alive, same
    )
