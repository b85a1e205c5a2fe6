"""The budget of a search, and when it is used up."""

from __future__ import annotations

import dataclasses
import math
import statistics
import sys
from collections import deque
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
    from deephyper.search.record import Evaluation, Record
    from deephyper.stopper.reports import Reports

_FIRST = 8
"""Objectives, the first ones, from which gains are measured: as many as an optimizer usually has
before it has a model."""
_LOW_IN_A_ROW = 25
"""Evaluations of which little is expected before a search is done. Fewer end it where the model has
not yet seen a better basin, more save little."""
_ERRORS = 30
"""Predictions, the last ones, by whose errors their standard deviations are corrected."""
_FEWEST_ERRORS = 5
_LARGEST_ERROR = 5.0
"""Standard deviations that an error counts as, at most."""

DEFAULT_MAX_EVALS = 100
"""Evaluations of a search that is given no number of them, no number of steps and no time."""
MOST = 10**15
"""The largest number of evaluations, steps or failures that a journal holds."""
DEFAULT_STOP_GRACE = 30.0
"""Seconds that an evaluation gets which is to end early."""
DEFAULT_GRACE = 30.0
"""Seconds that running evaluations get when the search's time limit is reached."""

Reason = Literal[
    "max_evals",
    "max_steps",
    "timeout",
    "exhausted",
    "max_failures",
    "target",
    "patience",
    "done",
    "interrupted",
]
"""max_evals, max_steps, timeout, max_failures: that part of the budget is used up; exhausted: every
point of the space was evaluated; target: an objective as good as was wanted is found; patience:
none has been better for as many evaluations as that; done: the model expects little of what is
left; interrupted: by a signal."""

DEFAULT_WORTH = 0.01
"""Share of what was gained that an evaluation must promise to be worth it, see
:class:`Expectations`."""


