"""Spaces as arrays, against ConfigSpace's and the problem's own word."""

from __future__ import annotations

import tracemalloc

import numpy as np
from ConfigSpace import EqualsCondition, ForbiddenGreaterThanRelation, GreaterThanCondition
from ConfigSpace.hyperparameters import CategoricalHyperparameter, NormalFloatHyperparameter
from hypothesis import HealthCheck, given, settings

from deephyper.optimizer.bayesian.features import Features
from deephyper.optimizer.encoding import SpaceEncoding
from deephyper.optimizer.neighbors import Neighbors
from deephyper.optimizer.sampling import Sampler, list_vectors
from deephyper.problem import HpProblem
from tests.optimizer.bowl import cube
from tests.optimizer.random_spaces import problems


def _sampler(problem: HpProblem) -> Sampler:
    return Sampler(SpaceEncoding(problem.space), np.random.default_rng(0))


_quick = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@given(problem=problems())
@_quick
def test_samples_and_their_neighbors_are_valid(problem: HpProblem) -> None:
    sampler = _sampler(problem)
    vectors = sampler.sample(30)
    neighbors = Neighbors(sampler)
    near = neighbors.perturb(vectors, np.geomspace(0.001, 1.0, len(vectors)))
    anywhere = neighbors.perturb(vectors, np.full(len(vectors), np.inf))
    crossed = neighbors.cross(vectors, vectors[::-1])
    exchanged = neighbors.exchange(vectors[0])
    for point in sampler.encoding.points(
        np.concatenate([vectors, near, anywhere, crossed, exchanged])
    ):
        problem.check_configuration(point)


@given(problem=problems())
@_quick
def test_points_and_vectors_are_the_same_thing(problem: HpProblem) -> None:
    sampler = _sampler(problem)
    points = sampler.encoding.points(sampler.sample(20))
    again = sampler.encoding.points(sampler.encoding.vectors(points))
    for first, second in zip(points, again, strict=True):
        assert first.keys() == second.keys()
        for name, value in first.items():
            assert type(value) is type(second[name])
            if isinstance(value, float):
                assert abs(value - second[name]) <= 1e-9 * max(1.0, abs(value))
            else:
                assert value == second[name]


@given(problem=problems())
@_quick
def test_a_point_is_found_in_its_key(problem: HpProblem) -> None:
    sampler = _sampler(problem)
    for point in sampler.encoding.points(sampler.sample(20)):
        decoded = sampler.encoding.point(sampler.encoding.key(point))
        assert decoded == point
        assert [type(value) for value in decoded.values()] == [type(v) for v in point.values()]


@given(problem=problems())
@_quick
def test_features_are_finite_and_tell_points_apart(problem: HpProblem) -> None:
    sampler = _sampler(problem)
    x = Features(sampler.encoding)(sampler.sample(20))
    assert np.isfinite(x).all()
    assert x.min(initial=0.0) >= -0.5
    assert x.max(initial=0.0) <= 1.5


def test_what_is_inactive_stands_in_the_middle_or_is_a_category_of_its_own() -> None:
    problem = HpProblem()
    kind = problem.add_dim("kind", ["a", "b"])
    number = problem.add_dim("number", (0.0, 1.0))
    choice = problem.add_dim("choice", ["p", "q"])
    problem.add_conditions([EqualsCondition(number, kind, "b"), EqualsCondition(choice, kind, "b")])
    encoding = SpaceEncoding(problem.space)
    features = Features(encoding)
    x = features(
        encoding.vectors(
            [
                {"kind": "a"},
                {"kind": "b", "number": 0.5, "choice": "p"},
                {"kind": "b", "number": 0.0, "choice": "q"},
            ]
        )
    )
    assert x[:, 0].tolist() == [0.5, 0.5, 0.0]
    # numbers come first, then categories; the pairs are 0-1, 0-2, 1-2
    names = [encoding.names[i] for i in encoding.numbers + encoding.categories]
    distances = dict(zip(names, features.distances(x).tolist(), strict=True))
    assert distances == {"number": [0.0, 0.5, 0.5], "kind": [1, 1, 0], "choice": [1, 1, 1]}


