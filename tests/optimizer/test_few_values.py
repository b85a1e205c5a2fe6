"""Ranges of which few values can be represented, and spaces that run out, in every engine."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deephyper.errors import ProblemError, SpaceExhausted
from deephyper.optimizer import Optimizer, SkoptSettings, create_optimizer
from deephyper.optimizer.encoded_columns import FewFloatsColumn, make_column
from deephyper.problem import HpProblem, Point
from deephyper.problem import config_space as cs
from deephyper.problem.domain import Range


class Outside:
    """Somebody's own optimizer: it samples, and proposes what it has proposed before."""

    def __init__(self, problem: HpProblem) -> None:
        self._problem = problem

    def ask(self) -> Point:
        return self._problem.point(self._problem.space.sample_configuration())

    def tell(self, x: Any, y: float) -> None:
        pass


ENGINES: dict[str, Any] = {"bayesian": "bayesian", "random": "random"} | {
    name: SkoptSettings(surrogate_model=name, n_initial_points=3)
    for name in ("RF", "ET", "GP", "GBRT", "DUMMY")
}

SPACES: dict[str, tuple[list[Any], int]] = {
    "1e-12 to 2e-12": ([(1e-12, 2e-12)], 11),
    "1e-12 to 2e-12, log": ([(1e-12, 2e-12, "log-uniform")], 11),
    "one step": ([(0.0, 1e-13)], 2),
    "around zero": ([(-2e-13, 3e-13)], 6),
    "above one": ([(1.0, 1.0 + 4e-13)], 5),
    "above one, log": ([(1.0, 1.0 + 4e-13, "log-uniform")], 5),
    "doubles above a million": ([(1e6, 1e6 + 1e-9)], 6),
    "doubles far out": ([(1e20, 1e20 + 1e5)], 7),
    "doubles far out, log": ([(1e20, 1e20 + 1e5, "log-uniform")], 7),
    "large ints": ([(2**53 - 2, 2**53)], 3),
    "large ints, log": ([(2**52, 2**52 + 3, "log-uniform")], 4),
    "two ints, log": ([(1, 2, "log-uniform")], 2),
    "a single value": ([["only"]], 1),
    "single values and two": ([["only"], [3], [True, False]], 2),
    "a narrow float and a choice": ([(1e-12, 1.2e-12), ["a", "b"]], 6),
    "a normal float": (
        [cs.NormalFloatHyperparameter("h0", mu=1.5e-12, sigma=1e-12, lower=1e-12, upper=2e-12)],
        11,
    ),
    "a beta float": ([cs.BetaFloatHyperparameter("h0", 2, 2, lower=0.0, upper=8e-13)], 9),
}


def make(values: list[Any], engine: str) -> Optimizer:
    problem = HpProblem(seed=1)
    for i, value in enumerate(values):
        problem.add_dim(f"h{i}", value)
    chosen = Outside(problem) if engine == "external" else ENGINES[engine]
    return create_optimizer(problem, chosen, seed=1)


@pytest.mark.parametrize("engine", [*ENGINES, "external"])
@pytest.mark.parametrize("space", SPACES)
def test_every_value_is_proposed_once_and_then_the_space_is_exhausted(
    space: str, engine: str
) -> None:
    values, size = SPACES[space]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer = make(values, engine)
        assert optimizer.n_unseen == size
        proposed: list[Point] = []
        while len(proposed) < size:
            for proposal in optimizer.ask(4):
                optimizer.problem.check_configuration(proposal.point)
                assert proposal.point not in proposed
                proposed.append(proposal.point)
                optimizer.tell(proposal, float(len(proposed) % 3))
        for n in (None, 3):
            with pytest.raises(SpaceExhausted, match=f"{size} in all"):
                optimizer.ask(n)
    # What was told by a file or a person counts, whatever its last digits.
    optimizer.tell(proposed[0], 1.0)
    assert optimizer.n_unseen == 0


@pytest.mark.parametrize("engine", ["bayesian", "random", "RF"])
def test_a_space_that_is_all_pending_is_exhausted_until_one_is_forgotten(engine: str) -> None:
    optimizer = make([(1e-12, 2e-12)], engine)
    asked = optimizer.ask(20)
    assert len(asked) == 11
    with pytest.raises(SpaceExhausted):
        optimizer.ask()
    optimizer.forget(asked[4])
    assert optimizer.ask().point == asked[4].point


narrow = st.one_of(
    st.tuples(st.integers(-50, 50), st.integers(1, 40)).map(
        lambda pair: (pair[0] * 1e-13, (pair[0] + pair[1]) * 1e-13)
    ),
    st.tuples(st.floats(1.0, 1e15), st.integers(1, 40)).map(
        lambda pair: (pair[0], pair[0] + pair[1] * max(1e-13, math.ulp(pair[0])))
    ),
)


@settings(deadline=None, max_examples=60)
@given(narrow, st.integers(0, 1000))
def test_a_narrow_range_is_a_grid_of_valid_values(bounds: tuple[float, float], seed: int) -> None:
    problem = HpProblem()
    try:
        column = make_column(problem.add_dim("x", bounds))
    except ProblemError as error:  # far from zero, ConfigSpace rounds both bounds to one
        assert "too near to each other" in str(error)  # noqa: PT017 (most bounds raise nothing)
        return
    assert isinstance(column, FewFloatsColumn)
    grid = column.grid()
    values = [column.value(vector) for vector in grid]
    assert sorted(set(values)) == values
    assert (values[0], values[-1]) == (column.lower, column.upper)
    for value in values:
        assert problem.validate({"x": value}) == {"x": value}
        assert column.code(value) == value
    np.testing.assert_array_equal(column.vectors(values), grid)
    rng = np.random.default_rng(seed)
    for vectors in (column.sample(50, rng), column.from_unit(rng.random(50))):
        assert np.isin(vectors, grid).all()
        np.testing.assert_array_equal(column.snap(vectors), vectors)
    ups = column.step(grid, np.ones(len(grid)))
    np.testing.assert_array_equal(ups, np.append(grid[1:], grid[-1]))
    assert math.isnan(column.snap(np.array([np.nan]))[0])


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (0.0, 1e-8), (1e20, 2e20), (-1e280, 1e280)])
def test_values_of_an_ordinary_range_are_not_counted(bounds: tuple[float, float]) -> None:
    assert Range("x", *bounds, integer=False).few_values(65_536) is None
