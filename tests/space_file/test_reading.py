"""What a space file in our own form means."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import ProblemError
from deephyper.problem import HpProblem
from deephyper.problem import config_space as cs
from deephyper.space_file import read_space
from deephyper.space_file.domain_text import parse_definitions, parse_domain
from deephyper.space_file.yaml_text import load

YAML = """\
hyperparameters:
  lr: (1e-4, 1.0, log-uniform)
  units: (1, 100)
  optimizer: [adam, sgd]
  momentum: {range: [0, 0.99], default: 0.9}
  layers: {range: [1.0, 4.0], integer: true}
  batch: {range: [8, 512], log: true}
  size: {values: [small, big], ordered: true, default: big}
  kind: {values: [tree, forest], weights: [0.2, 0.8]}
  depth: {range: [1, 12], distribution: normal, mu: 4, sigma: 2}
  share: {range: [0.0, 1.0], distribution: beta, alpha: 2, beta: 3}
  seed: {constant: 42}
conditions:
  momentum: optimizer == sgd
  share: layers > 1 and (size != 'small' or depth in [3, 4])
forbidden:
  - layers == 4 and units > 64
starting_points:
  - {lr: 0.01, optimizer: sgd}
  - {layers: 3, units: 32}
direction: minimize
"""
TOML = """\
direction = "minimize"
forbidden = ["layers == 4 and units > 64"]
starting_points = [{ lr = 0.01, optimizer = "sgd" }, { layers = 3, units = 32 }]

[hyperparameters]
lr = "(1e-4, 1.0, log-uniform)"
units = "(1, 100)"
optimizer = ["adam", "sgd"]
momentum = { range = [0, 0.99], default = 0.9 }
layers = { range = [1.0, 4.0], integer = true }
batch = { range = [8, 512], log = true }
size = { values = ["small", "big"], ordered = true, default = "big" }
kind = { values = ["tree", "forest"], weights = [0.2, 0.8] }
depth = { range = [1, 12], distribution = "normal", mu = 4, sigma = 2 }
share = { range = [0.0, 1.0], distribution = "beta", alpha = 2, beta = 3 }
seed = { constant = 42 }

