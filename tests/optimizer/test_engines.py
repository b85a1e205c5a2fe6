"""Which engine runs, what it needs, and what each does of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from deephyper.errors import ProblemError, SettingsError
from deephyper.optimizer import (
    BayesianOptimizer,
    ClassicOptimizer,
    ForeignOptimizer,
    RandomOptimizer,
    create_optimizer,
    describe_engine,
)
from deephyper.optimizer.settings import AmbsSettings
from deephyper.problem import HpProblem


def _problem(dims: int = 3) -> HpProblem:
    problem = HpProblem()
    for i in range(dims):
        problem.add_dim(f"x{i}", (0.0, 1.0))
    return problem


def _bowl(point: dict) -> float:
    return -sum((value - 0.3) ** 2 for value in point.values())


def test_the_settings_pick_the_engine_and_the_log_can_say_why() -> None:
    own = create_optimizer(_problem())
    assert isinstance(own, BayesianOptimizer)
    assert "default" in describe_engine(own)
    settings = AmbsSettings(surrogate_model="ET", acq_func="EI", liar_strategy="cl_max")
    classic = create_optimizer(_problem(), settings, seed=1)
    assert isinstance(classic, ClassicOptimizer)
    for word in ("scikit-optimize", "ET", "EI", "cl_max"):
        assert word in describe_engine(classic)
    assert "random" in describe_engine(RandomOptimizer(_problem()))


def test_the_default_needs_neither_scikit_optimize_nor_scikit_learn() -> None:
    code = (
        "import sys\n"
        "from deephyper.problem import HpProblem\n"
        "from deephyper.optimizer import create_optimizer\n"
        "p = HpProblem(); p.add_dim('x', (0.0, 1.0)); p.add_dim('c', ['a', 'b'])\n"
        "o = create_optimizer(p, seed=0)\n"
        "for i in range(12): o.tell(o.ask(), float(i))\n"
        "heavy = {'skopt', 'sklearn', 'pandas', 'ray', 'tensorflow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_default_finds_a_bowl_that_random_search_does_not() -> None:
    best = {}
    for kind in (BayesianOptimizer, RandomOptimizer):
        optimizer = kind(_problem(6), seed=0)
        for _ in range(60):
            point = optimizer.ask()
            optimizer.tell(point, _bowl(point))
        best[kind] = optimizer.get_result().fun
    assert best[BayesianOptimizer] > -1e-3
    assert best[RandomOptimizer] < -1e-2


def test_the_default_learns_to_avoid_what_fails() -> None:
    optimizer = BayesianOptimizer(_problem(2), seed=0)
    failed = []
    for _ in range(60):
        point = optimizer.ask()
        failed.append(point["x0"] > 0.5)
        # it grows towards the part that fails
        optimizer.tell(point, "F_crash" if failed[-1] else point["x0"] + 0.1 * point["x1"])
    assert np.mean(failed[30:]) < 0.6
    assert optimizer.get_result().fun > 0.55


def test_the_default_explains_in_the_units_of_the_objective() -> None:
    optimizer = BayesianOptimizer(_problem(2), seed=0)
    assert optimizer.explain({"x0": 0.5, "x1": 0.5}) is None
    points = optimizer.ask(30)
    optimizer.tell(points, [1000.0 + 500.0 * _bowl(p) for p in points])
    at = {"x0": 0.45, "x1": 0.35}
    told = optimizer.explain(at)
    assert told is not None
    assert abs(told.mean - (1000.0 + 500.0 * _bowl(at))) < 30.0
    assert 0.0 < told.std < 100.0
    proposal = optimizer.explain(optimizer.ask())
    assert proposal is not None
    assert np.isfinite(proposal.acquisition)


def test_many_points_at_once_are_distinct_and_not_all_in_one_place() -> None:
    optimizer = BayesianOptimizer(_problem(3), seed=0)
    first = optimizer.ask(20)
    optimizer.tell(first, [_bowl(p) for p in first])
    batch = optimizer.ask(150)
    assert len(batch) == 150
    x = np.array([list(p.values()) for p in batch])
    assert len({tuple(row) for row in x}) == 150
    # a bowl is soon known, but not all of a batch may go to its bottom
    assert (np.abs(x - 0.3).max(axis=1) > 0.1).mean() > 0.1


def test_many_points_at_once_come_from_one_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer = BayesianOptimizer(_problem(3), seed=0)
    first = optimizer.ask(20)
    optimizer.tell(first, [_bowl(p) for p in first])
    made = []
    rebuilt = BayesianOptimizer._rebuilt
    monkeypatch.setattr(
        BayesianOptimizer, "_rebuilt", lambda self, n: made.append(rebuilt(self, n)) or made[-1]
    )
    assert len(optimizer.ask(200)) == 200
    assert [surrogate.factor.n for surrogate in made] == [220]


def test_more_points_than_a_factor_holds_know_of_each_other() -> None:
    optimizer = BayesianOptimizer(_problem(2), seed=0)
    first = optimizer.ask(20)
    optimizer.tell(first, [_bowl(p) for p in first])
    proposed = optimizer._propose(700, None)
    assert len({tuple(p.values()) for p in proposed}) == 700
    x = np.array([list(p.values()) for p in proposed])
    distance = np.abs(x[:, None] - x[None]).max(2) + np.eye(700)
    # the second factor's points keep away from those of the first, which are not pending yet
    assert np.median(distance[300:600, :300].min(1)) > 0.5 * np.median(distance.min(1))


def test_candidates_that_were_used_make_room_for_others() -> None:
    optimizer = BayesianOptimizer(_problem(2), seed=0)
    for _ in range(60):
        point = optimizer.ask()
        optimizer.tell(point, _bowl(point))
    pool = optimizer._pool
    assert len({tuple(row) for row in pool.vectors}) > 0.8 * len(pool.vectors)


def test_a_proposal_is_explained_by_what_was_expected_when_it_was_made() -> None:
    optimizer = BayesianOptimizer(_problem(4), seed=0)
    misses = []
    for _ in range(60):
        point = optimizer.ask()
        expected = optimizer.explain(point)
        if expected is not None:
            misses.append((expected.mean - _bowl(point)) / expected.std)
        optimizer.tell(point, _bowl(point))
    # as it would be if the point itself were taken into account: two, and every second one
    assert np.median(np.abs(misses)) < 1.5
    assert np.mean(np.abs(misses) > 3.0) < 0.2


@pytest.mark.parametrize("model", [None, "RF", "GP"])
def test_explaining_changes_nothing_about_what_is_proposed(model: str | None) -> None:
    runs = []
    for curious in (False, True):
        settings = AmbsSettings(surrogate_model=model, n_initial_points=4)
        optimizer = create_optimizer(_problem(2), settings, seed=3)
        asked = []
        for _ in range(10):
            asked.append(optimizer.ask())
            if curious:
                optimizer.explain(asked[-1])
                optimizer.explain({"x0": 0.5, "x1": 0.5})
            optimizer.tell(asked[-1], _bowl(asked[-1]))
        runs.append(asked)
    assert runs[0] == runs[1]


def test_scikit_optimize_is_fitted_once_for_a_proposal_and_its_explanation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = AmbsSettings(surrogate_model="RF", n_initial_points=4)
    optimizer = ClassicOptimizer(_problem(2), settings, seed=0)
    fits = []
    fit = ClassicOptimizer._fit
    monkeypatch.setattr(ClassicOptimizer, "_fit", lambda self, *a: fits.append(1) or fit(self, *a))
    for _ in range(8):
        point = optimizer.ask()
        expected = optimizer.explain(point)
        optimizer.tell(point, _bowl(point))
    assert expected is not None
    assert len(fits) == 4


@pytest.mark.parametrize("model", ["RF", "GP", "ET", "GBRT"])
@pytest.mark.parametrize("penalty", [-sys.float_info.max, -1e300])
def test_a_huge_penalty_does_not_stop_scikit_optimize(model: str, penalty: float) -> None:
    settings = AmbsSettings(surrogate_model=model, n_initial_points=4)
    optimizer = ClassicOptimizer(_problem(2), settings, seed=0)
    for _ in range(9):
        point = optimizer.ask()
        optimizer.tell(point, penalty if point["x0"] > 0.5 else _bowl(point))


def test_a_model_that_cannot_be_fitted_gives_way_to_random_points_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    problem = HpProblem()
    problem.add_dim("x", (-1e280, 1e280))  # more than the single precision of a forest holds
    settings = AmbsSettings(surrogate_model="RF", n_initial_points=3)
    optimizer = ClassicOptimizer(problem, settings, seed=0)
    for i in range(8):
        optimizer.tell(optimizer.ask(), float(i))
    assert [record.getMessage() for record in caplog.records if "random" in record.msg] != []


@pytest.mark.parametrize(
    ("value", "kind", "word"),
    [(None, TypeError, "None"), ({}, TypeError, "dict"), ([1.0, 2.0], ValueError, "2 objectives")],
)
def test_what_is_no_objective_is_refused(value: object, kind: type, word: str) -> None:
    optimizer = BayesianOptimizer(_problem(1), seed=0)
    point = optimizer.ask()
    with pytest.raises(kind, match=word):
        optimizer.tell(point, value)  # type: ignore[arg-type]
    assert optimizer.pending == [point]
    optimizer.tell(point, 10**400)  # type: ignore[arg-type]
    assert optimizer.yi == ["F_not_finite"]


@pytest.mark.parametrize("point", [{"x0": 7.0, "x1": 0.0}, {"z": 1.0}, {}, {"x0": "a", "x1": 0.0}])
def test_points_of_no_space_are_neither_explained_nor_forgotten(point: dict) -> None:
    optimizer = BayesianOptimizer(_problem(2), seed=0)
    for use in (optimizer.explain, optimizer.forget):
        with pytest.raises(ProblemError):
            use(point)


def test_a_pending_point_is_told_by_its_own_values() -> None:
    problem = HpProblem()
    problem.add_dim("n", (1, 100))
    optimizer = BayesianOptimizer(problem, seed=0)
    point = optimizer.ask()
    with pytest.raises(ProblemError):
        optimizer.tell({"n": point["n"] + 0.4}, 1.0)
    optimizer.tell({"n": np.int64(point["n"])}, 1.0)
    assert optimizer.Xi == [point]


def test_what_is_no_problem_or_no_settings_is_refused() -> None:
    with pytest.raises(TypeError, match="HpProblem"):
        create_optimizer(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="AmbsSettings"):
        create_optimizer(_problem(), "RF")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="-3"):
        BayesianOptimizer(_problem(), n_initial_points=-3)


def test_the_model_stays_bounded_as_results_and_pending_points_grow() -> None:
    optimizer = BayesianOptimizer(_problem(4), seed=0)
    rng = np.random.default_rng(0)
    known = [{f"x{i}": float(v) for i, v in enumerate(row)} for row in rng.random((3000, 4))]
    optimizer.tell(known[:2000], [_bowl(p) for p in known[:2000]])
    optimizer.tell_pending(known[2000:])
    start = time.process_time()
    for point in optimizer.ask(5):
        optimizer.tell(point, _bowl(point))
    optimizer.ask()
    assert time.process_time() - start < 10.0
    assert optimizer._surrogate is not None
    assert optimizer._surrogate.factor.capacity < 1000


def test_fifty_dimensions_and_one_are_searched() -> None:
    for dims in (1, 50):
        optimizer = BayesianOptimizer(_problem(dims), seed=0)
        for _ in range(20):
            point = optimizer.ask()
            optimizer.tell(point, _bowl(point))
        assert optimizer.get_result().fun > -0.3 * dims


def test_an_unknown_liar_strategy_is_refused() -> None:
    settings = AmbsSettings(surrogate_model="RF", n_initial_points=2)
    optimizer = ClassicOptimizer(_problem(), settings, seed=0)
    points = optimizer.ask(4)
    optimizer.tell(points, [_bowl(p) for p in points])
    with pytest.raises(SettingsError, match="cl_huge"):
        optimizer.ask(2, strategy="cl_huge")


def test_a_foreign_optimizer_may_speak_in_lists_and_hears_of_every_result() -> None:
    class Lists:
        def __init__(self) -> None:
            self.told: list = []
            self.n = 0

        def ask(self) -> list[float]:
            self.n += 1
            return [0.1 * self.n, 0.5, 0.5]

        def tell(self, x: list[float], y: float) -> None:
            self.told.append((x, y))

    lists = Lists()
    optimizer = ForeignOptimizer(_problem(), lists, seed=0)
    points = optimizer.ask(3)
    assert [round(p["x0"], 3) for p in points] == [0.1, 0.2, 0.3]
    optimizer.tell(points[:2], [1.0, "F_crash"])
    optimizer.tell({"x0": 0.9, "x1": 0.9, "x2": 0.9}, 2.0)
    assert lists.told == [([0.1, 0.5, 0.5], 1.0), ([0.9, 0.9, 0.9], 2.0)]
    assert "Lists" in describe_engine(optimizer)


@pytest.mark.parametrize(
    ("proposal", "kind"), [(None, TypeError), (3.0, TypeError), ([0.5], ValueError)]
)
def test_a_foreign_proposal_of_another_form_is_refused_clearly(
    proposal: object, kind: type
) -> None:
    foreign = SimpleNamespace(ask=lambda: proposal, tell=lambda x, y: None)
    with pytest.raises(kind, match="ask"):
        ForeignOptimizer(_problem(), foreign, seed=0).ask()


def test_foreign_proposals_that_are_replaced_are_noticed(caplog: pytest.LogCaptureFixture) -> None:
    foreign = SimpleNamespace(ask=lambda: {"X": 0.5}, tell=lambda x, y: None)
    assert len(ForeignOptimizer(_problem(), foreign, seed=0).ask(3)) == 3
    assert len(caplog.records) == 1
    assert "random" in caplog.records[0].getMessage()


def test_an_object_without_ask_or_tell_is_refused() -> None:
    with pytest.raises(TypeError, match="ask"):
        ForeignOptimizer(_problem(), object())  # type: ignore[arg-type]