@dataclass(frozen=True)
class Budget:
    """The limits of a search, over all its sessions, and what is good enough for it.

    Attributes:
        max_evals: evaluations, failed ones included; None for no limit.
        timeout: seconds; None for no limit.
        max_steps: steps in all evaluations, as they report them; None for no limit.
        max_failures: failures in a row; None for no limit.
        target: an objective that is good enough; None for the best there is.
        patience: evaluations in a row without an improvement; None for no limit.
        min_delta: objectives that exceed the last improvement by no more than this are none.
        stop_when_done: the share of what was gained that evaluations must promise, see
            :class:`Expectations`; True for 0.01, False for no such end.

    Raises:
        SettingsError: if one of them isn't a number, or isn't in its range.
    """

    max_evals: int | None = None
    timeout: float | None = None
    max_steps: int | None = None
    max_failures: int | None = None
    target: Objective | None = None
    patience: int | None = None
    min_delta: float = 0.0
    stop_when_done: bool | float = False

    def __post_init__(self) -> None:
        _share(self.stop_when_done)
        for name in ("max_evals", "max_steps", "max_failures", "patience"):
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
        return any(end is not None for end in (self.target, self.patience, self.worth))

    @property
    def worth(self) -> float | None:
        """The share of what was gained that evaluations must promise; None for any."""
        return _share(self.stop_when_done)

    def over_sessions(self, record: Record) -> Budget:
        """Return it with what earlier sessions had, or a new search's default, where nothing is
        given.

        Sessions whose points were asked for from outside had no budget.
        """
        max_evals, timeout, max_steps = self.max_evals, self.timeout, self.max_steps
        if record.resumed:
            max_evals = record.max_evals if max_evals is None else max_evals
            timeout = record.timeout if timeout is None else timeout
            max_steps = record.max_steps if max_steps is None else max_steps
        if max_evals is None and timeout is None and max_steps is None:
            max_evals = DEFAULT_MAX_EVALS
        return dataclasses.replace(self, max_evals=max_evals, timeout=timeout, max_steps=max_steps)

    def reason_to_stop(
        self, evaluations: int, seconds: float, streaks: Streaks, has_steps: bool
    ) -> Reason | None:
        """Return why no further evaluation may start, or None.

        Args:
            evaluations: that have ended or are running.
            seconds: that the search has lasted.
            streaks: up to now.
            has_steps: whether the steps suffice for the next one, see :meth:`has_steps_for`.
        """
        if streaks.reached(self.target):
            return "target"
        if self.max_failures is not None and streaks.failures >= self.max_failures:
            return "max_failures"
        if self.timeout is not None and seconds >= self.timeout:
            return "timeout"
        if self.patience is not None and streaks.without_improvement >= self.patience:
            return "patience"
        if streaks.expectations.are_low:
            return "done"
        # The last ones, since they let paused evaluations continue.
        if self.max_evals is not None and evaluations >= self.max_evals:
            return "max_evals"
        if not has_steps:
            return "max_steps"
        return None

    def evaluations_left(self, evaluations: int) -> float:
        """Return how many more may start, given those that have ended or are running."""
        return math.inf if self.max_evals is None else max(0, self.max_evals - evaluations)

    def new_ones_left(self, evaluations: int, reports: Reports) -> float:
        """Return for how many new ones there are evaluations and steps left.

        Args:
            evaluations: that have ended, are running or are to run again.
            reports: of all of them.
        """
        left = self.evaluations_left(evaluations)
        if self.max_steps is None:
            return left
        if not self.has_steps_for(reports):
            return 0
        whole = reports.rest()
        return min(left, (self.max_steps - reports.steps_ahead) // whole) if whole else left

    def has_steps_for(self, reports: Reports, id_: str | None = None) -> bool:
        """Return whether the steps suffice for the rest of an evaluation; None for a new one.

        It is not cut in its middle, so what those that run still need is left to them.

        Args:
            reports: of all evaluations.
            id_: of the evaluation.
        """
        if self.max_steps is None:
            return True
        ahead = reports.steps_ahead
        return ahead < self.max_steps and ahead + reports.rest(id_) <= self.max_steps


class Streaks:
    """Counts evaluations in the order in which they end.

    Args:
        direction: says which objectives are better.
        min_delta: an objective that is better than the last improvement by no more is none itself.
        worth: see :class:`Expectations`; None doesn't look at any.

    Attributes:
        failures: evaluations in a row, up to the last, that failed.
        without_improvement: evaluations in a row, up to the last, that were no improvement.
        best: the best objective of a whole evaluation; None as long as there is none.
        expectations: of what is left.
    """

    def __init__(
        self,
        direction: Direction = "maximize",
        min_delta: float = 0.0,
        worth: float | None = None,
    ) -> None:
        self.direction = direction
        self.expectations = Expectations(direction, worth)
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

    def take_earlier(self, evaluations: Iterable[Evaluation]) -> None:
        """Count evaluations of earlier sessions; a new session begins without a failure."""
        for evaluation in evaluations:
            self.take(evaluation)
        self.failures = 0

    def take(self, evaluation: Evaluation) -> None:
        """Count an evaluation that has ended; one that ended early is neither better nor worse."""
        outcome = evaluation.outcome
        assert outcome is not None
        if outcome.failure is None or outcome.failure.kind != "stopped":
            self.failures = 0 if outcome.failure is None else self.failures + 1
        if outcome.status == "pruned":
            return
        self.expectations.take(evaluation.predicted, outcome)
        self.without_improvement += 1
        if outcome.status != "finished" or outcome.objective is None:
            return
        if is_better(outcome.objective, self.best, self.direction):
            self.best = outcome.objective
        needed = None if self._last is None else self._last + self._needed
        if is_better(outcome.objective, needed, self.direction):
            self._last, self.without_improvement = outcome.objective, 0


class Expectations:
    """The improvements that a model expected of evaluations, in the order in which these end.

    A search is done when little was expected of so many evaluations in a row, and little came. The
    expected improvement over the best objective (Jones, Schonlau and Welch, 1998, Efficient global
    optimization of expensive black-box functions) is little below a share of what was gained: of
    the distance of the best objective from the median of the first ones. To end by expected
    improvement is the rule of Nguyen and others (2017), Regret for expected improvement over the
    best-observed value and stopping condition. A model that is too sure of itself would end a
    search early, so its standard deviations count as larger, by as much as its last predictions
    were wrong.

    Args:
        direction: says which objectives are better.
        worth: the share of what was gained that an evaluation must promise to be worth it; None
            doesn't look.
    """

    def __init__(self, direction: Direction, worth: float | None) -> None:
        self._sign = -1.0 if direction == "minimize" else 1.0
        self._worth = worth
        self._first: list[float] = []
        self._best = -math.inf
        self._errors: deque[float] = deque(maxlen=_ERRORS)
        """Squares of the errors of predictions, in standard deviations."""
        self._in_a_row = 0

    @property
    def are_low(self) -> bool:
        """True if the search is done."""
        return self._in_a_row >= _LOW_IN_A_ROW

    def take(self, predicted: tuple[float, float] | None, outcome: Outcome) -> None:
        """Take an evaluation that has ended.

        Args:
            predicted: mean and standard deviation of what was expected of it; None without a model.
            outcome: its outcome.
        """
        if self._worth is None:
            return
        found = -math.inf
        if outcome.status == "finished" and outcome.objective is not None:
            found = self._sign * outcome.objective
        mean, std = math.inf, 0.0  # anything may come
        if predicted is not None:
            mean, std = self._sign * predicted[0], predicted[1]
        if len(self._first) >= _FIRST:
            low = self._worth * (self._best - statistics.median(self._first))
            expected = _expected_improvement(mean - self._best, self._correction * std)
            self._in_a_row = self._in_a_row + 1 if max(expected, found - self._best) < low else 0
        elif math.isfinite(found):
            self._first.append(found)
        if std > 0.0 and math.isfinite(found):
            self._errors.append(min(abs(found - mean) / std, _LARGEST_ERROR) ** 2)
        self._best = max(self._best, found)

    @property
    def _correction(self) -> float:
        """The factor of standard deviations."""
        if len(self._errors) < _FEWEST_ERRORS:
            return 1.0
        return max(1.0, math.sqrt(statistics.fmean(self._errors)))


def _expected_improvement(ahead: float, std: float) -> float:
    """Return E[max(f, 0)] for a normal f.

    Args:
        ahead: mean of f.
        std: its standard deviation.
    """
    if not std > 0.0:
        return max(ahead, 0.0)
    z = ahead / std
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return max(0.0, std * density + ahead * 0.5 * math.erfc(-z / math.sqrt(2.0)))


def _share(given: bool | float) -> float | None:
    """Return the share that ``stop_when_done`` stands for, None for no such end.

    Raises:
        SettingsError: if it isn't one.
    """
    if given is False:
        return None
    if given is True:
        return DEFAULT_WORTH
    try:
        share = real("it", given, above=0.0)
    except SettingsError:
        share = math.inf
    if share >= 1.0:
        raise SettingsError(
            f"{argument('stop_when_done')} is {given!r}; give the share of what was gained that is "
            f"worth an evaluation, more than 0 and less than 1, such as {DEFAULT_WORTH}"
        )
    return share


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
