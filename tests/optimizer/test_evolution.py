"""Regularized evolution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deephyper.errors import SettingsError
from deephyper.objective import Failure
from deephyper.optimizer import EvolutionOptimizer, EvolutionSettings, RandomOptimizer
from deephyper.problem import HpProblem
from deephyper.problem import config_space as cs
from deephyper.problem.point import Point


@pytest.fixture
def problem() -> HpProblem:
    """Only a pipeline with a momentum has one."""
    problem = HpProblem()
    for i in range(6):
        problem.add_dim(f"c{i}", ["a", "b", "c"])
    problem.add_dim("x", (0.0, 1.0))
    problem.add_dim("n", (1, 1000, "log-uniform"))
    momentum = problem.add_dim("momentum", (0.0, 0.9))
    problem.add_condition(cs.EqualsCondition(momentum, problem.space["c0"], "b"))
    return problem


def objective(point: Point) -> float:
    right = sum(point[f"c{i}"] == "b" for i in range(6))
    off = (point["x"] - 0.3) ** 2 + (math.log10(point["n"]) / 3 - 0.7) ** 2
    return float(right - off + point.get("momentum", 0.0))


def evolution(problem: HpProblem, population: int = 20, sample: int = 10) -> EvolutionOptimizer:
    return EvolutionOptimizer(problem, EvolutionSettings(population, sample), seed=1)


def changed(parent: Point, child: Point) -> set[str]:
    names = parent.keys() | child.keys()
    return {name for name in names if parent.get(name) != child.get(name)}


def test_a_child_differs_from_one_that_lives_in_one_hyperparameter(problem: HpProblem) -> None:
    optimizer = evolution(problem)
    told: list[Point] = []
    for number in range(120):
        point = optimizer.ask().point
        if number >= 20:
            differences = [changed(parent, point) for parent in told[-20:]]
            # The momentum comes and goes with what it depends on.
            assert any(len(each - {"momentum"}) <= 1 for each in differences)
        optimizer.tell(point, objective(point))
        told.append(point)


def test_the_best_of_all_that_live_is_the_parent_where_all_are_sampled(problem: HpProblem) -> None:
    optimizer = evolution(problem, population=20, sample=2000)
    told: list[Point] = []
    for _ in range(60):
        point = optimizer.ask().point
        if len(told) >= 20:
            highest = max(map(objective, told[-20:]))
            best = [parent for parent in told[-20:] if objective(parent) == highest]
            assert min(len(changed(parent, point) - {"momentum"}) for parent in best) <= 1
        optimizer.tell(point, objective(point))
        told.append(point)


def test_the_first_points_are_random_and_every_kind_is_changed(problem: HpProblem) -> None:
    optimizer, random = evolution(problem), RandomOptimizer(problem, seed=1)
    first = [proposal.point for proposal in optimizer.ask(20)]
    assert first == [proposal.point for proposal in random.ask(20)]
    # All are children of the one that is best by far.
    optimizer.tell(first, [1.0] + [0.0] * 19)
    kinds = set()
    for proposal in optimizer.ask(200):
        differences = changed(first[0], proposal.point) - {"momentum"}
        kinds |= differences if len(differences) == 1 else set()
    assert kinds >= {f"c{i}" for i in range(6)} | {"x", "n"}


def test_failures_are_no_parents_and_do_not_count(problem: HpProblem) -> None:
    optimizer = evolution(problem, population=5)
    failed = [proposal.point for proposal in optimizer.ask(30)]
    optimizer.tell(failed, [Failure("exception", "no")] * 30)
    assert len(optimizer.ask(1)) == 1
    good = [proposal.point for proposal in optimizer.ask(5)]
    optimizer.tell(good, [objective(point) for point in good])
    for proposal in optimizer.ask(10):
        assert min(len(changed(p, proposal.point) - {"momentum"}) for p in good) <= 1


def test_it_finds_better_points_than_random_search(problem: HpProblem) -> None:
    best = []
    for engine in (EvolutionOptimizer(problem, seed=1), RandomOptimizer(problem, seed=1)):
        found = -math.inf
        for _ in range(600):
            point = engine.ask().point
            found = max(found, objective(point))
            engine.tell(point, objective(point))
        best.append(found)
    assert best[0] > 6.8 > 6.5 > best[1]


def test_it_does_not_stop_where_nothing_near_is_left() -> None:
    problem = HpProblem()
    problem.add_dim("a", list(range(6)))
    problem.add_dim("b", (0, 9))
    optimizer = evolution(problem, population=3, sample=2)
    points = []
    for _ in range(60):
        points.append(optimizer.ask().point)
        optimizer.tell(points[-1], float(np.sin(points[-1]["b"])))
    assert len({(p["a"], p["b"]) for p in points}) == 60


@pytest.mark.parametrize("name", ["population_size", "sample_size"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "many", True])
def test_settings_are_whole_numbers(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=name):
        EvolutionSettings(**{name: value})  # type: ignore[arg-type]
