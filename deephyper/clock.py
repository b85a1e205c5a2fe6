"""The clock of a search, handed in so that a whole search can run in virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Where a search reads the time.

    Attributes:
        now: seconds since the epoch, for what is recorded.
        monotonic: seconds that no correction of the computer's clock changes, for time limits.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