[conditions]
momentum = "optimizer == sgd"
share = "layers > 1 and (size != 'small' or depth in [3, 4])"
"""


def file(tmp_path: Path, text: str, name: str = "space.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def expected() -> HpProblem:
    problem = HpProblem()
    problem.add_dim("lr", (1e-4, 1.0, "log-uniform"))
    units = problem.add_dim("units", (1, 100))
    optimizer = problem.add_dim("optimizer", ["adam", "sgd"])
    momentum = problem.add_dim("momentum", (0, 0.99), 0.9)
    layers = problem.add_dim("layers", (1, 4))
    problem.add_dim("batch", (8, 512, "log-uniform"))
    added: list[Any] = [
        cs.OrdinalHyperparameter("size", ["small", "big"], default_value="big"),
        cs.CategoricalHyperparameter("kind", ["tree", "forest"], weights=[0.2, 0.8]),
        cs.NormalIntegerHyperparameter("depth", mu=4, sigma=2, lower=1, upper=12),
        cs.BetaFloatHyperparameter("share", alpha=2, beta=3, lower=0.0, upper=1.0),
        cs.Constant("seed", 42),
    ]
    for each in added:
        problem.add_hyperparameter(each)
    size, _, depth, share, _ = added
    problem.add_condition(cs.EqualsCondition(momentum, optimizer, "sgd"))
    problem.add_condition(
        cs.AndConjunction(
            cs.GreaterThanCondition(share, layers, 1),
            cs.OrConjunction(
                cs.NotEqualsCondition(share, size, "small"), cs.InCondition(share, depth, [3, 4])
            ),
        )
    )
    problem.add_forbidden_clause(
        cs.ForbiddenAndConjunction(
            cs.ForbiddenEqualsClause(layers, 4), cs.ForbiddenGreaterThanClause(units, 64)
        )
    )
    problem.add_starting_point(lr=0.01, optimizer="sgd")
    problem.add_starting_point(layers=3, units=32)
    return problem


@pytest.mark.parametrize(("name", "text"), [("space.yaml", YAML), ("space.toml", TOML)])
def test_a_file_says_all_that_a_problem_can(tmp_path: Path, name: str, text: str) -> None:
    read = read_space(file(tmp_path, text, name))
    assert repr(read.problem) == repr(expected())
    assert read.problem.space == expected().space
    assert (read.form, read.direction) == ("deephyper", "minimize")


@pytest.mark.parametrize(
    ("text", "shorthand"),
    [
        ("(1, 100)", (1, 100)),
        ("(0, 1.0)", (0, 1.0)),
        ("(1e-4, 1, log-uniform)", (1e-4, 1, "log-uniform")),
        ("( -5,5 , 'uniform' )", (-5, 5, "uniform")),
        ("[adam, sgd]", ["adam", "sgd"]),
        ("[16, 32, 64]", [16, 32, 64]),
        ("[None, null, 'None', true, False, 1e-3, 'a b', \"it's\", '']", None),
        ("[on, off, yes, no, 1:30, 010, resnet-50, ../x, 50%]", None),
        ("adam,sgd", ["adam", "sgd"]),
        ("choice(adam, 2, null)", ["adam", 2, None]),
        ("interval(0, 1)", (0.0, 1.0)),
        ("interval(start=0.1, end=1)", (0.1, 1.0)),
        ("tag(log, interval(1e-4, 1))", (1e-4, 1.0, "log-uniform")),
        ("int(interval(1, 9))", (1, 9)),
        ("tag(log, int(interval(1, 9)))", (1, 9, "log-uniform")),
        ("range(1, 10)", (1, 9)),
        ("range(5)", (0, 4)),
        ("tag(log, range(1, 129))", (1, 128, "log-uniform")),
        ("range(0, 100, 25)", [0, 25, 50, 75]),
        ("range(0, 1, 0.1)", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        ("range(start=10, stop=0, step=-5)", [10, 5]),
        ("range(1, 2)", [1]),
        ("float(range(1, 3, 1))", (1.0, 2.0)),
    ],
)
def test_a_domain_as_text(text: str, shorthand: Any) -> None:
    if "None" in text:
        shorthand = [None, None, "None", True, False, 1e-3, "a b", "it's", ""]
    elif "on, off" in text:
        shorthand = ["on", "off", "yes", "no", "1:30", 10, "resnet-50", "../x", "50%"]
    found = parse_domain(text)
    assert found == shorthand
    assert type(found) is type(shorthand)
    assert [type(value) for value in found] == [type(value) for value in shorthand]


@pytest.mark.parametrize(
    ("definition", "notice"),
    [
        ("unit_1=[8]", "-P adds the hyperparameter 'unit_1'; did you mean 'units_1'?"),
        ("Rates=[8]", "-P adds the hyperparameter 'Rates'; did you mean 'rate'?"),
        ("units_2=[8]", None),
        ("units_1=[8]", None),
        ("momentum=[8]", None),
    ],
)
def test_a_definition_that_adds_what_is_perhaps_mistyped_is_noticed(
    definition: str, notice: str | None, tmp_path: Path
) -> None:
    path = file(tmp_path, "hyperparameters: {units_1: [1, 2], rate: [0.1, 1.0]}\n")
    assert read_space(path, [definition]).notices == (() if notice is None else (notice,))


def test_definitions_are_separated_by_semicolons() -> None:
    text = "lr=(1e-4, 1.0, log-uniform); opt = ['a;b', c];n=range(1,4);"
    assert parse_definitions(text) == {
        "lr": (1e-4, 1.0, "log-uniform"),
        "opt": ["a;b", "c"],
        "n": (1, 3),
    }


def test_the_traps_of_yaml_1_1_do_not_bite() -> None:
    text = """
