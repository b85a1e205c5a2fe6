"""Importance against shares of variance that are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import EqualsCondition

from deephyper import AMBS, HpProblem, RandomSearch
from deephyper.analytics import Importance, importance
from deephyper.analytics.fanova.dimension import continuous
from deephyper.analytics.fanova.shares import shares_of_variance
from deephyper.errors import ResultsError, SettingsError
from tests.analytics.known_functions import (
    G_COEFFICIENTS,
    ISHIGAMI,
    Array,
    Truth,
    g_function,
    g_truth,
    ishigami,
    write_function,
    write_results,
)

_ROUNDING = 0.0005
"""Of the truth that is stated, and of ranges that are inferred."""


def named(truth: Truth) -> dict[tuple[str, ...], float]:
    return {tuple(f"x{k}" for k in effect): share for effect, share in truth.items()}


def missed(found: Importance, truth: dict[tuple[str, ...], float]) -> list[tuple[str, ...]]:
    """Return the effects whose interval doesn't hold the truth."""
    effects = [*found.hyperparameters, *found.pairs]
    assert {effect.names for effect in effects} == {*truth}
    return [
        effect.names
        for effect in effects
        if effect.low is None
        or effect.high is None
        or not effect.low - _ROUNDING <= truth[effect.names] <= effect.high + _ROUNDING
    ]


def random_sample(
    path: Path, function: Callable[[Array], Array], d: int, n: int, seed: int, noise: float = 0
) -> Path:
    rng = np.random.default_rng(seed)
    X = rng.random((n, d))
    return write_function(path, X, function(X) + noise * rng.normal(size=n))


def test_ishigami(tmp_path: Path) -> None:
    found = importance(random_sample(tmp_path / "r.csv", ishigami, 3, 300, seed=1))
    assert missed(found, named(ISHIGAMI)) == []
    for effect in (*found.hyperparameters, *found.pairs):
        assert effect.share == pytest.approx(named(ISHIGAMI)[effect.names], abs=0.02)
    assert found.main_effects.share == pytest.approx(0.7563, abs=0.02)
    assert [effect.names for effect in found.hyperparameters] == [("x1",), ("x0",), ("x2",)]
    assert found.pairs[0].names == ("x0", "x2")
    assert found.explained is not None
    assert found.explained > 0.99


def test_g_function(tmp_path: Path) -> None:
    found = importance(random_sample(tmp_path / "r.csv", g_function, 6, 200, seed=1))
    assert missed(found, named(g_truth())) == []
    for effect in (*found.hyperparameters, *found.pairs):
        assert effect.share == pytest.approx(named(g_truth())[effect.names], abs=0.02)


def test_noise_has_a_share_of_its_own(tmp_path: Path) -> None:
    shares = {names: share / 2 for names, share in named(ISHIGAMI).items()}
    wrong: list[tuple[str, ...]] = []
    for seed in range(4):
        path = random_sample(tmp_path / "r.csv", ishigami, 3, 200, seed, noise=13.8445**0.5)
        found = importance(path)
        wrong += missed(found, shares)
        assert found.explained == pytest.approx(0.35, abs=0.15)
    assert len(wrong) <= 1


def test_a_smaller_objective_is_as_good_where_a_search_minimizes(tmp_path: Path) -> None:
    X = np.random.default_rng(0).random((150, 2))
    y = np.where(X[:, 0] > 0.5, X[:, 0], 0.5)
    points = [{"x0": a, "x1": b} for a, b in X.tolist()]
    maximized = write_results(tmp_path / "a.csv", zip(points, y, strict=True))
    minimized = write_results(
        tmp_path / "b.csv", zip(points, -y, strict=True), "direction", "minimize"
    )
    one, other = importance(maximized, best=0.3), importance(minimized, best=0.3)
    assert (one.direction, other.direction) == ("maximize", "minimize")
    assert one.threshold == -(other.threshold or 0)
    assert [e.as_row for e in one.hyperparameters] == [e.as_row for e in other.hyperparameters]


