"""The number of points of a search space."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deephyper.problem.problem import BaseProblem


@dataclass(frozen=True)
class SpaceSize:
    """The size of a search space.

    Attributes:
        num_hyperparameters: all of them, those included that aren't always active.
        num_points: how many points there are; None for infinitely many.
        exact: False if there are conditions or forbidden combinations, which leave fewer.
    """

    num_hyperparameters: int
    num_points: int | None
    exact: bool

    def __str__(self) -> str:
        number = self.num_hyperparameters
        hyperparameters = "1 hyperparameter" if number == 1 else f"{number} hyperparameters"
        if self.num_points is None:
            return f"{hyperparameters}, infinitely many points"
        points = "1 point" if self.num_points == 1 else f"{self.num_points:,} points"
        return f"{hyperparameters}, {points if self.exact else f'at most {points}'}"


def size_of(problem: BaseProblem) -> SpaceSize:
    """Return the size of a problem's space."""
    space = problem.space
    size = space.estimate_size()
    return SpaceSize(
        len(problem.hyperparameter_names),
        int(size) if math.isfinite(size) else None,
        exact=not (space.conditions or space.forbidden_clauses),
    )
