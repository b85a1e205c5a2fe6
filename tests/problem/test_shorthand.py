"""What may be written for a hyperparameter, and how everything else is refused."""

from __future__ import annotations

import enum
import math
from typing import Any

import numpy as np
import pytest

from deephyper.errors import ProblemError
from deephyper.problem import HpProblem
from deephyper.problem import config_space as cs
from deephyper.problem.domain import AnyHyperparameter, Range


def added(value: Any, default_value: Any = None, name: str = "x") -> Any:
    return HpProblem().add_dim(name, value, default_value)


@pytest.mark.parametrize(
    ("value", "kind", "lower", "upper", "log"),
    [
        ((1, 100), cs.UniformIntegerHyperparameter, 1, 100, False),
        ((-5, 5), cs.UniformIntegerHyperparameter, -5, 5, False),
        ((1, 100, "uniform"), cs.UniformIntegerHyperparameter, 1, 100, False),
        ((1, 100, "log-uniform"), cs.UniformIntegerHyperparameter, 1, 100, True),
        ((0.0, 1.0), cs.UniformFloatHyperparameter, 0.0, 1.0, False),
        ((0, 1.0), cs.UniformFloatHyperparameter, 0.0, 1.0, False),
        ((0.5, 2), cs.UniformFloatHyperparameter, 0.5, 2.0, False),
        ((1e-4, 1.0, "log-uniform"), cs.UniformFloatHyperparameter, 1e-4, 1.0, True),
        ((1e-4, 1, "uniform"), cs.UniformFloatHyperparameter, 1e-4, 1.0, False),
        ((np.int64(1), np.int32(9)), cs.UniformIntegerHyperparameter, 1, 9, False),
        ((np.float32(0.5), 1), cs.UniformFloatHyperparameter, 0.5, 1.0, False),
        ((1, 9, np.str_("log-uniform")), cs.UniformIntegerHyperparameter, 1, 9, True),
    ],
)
def test_a_tuple_is_a_range(value: Any, kind: Any, lower: float, upper: float, log: bool) -> None:
    hyperparameter = added(value)
    assert isinstance(hyperparameter, kind)
    assert (hyperparameter.lower, hyperparameter.upper, hyperparameter.log) == (lower, upper, log)
    assert type(hyperparameter.lower) is type(lower)


@pytest.mark.parametrize("value", [[16, 32, 64], [64, 16, 32], [0.1, 1, 10.5], [7]])
def test_a_list_of_numbers_is_an_ordinal_in_the_order_given(value: Any) -> None:
    hyperparameter = added(value)
    assert type(hyperparameter) is cs.OrdinalHyperparameter
    assert list(hyperparameter.sequence) == value
    assert hyperparameter.default_value == value[0]


@pytest.mark.parametrize(
    "value",
    [["relu", "tanh"], [True, False], [None, "l1"], [None, True, "a", 3], [True, 2, 3.5], ["x"]],
)
def test_any_other_list_is_a_categorical(value: Any) -> None:
    hyperparameter = added(value)
    assert type(hyperparameter) is cs.CategoricalHyperparameter
    assert list(hyperparameter.choices) == value
    assert [type(choice) for choice in hyperparameter.choices] == [type(v) for v in value]
    assert hyperparameter.default_value == value[0]


def test_choices_of_numpy_and_enumerations_become_plain() -> None:
    class Kind(enum.StrEnum):
        RIDGE = "ridge"

    class Size(enum.IntEnum):
        BIG = 8

    given = [np.str_("a"), np.int64(3), np.float64(0.5), np.bool_(False), Kind.RIDGE, Size.BIG]
    choices = added(given).choices
    assert choices == ("a", 3, 0.5, False, "ridge", 8)
    assert [type(choice) for choice in choices] == [str, int, float, bool, str, int]


def test_a_list_of_numpy_ints_is_an_ordinal() -> None:
    assert type(added(list(np.arange(3)))) is cs.OrdinalHyperparameter


@pytest.mark.parametrize(
    ("value", "default", "expected"),
    [
        ((1, 100), 7, 7),
        ((1, 100), 7.0, 7),
        ((0.0, 1.0), 1, 1.0),
        ((0.0, 1.0), np.float64(0.25), 0.25),
        ([16, 32], 32, 32),
        (["a", None, True], True, True),
        ([True, False], False, False),
    ],
)
def test_a_default_is_taken_and_made_plain(value: Any, default: Any, expected: Any) -> None:
    problem = HpProblem()
    problem.add_dim("x", value, default)
    got = problem.default_configuration["x"]
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    "hyperparameter",
    [
        cs.UniformFloatHyperparameter("x", 0.1, 0.5, default_value=0.2),
        cs.UniformIntegerHyperparameter("x", 1, 5, log=True),
        cs.NormalFloatHyperparameter("x", mu=0.0, sigma=1.0, lower=-2.0, upper=2.0),
        cs.NormalIntegerHyperparameter("x", mu=5, sigma=2, lower=0, upper=10),
        cs.BetaFloatHyperparameter("x", alpha=2.0, beta=3.0, lower=0.0, upper=1.0),
        cs.CategoricalHyperparameter("x", ["a", "b"], weights=[0.9, 0.1]),
        cs.OrdinalHyperparameter("x", ["small", "large"]),
        cs.Constant("x", "always"),
        cs.Integer("x", (1, 8), log=True),
    ],
    ids=lambda hyperparameter: type(hyperparameter).__name__,
)
@pytest.mark.parametrize("name", [None, "x"])
def test_a_config_space_hyperparameter_goes_in_as_it_is(
    hyperparameter: AnyHyperparameter, name: str
) -> None:
    problem = HpProblem(seed=1)
    assert problem.add_hyperparameter(hyperparameter, name) is hyperparameter
    for configuration in problem.space.sample_configuration(20):
        problem.check_configuration(problem.point(configuration))


