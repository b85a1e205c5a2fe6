"""Journals as a session opens them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deephyper.claim import Claim
from deephyper.clock import Clock
from deephyper.search.journal import Journal

SPACE: dict[str, Any] = {"hyperparameters": {"x": {}}, "conditions": [], "forbiddens": []}


@contextlib.contextmanager
def opened(log_dir: Path, clock: Clock | None = None) -> Iterator[Journal]:
    """The journal of a log directory, as a session opens it."""
    with Claim(log_dir) as claim, contextlib.closing(Journal(claim, clock)) as journal:
        yield journal
