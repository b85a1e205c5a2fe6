"""Every space can be written to each form of file and reads back as the same."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deephyper.errors import ProblemError
from deephyper.problem import HpProblem
from deephyper.problem import config_space as cs
from deephyper.problem.domain import AnyHyperparameter
from deephyper.problem.translation import translate
from deephyper.space_file import as_config_space, as_json, as_yaml, read_space
from deephyper.space_file.domain_text import domain_text, parse_definitions, parse_domain
from deephyper.space_file.hyperparameter import hyperparameter_of, tree_of
from deephyper.space_file.tokens import quoted, unquoted
from deephyper.space_file.writing import as_tree
from deephyper.space_file.yaml_text import dump, load
from tests.problem.test_problem_properties import (
    choices,
    problems,
    ranges,
    refusal,
    scalars,
    some_value,
    spaces,
    values,
)


@st.composite
def complete_problems(draw: st.DrawFn) -> HpProblem:
    """A problem with conditions, clauses, other kinds of hyperparameters and starting points."""
    problem = draw(problems())
    for i, other in enumerate(draw(st.lists(others("-"), max_size=3))):
        problem.add_hyperparameter(named(other, f"o.{i}"))
    names = problem.hyperparameter_names
    for _ in range(draw(st.integers(0, 2))):
        left, right = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        kind = draw(st.sampled_from([cs.ForbiddenLessThanRelation, cs.ForbiddenEqualsRelation]))
        try:
            clause = kind(problem.space[left], problem.space[right])
        except (TypeError, ValueError):
            continue
        refusal(problem.add_forbidden_clause, clause)
    for _ in range(draw(st.integers(0, 3))):
        point = {name: some_value(draw, problem, name) for name in names if draw(st.booleans())}
        refusal(lambda point=point: problem.add_starting_point(**point))
    return problem


@st.composite
def others(draw: st.DrawFn, name: str) -> AnyHyperparameter:
    """A hyperparameter that no shorthand of HpProblem stands for."""
    low, width = draw(st.integers(1, 1000)), draw(st.integers(2, 1000))
    log = draw(st.booleans())
    listed = draw(choices)
    made: AnyHyperparameter = draw(
        st.sampled_from(
            [
                lambda: cs.OrdinalHyperparameter(name, listed, default_value=listed[-1]),
                lambda: cs.CategoricalHyperparameter(name, listed, default_value=listed[-1]),
                lambda: cs.CategoricalHyperparameter(
                    name, listed, weights=[i + 1.0 for i in range(len(listed))]
                ),
                lambda: cs.Constant(name, listed[0]),
                lambda: cs.NormalIntegerHyperparameter(
                    name, mu=low + 1, sigma=width, lower=low, upper=low + width, log=log
                ),
                lambda: cs.NormalFloatHyperparameter(
                    name, mu=low + 0.5, sigma=1.5, lower=low, upper=low + width, log=log
                ),
                lambda: cs.BetaFloatHyperparameter(
                    name, alpha=2, beta=3.5, lower=low, upper=low + width
                ),
                lambda: cs.BetaIntegerHyperparameter(
                    name, alpha=2, beta=3.5, lower=low, upper=low + width
                ),
                lambda: cs.UniformFloatHyperparameter(
                    name, low, low + width, default_value=low + 0.25 * width, log=log
                ),
                lambda: cs.UniformIntegerHyperparameter(
                    name, low, low + width, default_value=low, log=log
                ),
            ]
        )
    )()
    return made


def named(hyperparameter: AnyHyperparameter, name: str) -> AnyHyperparameter:
    hyperparameter.name = name
    return hyperparameter


def read(text: str, ending: str) -> HpProblem:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"space{ending}")
        path.write_text(text, encoding="utf-8")
        return read_space(path).problem


def facts(problem: HpProblem) -> Any:
    """All that a problem says, types of values included."""
    space = problem.space
    return (
        [repr(space[name]) for name in space],
        repr(problem.domains),
        problem.describe(),
        [repr(translate(each)) for each in space.conditions],
        [repr(translate(each)) for each in space.forbidden_clauses],
        repr(problem.default_configuration),
        repr(problem.starting_points),
    )


def as_toml(tree: dict[str, Any]) -> str:
    def value(given: Any) -> str:
        if isinstance(given, dict):
            return "{" + ", ".join(f"{key(k)} = {value(v)}" for k, v in given.items()) + "}"
        if isinstance(given, list):
            if any(each is None for each in given):  # which TOML hasn't
                return value("[" + ", ".join(map(quoted, given)) + "]")
            return "[" + ", ".join(map(value, given)) + "]"
        if isinstance(given, str):
            return json.dumps(given).replace("\x7f", "\\u007f") if given.isascii() else key(given)
        return json.dumps(given)

    def key(text: str) -> str:
        return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'

    return "\n".join(f"{key(name)} = {value(section)}" for name, section in tree.items())


@spaces
@given(complete_problems())
def test_yaml(problem: HpProblem) -> None:
    again = read(as_yaml(problem, "minimize"), ".yaml")
    assert facts(again) == facts(problem)


@spaces
@given(complete_problems())
def test_json(problem: HpProblem) -> None:
    text = as_json(problem)
    assert facts(read(text, ".json")) == facts(problem)
    assert facts(read(text, ".yaml")) == facts(problem)  # which is YAML too


@spaces
@given(complete_problems())
def test_toml(problem: HpProblem) -> None:
    tree = as_tree(problem)
    listed = [
        *tree.get("starting_points", []),
        *(each for each in tree["hyperparameters"].values() if isinstance(each, dict)),
    ]
    for each in listed:  # TOML has no null but in a list that is written as text
        nothing = [each.get("values"), *each.values()]
        if any(value is None or (isinstance(value, list) and None in value) for value in nothing):
            return
    assert facts(read(as_toml(tree), ".toml")) == facts(problem)


@spaces
@given(complete_problems())
def test_config_space(problem: HpProblem) -> None:
    again = read(as_config_space(problem), ".json")
    assert facts(again)[:-1] == facts(problem)[:-1]


@values
@given(st.one_of(ranges(), choices), st.lists(choices, min_size=1, max_size=3))
def test_domains_as_text(shorthand: Any, several: list[list[Any]]) -> None:
    text = domain_text(shorthand) if isinstance(shorthand, tuple) else list_text(shorthand)
    assert repr(parse_domain(text)) == repr(shorthand)
    definitions = {f"n{i}": each for i, each in enumerate(several)}
    joined = "; ".join(f"{name}={list_text(each)}" for name, each in definitions.items())
    assert repr(parse_definitions(joined)) == repr(definitions)


def list_text(listed: list[Any]) -> str:
    return f"[{', '.join(map(quoted, listed))}]"


plain_words = st.from_regex(
    r"[A-Za-z][A-Za-z0-9._-]{0,5}|None|True|true|nan|-?inf|1e5", fullmatch=True
)


@values
@given(st.lists(plain_words | scalars, min_size=1, max_size=5))
def test_values_without_the_quotes_that_they_do_not_need(listed: list[Any]) -> None:
    text = f"[{', '.join(map(unquoted, listed))}]"
    assert repr(parse_domain(text)) == repr(parse_domain(list_text(listed)))
    assert unquoted("adam-w") == "adam-w"
    assert parse_domain(f"[{unquoted('true')}, {unquoted('None')}]") == ["true", "None"]


@values
@given(others("x"))
def test_hyperparameters(hyperparameter: AnyHyperparameter) -> None:
    try:
        HpProblem().add_hyperparameter(hyperparameter)
    except ProblemError:
        return
    assert repr(hyperparameter_of("x", tree_of(hyperparameter))) == repr(hyperparameter)


trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    ),
    max_leaves=10,
)


@values
@given(trees)
def test_any_tree_as_yaml(tree: Any) -> None:
    assert repr(load(dump(tree))[0]) == repr(tree)


junk = st.text(st.sampled_from("ab1.-+eE_ \n\t:,;=[](){}'\"`<>!&*#%@|\\\0é\u202e"), max_size=30)


@values
@given(junk)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    calls: list[Any] = [lambda: parse_domain(text), lambda: parse_definitions(text)]
    for ending in (".yaml", ".json", ".toml"):
        calls.append(lambda ending=ending: read(text, ending))
        calls.append(lambda ending=ending: read(f"hyperparameters:\n  x: {text}", ending))
    for rule in ("conditions: {y: %s}", "forbidden: [%s]"):
        head = 'hyperparameters: {x: "(1, 9)", y: [a, b]}\n'
        calls.append(lambda rule=rule, head=head: read(head + rule % json.dumps(text), ".yaml"))
    for call in calls:
        message = refusal(call)
        assert message is None or "\n" not in message