def test_a_neighbor_differs_from_its_base() -> None:
    problem = HpProblem()
    for i in range(5):
        problem.add_dim(f"c{i}", ["a", "b", "c"])
    sampler = _sampler(problem)
    bases = sampler.sample(500)
    moved = Neighbors(sampler).perturb(bases, np.full(500, 0.1))
    differences = (moved != bases).sum(axis=1)
    assert differences.min() == 1
    assert differences.max() == 5
    # few more often than many
    assert (differences <= 2).mean() > 0.5


def test_a_crossing_takes_every_value_from_one_or_the_other() -> None:
    sampler = _sampler(cube(6))
    crossed = Neighbors(sampler).cross(np.zeros((500, 6)), np.ones((500, 6)))
    assert set(crossed.flat) == {0.0, 1.0}
    assert abs(crossed.mean() - 0.5) < 0.05
    counts = crossed.sum(axis=1)
    assert ((counts > 0) & (counts < 6)).mean() > 0.5


def test_a_walk_goes_through_all_points_in_random_order() -> None:
    problem = HpProblem()
    problem.add_dim("i", (0, 30))
    problem.add_dim("j", (0, 30))
    first, second = (
        np.concatenate(list(Sampler(SpaceEncoding(problem.space), np.random.default_rng(s)).walk()))
        for s in range(2)
    )
    for walked in (first, second):
        assert len(np.unique(walked, axis=0)) == len(walked) == 31 * 31
    assert not np.array_equal(first, second)


def test_a_step_beyond_an_end_is_reflected_or_stays_there() -> None:
    problem = HpProblem()
    problem.add_dim("x", (0.0, 1.0))
    for end in (0.0, 1.0):
        moved = Neighbors(_sampler(problem)).perturb(np.full((4000, 1), end), np.full(4000, 0.1))
        assert moved.min() >= 0.0
        assert moved.max() <= 1.0
        # a quarter of the half that went beyond
        assert abs((moved == end).mean() - 0.125) < 0.02


def test_weights_and_log_integers_are_sampled_as_they_should_be() -> None:
    problem = HpProblem()
    problem.add_dim("c", CategoricalHyperparameter("c", ["a", "b"], weights=[0.9, 0.1]))
    problem.add_dim("i", (1, 1000, "log-uniform"))
    problem.add_dim("j", (0, 2))
    sampler = _sampler(problem)
    points = sampler.encoding.points(sampler.sample(4000))
    assert abs(np.mean([p["c"] == "a" for p in points]) - 0.9) < 0.02
    assert abs(np.mean([p["i"] <= 31 for p in points]) - 0.5) < 0.05
    for value in (0, 1, 2):
        assert abs(np.mean([p["j"] == value for p in points]) - 1 / 3) < 0.03


def test_a_child_of_an_inactive_parent_is_inactive() -> None:
    problem = HpProblem()
    a = problem.add_dim("a", ["x", "y"])
    b = problem.add_dim("b", [1, 2])
    c = problem.add_dim("c", (0.0, 1.0))
    problem.add_conditions([EqualsCondition(b, a, "x"), EqualsCondition(c, b, 1)])
    sampler = _sampler(problem)
    points = sampler.encoding.points(sampler.sample(200))
    assert {frozenset(p) for p in points} == {
        frozenset("a"),
        frozenset("ab"),
        frozenset("abc"),
    }


def test_a_space_that_sampling_hardly_hits_is_still_searched() -> None:
    problem = HpProblem()
    a = problem.add_dim("a", (0, 2000), default_value=0)
    b = problem.add_dim("b", (0, 2000), default_value=0)
    c = problem.add_dim("c", (0, 2000), default_value=0)
    problem.add_forbidden_clause(
        [
            ForbiddenGreaterThanRelation(a, b),
            ForbiddenGreaterThanRelation(b, a),
            ForbiddenGreaterThanRelation(b, c),
            ForbiddenGreaterThanRelation(c, b),
        ]
    )
    sampler = _sampler(problem)
    for point in sampler.encoding.points(sampler.sample(3)):
        problem.check_configuration(point)


