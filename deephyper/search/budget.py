"""The budget of a search, and when it is used up."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deephyper.checks import real, whole
from deephyper.errors import SettingsError, argument
from deephyper.objective import (
    MACHINE_FAULTS,
    Direction,
    Failure,
    FailureKind,
    Objective,
    is_better,
    read_objective,
)

if TYPE_CHECKING:
    from deephyper.job import Outcome
    from deephyper.search.record import Record

DEFAULT_MAX_EVALS = 100
"""Evaluations of a search that is given neither a number of them nor a time."""
MOST = 10**15
"""The largest number of evaluations or failures that a journal holds."""
DEFAULT_STOP_GRACE = 30.0
"""Seconds that an evaluation gets which is to end early."""
DEFAULT_GRACE = 30.0
"""Seconds that running evaluations get when the search's time limit is reached."""

Reason = Literal[
    "max_evals", "timeout", "exhausted", "max_failures", "target", "patience", "interrupted"
]
"""max_evals, timeout, max_failures: that part of the budget is used up; exhausted: every point of
the space was evaluated; target: an objective as good as was wanted is found; patience: none has
been better for as many evaluations as that; interrupted: by a signal."""


@dataclass(frozen=True)
class Budget:
    """The limits of a search, over all its sessions, and what is good enough for it.

    Attributes:
        max_evals: evaluations, failed ones included; None for no limit.
        timeout: seconds; None for no limit.
        max_failures: failures in a row; None for no limit.
        target: an objective that is good enough; None for the best there is.
        patience: evaluations in a row without an improvement; None for no limit.
        min_delta: objectives that exceed the last improvement by no more than this are none.

    Raises:
        SettingsError: if one of them isn't a number, or isn't in its range.
    """

    max_evals: int | None = None
    timeout: float | None = None
    max_failures: int | None = None
    target: Objective | None = None
    patience: int | None = None
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        for name in ("max_evals", "max_failures", "patience"):
            # As plain numbers, since they are written to the journal.
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, whole(name, value, 1, MOST))
        if self.timeout is not None:
            timeout = real("timeout", self.timeout, above=0, unit="seconds")
            object.__setattr__(self, "timeout", min(timeout, sys.float_info.max))
        if self.target is not None:
            target = read_objective(self.target)
            if isinstance(target, Failure):
                raise SettingsError(
                    f"{argument('target')} is {self.target!r}; give the objective that is good "
                    "enough, a number"
                )
            object.__setattr__(self, "target", target)
        object.__setattr__(self, "min_delta", real("min_delta", self.min_delta))
        if self.min_delta and self.patience is None:
            raise SettingsError(
                f"{argument('min_delta')} says which improvements count for "
                f"{argument('patience')}; give that too"
            )

    @property
    def looks_back(self) -> bool:
        """True if its end depends on the objectives of earlier sessions."""
        return self.target is not None or self.patience is not None

    def over_sessions(self, record: Record) -> Budget:
        """Return it with what earlier sessions had, or a new search's default, where nothing is
        given."""
        max_evals, timeout = self.max_evals, self.timeout
        if record.resumed:
            max_evals = record.max_evals if max_evals is None else max_evals
            timeout = record.timeout if timeout is None else timeout
        elif max_evals is None and timeout is None:
            max_evals = DEFAULT_MAX_EVALS
        return dataclasses.replace(self, max_evals=max_evals, timeout=timeout)

    def reason_to_stop(self, evaluations: int, seconds: float, streaks: Streaks) -> Reason | None:
        """Return why no further evaluation may start, or None.

        Args:
            evaluations: that have ended or are running.
            seconds: that the search has lasted.
            streaks: up to now.
        """
        if streaks.reached(self.target):
            return "target"
        if self.max_failures is not None and streaks.failures >= self.max_failures:
            return "max_failures"
        if self.timeout is not None and seconds >= self.timeout:
            return "timeout"
        if self.max_evals is not None and evaluations >= self.max_evals:
            return "max_evals"
        if self.patience is not None and streaks.without_improvement >= self.patience:
            return "patience"
        return None

    def evaluations_left(self, evaluations: int) -> float:
        """Return how many more may start, given those that have ended or are running."""
        return math.inf if self.max_evals is None else max(0, self.max_evals - evaluations)


class Streaks:
    """Counts evaluations in the order in which they end.

    Args:
        direction: says which objectives are better.
        min_delta: an objective that is better than the last improvement by no more is none itself.

    Attributes:
        failures: evaluations in a row, up to the last, that failed.
        without_improvement: evaluations in a row, up to the last, that were no improvement.
        best: the best objective of a whole evaluation; None as long as there is none.
    """

    def __init__(self, direction: Direction = "maximize", min_delta: float = 0.0) -> None:
        self.direction = direction
        self.failures = 0
        self.without_improvement = 0
        self.best: Objective | None = None
        self._needed = -min_delta if direction == "minimize" else min_delta
        self._last: Objective | None = None
        """The last improvement."""

    def reached(self, target: Objective | None) -> bool:
        """Return whether there is an objective as good as the target, where there is one."""
        if target is None or self.best is None:
            return False
        return not is_better(target, self.best, self.direction)

    def take_earlier(self, outcomes: Iterable[Outcome]) -> None:
        """Count evaluations of earlier sessions; a new session begins without a failure."""
        for outcome in outcomes:
            self.take(outcome)
        self.failures = 0

    def take(self, outcome: Outcome) -> None:
        """Count an evaluation that has ended."""
        self.failures = 0 if outcome.failure is None else self.failures + 1
        self.without_improvement += 1
        if outcome.status != "finished" or outcome.objective is None:
            return
        if is_better(outcome.objective, self.best, self.direction):
            self.best = outcome.objective
        needed = None if self._last is None else self._last + self._needed
        if is_better(outcome.objective, needed, self.direction):
            self._last, self.without_improvement = outcome.objective, 0


@dataclass(frozen=True)
class Policy:
    """The rules for what goes wrong, and for the end of the time.

    Attributes:
        retries: how often an evaluation is tried again whose worker died.
        grace: seconds that running evaluations get when the time limit is reached.
        sigterm_grace: seconds that they get when SIGTERM or SIGHUP came.
        stop_grace: seconds that an evaluation gets which is to end early.
    """

    retries: int
    grace: float
    sigterm_grace: float
    stop_grace: float

    def retries_after(self, kind: FailureKind) -> int:
        """Return how often an evaluation is tried again that has failed so.

        The death of a node says nothing about the point, so there is one retry in any case.
        """
        if kind not in MACHINE_FAULTS:
            return 0
        return max(self.retries, 1) if kind == "node_died" else self.retries