def test_add_hyperparameter_takes_the_value_first() -> None:
    problem = HpProblem()
    problem.add_hyperparameter((1, 8), "units", 2)
    assert problem.default_configuration == {"units": 2}


@pytest.mark.parametrize("name", ["lr", "_x", "opt.lr", "block-1", "conv:units", "größe", "2nd"])
def test_a_name_may_be(name: str) -> None:
    assert added((1, 2), name=name).name == name


INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ((5, 1), "'x' has reversed bounds (5, 1): write (1, 5)"),
        ((5.5, 1), "write (1, 5.5)"),
        ((3, 3), "equal bounds (3, 3): give a larger high, or [3] for a single value"),
        ((1, 1.0), "equal bounds"),
        ((0, 10, "log-uniform"), "log-uniform from 0: give a low bound above 0"),
        ((-1.0, 1.0, "log-uniform"), "log-uniform from -1.0"),
        ((0.0, NAN), "the bound nan: give finite bounds"),
        ((-INF, 1.0), "the bound -inf: give finite bounds"),
        ((False, True), "the bound False (bool): bounds are ints or floats"),
        ((np.bool_(False), 1), "the bound False (bool)"),
        (("a", "b"), "give a list if these are the values"),
        ((None, 1), "the bound None"),
        ((1 + 2j, 3), "the bound (1+2j) (complex)"),
        ((1, 2, 3), 'the third place is "uniform" or "log-uniform"'),
        ((1, 2, "log-unifrom"), "unknown prior 'log-unifrom': did you mean 'log-uniform'?"),
        *(
            ((1, 2, prior), f"unknown prior '{prior}': did you mean 'log-uniform'?")
            for prior in ("log", "LOG", "loguniform", "log_uniform", "log10", "logarithmic")
        ),
        *(
            ((1, 2, prior), f"unknown prior '{prior}': did you mean 'uniform'?")
            for prior in ("linear", "Uniform", "unif", "quniform")
        ),
        ((1, 2, "normal"), "unknown prior 'normal': choose uniform or log-uniform, or add one of"),
        ((1, 2, "x"), "unknown prior 'x': choose from uniform, log-uniform"),
        (("1", "2"), "the bound '1' (str): bounds are ints or floats; write 1 without quotes"),
        ((1, "1e2"), "write 1e2 without quotes, or give a list if these are the values"),
        ((1, 2, True), "the third place"),
        ((1,), 'give (low, high) or (low, high, "log-uniform")'),
        ((), "give (low, high)"),
        ((1, 2, "uniform", 3), "give (low, high)"),
        ((0, 2**60), "beyond 2**53"),
        ((0.0, 1e300), "beyond 1e+290: search the exponent"),
        ((0.0, 10**400), "beyond 1e+290"),
        ((1e-20, 1.0, "log-uniform"), "steps below 1e-13: rescale it"),
        ((0.1, 0.1 + 1e-15), "steps below 1e-13"),
        ((1.5346086047544884e26, 1.5346086047544886e26), "too near to each other"),
        ([], "'x' has no values: give at least one"),
        (["a", "b", "a"], "the choice 'a' twice: leave one out"),
        ([1, 2, 1], "the choice 1 twice"),
        ([1, True], "the choice True and 1, which are equal in Python"),
        ([1, 1.0], "the choice 1.0 and 1, which are equal"),
        (["a", 0, False], "the choice False and 0"),
        ([None, "a", None], "the choice None twice"),
        ([(1, 2), (3, 4)], "the choice (1, 2) (tuple): choices are None, bool, int, float or str"),
        ([[1], [2]], "the choice [1] (list)"),
        ([int, float], "name it by a string and look it up in run"),
        ([b"a"], "the choice b'a' (bytes)"),
        ([np.array([1, 2])], "(ndarray)"),
        ([NAN, 1.0], "the choice nan: give finite numbers"),
        ([INF, "a"], "the choice inf"),
        ([2**60 + 1, 0.5], "beyond 2**53"),
        (["a\0b"], "which a text file can't hold"),
        (["\ud800"], "which a text file can't hold"),
        (3, "'x' is 3 (int): give bounds as a tuple (low, high) or values as a list, [3]"),
        ("relu", "values as a list, ['relu']"),
        (None, "'x' is None"),
        ({1, 2}, "(set)"),
        ({"low": 1}, "(dict)"),
        (range(3), "(range)"),
        (np.array([1, 2]), "(ndarray)"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_the_reason(value: Any, reason: str) -> None:
    problem = HpProblem()
    with pytest.raises(ProblemError) as error:
        problem.add_dim("x", value)
    message = str(error.value)
    assert reason in message
    assert "'x'" in message
    assert "\n" not in message
    assert problem.hyperparameter_names == []


@pytest.mark.parametrize(
    ("value", "default", "reason"),
    [
        ((1, 100), 500, "'x' is 500: give an int from 1 to 100"),
        ((1, 100), 1.5, "'x' is 1.5: give an int"),
        ((1, 100), True, "'x' is True (bool): give an int"),
        ((0.0, 1.0), "0.5", "'x' is '0.5' (str): give a float from 0.0 to 1.0"),
        ((0.0, 1.0), NAN, "'x' is nan"),
        (["a", "b"], "c", "'x' is 'c': give one of 'a', 'b'"),
        ([True, False], 1, "'x' is 1: give one of True, False"),
        ([1, 2], True, "'x' is True: give one of 1, 2"),
    ],
)
def test_a_bad_default_is_refused(value: Any, default: Any, reason: str) -> None:
    with pytest.raises(ProblemError) as error:
        added(value, default)
    assert reason in str(error.value)
    assert str(error.value).startswith("default_value: ")


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a\nb",
        "a/b",
        "a\\b",
        "a,b",
        "-a",
        ".a",
        ":a",
        "a\n",
        "a=b",
        "a'b",
        "..",
        "é\0",
    ],
)
def test_a_name_that_files_or_command_lines_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(ProblemError, match="can't name a hyperparameter") as error:
        added((1, 2), name=name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [None, 3, b"x"])