def test_within_the_best_another_hyperparameter_matters(tmp_path: Path) -> None:
    X = np.random.default_rng(0).random((400, 2))
    # Up to 1 from x0 alone; what is better is so by x1.
    y = np.minimum(3 * X[:, 0], 1) + 0.2 * X[:, 1]
    path = write_function(tmp_path / "r.csv", X, y)
    assert importance(path).hyperparameters[0].names == ("x0",)
    found = importance(path, best=0.2)
    assert found.hyperparameters[0].names == ("x1",)
    axis = (np.arange(1000) + 0.5) / 1000
    table = np.minimum(3 * axis, 1)[:, None] + 0.2 * axis
    assert found.threshold is not None
    assert found.threshold == pytest.approx(float(np.quantile(table, 0.8)), abs=0.01)
    table = np.maximum(table, found.threshold)
    parts = [table.mean(axis=1).var() / table.var(), table.mean(axis=0).var() / table.var()]
    truth = {("x0",): parts[0], ("x1",): parts[1], ("x0", "x1"): 1 - sum(parts)}
    assert missed(found, truth) == []


def conditional_problem() -> HpProblem:
    problem = HpProblem()
    kind = problem.add_hyperparameter(["sgd", "adam", "rms"], "kind")
    problem.add_hyperparameter((1e-4, 1.0, "log-uniform"), "lr")
    momentum = problem.add_hyperparameter((0.0, 1.0), "momentum")
    problem.add_condition(EqualsCondition(momentum, kind, "sgd"))
    return problem


def conditional_objective(point: dict[str, object]) -> float:
    place = (math.log10(float(str(point["lr"]))) + 4) / 4
    kind = {"sgd": 0.0, "adam": 1.0, "rms": 0.5}[str(point["kind"])]
    return math.sin(2 * math.pi * place) + kind + 2 * (float(str(point.get("momentum", 0.5))) - 0.5)


# Of the variances 1/2 of lr, 1/6 of kind, and 1/3 of momentum, which is there in a third of the
# space: its mean effect is a third of itself, and what differs from that is the interaction.
CONDITIONAL = {
    ("lr",): 1 / 2,
    ("kind",): 1 / 6,
    ("momentum",): 1 / 27,
    ("kind", "momentum"): 2 / 27,
    ("kind", "lr"): 0.0,
    ("lr", "momentum"): 0.0,
}


@pytest.mark.parametrize("search", [RandomSearch, AMBS])
def test_an_inactive_hyperparameter_makes_no_difference(
    tmp_path: Path, search: type[RandomSearch] | type[AMBS]
) -> None:
    log_dir = tmp_path / "log"
    search(conditional_problem(), conditional_objective, log_dir=log_dir, seed=3).search(
        max_evals=80
    )
    found = importance(log_dir)
    whole = sum(CONDITIONAL.values())
    truth = {names: share / whole for names, share in CONDITIONAL.items()}
    found_names = {tuple(sorted(e.names)): e for e in (*found.hyperparameters, *found.pairs)}
    for names, share in truth.items():
        effect = found_names[names]
        assert effect.low is not None
        assert effect.high is not None
        assert effect.low - _ROUNDING <= share <= effect.high + _ROUNDING, names


def test_failed_and_pruned_evaluations_are_counted(tmp_path: Path) -> None:
    rows: list[tuple[dict[str, float], float | str]] = [({"x": n / 40}, n / 40) for n in range(40)]
    rows += [({"x": 0.5}, "failed"), ({"x": 0.6}, "failed"), ({"x": 0.7}, "pruned")]
    found = importance(write_results(tmp_path / "r.csv", rows))
    assert (found.num_finished, found.num_failed, found.num_pruned) == (40, 2, 1)
    assert (found.num_rows, found.num_used) == (43, 40)


@pytest.mark.parametrize(
    ("rows", "notice"),
    [
        ([({"x": n / 9}, n / 9) for n in range(9)], "too little to tell: 9 finished evaluations"),
        ([({"x": n / 30}, 2.0) for n in range(30)], "all objectives are equal"),
        ([({"x": 1.0}, float(n)) for n in range(30)], "no hyperparameter has more than one value"),
    ],
)
def test_what_tells_nothing_is_said(
    tmp_path: Path, rows: list[tuple[dict[str, float], float]], notice: str
) -> None:
    notices: list[str] = []
    found = importance(write_results(tmp_path / "r.csv", rows), on_notice=notices.append)
    assert len(notices) == 1
    assert notices[0].startswith(notice)
    assert found.explained is None
    assert all(effect.share is None for effect in found.hyperparameters)


