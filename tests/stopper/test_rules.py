"""The rules themselves: what they say to a sequence of reports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deephyper.errors import SettingsError
from deephyper.stopper import AshaSettings, MedianSettings, Stopper
from deephyper.stopper.create import made_stopper, read_stopper


def curve(
    stopper: Stopper, id_: str, objectives: list[float], steps: list[int] | None = None
) -> int:
    """Report objectives in turn; return the step at which the evaluation is to end, 0 for none."""
    for step, objective in zip(steps or range(1, len(objectives) + 1), objectives, strict=True):
        if stopper.report(id_, step, objective):
            stopper.end(id_, objective, pruned=True)
            return step
    stopper.end(id_, objectives[-1], pruned=False)
    return 0


def test_halving_compares_at_steps_that_grow_by_the_factor() -> None:
    stopper = AshaSettings(min_steps=2, reduction_factor=3).create()
    for number in range(6):  # good ones that come first
        assert curve(stopper, f"good {number}", [0.9] * 20) == 0
    assert curve(stopper, "bad", [0.1] * 20) == 2
    assert curve(stopper, "bad later", [0.9] * 2 + [0.1] * 18) == 6
    assert curve(stopper, "bad at the end", [0.9] * 10 + [0.1] * 10) == 18
    assert curve(stopper, "bad in between", [0.9, 0.9, 0.1, 0.1, 0.9, 0.9] + [0.9] * 14) == 0


def test_halving_lets_the_first_ones_continue() -> None:
    stopper = AshaSettings(reduction_factor=4).create()
    assert [curve(stopper, f"{i}", [1.0 - 0.1 * i]) for i in range(4)] == [0, 0, 0, 1]


def test_halving_keeps_the_best_share_and_equals_of_them() -> None:
    stopper = AshaSettings(reduction_factor=2).create()
    assert [curve(stopper, f"{i}", [1.0]) for i in range(10)] == [0] * 10


@given(st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=60), st.integers(2, 5))
def test_halving_never_ends_the_best_of_all_before(values: list[float], factor: int) -> None:
    stopper = AshaSettings(reduction_factor=factor).create()
    best = float("-inf")
    for number, value in enumerate(values):
        ends = curve(stopper, f"{number}", [value])
        if value >= best:
            assert ends == 0
        best = max(best, value)


def test_halving_compares_once_where_steps_are_jumped_over() -> None:
    stopper = AshaSettings(reduction_factor=2).create()
    for number in range(4):
        assert curve(stopper, f"{number}", [0.5, 0.5], [3, 9]) == 0
    assert curve(stopper, "late", [0.9, 0.1], [3, 9]) == 9


def test_the_median_rule_waits_for_whole_evaluations() -> None:
    stopper = MedianSettings(startup_evals=3).create()
    for number, level in enumerate((0.4, 0.6, 0.8)):
        assert curve(stopper, f"{number}", [level] * 5) == 0
    assert curve(stopper, "worse", [0.5] * 5) == 1
    assert curve(stopper, "better", [0.7] * 5) == 0
    assert curve(stopper, "once good", [0.7, 0.1, 0.1]) == 0  # its best counts


def test_the_median_is_of_means_up_to_the_step() -> None:
    stopper = MedianSettings(startup_evals=1, min_steps=3).create()
    curve(stopper, "0", [0.0, 0.6, 0.9])  # means 0, 0.3, 0.5
    assert curve(stopper, "1", [0.1, 0.2, 0.45]) == 3
    assert curve(stopper, "2", [0.1, 0.2, 0.55]) == 0


def test_an_evaluation_that_begins_anew_is_compared_anew() -> None:
    stopper = MedianSettings(startup_evals=1).create()
    curve(stopper, "0", [0.5, 0.5])
    assert not stopper.report("1", 1, 0.9)
    assert stopper.report("1", 1, 0.1)


def test_minimizing_is_maximizing_the_opposite() -> None:
    stopper = made_stopper(MedianSettings(startup_evals=1), "minimize")
    assert stopper is not None
    curve(stopper, "0", [0.5, 0.5])
    assert curve(stopper, "larger", [0.6, 0.6]) == 1
    assert curve(stopper, "smaller", [0.4, 0.4]) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AshaSettings(min_steps=0), "min_steps is 0"),
        (lambda: AshaSettings(reduction_factor=1), "reduction_factor is 1; give a number of more"),
        (lambda: AshaSettings(reduction_factor=float("nan")), "reduction_factor is nan"),
        (lambda: MedianSettings(startup_evals=0), "startup_evals is 0"),
        (
            lambda: read_stopper("hyperband"),
            "unknown stopper 'hyperband'; choose one of none, curve, asha, median",
        ),
        (lambda: read_stopper(3), "unknown stopper 3"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_rule_is_refused(make: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("settings", [AshaSettings(reduction_factor=2), MedianSettings()])
def test_what_is_expected_of_a_pruned_evaluation_follows_the_whole_curves(
    settings: AshaSettings | MedianSettings,
) -> None:
    stopper = settings.create()

    def rising(end: float) -> list[float]:
        return [end - 0.5 * 0.8**step for step in range(1, 31)]

    assert curve(stopper, "first", rising(0.9)) == 0
    for number in range(1, 8):
        stopper.report(f"running {number}", 1, 0.1)
        assert curve(stopper, f"good {number}", rising(0.9 + 0.01 * number)) == 0
    step = curve(stopper, "bad", rising(0.8))
    assert 0 < step < 30
    estimate = stopper.estimate("bad")
    assert estimate is not None
    assert stopper.estimates(["bad", "first", "unknown"]) == {"bad": estimate}
    assert abs(estimate.mean - rising(0.8)[-1]) < estimate.std < 1.0
    assert estimate.mean > rising(0.8)[step - 1]
    assert stopper.estimate("first") is None


@pytest.mark.parametrize("settings", [AshaSettings(), MedianSettings()])
def test_nothing_is_expected_while_no_curve_is_whole(
    settings: AshaSettings | MedianSettings,
) -> None:
    stopper = settings.create()
    assert not stopper.report("running", 1, 0.5)
    assert stopper.estimate("running") is None
    assert stopper.estimate("unknown") is None
