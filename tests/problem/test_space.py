"""The problem's space: ConfigSpace's own in all that can be seen, but quick to define.

The tests of size have no limits of time: with a graph that is made at each addition, or whose time
doubles with each link of a chain, none of them would end.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from ConfigSpace._condition_tree import DAG
from ConfigSpace.util import get_one_exchange_neighbourhood
from hypothesis import assume, given
from hypothesis import strategies as st

from deephyper.errors import ProblemError
from deephyper.optimizer import create_optimizer
from deephyper.problem import HpProblem
from deephyper.problem import config_space as cs
from deephyper.problem.definition import Definition
from tests.problem.test_problem_properties import problems, spaces


def made_by_config_space(problem: HpProblem) -> cs.ConfigurationSpace:
    """ConfigSpace's own space of the same things, added one by one."""
    copied = copy.deepcopy(problem.space)
    space = cs.ConfigurationSpace(seed=5)
    for hyperparameter in copied.values():
        space.add(hyperparameter)
    for constraint in (*copied.conditions, *copied.forbidden_clauses):
        space.add(constraint)
    problem.space.seed(5)
    return space


@spaces
@given(problems())
def test_a_space_is_what_config_space_makes_of_the_same_things(problem: HpProblem) -> None:
    own = problem.space
    other = made_by_config_space(problem)
    assert own == other
    assert repr(own) == repr(other)
    assert list(own) == list(other)
    for name in ("conditions", "forbidden_clauses", "at", "index_of", "children_of", "parents_of"):
        assert getattr(own, name) == getattr(other, name), name
    for name in ("conditional_hyperparameters", "unconditional_hyperparameters"):
        assert getattr(own, name) == getattr(other, name), name
    assert own.to_serialized_dict() == other.to_serialized_dict()
    assert dict(own.get_default_configuration()) == dict(other.get_default_configuration())


@spaces
@given(problems())
def test_samples_are_those_of_config_space(problem: HpProblem) -> None:
    assume(problem.space.estimate_size() > 1 or not problem.space.forbidden_clauses)
    other = made_by_config_space(problem)
    for mine, theirs in zip(
        problem.space.sample_configuration(5), other.sample_configuration(5), strict=True
    ):
        # ConfigSpace keeps values of a child whose second parent it finds inactive later.
        assert problem.point(mine) == problem.point(theirs)
        mine.check_valid_configuration()


@spaces
@given(problems(), st.integers(0, 1000))
def test_neighbors_have_values_for_what_is_active(problem: HpProblem, seed: int) -> None:
    assume(problem.space.estimate_size() > 1 or not problem.space.forbidden_clauses)
    sample = problem.space.sample_configuration()
    for near in get_one_exchange_neighbourhood(sample, seed=seed):
        # ConfigSpace looks only at the clauses on the value that it changes.
        assert set(near) == problem.space.get_active_hyperparameters(near)


@spaces
@given(problems())
def test_the_conditions_that_a_value_can_change_are_known_each_once(problem: HpProblem) -> None:
    other = made_by_config_space(problem)
    mine, theirs = problem.space._dag.change_hp_lookup, other._dag.change_hp_lookup
    for name in problem.space:
        # ConfigSpace has some of them once for each path that leads there, and some not at all.
        assert {str(node.condition) for node in mine[name]} >= {
            str(node.condition) for node in theirs.get(name, [])
        }
        assert len({id(node) for node in mine[name]}) == len(mine[name])


def chain(n: int) -> HpProblem:
    problem = HpProblem(seed=1)
    parent = problem.add_dim("h0", [True, False])
    for i in range(1, n):
        child = problem.add_dim(f"h{i}", [True, False])
        problem.add_condition(cs.EqualsCondition(child, parent, True))
        parent = child
    return problem


def chain_from_its_end(n: int) -> HpProblem:
    problem = HpProblem(seed=1)
    h = [problem.add_dim(f"h{i}", (0.0, 1.0)) for i in range(n)]
    for i in reversed(range(1, n)):
        problem.add_condition(cs.GreaterThanCondition(h[i], h[i - 1], 0.01))
    return problem


def children(n: int) -> HpProblem:
    problem = HpProblem(seed=1)
    parent = problem.add_dim("parent", [True, False])
    for i in range(n):
        child = problem.add_dim(f"h{i}", (0.0, 1.0))
        problem.add_condition(cs.EqualsCondition(child, parent, True))
    return problem


def children_of_different_values(n: int) -> HpProblem:
    problem = HpProblem(seed=1)
    parent = problem.add_dim("parent", (0, n))
    problem.add_starting_point(parent=3)
    for i in range(n):
        problem.add_dim(f"h{i}", (0.0, 1.0))
        # as many do, by the space
        problem.add_condition(cs.GreaterThanCondition(problem.space[f"h{i}"], parent, i))
    return problem


