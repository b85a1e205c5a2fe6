"""A mixed space, as the default optimizer's mathematics sees it."""

from __future__ import annotations

import numpy as np

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.features import Features
from deephyper.optimizer.bayesian.kernel import Parameters
from deephyper.optimizer.encoding import SpaceEncoding
from deephyper.optimizer.sampling import Sampler
from deephyper.problem import HpProblem

Space = tuple[Features, Array]
"""Features of a space, and of some of its points."""


def mixed_space() -> Space:
    """Return features of a mixed space and of 40 points of it."""
    problem = HpProblem()
    problem.add_dim("a", (0.0, 1.0))
    problem.add_dim("b", (1e-3, 1.0, "log-uniform"))
    problem.add_dim("c", (1, 20))
    problem.add_dim("d", ["x", "y", "z"])
    problem.add_dim("e", [1, 2, 4])
    encoding = SpaceEncoding(problem.space)
    vectors = Sampler(encoding, np.random.default_rng(0)).sample(40)
    features = Features(encoding)
    return features, features(vectors)


def some_parameters(d: int, seed: int = 0) -> Parameters:
    theta = Parameters.initial(d).to_vector()
    return Parameters.from_vector(theta + 0.4 * np.random.default_rng(seed).normal(size=len(theta)))


def some_objective(x: Array) -> Array:
    y = np.sin(5.0 * x[:, 0]) + x[:, 1] ** 2 + x[:, -1]
    return np.asarray((y - y.mean()) / y.std())
