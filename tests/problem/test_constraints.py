"""Conditions and forbidden clauses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ConfigSpace.forbidden import ForbiddenRelation
from numpy.typing import NDArray

from deephyper.errors import ProblemError
from deephyper.problem import HpProblem
from deephyper.problem import config_space as cs
from deephyper.problem.translation import hyperparameters_in, translate


@pytest.fixture
def problem() -> HpProblem:
    """optimizer decides on momentum; momentum on nesterov."""
    problem = HpProblem(seed=3)
    optimizer = problem.add_dim("optimizer", ["adam", "sgd", "none"])
    momentum = problem.add_dim("momentum", (0.0, 0.9))
    nesterov = problem.add_dim("nesterov", [False, True])
    problem.add_dim("units", (1, 10))
    problem.add_conditions(
        [
            cs.EqualsCondition(momentum, optimizer, "sgd"),
            cs.GreaterThanCondition(nesterov, momentum, 0.5),
        ]
    )
    return problem


def test_inactive_hyperparameters_are_absent(problem: HpProblem) -> None:
    assert problem.default_configuration == {"optimizer": "adam", "units": 6}
    points = [problem.point(c) for c in problem.space.sample_configuration(100)]
    assert {("momentum" in p) == (p["optimizer"] == "sgd") for p in points} == {True}
    assert {("nesterov" in p) == (p.get("momentum", 0.0) > 0.5) for p in points} == {True}


def test_names_are_alphabetical_with_children_after_their_parents(problem: HpProblem) -> None:
    assert problem.hyperparameter_names == ["optimizer", "units", "momentum", "nesterov"]


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (
            {"optimizer": "adam", "momentum": 0.1, "units": 1},
            "'momentum' is given (0.1) but inactive: it needs optimizer == 'sgd', and optimizer is"
            " 'adam'",
        ),
        (
            {"optimizer": "adam", "nesterov": True, "units": 1},
            "it needs momentum > 0.5, and momentum is inactive",
        ),
        ({"optimizer": "sgd", "units": 1}, "'momentum' is missing: give a float from 0.0 to 0.9"),
        ({"units": 1}, "'optimizer' is missing: give one of 'adam', 'sgd', 'none'"),
        ({"optimizer": "adam", "units": 1, "lr": 1}, "unknown hyperparameter 'lr'"),
        ({"optimizer": "adam", "unit": 1}, "unknown hyperparameter 'unit': did you mean 'units'?"),
        ({"optimizer": "adam", "units": 0}, "'units' is 0: give an int from 1 to 10"),
        ({"optimizer": "adam", "units": True}, "'units' is True (bool)"),
        ({"optimizer": "adam", "units": None}, "'units' is None (NoneType)"),
        ({"optimizer": "adam", "units": "3"}, "'units' is '3' (str)"),
        ({"optimizer": "adam", "units": [3]}, "'units' is [3] (list)"),
        ({"optimizer": ["adam"], "units": 3}, "'optimizer' is ['adam']"),
        ({"optimizer": "adam", "units": 3, 5: 1}, "unknown hyperparameter 5"),
    ],
)
def test_an_invalid_point_is_refused_with_the_reason(
    problem: HpProblem, point: dict[str, Any], reason: str
) -> None:
    for check in (problem.check_configuration, problem.validate):
        with pytest.raises(ProblemError) as error:
            check(point)
        assert reason in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("point", [None, 3, [("units", 1)], "units"])
def test_a_point_is_a_dictionary(problem: HpProblem, point: dict[str, Any]) -> None:
    with pytest.raises(ProblemError, match="a point is a dictionary"):
        problem.check_configuration(point)


def test_an_inactive_parent_satisfies_no_condition() -> None:
    problem = HpProblem(seed=0)
    a = problem.add_dim("a", [False, True])
    b = problem.add_dim("b", ["x", "y", "z"])
    c = problem.add_dim("c", (0.0, 1.0))
    # ConfigSpace alone refuses this space: b's NaN differs from "x"
    problem.add_conditions([cs.EqualsCondition(b, a, True), cs.NotEqualsCondition(c, b, "x")])
    assert problem.default_configuration == {"a": False}
    points = [problem.point(s) for s in problem.space.sample_configuration(100)]
    assert {tuple(p) for p in points} == {("a",), ("a", "b"), ("a", "b", "c")}
    for point in points:
        problem.check_configuration(point)
        assert ("c" in point) == (point.get("b", "x") != "x")
    with pytest.raises(ProblemError, match="'c' is given"):
        problem.check_configuration({"a": False, "c": 0.5})


def test_and_is_not_taken_for_or() -> None:
    problem = HpProblem(seed=0)
    a = problem.add_dim("a", [False, True])
    b = problem.add_dim("b", [False, True])
    both = problem.add_dim("both", (0.0, 1.0))
    either = problem.add_dim("either", (0.0, 1.0))
    for kind, child in ((cs.AndConjunction, both), (cs.OrConjunction, either)):
        problem.add_condition(
            kind(cs.EqualsCondition(child, a, True), cs.EqualsCondition(child, b, True))
        )
    seen = set()
    for configuration in problem.space.sample_configuration(100):
        a_holds, b_holds = configuration["a"], configuration["b"]
        assert ("both" in configuration) == (a_holds and b_holds)
        assert ("either" in configuration) == (a_holds or b_holds)
        seen.add((bool(a_holds), bool(b_holds)))
        cs.Configuration(problem.space, values=problem.point(configuration))
    assert len(seen) == 4


CONDITIONS: dict[str, tuple[Callable[..., bool], Callable[..., Any]]] = {
    "x == 3": (lambda x, y: x == 3, lambda c, x, y: cs.EqualsCondition(c, x, 3)),
    "x != 3": (lambda x, y: x != 3, lambda c, x, y: cs.NotEqualsCondition(c, x, 3)),
    "x < 3": (lambda x, y: x < 3, lambda c, x, y: cs.LessThanCondition(c, x, 3)),
    "x > 3": (lambda x, y: x > 3, lambda c, x, y: cs.GreaterThanCondition(c, x, 3)),
    "x in [1, 4]": (lambda x, y: x in (1, 4), lambda c, x, y: cs.InCondition(c, x, [1, 4])),
    # an ordinal is ordered by its sequence 8, 2, 4
    "y > 8": (lambda x, y: y in (2, 4), lambda c, x, y: cs.GreaterThanCondition(c, y, 8)),
    "y < 4": (lambda x, y: y in (8, 2), lambda c, x, y: cs.LessThanCondition(c, y, 4)),
    "x > 1 and x < 4": (
        lambda x, y: 1 < x < 4,
        lambda c, x, y: cs.AndConjunction(
            cs.GreaterThanCondition(c, x, 1), cs.LessThanCondition(c, x, 4)
        ),
    ),
    "x == 1 or (x != 2 and y == 8)": (
        lambda x, y: x == 1 or (x != 2 and y == 8),
        lambda c, x, y: cs.OrConjunction(
            cs.EqualsCondition(c, x, 1),
            cs.AndConjunction(cs.NotEqualsCondition(c, x, 2), cs.EqualsCondition(c, y, 8)),
        ),
    ),
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_every_kind_of_condition_means_what_it_says(text: str) -> None:
    expected, make = CONDITIONS[text]
    problem = HpProblem(seed=1)
    x = problem.add_dim("x", (1, 5))
    y = problem.add_dim("y", [8, 2, 4])
    c = problem.add_dim("c", (0.0, 1.0))
    problem.add_condition(make(c, x, y))
    assert str(translate(problem.space.conditions[0])) == text
    for i, o in itertools.product(range(1, 6), (8, 2, 4)):
        point = {"x": i, "y": o} | ({"c": 0.5} if expected(i, o) else {})
        assert problem.point(cs.Configuration(problem.space, values=point)) == point
        wrong = {"x": i, "y": o} | ({} if expected(i, o) else {"c": 0.5})
        with pytest.raises(ProblemError, match=r"'c' is (missing|given)"):
            problem.check_configuration(wrong)
    for configuration in problem.space.sample_configuration(100):
        assert ("c" in configuration) == expected(configuration["x"], configuration["y"])


CLAUSES: dict[str, tuple[Callable[..., bool], Callable[..., Any]]] = {
    "x == 3": (lambda x, y, z: x == 3, lambda x, y, z: cs.ForbiddenEqualsClause(x, 3)),
    "x in [3, 4]": (lambda x, y, z: x in (3, 4), lambda x, y, z: cs.ForbiddenInClause(x, [3, 4])),
    "x > 3": (lambda x, y, z: x > 3, lambda x, y, z: cs.ForbiddenGreaterThanClause(x, 3)),
    "x >= 3": (lambda x, y, z: x >= 3, lambda x, y, z: cs.ForbiddenGreaterThanEqualsClause(x, 3)),
    "z < 4": (lambda x, y, z: z < 4, lambda x, y, z: cs.ForbiddenLessThanClause(z, 4)),
    "z <= 4": (lambda x, y, z: z <= 4, lambda x, y, z: cs.ForbiddenLessThanEqualsClause(z, 4)),
    "y >= 4": (lambda x, y, z: y == 4, lambda x, y, z: cs.ForbiddenGreaterThanEqualsClause(y, 4)),
    "x == 2 and y == 8": (
        lambda x, y, z: x == 2 and y == 8,
        lambda x, y, z: cs.ForbiddenAndConjunction(
            cs.ForbiddenEqualsClause(x, 2), cs.ForbiddenEqualsClause(y, 8)
        ),
    ),
    "x == 2 or y == 2": (
        lambda x, y, z: x == 2 or y == 2,
        lambda x, y, z: cs.ForbiddenOrConjunction(
            cs.ForbiddenEqualsClause(x, 2), cs.ForbiddenEqualsClause(y, 2)
        ),
    ),
    "x == z": (lambda x, y, z: x == z, lambda x, y, z: cs.ForbiddenEqualsRelation(x, z)),
    "x > z": (lambda x, y, z: x > z, lambda x, y, z: cs.ForbiddenGreaterThanRelation(x, z)),
    "x >= z": (lambda x, y, z: x >= z, lambda x, y, z: cs.ForbiddenGreaterThanEqualsRelation(x, z)),
    "z < x": (lambda x, y, z: z < x, lambda x, y, z: cs.ForbiddenLessThanRelation(z, x)),
    # a relation compares values, also those of an ordinal
    "y <= x": (lambda x, y, z: y <= x, lambda x, y, z: cs.ForbiddenLessThanEqualsRelation(y, x)),
}


@pytest.mark.parametrize("text", CLAUSES)
def test_every_kind_of_forbidden_clause_means_what_it_says(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expected, make = CLAUSES[text]
    problem = HpProblem(seed=1)
    x = problem.add_dim("x", (1, 5), 1)
    y = problem.add_dim("y", [8, 2, 4])
    z = problem.add_dim("z", (1, 5), 5)
    problem.add_forbidden_clause(make(x, y, z))
    for i, o, k in itertools.product(range(1, 6), (8, 2, 4), range(1, 6)):
        point = {"x": i, "y": o, "z": k}
        if expected(i, o, k):
            with pytest.raises(ProblemError) as error:
                problem.check_configuration(point)
            assert str(error.value) == f"the combination {text} is forbidden: change one of them"
        else:
            assert problem.point(cs.Configuration(problem.space, values=point)) == point
    for configuration in problem.space.sample_configuration(100):
        point = problem.point(configuration)
        assert not expected(point["x"], point["y"], point["z"])
        configuration.check_valid_configuration()
    assert capsys.readouterr().out == ""


def test_a_clause_about_an_inactive_hyperparameter_forbids_nothing(problem: HpProblem) -> None:
    momentum, units = problem.space["momentum"], problem.space["units"]
    problem.add_forbidden_clause(
        [
            cs.ForbiddenLessThanEqualsClause(momentum, 0.4),
            cs.ForbiddenGreaterThanRelation(units, momentum),
        ]
    )
    problem.check_configuration({"optimizer": "adam", "units": 6})
    with pytest.raises(ProblemError, match=r"momentum <= 0\.4 is forbidden"):
        problem.check_configuration({"optimizer": "sgd", "units": 1, "momentum": 0.1})


def assert_refused(
    problem: HpProblem, constraints: Any, reason: str, add: str = "add_condition"
) -> None:
    before = repr(problem)
    with pytest.raises(ProblemError) as error:
        getattr(problem, add)(constraints)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert repr(problem) == before
    problem.check_configuration(problem.point(problem.space.sample_configuration()))


def test_a_condition_on_an_unknown_hyperparameter_is_refused(problem: HpProblem) -> None:
    other = cs.Constant("mometum", 1)
    condition = cs.EqualsCondition(problem.space["units"], other, 1)
    assert_refused(problem, condition, "refers to 'mometum', which isn't in the problem: did you")


def test_a_condition_on_a_namesake_is_refused(problem: HpProblem) -> None:
    namesake = cs.UniformIntegerHyperparameter("units", 1, 1000)
    condition = cs.GreaterThanCondition(problem.space["momentum"], namesake, 500)
    assert_refused(problem, condition, "refers to another 'units' than the problem's")


def test_a_second_condition_for_a_child_is_refused(problem: HpProblem) -> None:
    space = problem.space
    condition = cs.EqualsCondition(space["momentum"], space["units"], 3)
    assert_refused(problem, condition, "combine them by AndConjunction or OrConjunction")


def test_a_cycle_of_conditions_is_refused(problem: HpProblem) -> None:
    space = problem.space
    condition = cs.EqualsCondition(space["optimizer"], space["nesterov"], True)
    assert_refused(problem, condition, "makes a hyperparameter its own ancestor")


@pytest.mark.parametrize("condition", [None, "units", 3, object(), {"units": 1}])
def test_anything_but_a_condition_is_refused(problem: HpProblem, condition: Any) -> None:
    assert_refused(problem, condition, "isn't a condition: make one with ConfigSpace")


def test_a_clause_is_not_a_condition_nor_the_reverse(problem: HpProblem) -> None:
    space = problem.space
    clause = cs.ForbiddenEqualsClause(space["units"], 3)
    condition = cs.EqualsCondition(space["units"], space["optimizer"], "sgd")
    assert_refused(problem, clause, "isn't a condition")
    assert_refused(problem, condition, "isn't a forbidden clause", "add_forbidden_clause")


def test_one_bad_condition_among_several_adds_none(problem: HpProblem) -> None:
    space = problem.space
    good = cs.EqualsCondition(space["units"], space["optimizer"], "sgd")
    assert_refused(problem, [good, "bad"], "isn't a condition")


def test_a_clause_that_forbids_the_default_is_refused(problem: HpProblem) -> None:
    clause = cs.ForbiddenEqualsClause(problem.space["units"], 6)
    reason = "units == 6 makes the default configuration a forbidden one: give one of"
    assert_refused(problem, clause, reason, "add_forbidden_clause")


@pytest.mark.parametrize("values", [["a", "b"], [1, "b"], [None, "a"], [None, True]])
def test_a_relation_without_an_order_is_refused(problem: HpProblem, values: list[Any]) -> None:
    other = problem.add_dim("other", values)
    clause = cs.ForbiddenLessThanRelation(problem.space["units"], other)
    conjunction = cs.ForbiddenAndConjunction(
        cs.ForbiddenEqualsClause(problem.space["units"], 2), clause
    )
    for refused in (clause, conjunction):
        assert_refused(problem, refused, "without a common order", "add_forbidden_clause")


def test_relations_of_strings_and_equality_of_anything_are_accepted() -> None:
    problem = HpProblem(seed=1)
    a = problem.add_dim("a", ["y", "x"])
    b = problem.add_dim("b", ["x", "y"])
    c = problem.add_dim("c", [None, 1, "x"])
    problem.add_forbidden_clause(
        [cs.ForbiddenLessThanRelation(a, b), cs.ForbiddenEqualsRelation(a, c)]
    )
    points = [problem.point(s) for s in problem.space.sample_configuration(100)]
    assert {(p["a"], p["b"]) for p in points} == {("x", "x"), ("y", "x"), ("y", "y")}
    assert ("x", "x") not in {(p["a"], p["c"]) for p in points}


def test_a_space_with_corrected_constraints_is_still_written_to_files(problem: HpProblem) -> None:
    space = problem.space
    conditions = [
        cs.NotEqualsCondition(space["units"], space["optimizer"], "none"),
        cs.EqualsCondition(space["units"], space["optimizer"], "adam"),
    ]
    problem.add_condition(
        cs.AndConjunction(conditions[0], cs.OrConjunction(conditions[1], conditions[0]))
    )
    problem.add_forbidden_clause(cs.ForbiddenLessThanEqualsClause(space["units"], 2))
    problem.add_forbidden_clause(cs.ForbiddenGreaterThanEqualsClause(space["units"], 9))
    serialized = space.to_serialized_dict()
    written = {each["type"] for each in (*serialized["conditions"], *serialized["forbiddens"])}
    assert {"AND", "CLAUSE_LE", "CLAUSE_GE"} <= written
    assert repr(cs.ConfigurationSpace.from_serialized_dict(serialized)) == repr(space)


def test_constraints_added_to_the_space_itself_count() -> None:
    problem = HpProblem()
    a = problem.add_dim("a", [0, 1])
    b = problem.add_dim("b", (1, 5))
    assert problem.default_configuration == {"a": 0, "b": 3}
    problem.space.add(cs.EqualsCondition(b, a, 1))
    assert problem.default_configuration == {"a": 0}
    problem.space.add(cs.UniformFloatHyperparameter("c", 0.0, 1.0))
    assert problem.default_configuration == {"a": 0, "c": 0.5}
    problem.space.add(cs.ForbiddenEqualsClause(problem.space["a"], 1))
    with pytest.raises(ProblemError, match="a == 1 is forbidden"):
        problem.check_configuration({"a": 1, "b": 3, "c": 0.5})


def test_the_hyperparameters_of_a_constraint_are_those_that_decide_on_it(
    problem: HpProblem,
) -> None:
    units, momentum = problem.space["units"], problem.space["momentum"]
    assert hyperparameters_in(cs.EqualsCondition(momentum, units, 3)) == ("units",)
    clause = cs.ForbiddenOrConjunction(
        cs.ForbiddenGreaterThanRelation(momentum, units),
        cs.ForbiddenInClause(units, [2, 3]),
    )
    assert hyperparameters_in(clause) == ("momentum", "units")


class Different(ForbiddenRelation):
    """A relation that ConfigSpace doesn't have."""

    def __repr__(self) -> str:
        return f"Forbidden: {self.left.name} != {self.right.name}"

    def is_forbidden_value(self, values: Any) -> bool:
        return bool(values[self.left.name] != values[self.right.name])

    def is_forbidden_vector(self, vector: NDArray[np.float64]) -> bool:
        return bool(vector[self.vector_ids[0]] != vector[self.vector_ids[1]])

    def is_forbidden_vector_array(self, arr: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.not_equal(arr[self.vector_ids[0]], arr[self.vector_ids[1]])


def test_a_clause_of_an_unknown_kind_is_refused(problem: HpProblem) -> None:
    clause = Different(problem.space["units"], problem.space["optimizer"])
    reason = "Different isn't supported: use the conditions and forbidden clauses of ConfigSpace"
    assert_refused(problem, clause, reason, "add_forbidden_clause")
