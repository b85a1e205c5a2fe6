"""The problem as an object: printing, copying, seeding, importing, speed; exact round trips."""

from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import cloudpickle
import numpy as np
import pytest
from ConfigSpace.hyperparameters.hp_components import ROUND_PLACES

from deephyper.errors import ProblemError
from deephyper.problem import BaseProblem, HpProblem, Point
from deephyper.problem import config_space as cs
from deephyper.problem.domain import DECIMALS

TUTORIAL = textwrap.dedent("""\
    Configuration space object:
      Hyperparameters:
        activation, Type: Categorical, Choices: {identity, relu, sigmoid, tanh}, Default: identity
        lr, Type: UniformFloat, Range: [0.0001, 1.0], Default: 0.50005
        units, Type: UniformInteger, Range: [1, 100], Default: 50

    Starting Point:
    {0: {'activation': 'identity', 'lr': 0.01, 'units': 10}}
    """)


@pytest.fixture
def tutorial() -> HpProblem:
    problem = HpProblem()
    problem.add_dim("units", (1, 100))
    problem.add_dim("activation", ["identity", "relu", "sigmoid", "tanh"])
    problem.add_dim("lr", (0.0001, 1.0))
    problem.add_starting_point(units=10, activation="identity", lr=0.01)
    return problem


def test_print_shows_what_the_tutorial_shows(
    tutorial: HpProblem, capsys: pytest.CaptureFixture[str]
) -> None:
    print(tutorial)
    assert capsys.readouterr().out == TUTORIAL


def test_print_numbers_several_starting_points(
    tutorial: HpProblem, capsys: pytest.CaptureFixture[str]
) -> None:
    tutorial.add_starting_point(units=20)
    print(tutorial)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "{0: {'activation': 'identity', 'lr': 0.01, 'units': 10},"
        " 1: {'activation': 'identity', 'lr': 0.50005, 'units': 20}}"
    )


def test_print_without_starting_points_shows_the_space_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problem = HpProblem()
    problem.add_dim("units", (1, 100))
    print(problem)
    assert capsys.readouterr().out == (
        "Configuration space object:\n  Hyperparameters:\n"
        "    units, Type: UniformInteger, Range: [1, 100], Default: 50\n"
    )


def test_print_shows_conditions_and_clauses_between(capsys: pytest.CaptureFixture[str]) -> None:
    problem = HpProblem()
    a = problem.add_dim("a", [0, 1])
    b = problem.add_dim("b", (1, 5))
    problem.add_condition(cs.NotEqualsCondition(b, a, 0))
    problem.add_forbidden_clause(cs.ForbiddenGreaterThanEqualsClause(b, 5))
    problem.add_starting_point(a=1)
    print(problem)
    assert capsys.readouterr().out.splitlines()[4:] == [
        "  Conditions:",
        "    b | a != 0",
        "  Forbidden Clauses:",
        "    Forbidden: b >= 5",
        "",
        "Starting Point:",
        "{0: {'a': 1, 'b': 3}}",
    ]


def test_an_empty_problem_has_one_empty_point() -> None:
    problem = HpProblem()
    assert problem.default_configuration == {}
    problem.check_configuration({})
    assert problem.hyperparameter_names == []
    assert str(problem).startswith("Configuration space object:")
    with pytest.raises(ProblemError, match="unknown hyperparameter 'x': there are none yet"):
        problem.check_configuration({"x": 1})


def test_hp_problem_is_a_base_problem() -> None:
    assert issubclass(HpProblem, BaseProblem)


def conditional() -> HpProblem:
    problem = HpProblem(seed=7)
    a = problem.add_dim("a", [None, True, "a", 3])
    b = problem.add_dim("b", (1e-5, 1.0, "log-uniform"))
    c = problem.add_dim("c", [1, 2.5, 4])
    problem.add_condition(cs.NotEqualsCondition(b, a, None))
    problem.add_forbidden_clause(cs.ForbiddenLessThanEqualsClause(b, 0.001))
    problem.add_forbidden_clause(cs.ForbiddenGreaterThanEqualsClause(c, 4))
    problem.add_starting_point(a="a", b=0.5)
    return problem


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.deepcopy,
        lambda problem: pickle.loads(pickle.dumps(problem)),
        lambda problem: cloudpickle.loads(cloudpickle.dumps(problem)),
    ],
    ids=["deepcopy", "pickle", "cloudpickle"],
)
def test_a_copy_is_equal_and_independent(duplicate: Callable[[HpProblem], HpProblem]) -> None:
    problem = conditional()
    problem.default_configuration  # noqa: B018 (fills what is cached)
    other = duplicate(problem)
    assert type(other) is HpProblem
    assert repr(other) == repr(problem)
    assert other.space == problem.space
    mine = [problem.point(c) for c in problem.space.sample_configuration(20)]
    theirs = [other.point(c) for c in other.space.sample_configuration(20)]
    assert mine == theirs
    other.add_dim("d", (1, 2))
    other.add_starting_point(a=3, b=1.0)
    assert "d" not in problem.hyperparameter_names
    assert len(problem.starting_points) == 1
    condition = cs.EqualsCondition(other.space["d"], other.space["c"], 1)
    other.add_condition(condition)
    assert other.starting_points[0] == {"a": "a", "b": 0.5, "c": 1, "d": 2}