def test_a_name_that_is_not_a_string_is_refused(name: str) -> None:
    with pytest.raises(ProblemError, match="must be a string"):
        added((1, 2), name=name)


def test_swapped_name_and_value_are_explained() -> None:
    with pytest.raises(ProblemError, match="add_hyperparameter takes the value first"):
        HpProblem().add_hyperparameter("units", (1, 2))  # type: ignore[arg-type]


def test_a_name_is_used_once() -> None:
    problem = HpProblem()
    problem.add_dim("x", (1, 2))
    with pytest.raises(ProblemError, match="'x' is in the problem already"):
        problem.add_dim("x", [1, 2])
    assert problem.domains["x"] == Range("x", 1, 2, integer=True)


def test_a_config_space_hyperparameter_under_another_name_is_refused() -> None:
    with pytest.raises(ProblemError, match="'x' is added under the name 'y'"):
        HpProblem().add_hyperparameter(cs.Constant("x", 1), "y")


def test_a_config_space_hyperparameter_keeps_its_default() -> None:
    hyperparameter = cs.UniformIntegerHyperparameter("x", 1, 9, default_value=2)
    with pytest.raises(ProblemError, match="'x' has the default 2 already"):
        HpProblem().add_hyperparameter(hyperparameter, "x", 3)
    assert HpProblem().add_hyperparameter(hyperparameter, "x", 2) is hyperparameter


@pytest.mark.parametrize(
    "hyperparameter",
    [
        cs.CategoricalHyperparameter("x", [(1, 2), (3, 4)]),
        cs.Constant("x", [1, 2]),
        cs.Constant("a/b", 1),
        cs.CategoricalHyperparameter("x", [object()]),
        cs.UniformIntegerHyperparameter("x", 0, 2**60),
    ],
    ids=["tuples", "a list", "a slash", "an object", "beyond a float"],
)
def test_a_config_space_hyperparameter_that_points_cannot_hold_is_refused(
    hyperparameter: AnyHyperparameter,
) -> None:
    problem = HpProblem()
    with pytest.raises(ProblemError):
        problem.add_hyperparameter(hyperparameter)
    assert problem.hyperparameter_names == []


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", True])
def test_a_seed_out_of_its_range_is_refused(seed: int) -> None:
    with pytest.raises(ProblemError, match="give an int from 0 to 4294967295"):
        HpProblem(seed=seed)


def test_a_hyperparameter_may_be_added_by_the_classic_names_of_the_arguments() -> None:
    problem = HpProblem()
    problem.add_dim(p_name="units", p_space=(1, 8))
    problem.add_dim("lr", p_space=(0.1, 1.0), default_value=0.5)
    problem.add_dim(value=[True, False], name="flag")
    assert problem.default_configuration == {"flag": True, "lr": 0.5, "units": 4}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "the name of a hyperparameter is not given: write add_dim(name, value)"),
        ({"p_name": "x"}, "the value of a hyperparameter is not given"),
        ({"name": "x", "p_name": "x", "value": (1, 2)}, "both as name and as p_name"),
        ({"name": "x", "p_space": (1, 2), "value": (1, 2)}, "both as value and as p_space"),
        ({"name": "x", "value": None}, "'x' is None"),
    ],
)
def test_an_argument_of_add_dim_is_given_once(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProblemError) as error:
        HpProblem().add_dim(**arguments)
    assert reason in str(error.value)