def test_neighbors_of_ordinals_land_on_their_values_and_leave_what_does_not_move() -> None:
    problem = HpProblem()
    problem.add_dim("x", (0.0, 1.0))
    problem.add_dim("size", [16, 32, 64, 128, 256, 512])
    sampler = _sampler(problem)
    encoding = sampler.encoding
    base = np.repeat(encoding.vectors([{"x": 0.5, "size": 128}]), 500, axis=0)
    moved = Neighbors(sampler).perturb(base, np.full(500, 0.1))
    column = moved[:, encoding.index["size"]]
    np.testing.assert_array_equal(column, np.rint(column))
    sizes = [point["size"] for point in encoding.points(moved)]
    assert sizes.count(128) > 50
    assert set(sizes) >= {64, 128, 256}


def test_values_of_weight_0_are_never_proposed() -> None:
    problem = HpProblem()
    problem.add_dim("c", CategoricalHyperparameter("c", ["a", "b", "d"], weights=[1, 0, 1]))
    problem.add_dim("x", (0.0, 1.0))
    sampler = _sampler(problem)
    neighbors = Neighbors(sampler)
    vectors = sampler.sample(200)
    moved = [neighbors.perturb(vectors, np.full(200, s)) for s in (0.1, np.inf)]
    points = sampler.encoding.points(np.concatenate([*moved, neighbors.exchange(vectors[0])]))
    assert {point["c"] for point in points} == {"a", "d"}


def test_a_normal_hyperparameter_starts_where_its_distribution_is() -> None:
    problem = HpProblem()
    problem.add_dim("x", NormalFloatHyperparameter("x", mu=0.0, sigma=1.0, lower=-20, upper=20))
    sampler = _sampler(problem)
    units = (np.arange(400)[:, None] + 0.5) / 400
    values = [p["x"] for p in sampler.encoding.points(sampler.fill(units))]
    assert abs(np.median(values)) < 0.1
    assert 0.8 < np.std(values) < 1.2


def test_listing_a_space_that_turns_out_too_large_takes_little_memory() -> None:
    problem = HpProblem()
    for i in range(2):
        problem.add_dim(f"n{i}", (1, 20_000))
    sampler = _sampler(problem)
    tracemalloc.start()
    try:
        assert list_vectors(sampler.encoding, 20_000) is None
        assert next(sampler.walk()).shape[1] == 2
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()


def test_where_sampling_and_walking_miss_the_default_leads_to_valid_points() -> None:
    problem = HpProblem()
    n = problem.add_dim("n", (1, 2**50), default_value=1)
    z = problem.add_dim("z", (-1.0, 5.0), default_value=2.0)
    for i in range(5):
        problem.add_dim(f"b{i}", (0.0, 1.0))
    problem.add_forbidden_clause(ForbiddenGreaterThanRelation(n, z))
    sampler = _sampler(problem)
    for _ in range(2):
        points = sampler.encoding.points(sampler.sample(100))
        assert len({tuple(point.items()) for point in points}) > 90
        for point in points:
            problem.check_configuration(point)


def test_a_space_is_listed_up_to_the_limit_and_not_beyond() -> None:
    problem = HpProblem()
    a = problem.add_dim("a", (0, 3))
    b = problem.add_dim("b", (0, 3))
    problem.add_forbidden_clause(ForbiddenGreaterThanRelation(a, b))
    encoding = SpaceEncoding(problem.space)
    listed = list_vectors(encoding, 10)
    assert listed is not None
    points = {(point["a"], point["b"]) for point in encoding.points(listed)}
    assert points == {(a, b) for b in range(4) for a in range(b + 1)}
    assert list_vectors(encoding, 9) is None


def test_a_space_with_a_float_is_not_listed() -> None:
    problem = HpProblem()
    problem.add_dim("a", (0, 3))
    problem.add_dim("x", (0.0, 1.0))
    assert list_vectors(SpaceEncoding(problem.space), 20_000) is None


def test_a_condition_is_decided_by_the_value_that_the_point_will_have() -> None:
    problem = HpProblem()
    x = problem.add_dim("x", (0.0, 1.0))
    child = problem.add_dim("child", (0.0, 1.0))
    problem.add_condition(GreaterThanCondition(child, x, 0.5))
    sampler = _sampler(problem)
    vectors = np.full((2, 2), 0.25)
    vectors[:, sampler.encoding.index["x"]] = [0.5 + 4e-14, 0.5 + 6e-13]
    # ConfigSpace rounds the first to 0.5
    points = sampler.encoding.points(sampler.repair(vectors))
    assert points == [{"x": 0.5}, {"x": 0.5 + 6e-13, "child": 0.25}]