a: [1e-4, 1E5, -2e3, .5, 1., 010, 0x1F, 0o17, 1_000, 12:30:45, 2026-11-27, =, 1,000]
b: [on, off, yes, no, y, n, Yes, NO]
c: [true, False, null, ~, Null]
d: ['1e-4', "on", !!str 5, !!float 3]
on: 1
no: 2
1: 3
"""
    value, places = load(text)
    assert value == {
        "a": [1e-4, 1e5, -2e3, 0.5, 1.0, 10, 31, 15, "1_000", "12:30:45", "2026-11-27", "=", 1, 0],
        "b": ["on", "off", "yes", "no", "y", "n", "Yes", "NO"],
        "c": [True, False, None, None, None],
        "d": ["1e-4", "on", "5", 3.0],
        "on": 1,
        "no": 2,
        "1": 3,
    }
    assert type(value["d"][3]) is float
    assert places[("c", 1)] == (4, 11)
    assert places[("no",)] == (7, 1)


def test_numbers_that_are_not_finite_are_read_as_such() -> None:
    value, _ = load("[.inf, -.inf, .nan]")
    assert value[:2] == [math.inf, -math.inf]
    assert math.isnan(value[2])


def test_the_command_line_adds_and_replaces(tmp_path: Path) -> None:
    path = file(tmp_path, "hyperparameters:\n  x: (1, 9)\n  y: [a, b]\nconditions:\n  x: y == a\n")
    problem = read_space(path, ["x=(0.0, 1.0)", "y=[a, c]; z=(1, 3)"]).problem
    expected = HpProblem()
    x, y = expected.add_dim("x", (0.0, 1.0)), expected.add_dim("y", ["a", "c"])
    expected.add_dim("z", (1, 3))
    expected.add_condition(cs.EqualsCondition(x, y, "a"))
    assert problem.space == expected.space


def test_the_command_line_alone_is_a_space() -> None:
    problem = read_space(None, ["lr=(1e-4, 1.0, log-uniform)", "opt=[adam, sgd]"]).problem
    assert problem.hyperparameter_names == ["lr", "opt"]


def test_rules_that_config_space_has_not_are_made_of_those_it_has(tmp_path: Path) -> None:
    problem = read_space(
        file(
            tmp_path,
            """
hyperparameters: {n: "(1, 5)", m: "(1, 5)", k: [a, b, c], x: "(0.0, 1.0)", and: "(1, 2)"}
conditions:
  x: n >= 2 and k not in [b, c]
forbidden:
  - n != 1 and m <= 2 and k == "c"
  - n > m and `and` == 2
""",
        )
    ).problem

    def valid(**point: Any) -> bool:
        try:
            problem.check_configuration({"and": 1, "m": 3, **point})
        except ProblemError:
            return False
        return True

    assert valid(n=2, k="a", x=0.5)
    assert not valid(n=1, k="a", x=0.5)
    assert not valid(n=2, k="b", x=0.5)
    assert valid(n=1, k="c", m=2)
    assert not valid(n=2, k="c", m=2)
    assert valid(n=4, k="b")
    assert not valid(n=4, k="b", **{"and": 2})


def test_a_word_that_is_a_name_and_a_value_has_to_be_quoted(tmp_path: Path) -> None:
    text = "hyperparameters: {a: [a, b], b: [a, b]}\nforbidden: [%s]\n"
    for rule, forbidden in (
        ("a == 'b'", {"a": "b", "b": "a"}),
        ("a == `b` and a == 'b'", {"a": "b", "b": "b"}),
    ):
        problem = read_space(file(tmp_path, text % f'"{rule}"')).problem
        with pytest.raises(ProblemError, match="is forbidden"):
            problem.check_configuration(forbidden)
    with pytest.raises(ProblemError, match="put quotes around the value, or ` around the name"):
        read_space(file(tmp_path, text % '"a == b"'))
