"""What the default engine does of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from deephyper.job import Estimate
from deephyper.optimizer import BayesianOptimizer, BayesianSettings, RandomOptimizer
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian import optimizer as engine
from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.kernel import Covariance
from deephyper.optimizer.bayesian.pace import CROWD, CROWD_PACE, USUAL_PACE
from deephyper.optimizer.fitted import Fitted
from tests.optimizer.bowl import best, bowl, cube, search_bowl


def _told(dims: int, results: int) -> BayesianOptimizer:
    """Return the engine after so many results of a bowl, all of them asked for at once."""
    optimizer = BayesianOptimizer(cube(dims), seed=0)
    proposals = optimizer.ask(results)
    optimizer.tell(proposals, [bowl(p.point) for p in proposals])
    return optimizer


class Counted(Factor):
    """A factor that remembers its first points, and is remembered."""

    made: ClassVar[list[Counted]]

    def __init__(self, covariance: Covariance, x: Array, capacity: int) -> None:
        super().__init__(covariance, x, capacity)
        self.first = x.copy()
        self.made.append(self)


@pytest.fixture
def factors(monkeypatch: pytest.MonkeyPatch) -> list[Counted]:
    """Every factor that is made in this test."""
    Counted.made = []
    monkeypatch.setattr(engine, "Factor", Counted)
    return Counted.made


def test_it_finds_a_bowl_that_random_search_does_not() -> None:
    model, random = BayesianOptimizer(cube(6), seed=0), RandomOptimizer(cube(6), seed=0)
    for optimizer in (model, random):
        search_bowl(optimizer, 60)
    assert best(model) > -1e-3
    assert best(random) < -1e-2


def test_it_learns_to_avoid_what_fails() -> None:
    optimizer = BayesianOptimizer(cube(2), seed=0)
    failed = []
    for _ in range(60):
        point = optimizer.ask().point
        failed.append(point["x0"] > 0.5)
        # it grows towards the part that fails
        optimizer.tell(point, "F_crash" if failed[-1] else point["x0"] + 0.1 * point["x1"])
    assert np.mean(failed[30:]) < 0.6
    assert best(optimizer) > 0.55


def test_predictions_are_in_the_units_of_the_objective() -> None:
    optimizer = BayesianOptimizer(cube(2), seed=0)
    assert optimizer.predict({"x0": 0.5, "x1": 0.5}) is None
    proposals = optimizer.ask(30)
    assert {p.prediction for p in proposals} == {None}
    optimizer.tell(proposals, [1000.0 + 500.0 * bowl(p.point) for p in proposals])
    at = {"x0": 0.45, "x1": 0.35}
    prediction = optimizer.predict(at)
    assert prediction is not None
    assert abs(prediction.mean - (1000.0 + 500.0 * bowl(at))) < 30.0
    assert 0.0 < prediction.std < 100.0
    proposal = optimizer.ask()
    assert proposal.prediction is not None
    assert np.isfinite(proposal.prediction.acquisition)


@pytest.mark.parametrize(("settings", "needed"), [(None, 8), (BayesianSettings(3), 3)])
def test_the_model_is_used_as_soon_as_the_initial_results_are_known(
    settings: BayesianSettings | None, needed: int
) -> None:
    optimizer = BayesianOptimizer(cube(2), settings, seed=0)
    search_bowl(optimizer, needed - 1)
    assert optimizer.ask().prediction is None
    optimizer.tell(optimizer.pending, [0.0])
    assert optimizer.ask().prediction is not None


def test_failures_count_as_initial_results_but_some_must_be_objectives() -> None:
    optimizer = BayesianOptimizer(cube(2), seed=0)
    optimizer.tell(optimizer.ask(8), [1.0, 2.0, 3.0, *["F_crash"] * 5])
    assert optimizer.ask().prediction is None
    optimizer.tell(optimizer.pending, [4.0])
    assert optimizer.ask().prediction is not None


def test_a_forgotten_point_is_as_uncertain_as_before() -> None:
    optimizer = _told(2, 30)
    point = {"x0": 0.9, "x1": 0.9}
    before = optimizer.predict(point)
    optimizer.tell_pending({"x0": 0.9, "x1": 0.88})
    near_pending = optimizer.predict(point)
    optimizer.forget({"x0": 0.9, "x1": 0.88})
    after = optimizer.predict(point)
    assert before is not None
    assert near_pending is not None
    assert after is not None
    assert near_pending.std < 0.9 * before.std
    assert after.std == pytest.approx(before.std, rel=1e-6)


def test_the_first_failure_is_learned_at_once(factors: list[Counted]) -> None:
    optimizer = _told(2, 20)
    proposals = optimizer.ask(3)
    optimizer.tell(proposals[0], "F_crash")
    failing = optimizer.ask()
    assert [len(factor.first) for factor in factors] == [20, 23]
    # the next failure needs no new factor
    optimizer.tell([proposals[1], failing], ["F_crash", bowl(failing.point)])
    optimizer.ask()
    assert len(factors) == 2


def test_that_a_point_is_pending_makes_its_prediction_no_more_certain() -> None:
    optimizer = _told(2, 30)
    proposal = optimizer.ask()
    again = optimizer.predict(proposal.point)
    assert proposal.prediction is not None
    assert again is not None
    assert again.mean == pytest.approx(proposal.prediction.mean, abs=1e-3)
    assert again.std == pytest.approx(proposal.prediction.std, rel=0.05)


def test_a_proposal_says_what_was_expected_before_its_point_was_in_the_model() -> None:
    optimizer = BayesianOptimizer(cube(4), seed=0)
    misses = []
    for _ in range(60):
        proposal = optimizer.ask()
        expected = proposal.prediction
        if expected is not None:
            misses.append((expected.mean - bowl(proposal.point)) / expected.std)
        optimizer.tell(proposal, bowl(proposal.point))
    # as it would be if the point itself were taken into account: two, and every second one
    assert np.median(np.abs(misses)) < 1.5
    assert np.mean(np.abs(misses) > 3.0) < 0.2


def test_many_points_at_once_are_distinct_and_not_all_in_one_place() -> None:
    batch = _told(3, 20).ask(150)
    assert len(batch) == 150
    x = np.array([list(p.point.values()) for p in batch])
    assert len({tuple(row) for row in x}) == 150
    # a bowl is soon known, but not all of a batch may go to its bottom
    assert (np.abs(x - 0.3).max(axis=1) > 0.1).mean() > 0.1


def test_many_points_at_once_come_from_one_factor(factors: list[Counted]) -> None:
    optimizer = _told(3, 20)
    optimizer.ask()
    assert len(optimizer.ask(200)) == 200
    assert [len(factor.first) for factor in factors] == [20, 21]
    assert factors[-1].n == 221


def test_more_points_than_a_factor_holds_know_of_each_other() -> None:
    proposals = _told(2, 20).ask(700)
    x = np.array([list(p.point.values()) for p in proposals])
    assert len({tuple(row) for row in x}) == 700
    distance = np.abs(x[:, None] - x[None]).max(2) + np.eye(700)
    # the second factor's points keep away from those of the first
    assert np.median(distance[300:600, :300].min(1)) > 0.5 * np.median(distance.min(1))


def test_predicting_changes_nothing_about_what_is_proposed() -> None:
    plain, curious = (BayesianOptimizer(cube(2), seed=3) for _ in range(2))
    for _ in range(20):
        proposal = plain.ask()
        curious.predict({"x0": 0.5, "x1": 0.5})
        assert curious.ask() == proposal
        curious.predict(proposal.point)
        for optimizer in (plain, curious):
            optimizer.tell(proposal, bowl(proposal.point))


@pytest.mark.parametrize(
    ("pending", "bound"),
    [
        (CROWD - 1, USUAL_PACE.finished + USUAL_PACE.failed + CROWD - 1),
        (CROWD, CROWD_PACE.finished + CROWD_PACE.failed + CROWD_PACE.pending),
        (5 * CROWD, CROWD_PACE.finished + CROWD_PACE.failed + CROWD_PACE.pending),
    ],
)
def test_the_model_stays_bounded_as_results_and_pending_points_grow(
    factors: list[Counted], pending: int, bound: int
) -> None:
    optimizer = BayesianOptimizer(cube(4), seed=0)
    rng = np.random.default_rng(0)
    known = [{f"x{i}": float(v) for i, v in enumerate(row)} for row in rng.random((3000, 4))]
    optimizer.tell(known[:1600], [bowl(p) for p in known[:1600]])
    optimizer.tell(known[1600:2000], ["F_crash"] * 400)
    optimizer.tell_pending(known[2000 : 2000 + pending])
    for _ in range(6):
        proposal = optimizer.ask()
        optimizer.tell(proposal, bowl(proposal.point))
    assert [len(factor.first) for factor in factors] == [bound]
    assert factors[0].capacity <= bound + max(bound // 6, CROWD_PACE.room)


def test_with_a_crowd_of_pending_points_a_model_learns_nothing_until_the_next_one(
    factors: list[Counted],
) -> None:
    optimizer = _told(3, 400)  # so many that its parameters aren't due again
    crowd = optimizer.ask(CROWD + 20)
    made = len(factors)
    while len(factors) == made:
        optimizer.ask()
    middle = {"x0": 0.5, "x1": 0.5, "x2": 0.5}
    for i, proposal in enumerate(crowd[: CROWD_PACE.room - 1]):
        size, expected = factors[-1].n, optimizer.predict(middle)
        optimizer.tell(proposal, 1.0 + i)  # the best so far, which every model holds
        assert factors[-1].n == size
        assert optimizer.predict(middle) == expected
        optimizer.ask()
        assert len(factors) == made + 1
    optimizer.ask()
    assert len(factors) == made + 2
    known = {tuple(row) for row in np.round(factors[-1].first, 9)}
    assert {
        tuple(np.round(list(p.point.values()), 9)) for p in crowd[: CROWD_PACE.room - 1]
    } <= known


def test_a_model_of_a_crowd_is_replaced_when_the_crowd_is_gone(factors: list[Counted]) -> None:
    optimizer = _told(3, 40)
    crowd = optimizer.ask(CROWD + 2)
    optimizer.ask()
    optimizer.tell(crowd, [bowl(proposal.point) for proposal in crowd])
    made = len(factors)
    optimizer.ask()
    assert len(factors) == made + 1
    assert len(factors[-1].first) == 40 + CROWD + 3


def test_estimates_say_where_not_to_look(factors: list[Counted]) -> None:
    """A model that knows nothing of one half expects little of it when it is told so."""
    optimizer = BayesianOptimizer(cube(2), seed=0)
    rng = np.random.default_rng(0)
    points = [{"x0": float(a), "x1": float(b)} for a, b in rng.random((30, 2))]
    near = [p for p in points if p["x0"] < 0.4]
    far = [p for p in points if p["x0"] >= 0.6]
    optimizer.tell(near, [p["x0"] for p in near])  # it grows towards the other half
    beyond = {"x0": 0.85, "x1": 0.5}
    optimizer.tell_partial(far, [Estimate(-1.0, 0.1)] * len(far))
    sure = optimizer.predict(beyond)
    optimizer.tell_partial(far, [Estimate(-1.0, 100.0)] * len(far))
    unsure = optimizer.predict(beyond)
    assert sure is not None
    assert unsure is not None
    assert sure.mean < -0.8
    assert unsure.mean > -0.6  # the mean of all
    assert len(optimizer.pending) == len(far)


def test_estimates_of_many_points_are_bounded_and_are_no_crowd(factors: list[Counted]) -> None:
    optimizer = BayesianOptimizer(cube(4), seed=0)
    rng = np.random.default_rng(0)
    known = [{f"x{i}": float(v) for i, v in enumerate(row)} for row in rng.random((800, 4))]
    optimizer.tell(known[:40], [bowl(p) for p in known[:40]])
    optimizer.tell_partial(known[40:], [Estimate(bowl(p), 0.1) for p in known[40:]])
    for _ in range(3):
        optimizer.tell(proposal := optimizer.ask(), bowl(proposal.point))
    assert [len(factor.first) for factor in factors] == [40 + USUAL_PACE.estimated]
    assert len(optimizer.pending) == 760


def test_the_best_results_are_always_in_the_model(
    factors: list[Counted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "USUAL_PACE", replace(USUAL_PACE, finished=20))
    optimizer = _told(2, 100)
    optimizer.ask()
    points = sorted((point for point, _ in optimizer.observations), key=bowl)
    known = {tuple(row) for row in np.round(factors[0].first, 9)}
    rounded = [tuple(np.round(list(point.values()), 9)) for point in points]
    assert len(known) == 20
    assert known >= set(rounded[-10:])
    # the others are from everywhere
    assert known & set(rounded[:50])


@pytest.mark.parametrize("dims", [1, 50])
def test_one_dimension_and_fifty_are_searched(dims: int) -> None:
    optimizer = BayesianOptimizer(cube(dims), seed=0)
    search_bowl(optimizer, 20)
    assert best(optimizer) > -0.3 * dims


def test_a_starting_point_after_results_has_a_prediction() -> None:
    problem = cube(2)
    problem.add_starting_point(x0=0.5, x1=0.5)
    optimizer = BayesianOptimizer(problem, seed=1)
    known = RandomOptimizer(cube(2), seed=2).ask(20)
    optimizer.tell(known, [bowl(each.point) for each in known])
    first, other = optimizer.ask(2)
    assert first.point == {"x0": 0.5, "x1": 0.5}
    assert first.prediction is not None
    assert abs(first.prediction.mean - bowl(first.point)) < 4 * first.prediction.std + 0.1
    assert other.prediction is not None


def test_what_one_has_fitted_another_one_predicts_with() -> None:
    first, second = _told(3, 20), BayesianOptimizer(cube(3), seed=9)
    assert first.fitted() is None
    second.tell_known([(point, bowl(point)) for point, _ in first.observations])
    known = first.observations[0][0]
    predicted = first.predict(known)
    fitted = first.fitted()
    assert fitted is not None
    assert fitted.n_results == 20
    second.take_fitted(Fitted(20, json.loads(json.dumps(fitted.values))))
    assert second.fitted() == fitted
    assert second.predict(known) == predicted


def test_a_fit_to_more_results_is_not_taken() -> None:
    first, second = _told(3, 20), _told(3, 19)
    first.ask()
    fitted = first.fitted()
    assert fitted is not None
    second.take_fitted(fitted)
    assert second.fitted() is None
