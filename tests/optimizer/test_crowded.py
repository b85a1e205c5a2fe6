"""Many pending points close to one another: the model stays finite, and nothing warns."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from deephyper.optimizer import create_optimizer
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.features import Features
from deephyper.optimizer.bayesian.kernel import Covariance, Parameters
from deephyper.optimizer.bayesian.surrogate import Surrogate
from deephyper.optimizer.encoding import SpaceEncoding
from deephyper.problem import HpProblem, Point
from deephyper.problem import config_space as cs


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def encoding_of(numbers: int, ints: int, categories: int) -> SpaceEncoding:
    problem = HpProblem()
    for i in range(numbers):
        problem.add_dim(f"x{i}", (0.0, 1.0))
    for i in range(ints):
        problem.add_dim(f"i{i}", (0, 5))
    for i in range(categories):
        problem.add_dim(f"c{i}", ["a", "b", "c"])
    return SpaceEncoding(problem.space)


def cluster(encoding: SpaceEncoding, rng: np.random.Generator, n: int, width: float) -> Array:
    """Vectors within a cube of this width."""
    units = 0.5 + width * (rng.random((n, encoding.n_dims)) - 0.5)
    columns = zip(encoding.columns, units.T, strict=True)
    return np.stack([column.from_unit(unit) for column, unit in columns], axis=1)


CROWDS = [
    ((6, 0, 0), 0.0, 6.0, 1e-6),
    ((6, 0, 0), 4.5, 6.0, 0.0),
    ((2, 0, 0), 1.5, -6.0, 1e-6),
    ((2, 2, 4), 4.5, -6.0, 1e-3),
    ((2, 2, 4), 4.5, 0.0, 1e-3),
    ((0, 0, 6), 4.5, -6.0, 1.0),
    ((1, 4, 1), -1.0, -6.0, 1e-3),
    ((1, 4, 1), 0.0, 6.0, 1e-6),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("kinds", "log_length", "logit_share", "width"), CROWDS)
def test_the_rows_of_the_inverse_stay_within_their_bound(
    kinds: tuple[int, int, int], log_length: float, logit_share: float, width: float
) -> None:
    encoding = encoding_of(*kinds)
    features = Features(encoding)
    rng = np.random.default_rng(0)
    d = features.n_groups
    parameters = Parameters(
        joint=np.full(d, math.exp(log_length)),
        additive=np.full(d, math.exp(log_length)),
        share=1.0 / (1.0 + math.exp(-logit_share)),
        noise=math.exp(-13.0),
    )
    with np.errstate(under="ignore"):
        x = features(
            np.concatenate([cluster(encoding, rng, 60, 1.0), cluster(encoding, rng, 60, width)])
        )
        factor = Factor(Covariance(features, parameters), x, 420)
        surrogate = Surrogate(factor, np.sin(3.0 * x[:100].sum(axis=1)), 10)
        for i, point in enumerate(features(cluster(encoding, rng, 300, width))):
            surrogate.append(point)
            if i % 3 == 0:
                surrogate.set_result(factor.n - 1, math.sin(3.0 * point.sum()))
            elif i % 7 == 0:
                surrogate.set_failed(factor.n - 1)
        moments = surrogate.moments_at(factor.solve(features(cluster(encoding, rng, 50, 1.0))))
    longest = np.einsum("ij,ij->i", factor.inverse, factor.inverse).max()
    assert longest <= 2.001 / factor.noise
    for values in (moments.mean, moments.std, moments.risk):
        assert values is not None
        assert np.isfinite(values).all()
    assert np.abs(moments.mean).max() < 20.0


def mixed() -> HpProblem:
    problem = HpProblem()
    c = problem.add_dim("c", ["a", "b", "d"])
    problem.add_dim("i", (0, 5))
    problem.add_dim("x", (0.0, 1.0))
    m = problem.add_dim("m", (0.0, 1.0))
    k = problem.add_dim("k", [1, 2, 4, 8])
    problem.add_dim("l", (1e-5, 1.0, "log-uniform"))
    problem.add_dim("b", [True, False])
    q = problem.add_dim("q", (1, 1000, "log-uniform"))
    problem.add_condition(cs.EqualsCondition(m, c, "a"))
    problem.add_condition(cs.GreaterThanCondition(q, k, 2))
    return problem


def lattice() -> HpProblem:
    problem = HpProblem()
    for i in range(4):
        problem.add_dim(f"i{i}", (0, 9))
    problem.add_dim("c", ["a", "b"])
    return problem


def smooth(point: Point) -> float:
    """Without noise, so that the model takes neighbors for the same."""
    return -sum(
        0.1 * len(v) if isinstance(v, str) else (float(v) - 0.3) ** 2 for v in point.values()
    )


@pytest.mark.parametrize("make", [mixed, lattice])
def test_thousands_of_pending_points_warn_of_nothing(make: type[HpProblem]) -> None:
    optimizer = create_optimizer(make(), seed=1)
    pending = optimizer.ask(1920)
    told, pending = pending[:400], pending[400:]
    optimizer.tell(told, [smooth(proposal.point) for proposal in told])
    for n in (1, 300, 1):
        for proposal in optimizer.ask(n):
            assert proposal.prediction is not None
            assert math.isfinite(proposal.prediction.mean)
            pending.append(proposal)
        optimizer.tell(pending.pop(), "F_crash")
    assert len(optimizer.pending) == len(pending)
