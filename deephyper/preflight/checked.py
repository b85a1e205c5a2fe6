"""The findings of a check."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deephyper.job import Outcome
from deephyper.preflight.environment import Environment
from deephyper.problem.point import Point
from deephyper.problem.size import SpaceSize

Noise = Literal["unknown", "none", "seeded", "unseeded"]
"""unknown: too few evaluations have succeeded to tell; none: objectives are equal, those with
another seed too, as far as that was tried; seeded: they are equal where the seed is, and another
seed gives another one; unseeded: they differ although the seed is the same."""


@dataclass(frozen=True)
class Printed:
    """The output of an evaluation.

    Attributes:
        num_bytes: how much.
        tail: the last lines.
    """

    num_bytes: int
    tail: str


@dataclass(frozen=True)
class Trial:
    """An evaluation that was tried.

    Attributes:
        outcome: what came of it.
        seconds: from its submission to its end: what it took, and what is around it.
        num_reports: how often it has reported.
        first_step: of its reports; None without one.
        last_step: likewise.
        printed: what it has printed; None if that can't be told from what others print.
    """

    outcome: Outcome
    seconds: float
    num_reports: int = 0
    first_step: int | None = None
    last_step: int | None = None
    printed: Printed | None = None

    @property
    def succeeded(self) -> bool:
        """True if it has come to an objective."""
        return self.outcome.status == "finished"


@dataclass(frozen=True)
class Checked:
    """The findings of a check.

    Attributes:
        size: of the search space.
        num_starting_points: how many starting points there are, which are valid.
        point: what was evaluated: the first starting point, or that of the defaults.
        evaluator: name of the evaluator.
        num_workers: concurrent evaluations of the search.
        load_sec: seconds until the first worker had loaded the run function.
        trials: the evaluations, in their order; all but the last have succeeded.
        max_evals: evaluations of the search, no more than there are points.
        environment: what there is on this machine.
        notices: lines for the user.
    """

    size: SpaceSize
    num_starting_points: int
    point: Point
    evaluator: str
    num_workers: int
    load_sec: float
    trials: tuple[Trial, ...]
    max_evals: int
    environment: Environment
    notices: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """True if a search could begin: no evaluation has failed."""
        return all(trial.succeeded for trial in self.trials)

    @property
    def noise(self) -> Noise:
        """The differences between objectives of the same point, see :data:`Noise`."""
        objectives = self.objectives
        if len(objectives) < 2:
            return "unknown"
        if objectives[0] != objectives[1]:
            return "unseeded"
        return "seeded" if len({*objectives}) > 1 else "none"

    @property
    def objectives(self) -> list[float]:
        """The objectives of the evaluations that have succeeded."""
        found = [trial.outcome.objective for trial in self.trials if trial.succeeded]
        return [each for each in found if each is not None]

    @property
    def search_sec(self) -> float | None:
        """Seconds that the search takes if all points take as long as this one; None if unknown.

        The first evaluation of each worker is taken to be as long as the first one here, which has
        data and kernels to load, and any other as long as the later ones.
        """
        if not self.trials or not self.succeeded:
            return None
        return self.load_sec + search_seconds(
            [trial.seconds for trial in self.trials], self.max_evals, self.num_workers
        )


def search_seconds(tried: Sequence[float], max_evals: int, num_workers: int) -> float:
    """Return the seconds that evaluations take on workers, none of which waits.

    Args:
        tried: seconds of evaluations in their order, at least one.
        max_evals: how many there are to be.
        num_workers: how many at a time.
    """
    later = tried[1:] or tried
    return tried[0] + (math.ceil(max_evals / num_workers) - 1) * sum(later) / len(later)