def test_noise_alone_is_too_little_to_tell(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = write_function(tmp_path / "r.csv", rng.random((60, 3)), rng.normal(size=60))
    notices: list[str] = []
    found = importance(path, on_notice=notices.append)
    assert len(notices) == 1
    assert notices[0].startswith("too little to tell: the model explains 0% of the variance")
    assert missed(found, dict.fromkeys(named(ISHIGAMI), 0.0)) == []


def test_shares_that_may_all_be_0_are_too_little_to_tell(tmp_path: Path) -> None:
    notices: list[str] = []
    path = random_sample(tmp_path / "r.csv", g_function, 6, 16, seed=3)
    found = importance(path, on_notice=notices.append)
    assert notices == ["too little to tell: every share may be 0; run more evaluations"]
    assert all(effect.low == 0 for effect in (*found.hyperparameters, *found.pairs))


def test_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    path = random_sample(tmp_path / "r.csv", ishigami, 3, 80, seed=0)
    assert importance(path, seed=4) == importance(path, seed=4)
    assert importance(path, seed=4) != importance(path, seed=5)


def test_pairs_can_be_left_out(tmp_path: Path) -> None:
    path = random_sample(tmp_path / "r.csv", ishigami, 3, 80, seed=0)
    found = importance(path, pairs=False)
    assert found.pairs == ()
    assert len(found.hyperparameters) == 3


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_the_scale_of_the_objectives_makes_no_difference(tmp_path: Path, scale: float) -> None:
    X = np.random.default_rng(0).random((40, 2))
    found = importance(write_function(tmp_path / "r.csv", X, scale * X[:, 0]))
    assert found.hyperparameters[0].share == pytest.approx(1)


@pytest.mark.parametrize("best", [0, -1, 1.5, math.nan, "a"])
def test_the_best_share_is_checked(tmp_path: Path, best: float) -> None:
    path = random_sample(tmp_path / "r.csv", ishigami, 3, 20, seed=0)
    with pytest.raises(SettingsError, match="best is"):
        importance(path, best=best)


def test_results_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="there is no file"):
        importance(tmp_path / "results.csv")


G_VARIANCE = float(np.prod(1 + 1 / (3 * (1 + G_COEFFICIENTS) ** 2)) - 1)


@pytest.mark.long
@pytest.mark.parametrize("n", [50, 300, 1000, 2000])
@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize(
    ("function", "truth", "variance"),
    [(ishigami, ISHIGAMI, 13.8445), (g_function, g_truth(), G_VARIANCE)],
)
def test_intervals_hold_the_truth(
    function: Callable[[Array], Array], truth: Truth, variance: float, noisy: bool, n: int
) -> None:
    """In 95 of 100 cases, and none of the effects is missed often."""
    d = max(map(max, truth)) + 1
    wrong: list[tuple[int, ...]] = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = rng.random((n, d))
        y = function(X) + (variance**0.5 * rng.normal(size=n) if noisy else 0.0)
        found = shares_of_variance([continuous()] * d, X, y, pairs=True, best=None, seed=seed)
        assert found is not None
        for effect, share in truth.items():
            low, high = found.effects[effect].interval
            if not low - _ROUNDING <= (share / 2 if noisy else share) <= high + _ROUNDING:
                wrong.append(effect)
    assert len(wrong) <= 0.05 * 12 * len(truth)
    assert all(wrong.count(effect) <= 2 for effect in truth)


@pytest.mark.long
@pytest.mark.parametrize("n", [60, 200])
def test_intervals_hold_the_truth_after_a_search_for_the_best(tmp_path: Path, n: int) -> None:
    wrong: list[tuple[str, ...]] = []
    for seed in range(6):
        problem = HpProblem()
        for k in range(3):
            problem.add_hyperparameter((0.0, 1.0), f"x{k}")

        def run(point: dict[str, float]) -> float:
            return float(ishigami(np.array([[*point.values()]]))[0])

        AMBS(problem, run, log_dir=tmp_path / str(seed), seed=seed).search(max_evals=n)
        wrong += missed(importance(tmp_path / str(seed), on_notice=lambda _: None), named(ISHIGAMI))
    assert len(wrong) <= 0.1 * 6 * len(ISHIGAMI)
