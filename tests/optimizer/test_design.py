"""The points before the first model."""

from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import CategoricalHyperparameter

from deephyper.optimizer import BayesianOptimizer
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.design import Design
from deephyper.optimizer.encoding import SpaceEncoding
from deephyper.optimizer.sampling import Sampler
from deephyper.problem import HpProblem
from tests.optimizer.bowl import cube


def _designed(problem: HpProblem, n: int, seed: int = 0) -> Array:
    encoding = SpaceEncoding(problem.space)
    first = encoding.vectors([problem.default_configuration])
    design = Design(Sampler(encoding, np.random.default_rng(seed)), first)
    return np.concatenate([design.next() for _ in range(n)])


def test_the_default_point_is_the_first() -> None:
    problem = HpProblem()
    problem.add_dim("rate", (1e-4, 1.0, "log-uniform"), default_value=0.1)
    problem.add_dim("kind", ["a", "b"], default_value="b")
    first = BayesianOptimizer(problem, seed=0).ask()
    assert first.point == {"rate": pytest.approx(0.1), "kind": "b"}


def test_a_default_of_weight_zero_is_not_proposed() -> None:
    problem = HpProblem()
    kind = CategoricalHyperparameter("kind", ["a", "b"], weights=[0, 1], default_value="a")
    problem.add_hyperparameter(kind)
    problem.add_dim("x", (0.0, 1.0))
    proposals = BayesianOptimizer(problem, seed=0).ask(8)
    assert {proposal.point["kind"] for proposal in proposals} == {"b"}


@pytest.mark.parametrize(("dims", "spread"), [(2, 0.224), (8, 0.177), (40, 0.144)])
def test_numbers_stay_nearer_to_the_middle_in_more_dimensions(dims: int, spread: float) -> None:
    units = _designed(cube(dims), 65)[1:]
    assert abs(units.mean() - 0.5) < 0.01
    assert abs(units.std() - spread) < 0.01


def test_the_ends_of_the_ranges_are_reached() -> None:
    units = _designed(cube(2), 65)
    assert units.min() < 0.1
    assert units.max() > 0.9


def test_categories_are_even() -> None:
    problem = cube(3)
    problem.add_dim("kind", ["a", "b", "c", "d"])
    codes = _designed(problem, 65)[1:, SpaceEncoding(problem.space).index["kind"]]
    assert np.bincount(codes.astype(int)).tolist() == [16, 16, 16, 16]
