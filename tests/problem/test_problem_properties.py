"""Properties that hold for all spaces and all values."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ConfigSpace.conditions import Condition, ConditionLike
from ConfigSpace.forbidden import ForbiddenClause
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from deephyper.errors import ProblemError
from deephyper.problem import HpProblem, Point
from deephyper.problem import config_space as cs
from deephyper.problem.domain import Choices
from deephyper.problem.point import is_plain, plain
from deephyper.problem.translation import translate

spaces = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
values = settings(deadline=None, max_examples=150)

finite = st.floats(-1e12, 1e12, allow_subnormal=False)
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), finite, text)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[Any, ...]:
    """A tuple shorthand."""
    prior = draw(st.sampled_from([(), ("uniform",), ("log-uniform",)]))
    log = prior == ("log-uniform",)
    if draw(st.booleans()):
        start = draw(st.integers(1 if log else -1000, 1000))
        return (start, start + draw(st.integers(1, 10**6)), *prior)
    low = draw(st.floats(1e-8 if log else -1e6, 1e6))
    return (low, low + draw(st.floats(1e-6, 1e6)), *prior)


choices = st.lists(scalars, min_size=1, max_size=5, unique_by=lambda value: value)
shorthands = st.one_of(ranges(), choices)


def some_value(draw: Callable[..., Any], problem: HpProblem, name: str) -> Any:
    """A plain value that the hyperparameter may take."""
    domain = problem.domains[name]
    if isinstance(domain, Choices):
        return draw(st.sampled_from(domain.values))
    # not by sampling: with the seed of the problem, that would meet the samples exactly, and
    # ConfigSpace's vectors, unlike its values, differ in their last digit then
    between = domain.lower + draw(st.integers(0, 16)) / 16 * (domain.upper - domain.lower)
    return domain.accept(round(between) if domain.integer else min(between, domain.upper))


def refusal(call: Callable[..., object], *arguments: Any) -> str | None:
    """The message of the ProblemError that the call raises; None where it raises none."""
    try:
        call(*arguments)
    except ProblemError as error:
        return str(error)
    return None


@st.composite
def condition_on(
    draw: st.DrawFn, problem: HpProblem, child: str, candidates: list[str]
) -> ConditionLike:
    """A condition for the child, on some of the candidates."""
    space = problem.space

    def simple() -> Condition:
        name = draw(st.sampled_from(candidates))
        parent, value = space[name], some_value(draw, problem, name)
        kinds: list[Callable[[Any, Any, Any], Condition]] = [
            cs.EqualsCondition,
            cs.NotEqualsCondition,
            cs.InCondition,
        ]
        if parent.ORDERABLE:
            kinds += [cs.LessThanCondition, cs.GreaterThanCondition]
        kind = draw(st.sampled_from(kinds))
        if kind is cs.InCondition:
            value = [value, some_value(draw, problem, name)]
        made: Condition = kind(space[child], parent, value)
        return made

    if draw(st.integers(0, 2)):
        return simple()
    return draw(st.sampled_from([cs.AndConjunction, cs.OrConjunction]))(simple(), simple())


@st.composite
def forbidden_on(draw: st.DrawFn, problem: HpProblem) -> cs.ForbiddenAndConjunction:
    """A forbidden clause on some hyperparameters of the problem."""
    space = problem.space

    def simple() -> ForbiddenClause:
        name = draw(st.sampled_from(list(space)))
        value = some_value(draw, problem, name)
        kinds: list[Callable[[Any, Any], ForbiddenClause]] = [cs.ForbiddenEqualsClause]
        if space[name].ORDERABLE:
            kinds += [
                cs.ForbiddenLessThanClause,
                cs.ForbiddenLessThanEqualsClause,
                cs.ForbiddenGreaterThanClause,
                cs.ForbiddenGreaterThanEqualsClause,
            ]
        made: ForbiddenClause = draw(st.sampled_from(kinds))(space[name], value)
        return made

    return cs.ForbiddenAndConjunction(simple(), simple())


@st.composite
def problems(draw: st.DrawFn) -> HpProblem:
    """A problem with up to 7 hyperparameters, conditions up to 6 deep, and a few clauses."""
    problem = HpProblem(seed=draw(st.integers(0, 2**32 - 1)))
    names = [f"h{i}" for i in range(draw(st.integers(1, 7)))]
    for name in draw(st.permutations(names)):
        problem.add_dim(name, draw(shorthands))
    for i, name in enumerate(names[1:], start=1):
        if draw(st.booleans()):
            problem.add_condition(draw(condition_on(problem, name, names[:i])))
    for _ in range(draw(st.integers(0, 2))):
        message = refusal(problem.add_forbidden_clause, draw(forbidden_on(problem)))
        assert message is None or "default configuration" in message
    return problem


def samples(problem: HpProblem, n: int = 8) -> list[cs.Configuration]:
    """Sampled configurations; none where the clauses leave hardly anything to sample."""
    assume(problem.space.estimate_size() > 1 or not problem.space.forbidden_clauses)
    return [problem.space.sample_configuration() for _ in range(n)]


def same(one: Point, other: Point) -> bool:
    """Equal with equal types."""
    return one == other and [type(v) for v in one.values()] == [type(v) for v in other.values()]


@spaces
@given(problems())
def test_sampled_configurations_become_valid_plain_points(problem: HpProblem) -> None:
    for configuration in samples(problem):
        point = problem.point(configuration)
        problem.check_configuration(point)
        assert all(is_plain(value) for value in point.values())
        assert list(point) == [name for name in problem.hyperparameter_names if name in point]


@spaces
@given(problems())
def test_a_point_survives_the_trip_through_a_configuration(problem: HpProblem) -> None:
    for sampled in samples(problem):
        point = problem.point(sampled)
        configuration = cs.Configuration(problem.space, values=point)
        assert same(problem.point(configuration), point)


@spaces
@given(problems())
def test_a_point_survives_the_trip_through_json(problem: HpProblem) -> None:
    for sampled in samples(problem):
        point = problem.point(sampled)
        read = json.loads(json.dumps(point, allow_nan=False))
        assert same(problem.validate(read), point)


@spaces
@given(problems(), st.data())
def test_a_point_without_one_of_its_values_or_with_one_too_many_is_refused(
    problem: HpProblem, data: st.DataObject
) -> None:
    point = problem.point(samples(problem, 1)[0])
    name = data.draw(st.sampled_from(problem.hyperparameter_names))
    if name in point:
        changed = {other: value for other, value in point.items() if other != name}
        reason = f"'{name}' is missing"
    else:
        changed = {**point, name: some_value(data.draw, problem, name)}
        reason = f"'{name}' is given"
    with pytest.raises(ProblemError) as error:
        problem.check_configuration(changed)
    assert str(error.value).startswith(reason)


@spaces
@given(problems())
def test_the_default_is_a_valid_starting_point(problem: HpProblem) -> None:
    default = problem.default_configuration
    problem.check_configuration(default)
    problem.add_starting_point()
    problem.add_starting_point(**default)
    assert problem.starting_points == [default]
    assert dict(problem.space.get_default_configuration()).keys() == default.keys()


@spaces
@given(problems())
def test_copies_say_the_same(problem: HpProblem) -> None:
    problem.add_starting_point()
    for other in (copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
        assert repr(other) == repr(problem)
        assert [dict(c) for c in samples(copy.deepcopy(problem))] == [
            dict(c) for c in samples(other)
        ]


@spaces
@given(problems())
def test_the_text_of_a_condition_is_the_condition_in_python(problem: HpProblem) -> None:
    for condition in map(translate, problem.space.conditions):
        names = condition.hyperparameters
        if any(isinstance(problem.space[name], cs.OrdinalHyperparameter) for name in names):
            continue  # ordered by its sequence, not by its values
        for configuration in samples(problem):
            point = problem.point(configuration)
            if set(names) <= point.keys():
                expected = eval(str(condition), {}, point)
                assert condition.satisfied_by(point) == expected


junk = st.recursive(
    st.one_of(
        scalars,
        st.floats(),
        st.integers(),
        st.binary(max_size=2),
        st.complex_numbers(),
        st.sampled_from([np.int64(3), np.float32(0.5), np.str_("a"), np.bool_(True), np.nan]),
        st.sampled_from([object(), int, np.zeros(3), np.array(2.0), range(3), "log-uniform"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=2), inner, max_size=2),
    ),
    max_leaves=6,
)


@values
@given(
    st.one_of(junk, st.tuples(junk, junk), st.tuples(junk, junk, junk)),
    st.one_of(st.none(), junk),
)
def test_any_value_makes_a_hyperparameter_or_a_problem_error_of_one_line(
    value: Any, default: Any
) -> None:
    problem = HpProblem(seed=0)
    message = refusal(problem.add_dim, "x", value, default)
    if message is None:
        problem.check_configuration(problem.default_configuration)
        problem.check_configuration(problem.point(problem.space.sample_configuration()))
    else:
        assert "\n" not in message
        assert "'x'" in message
        assert problem.hyperparameter_names == []


@values
@given(shorthands, junk)
def test_any_value_is_accepted_as_a_plain_one_or_refused(shorthand: Any, value: Any) -> None:
    problem = HpProblem()
    problem.add_dim("x", shorthand)
    message = refusal(problem.validate, {"x": value})
    if message is not None:
        assert "\n" not in message
        assert "'x'" in message
        return
    accepted = problem.validate({"x": value})
    assert is_plain(accepted["x"])
    if isinstance(value, float):
        assert math.isclose(accepted["x"], value, abs_tol=1e-13)
    assert same(problem.validate(accepted), accepted)
    configuration = cs.Configuration(problem.space, values=accepted)
    assert problem.point(configuration)["x"] == pytest.approx(accepted["x"], abs=1e-13)
    if isinstance(shorthand, list):
        assert any(same({"x": choice}, accepted) for choice in shorthand)
    else:
        assert isinstance(plain(value), (int, float))
        assert not isinstance(accepted["x"], bool)


@values
@given(st.text(max_size=6))
def test_any_name_is_used_as_it_is_or_refused(name: str) -> None:
    problem = HpProblem()
    message = refusal(problem.add_dim, name, (1, 3))
    if message is not None:
        assert len(message.splitlines()) == 1
        return
    assert problem.default_configuration == {name: 2}
    assert name.isprintable()
    assert not set(name) & set(" /\\,;='\"\n\t")
