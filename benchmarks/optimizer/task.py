"""A task: a space, the objective of each point, and the best and a typical objective."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from deephyper.optimizer.encoding import SpaceEncoding
from deephyper.optimizer.sampling import Sampler
from deephyper.problem import HpProblem

Point = dict[str, Any]


@dataclass
class Task:
    """A problem to search, whose objective is maximized.

    Attributes:
        name: unique; its hash seeds everything random about the task.
        group: one of those in suite.py.
        half: "design" (looked at while building) or "report".
        problem: makes the space.
        value: the noiseless objective of a point.
        optimum: the highest noiseless objective.
        noise: standard deviation of what is added to each observation.
        fails: whether the evaluation of a point fails.
    """

    name: str
    group: str
    half: str
    problem: Callable[[], HpProblem]
    value: Callable[[Point], float]
    optimum: Callable[[], float]
    noise: float = 0.0
    fails: Callable[[Point], bool] | None = None
    _cache: dict[str, float] = field(default_factory=dict, repr=False)

    def observe(self, point: Point, rng: np.random.Generator) -> float | str:
        """Return what an optimizer is told: a noisy objective, or "F_..." for a failure."""
        noise = self.noise * float(rng.standard_normal())
        if self.fails is not None and self.fails(point):
            return "F_region"
        return self.value(point) + noise

    @cached_property
    def scale(self) -> tuple[float, float]:
        """The optimum, and the median objective of those of 500 random points that don't fail."""
        problem = self.problem()
        encoding = SpaceEncoding(problem.space)
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        points = encoding.points(Sampler(encoding, rng).sample(500))
        values = [self.value(p) for p in points if self.fails is None or not self.fails(p)]
        return float(self.optimum()), float(np.median(values))

    def regret(self, value: float) -> float:
        """Return the normalized regret: 0 at the optimum, 1 for the median random point."""
        best, typical = self.scale
        return max(best - value, 0.0) / max(best - typical, 1e-300)