def sampled(seed: Any) -> list[Point]:
    problem = HpProblem(seed=seed)
    problem.add_dim("a", (0.0, 1.0))
    problem.add_dim("b", ["x", "y", "z"])
    return [problem.point(c) for c in problem.space.sample_configuration(10)]


def test_a_seed_makes_samples_repeat() -> None:
    assert sampled(42) == sampled(42) == sampled(np.int64(42))
    assert sampled(42) != sampled(43)


def test_mixed_categories_come_back_with_their_types() -> None:
    problem = HpProblem(seed=0)
    problem.add_dim("a", [None, True, "a", 3, 2.5, "None", "True", "3", ""])
    problem.add_dim("b", [1, 2.5, 4])
    problem.add_dim("c", [True, 2.5, "x"])
    problem.add_dim("d", [False, True])
    problem.add_hyperparameter(cs.Constant("e", 1))
    problem.add_hyperparameter(cs.CategoricalHyperparameter("f", [np.int64(1), np.float64(1.5)]))
    seen: dict[str, set[Any]] = {name: set() for name in "abcdef"}
    for configuration in problem.space.sample_configuration(500):
        for name, value in problem.point(configuration).items():
            seen[name].add((type(value), value))
    assert seen == {
        "a": {(type(v), v) for v in [None, True, "a", 3, 2.5, "None", "True", "3", ""]},
        "b": {(int, 1), (float, 2.5), (int, 4)},
        "c": {(bool, True), (float, 2.5), (str, "x")},
        "d": {(bool, False), (bool, True)},
        "e": {(int, 1)},
        "f": {(int, 1), (float, 1.5)},
    }


@pytest.mark.parametrize(
    ("low", "high", "prior"),
    [
        (1e-4, 1.0, "uniform"),
        (1e-4, 1.0, "log-uniform"),
        (0.1, 0.30000000000000004, "uniform"),
        (1 / 3, 2 / 3, "log-uniform"),
        (-1 / 7, 1 / 7, "uniform"),
        (1e-10, 1e-3, "log-uniform"),
        (math.pi * 1e5, math.e * 1e9, "log-uniform"),
        (-1e280, 1e280, "uniform"),
    ],
)
def test_bounds_are_valid_after_a_trip_through_text(low: float, high: float, prior: str) -> None:
    problem = HpProblem()
    problem.add_dim("x", (low, high, prior))
    for bound in (low, high):
        for text in (repr(bound), json.dumps(bound), f"{bound:.15g}"):
            problem.check_configuration({"x": float(text)})
        for neighbor in (math.nextafter(bound, -math.inf), math.nextafter(bound, math.inf)):
            value = problem.validate({"x": neighbor})["x"]
            assert problem.domains["x"].accept(value) == value
            cs.Configuration(problem.space, values={"x": value})
    for beyond in (low - 1e-6 * abs(low) - 1e-12, high + 1e-6 * abs(high) + 1e-12):
        with pytest.raises(ProblemError, match="give a float from"):
            problem.check_configuration({"x": beyond})


def test_a_float_choice_survives_the_loss_of_its_last_digit() -> None:
    problem = HpProblem()
    problem.add_dim("x", [0.1, 1 / 3])
    assert problem.validate({"x": math.nextafter(1 / 3, 1)}) == {"x": 1 / 3}
    with pytest.raises(ProblemError):
        problem.check_configuration({"x": 0.3333333})


def test_config_space_rounds_floats_to_the_decimals_that_we_know() -> None:
    assert ROUND_PLACES == DECIMALS


def test_a_configuration_of_another_space_is_refused() -> None:
    problem, other = HpProblem(), HpProblem()
    problem.add_dim("x", (1, 2))
    other.add_dim("y", (1, 2))
    with pytest.raises(ProblemError, match="belongs to another space"):
        problem.point(other.space.get_default_configuration())


def test_a_configuration_of_config_space_becomes_the_point_it_was_made_of() -> None:
    problem = conditional()
    point = {"a": 3, "b": 0.25, "c": 2.5}
    assert problem.point(cs.Configuration(problem.space, values=point)) == point


def test_importing_the_problem_does_not_import_what_it_does_not_need() -> None:
    code = textwrap.dedent("""
        import sys
        import deephyper.problem
        from deephyper.problem import Point
        assert "ConfigSpace" not in sys.modules
        from deephyper.problem import HpProblem, BaseProblem, config_space
        assert config_space.__name__ == "ConfigSpace"
        assert "HpProblem" in dir(deephyper.problem)
        try:
            deephyper.problem.Problem
        except AttributeError as error:
            assert "no attribute 'Problem'" in str(error)
        else:
            raise SystemExit("no AttributeError")
        heavy = {"skopt", "sklearn", "pandas", "ray", "tensorflow", "matplotlib"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """)
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_an_int_beyond_every_float_is_no_value_of_a_range(number: int) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    with pytest.raises(ProblemError, match=r"give a float from 0\.0 to 1\.0"):
        problem.check_configuration({"x": number})
