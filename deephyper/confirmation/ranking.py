"""The ranks of points that were evaluated several times."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deephyper.confirmation.candidates import Candidate, key_of
from deephyper.job import Outcome
from deephyper.objective import Direction, Objective
from deephyper.problem.point import Point


@dataclass(frozen=True)
class Confirmed:
    """A point that was evaluated several times.

    Attributes:
        point: its hyperparameters.
        objectives: of the evaluations that have finished, in the order in which they ended.
        num_failed: number of those that failed.
        objective: the objective that the search had from it.
        id: of its evaluation in the search; None where the file had none.
    """

    point: Point
    objectives: tuple[Objective, ...]
    num_failed: int
    objective: Objective
    id: int | str | None = None

    @property
    def num_finished(self) -> int:
        """Number of evaluations that have finished."""
        return len(self.objectives)

    @property
    def mean(self) -> float | None:
        """The mean of the objectives; None where there are none."""
        return statistics.mean(self.objectives) if self.objectives else None

    @property
    def standard_error(self) -> float | None:
        """The standard error of the mean; None where there are fewer than two objectives.

        It is the standard deviation, with n - 1 in its denominator, over the square root of n.
        """
        if len(self.objectives) < 2:
            return None
        return statistics.stdev(self.objectives) / math.sqrt(len(self.objectives))

    def as_row(self) -> dict[str, Any]:
        """Return it as it is shown; what it doesn't have is absent."""
        row = {
            "mean": self.mean,
            "standard_error": self.standard_error,
            "num_finished": self.num_finished,
            "num_failed": self.num_failed,
            "objective": self.objective,
            "id": self.id,
            "point": dict(self.point),
        }
        return {name: value for name, value in row.items() if value is not None}


def ranked(
    candidates: Sequence[Candidate], outcomes: Iterable[Outcome], direction: Direction
) -> list[Confirmed]:
    """Return points by the means of their objectives, the best first.

    Of equal ones, and of those without an objective, the one comes first that was better in the
    search.

    Args:
        candidates: the points, the best of the search first.
        outcomes: of all evaluations.
        direction: says which objectives are better.
    """
    objectives: dict[str, list[Objective]] = {key_of(each.point): [] for each in candidates}
    failed = dict.fromkeys(objectives, 0)
    for outcome in outcomes:
        key = key_of(outcome.job.point)
        if outcome.objective is None:
            failed[key] += 1
        else:
            objectives[key].append(outcome.objective)
    confirmed = []
    for each in candidates:
        key = key_of(each.point)
        confirmed.append(
            Confirmed(each.point, tuple(objectives[key]), failed[key], each.objective, each.id)
        )
    sign = 1.0 if direction == "minimize" else -1.0

    def rank(each: Confirmed) -> float:
        return math.inf if each.mean is None else sign * each.mean

    return sorted(confirmed, key=rank)
