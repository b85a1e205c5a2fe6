"""What holds for every optimizer on every space."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deephyper.errors import OptimizerError, ProblemError, SpaceExhausted
from deephyper.job import Estimate
from deephyper.optimizer import Optimizer, Proposal, SkoptSettings, create_optimizer
from deephyper.optimizer.settings import Settings
from deephyper.problem import HpProblem
from deephyper.problem.domain import Choices, domain_of
from deephyper.problem.point import Point
from deephyper.registry import OPTIMIZERS
from tests.optimizer.random_spaces import FINITE, problems


class Sampler:
    """Somebody's optimizer: it knows the space alone, proposes repeats and invalid values."""

    def __init__(self, problem: HpProblem, seed: int | None) -> None:
        self.space = problem.space
        self.space.seed(seed or 0)

    def ask(self) -> Point:
        return {name: hp.sample_value(seed=self.space.random) for name, hp in self.space.items()}

    def tell(self, x: Point, y: float) -> None:
        pass


# What is made of a problem and a seed, to be driven; a name stands for an engine's own defaults.
Make = Callable[[HpProblem, int], "str | Settings | Sampler"]


def _skopt(**options: Any) -> Make:
    return lambda problem, seed: SkoptSettings(n_initial_points=4, **options)


def _named(name: str) -> Make:
    return lambda problem, seed: name


QUICK: dict[str, Make] = {
    "external": Sampler,
    "DUMMY": _skopt(surrogate_model="DUMMY"),
    **{name: _named(name) for name in OPTIMIZERS.names if name != "skopt"},
}
SLOW: dict[str, Make] = {
    "skopt": _skopt(),
    "GP": _skopt(surrogate_model="GP", acq_func="EI", liar_strategy="cl_max"),
    "ET": _skopt(surrogate_model="ET", acq_func="LCB"),
    "GBRT": _skopt(surrogate_model="GBRT", acq_func="PI", liar_strategy="cl_mean"),
}
ALL = QUICK | SLOW


def make(engine: str, problem: HpProblem, seed: int = 0) -> Optimizer:
    return create_optimizer(problem, ALL[engine](problem, seed), seed=seed)


_SLOW = [name if name == "skopt" else pytest.param(name, marks=pytest.mark.long) for name in SLOW]
every_engine = pytest.mark.parametrize("engine", [*QUICK, *_SLOW])
quick_engine = pytest.mark.parametrize("engine", list(QUICK))
slow_engine = pytest.mark.parametrize("engine", _SLOW)


def _fields(point: dict[str, Any]) -> str:
    return json.dumps(point, sort_keys=True)


def _objective(point: dict[str, Any]) -> float:
    """A smooth function of the numbers and some function of the rest."""
    return sum(
        -abs(float(value)) if isinstance(value, (int, float)) else len(str(value))
        for value in point.values()
    )


def check_search(optimizer: Optimizer, problem: HpProblem, batches: list[int]) -> None:
    """Search with a few evaluations at a time in flight, every proposal checked."""
    seen: set[str] = set()
    told: list[tuple[Point, float | None]] = []
    flying: list[Proposal] = []
    for step, n in enumerate(batches):
        try:
            proposals = optimizer.ask(n)
        except SpaceExhausted:
            proposals = []
        assert len(proposals) <= n
        for point in (proposal.point for proposal in proposals):
            problem.check_configuration(point)
            assert all(
                value is None or type(value) in (bool, int, float, str) for value in point.values()
            )
            assert _fields(point) not in seen, "proposed twice"
            seen.add(_fields(point))
        flying += proposals
        assert [_fields(p) for p in optimizer.pending] == [_fields(p.point) for p in flying]
        finished, flying = flying[: step + 1], flying[step + 1 :]
        if finished:
            results: list[float | str] = [
                "F_crash" if i % 4 == 3 else _objective(p.point) for i, p in enumerate(finished)
            ]
            optimizer.tell(finished, results)
            told += [
                (p.point, None if isinstance(y, str) else y)
                for p, y in zip(finished, results, strict=True)
            ]
    assert optimizer.observations == told


@quick_engine
@given(problem=problems(), batches=st.lists(st.integers(1, 7), min_size=2, max_size=8))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
def test_proposals_are_valid_plain_and_new(
    engine: str, problem: HpProblem, batches: list[int]
) -> None:
    check_search(make(engine, problem, seed=1), problem, batches)


@slow_engine
@given(problem=problems())
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
def test_proposals_of_scikit_optimize_are_valid_plain_and_new(
    engine: str, problem: HpProblem
) -> None:
    check_search(make(engine, problem, seed=1), problem, [5, 2, 1])


