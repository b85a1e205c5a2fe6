"""The rule that predicts learning curves: its predictions, and what it makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from deephyper.errors import SettingsError
from deephyper.job import Estimate, Job, Outcome, Prediction, Proposal
from deephyper.objective import Direction
from deephyper.stopper import CurveSettings, Stopper
from deephyper.stopper.create import made_stopper
from deephyper.stopper.curve_prediction import CurvePrediction, checkpoints
from deephyper.stopper.early_stopping import EarlyStopping
from deephyper.stopper.reports import Reports

Array = NDArray[np.float64]
STEPS = 40


def curves(n: int, seed: int, noise: float = 0.003) -> Array:
    """Saturating learning curves, shape (n, STEPS); some are slow, and cross others."""
    rng = np.random.default_rng(seed)
    end, start = rng.uniform(0.5, 1.0, (n, 1)), rng.uniform(0.0, 0.4, (n, 1))
    speed = np.exp(rng.uniform(np.log(0.05), np.log(0.8), (n, 1)))
    steps = np.arange(1, STEPS + 1)
    made = end - (end - start) * np.exp(-speed * steps) + noise * rng.standard_normal((n, STEPS))
    return np.asarray(made)


def whole(stopper: Stopper, id_: str, curve: Array) -> None:
    """Report a curve to its end, whatever the rule says."""
    for step, objective in enumerate(curve, 1):
        stopper.report(id_, step, float(objective))
    stopper.end(id_, float(curve[-1]), pruned=False)


def paused_at(stopper: Stopper, id_: str, curve: Array, after: int = 0) -> int:
    """Report a curve until it is to be paused; return that step, 0 if it comes to its end."""
    for step, objective in enumerate(curve[after:], after + 1):
        if stopper.report(id_, step, float(objective)) and step < len(curve):
            stopper.pause(id_)
            return step
    stopper.end(id_, float(curve[-1]), pruned=False)
    return 0


def told(n: int = 20, **settings: float) -> Stopper:
    """Return the rule after whole curves."""
    stopper = CurveSettings(**settings).create()  # type: ignore[arg-type]
    for number, curve in enumerate(curves(n, seed=0)):
        whole(stopper, f"known {number}", curve)
    return stopper


@pytest.mark.parametrize("last", [1, 2, 3, 17, 1000])
def test_checkpoints_grow_from_the_first_step_to_the_last(last: int) -> None:
    steps = checkpoints(last)
    assert (steps[0], steps[-1]) == (1, last)
    assert steps == sorted(set(steps))
    assert len(steps) <= 25


@pytest.mark.parametrize("n", [8, 60])
def test_predictions_are_as_far_off_as_they_say(n: int) -> None:
    steps = np.array(checkpoints(STEPS))
    known, others = curves(n, seed=1), curves(400, seed=2)
    predict = CurvePrediction(known[:, steps - 1], steps.astype(float))
    earlier_std = np.inf
    for place in range(2, len(steps) - 1):
        now = others[:, steps[place] - 1]
        before = others[:, steps[place - 1] - 1]
        mean, std = predict(np.full(len(now), place), now, before)
        off = (others[:, -1] - mean) / std
        assert np.mean(np.abs(off) < 2.0) > 0.9
        assert np.mean(np.abs(off) < 0.05) < 0.3  # nor are they that vague
        assert spearmanr(mean, others[:, -1]).statistic > spearmanr(now, others[:, -1]).statistic
        assert np.median(std) < earlier_std
        earlier_std = float(np.median(std))


def test_unfinished_curves_count_as_far_as_they_have_come() -> None:
    steps = np.array(checkpoints(STEPS))
    table = curves(60, seed=1)[:, steps - 1]
    table[4:, 7:] = np.nan
    errors = []
    for known in (table[:4], table):
        predict = CurvePrediction(known, steps.astype(float))
        others = curves(400, seed=2)[:, steps - 1]
        mean, std = predict(np.full(400, 3), others[:, 3], others[:, 2])
        errors.append(float(np.mean(np.log(std) + 0.5 * ((others[:, -1] - mean) / std) ** 2)))
    assert errors[1] < errors[0]


def test_curves_all_alike_are_no_trouble() -> None:
    with np.errstate(all="raise"):
        stopper = CurveSettings().create()
        for number in range(6):
            whole(stopper, f"{number}", np.zeros(STEPS))
        assert paused_at(stopper, "same", np.zeros(STEPS)) == 0
        assert paused_at(stopper, "worse", np.full(STEPS, -1e300)) > 0


def test_what_can_not_win_is_paused_and_the_best_is_not() -> None:
    stopper = told()
    others = curves(200, seed=3)
    best = max(curves(20, seed=0)[:, -1])
    paused = {
        number for number, curve in enumerate(others) if paused_at(stopper, f"{number}", curve)
    }
    records, so_far = [], best
    for number, curve in enumerate(others):
        if curve[-1] > so_far:
            records.append(number)
            so_far = curve[-1]
    assert len(paused) > 120
    assert not paused & set(records)


def test_nothing_is_paused_before_there_are_enough_whole_curves() -> None:
    stopper = CurveSettings(startup_evals=5).create()
    for number in range(4):
        whole(stopper, f"{number}", np.linspace(0.5, 1.0, STEPS))
        assert paused_at(stopper, f"bad {number}", np.zeros(2)) == 0
    assert paused_at(stopper, "bad", np.zeros(STEPS)) > 0


def test_nothing_is_paused_before_its_minimum_of_steps() -> None:
    stopper = told(min_steps=10)
    assert paused_at(stopper, "bad", np.full(STEPS, -1.0)) >= 10


def test_the_better_half_of_many_continues_while_no_curve_is_whole() -> None:
    stopper = CurveSettings().create()
    made = curves(40, seed=4)
    for step in range(1, 9):
        for number, curve in enumerate(made):
            stopper.report(f"{number}", step, float(curve[step - 1]))
    assert stopper.take_up(None) is None  # since nothing is known of the end
    wanted = [stopper.report(f"bad {i}", 8, -1.0) for i in range(3)]
    assert wanted == [True] * 3
    assert not stopper.report("good", 8, 2.0)
    assert stopper.estimate("good") is None


def test_the_most_promising_paused_evaluation_continues_when_nothing_new_may_begin() -> None:
    stopper = told(min_chance=0.2)
    made = curves(100, seed=5)
    paused = {f"{i}": paused_at(stopper, f"{i}", curve) for i, curve in enumerate(made)}
    paused = {id_: step for id_, step in paused.items() if step}
    whole(stopper, "slow 1", np.concatenate([np.zeros(20), np.linspace(0.0, 3.0, 20)]))
    continued = []
    while (id_ := stopper.take_up(None)) is not None:
        continued.append(id_)
        if paused_at(stopper, id_, made[int(id_)], after=paused[id_]):
            break
    assert len(continued) == len(set(continued))
    assert set(continued) <= set(paused)


def test_the_leading_one_continues_when_no_other_came_to_its_end() -> None:
    stopper = CurveSettings().create()
    for number, curve in enumerate(curves(40, seed=4)):
        for step in range(1, 9):
            stopper.report(f"{number}", step, float(curve[step - 1]))
    for id_, objective in (("a", -1.0), ("b", -0.5), ("c", -2.0)):
        for step in range(1, 9):
            stopper.report(id_, step, objective)
        stopper.pause(id_)
    assert stopper.take_up(Proposal({"x": 1})) is None
    assert [stopper.take_up(None) for _ in range(4)] == ["b", "a", "c", None]


@pytest.mark.parametrize("settings", [{}, {"startup_evals": 1}])
def test_whole_evaluations_of_a_single_step_are_no_trouble(settings: dict[str, int]) -> None:
    stopper = CurveSettings(**settings).create()
    for number, curve in enumerate(curves(30, seed=4)):
        for step in range(1, 5):
            stopper.report(f"{number}", step, float(curve[step - 1]))
        if number % 3 == 0:
            stopper.pause(f"{number}")
    for number in range(4):
        stopper.report(f"single {number}", 1, 0.1)
        stopper.end(f"single {number}", 0.1, pruned=False)
        assert stopper.estimate("0") is not None
        stopper.take_up(None)


def test_a_report_after_the_last_checkpoint_changes_nothing_of_what_is_expected() -> None:
    """It came at a later step, and would make the curve look better than it is."""
    stopper = told()
    curve = curves(1, seed=6)[0]
    expected = []
    for step in range(1, 15):
        stopper.report("one", step, float(curve[step - 1]))
        if step >= 11:
            expected.append(stopper.estimate("one"))
    assert checkpoints(STEPS)[6:8] == [11, 15]
    assert expected == [expected[0]] * 4


def test_what_earlier_sessions_reported_counts_like_what_this_one_does() -> None:
    again, before = CurveSettings().create(), CurveSettings().create()
    for number, curve in enumerate(curves(20, seed=0)):
        whole(before, f"{number}", curve)
        again.recall(f"{number}", list(enumerate(curve.tolist(), 1)))
        again.end(f"{number}", float(curve[-1]), pruned=False)
    for number, curve in enumerate(curves(40, seed=8)):
        assert paused_at(again, f"new {number}", curve) == paused_at(before, f"new {number}", curve)
    assert again.take_up(None) == before.take_up(None)


def test_a_new_point_of_which_more_is_expected_goes_first() -> None:
    def rule() -> Stopper:
        stopper = told(min_chance=0.3)
        assert paused_at(stopper, "so so", 0.985 * max(curves(20, seed=0), key=lambda c: c[-1]))
        for number in range(3):  # that show how far curves can still rise
            rise = np.concatenate([np.full(20, 0.9), np.linspace(0.9, 0.99, 20)])
            whole(stopper, f"rise {number}", rise)
        return stopper

    point = {"x": 1}
    assert rule().take_up(Proposal(point, Prediction(5.0, 0.1, 0.0))) is None
    assert rule().take_up(Proposal(point)) is None
    hopeless = Proposal(point, Prediction(-5.0, 0.1, 0.0))
    assert rule().take_up(hopeless) == rule().take_up(None)


def test_an_evaluation_that_begins_anew_is_looked_at_anew() -> None:
    stopper = told()
    good = max(curves(20, seed=0), key=lambda curve: curve[-1]) + 0.05
    for step in range(1, 20):
        stopper.report("again", step, float(good[step - 1]))
    for step in range(1, 20):
        assert not stopper.report("again", step, float(good[step - 1]))
    estimate = stopper.estimate("again")
    assert estimate is not None
    assert abs(estimate.mean - good[-1]) < 4.0 * estimate.std + 0.01


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_many_estimates_are_made_at_once(
    direction: Direction, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = EarlyStopping(made_stopper(CurveSettings(), direction))
    reports, ended, paused = Reports(), list[Outcome](), dict[str, Outcome]()
    for number, curve in enumerate(curves(60, seed=0)):
        id_, made = f"{number}", STEPS if number < 20 else 3 + number // 2
        reports.begin(id_)
        for step in range(1, made + 1):
            reports.add(id_, step, float(curve[step - 1]))
        end = Outcome(Job(id_, {}), "finished", float(curve[made - 1]), None, 1.0, 2.0, "0")
        if number < 20:
            ended.append(end)
        else:
            paused[id_] = replace(end, status="pruned", step=made)
    called: list[int] = []
    predict = CurvePrediction.__call__

    def counted(self: CurvePrediction, places: Any, *args: Array) -> tuple[Array, Array]:
        called.append(len(places))
        return predict(self, places, *args)

    monkeypatch.setattr(CurvePrediction, "__call__", counted)
    expected = rule.recall(reports.curves, ended, paused)
    assert called == [40]
    assert expected == {id_: rule.estimates([id_])[id_] for id_ in paused}


def test_an_estimate_narrows_as_a_curve_goes_on() -> None:
    stopper = told(min_chance=0.0)
    stds = []
    for step, objective in enumerate(curves(1, seed=6)[0][:-1], 1):
        stopper.report("one", step, float(objective))
        estimate = stopper.estimate("one")
        assert isinstance(estimate, Estimate)
        stds.append(estimate.std)
    assert stds[-1] < 0.3 * stds[2]
    assert stopper.estimate("none of that name") is None


def test_it_minimizes_what_is_to_be_minimized() -> None:
    up, down = CurveSettings().create(), made_stopper(CurveSettings(), "minimize")
    assert down is not None
    assert down.pauses
    for number, curve in enumerate(curves(60, seed=7)):
        assert paused_at(up, f"{number}", curve) == paused_at(down, f"{number}", -curve)
    assert up.take_up(None) == down.take_up(None)


def test_failures_and_silent_evaluations_say_nothing() -> None:
    stopper = told()
    stopper.report("failed", 1, 5.0)
    stopper.end("failed", None, pruned=False)
    stopper.end("silent", 100.0, pruned=False)  # it has no curve
    assert stopper.estimate("failed") is None
    good = max(curves(20, seed=0), key=lambda curve: curve[-1]) + 0.05
    assert paused_at(stopper, "good", good) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_chance": 1.0}, "min_chance is 1; give a number from 0 to below 1"),
        ({"min_chance": -0.1}, "min_chance"),
        ({"min_chance": "much"}, "min_chance"),
        ({"startup_evals": 0}, "startup_evals"),
        ({"min_steps": 0}, "min_steps"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        CurveSettings(**settings)  # type: ignore[arg-type]