def ladder(n: int) -> HpProblem:
    """Two hyperparameters at each step, each with both of the step before as its parents."""
    problem = HpProblem(seed=1)
    pair = [problem.add_dim("a0", [1, 2]), problem.add_dim("b0", (0, 3))]
    for i in range(1, n // 2):
        below = [problem.add_dim(f"a{i}", [1, 2]), problem.add_dim(f"b{i}", (0, 3))]
        for child in below:
            problem.add_condition(
                cs.AndConjunction(
                    cs.NotEqualsCondition(child, pair[0], 2),
                    cs.LessThanCondition(child, pair[1], 3),
                )
            )
        pair = below
    return problem


def many_clauses(n: int) -> HpProblem:
    problem = HpProblem(seed=1)
    h = [problem.add_dim(f"h{i}", (0, 9)) for i in range(40)]
    for i in range(n):
        problem.add_forbidden_clause(
            cs.ForbiddenAndConjunction(
                cs.ForbiddenEqualsClause(h[i % 40], 0),
                cs.ForbiddenEqualsClause(h[(i + 1 + i // 40) % 40], 1),
            )
        )
    return problem


@pytest.mark.parametrize(
    ("make", "n"),
    [
        (chain, 200),
        (chain_from_its_end, 200),
        (children, 400),
        (children_of_different_values, 400),
        (ladder, 200),
        (many_clauses, 600),
    ],
)
def test_large_spaces_are_defined_sampled_copied_and_searched(
    make: Callable[[int], HpProblem], n: int
) -> None:
    problem = make(n)
    for configuration in problem.space.sample_configuration(20):
        point = problem.point(configuration)
        problem.check_configuration(point)
        cs.Configuration(problem.space, values=point)
    for other in (copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
        assert other.space == problem.space
    for name in ("bayesian", "random"):
        optimizer = create_optimizer(problem, name, seed=1)
        for _ in range(10):
            proposal = optimizer.ask()
            optimizer.tell(proposal, float(len(proposal.point)))


def test_the_graph_is_made_once_for_many_additions(monkeypatch: pytest.MonkeyPatch) -> None:
    from deephyper.problem import space as module

    made = []
    original = module._graph_of

    def counted(definition: Definition) -> DAG:
        made.append(definition)
        return original(definition)

    monkeypatch.setattr(module, "_graph_of", counted)
    problem = children(5)
    optimizer = create_optimizer(problem, seed=1)
    for _ in range(12):
        optimizer.tell(optimizer.ask(), 1.0)
    problem.validate(problem.default_configuration)
    assert len(made) == 0
    for _ in range(3):
        problem.space.sample_configuration()
    assert len(made) == 1
    problem.add_dim("more", (0, 1))
    assert "more" in problem.space.sample_configuration()
    assert len(made) == 2


def test_the_space_stays_the_same_object() -> None:
    problem = HpProblem()
    space = problem.space
    problem.add_dim("x", (1, 5))
    assert list(space) == ["x"]
    assert "x" in space
    assert len(space) == 1
    assert problem.space is space


def test_another_space_can_be_added_to_the_space_itself() -> None:
    problem = HpProblem(seed=2)
    kernel = problem.add_dim("kernel", ["linear", "poly"])
    inner = cs.ConfigurationSpace({"degree": (1, 5), "scaled": [True, False]})
    problem.space.add_configuration_space(
        "svm", inner, parent_hyperparameter={"parent": kernel, "value": "poly"}
    )
    assert problem.hyperparameter_names == ["kernel", "svm:degree", "svm:scaled"]
    assert problem.default_configuration == {"kernel": "linear"}
    point = {"kernel": "poly", "svm:degree": 2, "svm:scaled": True}
    assert problem.validate(point) == point


@pytest.mark.parametrize(
    "items",
    [
        lambda space: ["x"],
        lambda space: [None],
        lambda space: [cs.Constant("y", 1), cs.Constant("a", 1)],
        lambda space: [
            cs.Constant("y", 1),
            cs.EqualsCondition(space["a"], space["b"], 1),
            cs.EqualsCondition(space["b"], space["a"], 1),
        ],
        lambda space: [cs.Constant("y", 1), cs.ForbiddenEqualsClause(space["a"], 3)],
        lambda space: [cs.EqualsCondition(space["a"], cs.Constant("other", 1), 1)],
    ],
    ids=["text", "nothing", "namesake", "cycle", "default", "unknown"],
)
def test_what_cannot_be_added_to_the_space_itself_leaves_it_as_it_was(
    items: Callable[[cs.ConfigurationSpace], list[Any]],
) -> None:
    problem = HpProblem()
    for name in "ab":
        problem.add_dim(name, (1, 5))
    before = repr(problem)
    with pytest.raises(ProblemError):
        problem.space.add(*items(problem.space))
    assert repr(problem) == before
    problem.space.sample_configuration()


def test_a_long_cycle_is_refused_and_the_same_condition_twice_is_one() -> None:
    problem = chain(50)
    space = problem.space
    with pytest.raises(ProblemError, match="makes a hyperparameter its own ancestor"):
        problem.add_condition(cs.EqualsCondition(space["h0"], space["h49"], True))
    problem.add_condition(cs.EqualsCondition(space["h7"], space["h6"], True))
    assert len(space.conditions) == 49
    with pytest.raises(ProblemError, match="is a second one for its hyperparameter 'h7'"):
        problem.add_condition(cs.EqualsCondition(space["h7"], space["h6"], False))


def test_a_clause_may_forbid_what_is_inactive_by_default() -> None:
    problem = HpProblem()
    a, b = (problem.add_dim(name, [0, 1]) for name in "ab")
    clause = cs.ForbiddenEqualsClause(b, 0)
    with pytest.raises(ProblemError, match="b == 0 makes the default configuration a forbidden"):
        problem.add_forbidden_clause(clause)
    problem.add_condition(cs.EqualsCondition(b, a, 1))
    problem.add_forbidden_clause(clause)
    assert problem.default_configuration == {"a": 0}