@quick_engine
@given(problem=problems(kinds=FINITE, max_dims=4))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
def test_a_finite_space_is_proposed_whole_and_then_exhausted(
    engine: str, problem: HpProblem
) -> None:
    names = list(problem.space)
    domains = [domain_of(hp) for hp in problem.space.values()]
    values = [
        domain.values
        if isinstance(domain, Choices)
        else range(int(domain.lower), int(domain.upper) + 1)
        for domain in domains
    ]
    valid = set()
    for active in itertools.product((False, True), repeat=len(names)):
        for chosen in itertools.product(
            *(v if on else [...] for v, on in zip(values, active, strict=True))
        ):
            point = {n: v for n, v in zip(names, chosen, strict=True) if v is not ...}
            try:
                problem.check_configuration(point)
            except ProblemError:
                continue
            valid.add(_fields(point))
    optimizer = make(engine, problem, seed=3)
    proposed: list[str] = []

    def search() -> None:
        while len(proposed) <= len(valid):
            proposals = optimizer.ask(5)
            proposed.extend(_fields(p.point) for p in proposals)
            optimizer.tell(proposals[:4], [_objective(p.point) for p in proposals[:4]])

    with pytest.raises(SpaceExhausted):
        search()
    assert len(proposed) == len(set(proposed))
    assert set(proposed) == valid


def _mixed(seed: int | None = None) -> HpProblem:
    problem = HpProblem(seed=seed)
    problem.add_dim("units", (1, 100))
    problem.add_dim("lr", (1e-4, 1.0, "log-uniform"))
    problem.add_dim("activation", ["relu", "tanh", None])
    problem.add_dim("batch", [8, 16, 32, 64])
    return problem


@every_engine
def test_starting_points_come_first_in_order(engine: str) -> None:
    problem = _mixed()
    problem.add_starting_point(units=3, lr=0.1)
    problem.add_starting_point(units=7, activation=None)
    optimizer = make(engine, problem)
    first = [optimizer.ask(), *optimizer.ask(3)]
    assert [proposal.point for proposal in first[:2]] == problem.starting_points


@every_engine
def test_equal_seeds_give_equal_searches_and_others_do_not(engine: str) -> None:
    steps = 7 if engine in SLOW else 20

    def run(seed: int) -> list[str]:
        optimizer = make(engine, _mixed(), seed)
        asked = []
        for _ in range(steps):
            proposal = optimizer.ask()
            asked.append(_fields(proposal.point))
            optimizer.tell(proposal, _objective(proposal.point))
        return asked

    assert run(5) == run(5)
    assert run(5) != run(6)


@every_engine
def test_failures_and_warm_starts_are_learned(engine: str) -> None:
    problem = _mixed()
    optimizer = make(engine, problem)
    known: list[Point] = [
        {"units": u, "lr": 10.0**-e, "activation": a, "batch": 16}
        for u, e, a in itertools.product((1, 50, 100), (1, 3), ("relu", None))
    ]
    optimizer.tell(known, ["F_nan" if p["activation"] is None else -p["units"] for p in known])
    asked = optimizer.ask(4)
    assert not {_fields(p.point) for p in asked} & {_fields(p) for p in known}


@every_engine
def test_only_failures_do_not_stop_the_search(engine: str) -> None:
    optimizer = make(engine, _mixed())
    for _ in range(12):
        optimizer.tell(optimizer.ask(2), ["F_crash", float("nan")])
    assert len(optimizer.ask(3)) == 3
    assert [objective for _, objective in optimizer.observations] == [None] * 24


@every_engine
def test_pending_points_of_a_resumed_search_are_not_proposed(engine: str) -> None:
    problem = HpProblem()
    problem.add_dim("a", (0, 9))
    optimizer = make(engine, problem)
    optimizer.tell_pending([{"a": a} for a in range(0, 8)])
    assert sorted(p.point["a"] for p in optimizer.ask(5)) == [8, 9]
    optimizer.forget({"a": 4})
    assert optimizer.ask().point == {"a": 4}
    assert len(optimizer.pending) == 10


@every_engine
def test_what_is_expected_of_unfinished_points_leaves_them_pending(engine: str) -> None:
    optimizer = make(engine, _mixed())
    proposals = optimizer.ask(12)
    optimizer.tell(proposals[:8], [float(i) for i in range(8)])
    for mean in (3.0, 4.0):
        optimizer.tell_partial(proposals[8:], [Estimate(mean, 0.5)] * 4)
        assert optimizer.pending == [p.point for p in proposals[8:]]
        asked = [optimizer.ask() for _ in range(2)]
        optimizer.tell(asked, [1.0, float("nan")])
        assert not {_fields(p.point) for p in asked} & {_fields(p.point) for p in proposals}
    optimizer.tell(proposals[8], 5.0)
    optimizer.forget(proposals[9])
    assert optimizer.pending == [p.point for p in proposals[10:]]
    assert len(optimizer.ask(3)) == 3


@every_engine
def test_constant_objectives_are_fine(engine: str) -> None:
    optimizer = make(engine, _mixed())
    for _ in range(4):
        points = optimizer.ask(4)
        optimizer.tell(points, [1.0] * 4)
    assert optimizer.ask().point not in [point for point, _ in optimizer.observations]


@every_engine
def test_a_point_of_another_space_is_refused(engine: str) -> None:
    optimizer = make(engine, _mixed())
    with pytest.raises(ProblemError):
        optimizer.tell({"units": 3}, 1.0)
    with pytest.raises(ProblemError):
        optimizer.tell({"units": 300, "lr": 0.1, "activation": "relu", "batch": 8}, 1.0)
    assert optimizer.observations == []


@every_engine
def test_as_many_objectives_as_points(engine: str) -> None:
    optimizer = make(engine, _mixed())
    with pytest.raises(OptimizerError, match="objectives"):
        optimizer.tell(optimizer.ask(2), [1.0])
