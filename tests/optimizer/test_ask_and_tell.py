"""The bookkeeping that all engines share: forms of asking and telling, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deephyper.errors import OptimizerError, ProblemError, SpaceExhausted
from deephyper.job import Estimate, Prediction, Proposal
from deephyper.objective import Failure
from deephyper.optimizer import RandomOptimizer
from deephyper.problem import HpProblem
from deephyper.problem.point import Point
from tests.optimizer.bowl import cube


def _integers(n: int = 100) -> RandomOptimizer:
    problem = HpProblem()
    problem.add_dim("n", (1, n))
    return RandomOptimizer(problem, seed=0)


def _objectives(optimizer: RandomOptimizer) -> list[float | None]:
    return [objective for _, objective in optimizer.observations]


# Asking.


def test_one_proposal_or_a_list_of_them() -> None:
    optimizer = _integers()
    assert isinstance(optimizer.ask(), Proposal)
    assert [type(each) for each in optimizer.ask(2)] == [Proposal, Proposal]
    assert [type(each) for each in optimizer.ask(1)] == [Proposal]


@pytest.mark.parametrize("n", [0, -1])
def test_less_than_one_point_is_refused(n: int) -> None:
    with pytest.raises(OptimizerError, match=f"n_points is {n}"):
        _integers().ask(n)


def test_an_asked_point_is_pending_until_it_is_told_or_forgotten() -> None:
    optimizer = _integers()
    first, second, third = optimizer.ask(3)
    assert optimizer.pending == [first.point, second.point, third.point]
    optimizer.tell(second, 1.0)
    optimizer.forget(first)
    assert optimizer.pending == [third.point]


def test_a_caller_who_changes_a_point_changes_nothing_here() -> None:
    optimizer = _integers()
    proposal = optimizer.ask()
    kept = dict(proposal.point)
    proposal.point["n"] = 0
    optimizer.pending[0]["n"] = 0
    assert optimizer.pending == [kept]


def test_known_results_are_learned_as_if_they_were_told() -> None:
    told, known = _integers(), _integers()
    results: list[tuple[Point, float | Failure]] = [
        ({"n": 3}, 1.0),
        ({"n": 5}, Failure("nan", "NaN")),
        ({"n": 3}, 2.0),
    ]
    told.tell([point for point, _ in results], [y for _, y in results])
    known.tell_known(results)
    assert (
        known.observations
        == told.observations
        == [
            ({"n": 3}, 1.0),
            ({"n": 5}, None),
            ({"n": 3}, 2.0),
        ]
    )
    assert known.n_seen == told.n_seen == 2
    assert known.n_unseen == told.n_unseen


def test_fewer_points_than_asked_for_where_the_space_runs_out() -> None:
    optimizer = _integers(5)
    optimizer.ask(3)
    assert optimizer.n_unseen == 2
    assert len(optimizer.ask(4)) == 2
    with pytest.raises(SpaceExhausted, match="5 in all"):
        optimizer.ask()


def test_a_forgotten_point_is_proposed_again_and_a_told_one_is_not() -> None:
    optimizer = _integers(3)
    first, second, _ = optimizer.ask(3)
    optimizer.tell(first, 1.0)
    optimizer.tell_pending(first.point)  # it runs once more
    optimizer.forget([first, second])
    assert optimizer.n_unseen == 1
    assert optimizer.ask().point == second.point
    assert optimizer.n_unseen == 0
    with pytest.raises(SpaceExhausted):
        optimizer.ask()


def test_a_starting_point_that_was_told_is_not_proposed() -> None:
    problem = cube(1)
    problem.add_starting_point(x0=0.25)
    problem.add_starting_point(x0=0.75)
    optimizer = RandomOptimizer(problem, seed=0)
    optimizer.tell({"x0": 0.25}, 1.0)
    assert optimizer.ask().point == {"x0": 0.75}
    assert optimizer.ask().point not in problem.starting_points


def test_points_said_to_be_pending_are_counted_and_not_proposed() -> None:
    optimizer = _integers(4)
    optimizer.tell_pending([{"n": 1}, {"n": 2}])
    assert optimizer.pending == [{"n": 1}, {"n": 2}]
    assert (optimizer.n_seen, optimizer.n_unseen) == (2, 2)
    assert sorted(proposal.point["n"] for proposal in optimizer.ask(4)) == [3, 4]


def test_points_of_which_something_is_expected_are_pending() -> None:
    optimizer = _integers(4)
    first = optimizer.ask()
    other = {"n": first.point["n"] % 4 + 1}
    optimizer.tell_partial([first.point, other], [Estimate(0.5, 0.1)] * 2)
    assert len(optimizer.pending) == 2
    assert optimizer.observations == []
    optimizer.tell(first, 1.0)
    optimizer.tell_partial(first, Estimate(0.5, 0.1))  # it runs once more
    assert optimizer.n_seen == 2


@pytest.mark.parametrize(
    "prediction",
    [
        Prediction(math.nan, 1.0, 1.0),
        Prediction(1.0, math.inf, 1.0),
        Prediction(-math.inf, 1.0, 1.0),
        Prediction(math.inf, -math.inf, 1.0),
    ],
)
def test_a_prediction_that_is_not_finite_is_none(prediction: Prediction) -> None:
    class Overflowing(RandomOptimizer):
        def _propose(self, n: int) -> dict[Any, Proposal]:
            drawn = self._draw_unseen(n)
            return {key: Proposal(each.point, prediction) for key, each in drawn.items()}

        def _predict(self, key: Any, point: Point) -> Prediction:
            return prediction

    optimizer = Overflowing(cube(1), seed=0)
    assert optimizer.ask().prediction is None
    assert optimizer.predict({"x0": 0.5}) is None


# Telling.


@pytest.mark.parametrize(
    ("told", "objective"),
    [
        (2, 2.0),
        (-1.5, -1.5),
        (True, 1.0),
        (np.float32(0.5), 0.5),
        (np.array(3), 3.0),
        ("F_crash", None),
        ("F", None),
        (Failure("timeout", "it took more than 60 s"), None),
        (math.nan, None),
        (np.float64("nan"), None),
        (-math.inf, None),
        (10**400, None),
    ],
)
def test_an_objective_is_a_number_or_a_failure(told: Any, objective: float | None) -> None:
    optimizer = _integers()
    for proposal, result in ((optimizer.ask(), told), (optimizer.ask(1), [told])):
        optimizer.tell(proposal, result)
    assert _objectives(optimizer) == [objective, objective]


@pytest.mark.parametrize("told", [None, "1.5", "", {}, "nan", object()])
def test_what_is_not_an_objective_is_refused_and_the_point_stays_pending(told: Any) -> None:
    optimizer = _integers()
    proposals = optimizer.ask(2)
    with pytest.raises(OptimizerError, match=r"is not a number; give one, or 'F_<reason>'"):
        optimizer.tell(proposals, [1.0, told])
    assert optimizer.pending == [each.point for each in proposals]
    assert optimizer.observations == []


def test_points_and_proposals_may_be_mixed() -> None:
    optimizer = _integers()
    proposal = optimizer.ask()
    optimizer.tell([proposal, {"n": np.int64(7)}], [1.0, 2.0])
    assert optimizer.observations == [(proposal.point, 1.0), ({"n": 7}, 2.0)]


@pytest.mark.parametrize("objectives", [np.array([1.0, math.nan]), pd.Series([1.0, math.nan])])
def test_arrays_of_objectives_are_taken(objectives: Any) -> None:
    optimizer = _integers()
    optimizer.tell(optimizer.ask(2), objectives)
    assert _objectives(optimizer) == [1.0, None]


@pytest.mark.parametrize(("n", "told"), [(1, [1.0, 2.0]), (2, [1.0]), (2, 1.0), (1, [])])
def test_as_many_objectives_as_points_are_needed(n: int, told: Any) -> None:
    optimizer = _integers()
    with pytest.raises(OptimizerError, match=rf"{n} points but \d objectives"):
        optimizer.tell(optimizer.ask(n), told)


def test_nothing_may_be_told() -> None:
    optimizer = _integers()
    optimizer.tell([], [])
    assert optimizer.observations == []


def test_a_pending_point_is_told_by_its_own_values() -> None:
    optimizer = _integers()
    point = optimizer.ask().point
    with pytest.raises(ProblemError):
        optimizer.tell({"n": point["n"] + 0.4}, 1.0)
    optimizer.tell({"n": np.int64(point["n"])}, 1.0)
    assert optimizer.observations == [(point, 1.0)]
    assert optimizer.pending == []


def test_a_point_told_twice_is_observed_twice() -> None:
    optimizer = _integers()
    proposal = optimizer.ask()
    optimizer.tell([proposal, proposal], [1.0, "F_crash"])
    assert _objectives(optimizer) == [1.0, None]
    assert optimizer.n_seen == 1


WRONG_POINTS: list[Any] = [
    {"x0": 7.0, "x1": 0.0},
    {"z": 1.0},
    {},
    {"x0": "a", "x1": 0.0},
    None,
    3.0,
    ["x0", "x1"],
]


@pytest.mark.parametrize("point", WRONG_POINTS)
def test_a_point_of_another_space_is_refused(point: Any) -> None:
    optimizer = RandomOptimizer(cube(2), seed=0)
    for use in (optimizer.forget, optimizer.tell_pending):
        with pytest.raises(ProblemError):
            use(point)
    with pytest.raises(ProblemError):
        optimizer.tell(point, [1.0] * len(point) if isinstance(point, list) else 1.0)
    with pytest.raises(ProblemError):
        optimizer.predict(point)
    with pytest.raises(ProblemError):
        optimizer.tell_partial(point, [Estimate(0.5, 0.1)])
    assert optimizer.n_seen == 0


def test_one_wrong_point_among_several_changes_nothing() -> None:
    optimizer = RandomOptimizer(cube(2), seed=0)
    proposal = optimizer.ask()
    with pytest.raises(ProblemError):
        optimizer.tell([proposal, {"x0": 7.0, "x1": 0.0}], [1.0, 1.0])
    assert optimizer.pending == [proposal.point]
    assert optimizer.observations == []
