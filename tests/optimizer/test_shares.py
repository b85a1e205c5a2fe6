"""The share of proposals for other values of categories."""

from __future__ import annotations

import numpy as np
import pytest

from deephyper.optimizer import BayesianOptimizer
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian import shares as shares_module
from deephyper.optimizer.bayesian.shares import EVERY, MOST, PATIENCE, RECENT, CategoryShares
from deephyper.optimizer.bayesian.transform import Transform
from tests.optimizer.bowl import cube

VECTORS = np.array([[0.1, 0.0, 2.0], [0.2, 1.0, 2.0], [0.3, 0.0, 1.0], [0.4, 1.0, 0.0]])
VALUE = np.array([4.0, 3.0, 2.0, 1.0])


def _shares(categories: list[int], stuck: int = PATIENCE) -> CategoryShares:
    """Return shares after so many results without a gain, all proposals being (0, 2)."""
    shares = CategoryShares(categories, np.random.default_rng(0))
    for _ in range(RECENT):
        shares.record(VECTORS[0])
    shares.learn([1.0, *[0.5] * stuck], None)
    return shares


def _turns(shares: CategoryShares, n: int = 3 * EVERY) -> list[Array]:
    """Return which candidates each of the next proposals may be."""
    return [np.isfinite(shares.restrict(VALUE, VECTORS)) for _ in range(n)]


def test_a_search_that_stands_still_proposes_other_values_now_and_then() -> None:
    turns = _turns(_shares([1]))
    assert [bool(t.all()) for t in turns] == 3 * [*[True] * (EVERY - 1), False]
    assert turns[EVERY - 1].tolist() == [False, True, False, True]


def test_any_of_several_categories_gets_another_value() -> None:
    turns = {tuple(t.tolist()) for t in _turns(_shares([1, 2]), 20 * EVERY)}
    assert turns == {(True,) * 4, (False, True, False, True), (False, False, True, True)}


def test_a_search_that_gains_proposes_what_it_likes() -> None:
    assert all(t.all() for t in _turns(_shares([1], stuck=PATIENCE - 1)))
    shares = _shares([1])
    shares.learn([2.0], None)
    assert all(t.all() for t in _turns(shares))


def test_gains_are_counted_from_the_last_gain_and_small_ones_are_none() -> None:
    transform = Transform(1.0, 0.0, 1.0, 1.0, 0.0, 1.0)
    shares = _shares([1])
    shares.learn([1.04], transform)
    assert not all(t.all() for t in _turns(shares))
    shares.learn([1.06], transform)
    assert all(t.all() for t in _turns(shares))


def test_failures_are_no_gain() -> None:
    shares = _shares([1], stuck=0)
    shares.learn([None] * PATIENCE, None)
    assert not all(t.all() for t in _turns(shares))


def test_values_that_do_not_prevail_are_left_alone() -> None:
    shares = _shares([1])
    for _ in range(round(RECENT * (1.0 - MOST))):
        shares.record(VECTORS[1])
    assert all(t.all() for t in _turns(shares))


def test_inactive_categories_and_spaces_without_any_are_left_alone() -> None:
    shares = _shares([1])
    for _ in range(RECENT):
        shares.record(np.array([0.1, np.nan, 2.0]))
    assert all(t.all() for t in _turns(shares))
    assert all(t.all() for t in _turns(_shares([])))


def test_the_engine_leaves_a_value_that_prevails(monkeypatch: pytest.MonkeyPatch) -> None:
    def others() -> int:
        problem = cube(2)
        problem.add_dim("kind", ["good", "bad", "worse"])
        heights = {"good": 1.0, "bad": -1.0, "worse": -2.0}
        optimizer = BayesianOptimizer(problem, seed=0)
        kinds = []
        for _ in range(70):
            point = optimizer.ask().point
            kinds.append(point["kind"])
            optimizer.tell(point, heights[point["kind"]] - (point["x0"] - 0.3) ** 2)
        return sum(kind != "good" for kind in kinds[-30:])

    monkeypatch.setattr(shares_module, "EVERY", 10**6)
    without = others()
    monkeypatch.setattr(shares_module, "EVERY", 1)
    assert others() >= without + 4
