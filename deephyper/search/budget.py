"""The budget of a search, and when it is used up."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deephyper.checks import real, whole

if TYPE_CHECKING:
    from deephyper.search.record import Record

DEFAULT_MAX_EVALS = 100
"""Evaluations of a search that is given neither a number of them nor a time."""
MOST = 10**15
"""The largest number of evaluations or failures that a journal holds."""
DEFAULT_GRACE = 30.0
"""Seconds that running evaluations get when the search's time limit is reached."""

Reason = Literal["max_evals", "timeout", "exhausted", "max_failures", "interrupted"]
"""max_evals, timeout, max_failures: that part of the budget is used up; exhausted: every point of
the space was evaluated; interrupted: by a signal."""


@dataclass(frozen=True)
class Budget:
    """The evaluations, time and failures that a search may use, over all its sessions.

    Attributes:
        max_evals: evaluations, failed ones included; None for no limit.
        timeout: seconds; None for no limit.
        max_failures: failures in a row; None for no limit.

    Raises:
        SettingsError: if one of them isn't a positive number.
    """

    max_evals: int | None = None
    timeout: float | None = None
    max_failures: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_evals", "max_failures"):
            # As plain numbers, since they are written to the journal.
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, whole(name, value, 1, MOST))
        if self.timeout is not None:
            timeout = real("timeout", self.timeout, above=0, unit="seconds")
            object.__setattr__(self, "timeout", min(timeout, sys.float_info.max))

    def over_sessions(self, record: Record) -> Budget:
        """Return it with what earlier sessions had, or a new search's default, where nothing is
        given."""
        max_evals, timeout = self.max_evals, self.timeout
        if record.resumed:
            max_evals = record.max_evals if max_evals is None else max_evals
            timeout = record.timeout if timeout is None else timeout
        elif max_evals is None and timeout is None:
            max_evals = DEFAULT_MAX_EVALS
        return Budget(max_evals, timeout, self.max_failures)

    def reason_to_stop(
        self, evaluations: int, seconds: float, failures_in_a_row: int
    ) -> Reason | None:
        """Return why no further evaluation may start, or None.

        Args:
            evaluations: that have ended or are running.
            seconds: that the search has lasted.
            failures_in_a_row: up to now.
        """
        if self.max_failures is not None and failures_in_a_row >= self.max_failures:
            return "max_failures"
        if self.timeout is not None and seconds >= self.timeout:
            return "timeout"
        if self.max_evals is not None and evaluations >= self.max_evals:
            return "max_evals"
        return None

    def evaluations_left(self, evaluations: int) -> float:
        """Return how many more may start, given those that have ended or are running."""
        return math.inf if self.max_evals is None else max(0, self.max_evals - evaluations)
