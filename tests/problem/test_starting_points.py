"""Starting points: completed, checked at once, checked again when the space changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deephyper.errors import ProblemError
from deephyper.problem import HpProblem
from deephyper.problem import config_space as cs


@pytest.fixture
def problem() -> HpProblem:
    problem = HpProblem()
    optimizer = problem.add_dim("optimizer", ["adam", "sgd"])
    momentum = problem.add_dim("momentum", (0.0, 0.9), 0.5)
    problem.add_dim("units", (1, 100))
    problem.add_condition(cs.EqualsCondition(momentum, optimizer, "sgd"))
    return problem


def test_a_partial_point_is_completed_by_defaults(problem: HpProblem) -> None:
    problem.add_starting_point(units=10)
    problem.add_starting_point(optimizer="sgd")
    problem.add_starting_point()
    expected = [
        {"optimizer": "adam", "units": 10},
        {"optimizer": "sgd", "units": 50, "momentum": 0.5},
        {"optimizer": "adam", "units": 50},
    ]
    assert problem.starting_points == expected
    assert problem.starting_point_asdict == expected
    assert [list(point) for point in problem.starting_points] == [list(p) for p in expected]


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ({"unit": 10}, "unknown hyperparameter 'unit': did you mean 'units'?"),
        ({"units": 101}, "'units' is 101: give an int from 1 to 100"),
        ({"units": 1.5}, "'units' is 1.5: give an int from 1 to 100"),
        ({"units": True}, "'units' is True (bool)"),
        ({"optimizer": "Adam"}, "'optimizer' is 'Adam': give one of 'adam', 'sgd'"),
        (
            {"momentum": 0.1},
            "'momentum' is given (0.1) but inactive: it needs optimizer == 'sgd', and optimizer is"
            " 'adam' by default; leave it out or change the condition",
        ),
        ({"optimizer": "sgd", "momentum": 1}, "'momentum' is 1.0: give a float from 0.0 to 0.9"),
    ],
)
def test_an_invalid_point_is_refused_at_once(
    problem: HpProblem, point: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ProblemError) as error:
        problem.add_starting_point(**point)
    assert reason in str(error.value)
    assert str(error.value).startswith("starting point: ")
    assert problem.starting_points == []


def test_a_forbidden_point_is_refused(problem: HpProblem) -> None:
    problem.add_forbidden_clause(
        cs.ForbiddenAndConjunction(
            cs.ForbiddenEqualsClause(problem.space["optimizer"], "sgd"),
            cs.ForbiddenGreaterThanClause(problem.space["units"], 40),
        )
    )
    with pytest.raises(ProblemError, match="combination optimizer == 'sgd' and units > 40 is"):
        problem.add_starting_point(optimizer="sgd")
    problem.add_starting_point(optimizer="sgd", units=40)


def test_values_become_plain_and_of_the_right_type(problem: HpProblem) -> None:
    problem.add_starting_point(
        optimizer=np.str_("sgd"), momentum=np.float32(0.5), units=np.float64(7.0)
    )
    problem.add_starting_point(optimizer="sgd", momentum=0, units=np.int64(8))
    first, second = problem.starting_points
    assert first == {"optimizer": "sgd", "units": 7, "momentum": 0.5}
    assert second == {"optimizer": "sgd", "units": 8, "momentum": 0.0}
    for point in (first, second):
        assert [type(value) for value in point.values()] == [str, int, float]


def test_a_point_is_kept_once(problem: HpProblem) -> None:
    problem.add_starting_point(units=10)
    problem.add_starting_point(units=10.0)
    problem.add_starting_point(optimizer="adam", units=10)
    assert problem.starting_points == [{"optimizer": "adam", "units": 10}]


def test_a_hyperparameter_may_be_called_self() -> None:
    problem = HpProblem()
    problem.add_dim("self", (1, 3))
    problem.add_dim("point", (1, 3))
    problem.add_starting_point(self=1, point=3)
    assert problem.starting_points == [{"point": 3, "self": 1}]


def test_the_returned_list_is_the_callers(problem: HpProblem) -> None:
    problem.add_starting_point(units=10)
    problem.starting_points[0]["units"] = 0
    problem.starting_points.clear()
    assert problem.starting_points == [{"optimizer": "adam", "units": 10}]


def test_a_later_hyperparameter_completes_earlier_points(problem: HpProblem) -> None:
    problem.add_starting_point(units=10)
    problem.add_dim("lr", (0.1, 0.3))
    assert problem.starting_points == [{"lr": 0.2, "optimizer": "adam", "units": 10}]


def test_a_later_condition_drops_what_was_only_completed() -> None:
    problem = HpProblem()
    a = problem.add_dim("a", [0, 1])
    b = problem.add_dim("b", (1, 5))
    problem.add_starting_point(a=0)
    assert problem.starting_points == [{"a": 0, "b": 3}]
    problem.add_condition(cs.EqualsCondition(b, a, 1))
    assert problem.starting_points == [{"a": 0}]


def test_a_later_condition_that_contradicts_a_point_is_refused() -> None:
    problem = HpProblem()
    a = problem.add_dim("a", [0, 1])
    b = problem.add_dim("b", (1, 5))
    problem.add_starting_point(a=1, b=2)
    problem.add_starting_point(a=0, b=2)
    with pytest.raises(ProblemError) as error:
        problem.add_condition(cs.EqualsCondition(b, a, 1))
    assert str(error.value) == (
        "the condition a == 1 contradicts starting point 1: 'b' is given (2) but inactive: it needs"
        " a == 1, and a is 0; leave it out or change the condition"
    )
    assert problem.space.conditions == []
    assert problem.starting_points == [{"a": 1, "b": 2}, {"a": 0, "b": 2}]


def test_a_later_clause_that_forbids_a_point_is_refused() -> None:
    problem = HpProblem()
    a = problem.add_dim("a", (0, 10))
    problem.add_starting_point(a=9)
    with pytest.raises(ProblemError, match=r"clause a > 8 contradicts starting point 0: .* a > 8"):
        problem.add_forbidden_clause(cs.ForbiddenGreaterThanClause(a, 8))
    assert problem.space.forbidden_clauses == []
    problem.add_forbidden_clause(cs.ForbiddenGreaterThanClause(a, 9))
    assert problem.starting_points == [{"a": 9}]
