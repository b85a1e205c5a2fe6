"""What the engine scikit-optimize does of its own."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import pytest
import skopt

from deephyper.job import Estimate
from deephyper.optimizer import SkoptOptimizer, SkoptSettings
from deephyper.problem import HpProblem
from tests.optimizer.bowl import bowl, cube, search_bowl

MODELS = ("RF", "GP", "ET", "GBRT")
every_model = pytest.mark.parametrize(
    "model",
    [m if m in ("RF", "GBRT") else pytest.param(m, marks=pytest.mark.long) for m in MODELS],
)


def _optimizer(model: str, problem: HpProblem, n_initial_points: int = 4) -> SkoptOptimizer:
    settings = SkoptSettings(surrogate_model=model, n_initial_points=n_initial_points)
    return SkoptOptimizer(problem, settings, seed=0)


class Recorded(skopt.Optimizer):  # type: ignore[misc]  # untyped
    """A scikit-optimize that remembers what it is told, and is remembered."""

    made: ClassVar[list[Recorded]]

    def tell(self, x: list[list[Any]], y: list[float], *args: Any, **kwargs: Any) -> Any:
        self.told = dict(zip(map(tuple, x), y, strict=True))
        self.gains_when_told = list(getattr(self, "gains_", []))
        self.made.append(self)
        return super().tell(x, y, *args, **kwargs)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> list[Recorded]:
    """Every model that is fitted in this test."""
    Recorded.made = []
    monkeypatch.setattr(skopt, "Optimizer", Recorded)
    return Recorded.made


def test_it_is_fitted_once_for_proposals_and_their_predictions(models: list[Recorded]) -> None:
    optimizer = _optimizer("RF", cube(2))
    for n in range(1, 9):
        proposals = optimizer.ask(2)
        assert len(models) == max(0, n - 2)
        optimizer.tell(proposals, [bowl(proposal.point) for proposal in proposals])
    assert None not in [proposal.prediction for proposal in proposals]


def test_what_is_expected_of_pending_points_takes_the_place_of_lies(
    models: list[Recorded],
) -> None:
    optimizer = _optimizer("RF", cube(2))
    proposals = optimizer.ask(8)
    optimizer.tell(proposals[:5], [1.0, 2.0, 3.0, 4.0, 5.0])
    optimizer.tell_partial(proposals[5:7], [Estimate(2.5, 0.1), Estimate(-90.0, 0.1)])
    optimizer.ask()
    # It minimizes; what is worse than the worst result counts as that.
    assert list(models[-1].told.values()) == [-1.0, -2.0, -3.0, -4.0, -5.0, -2.5, -1.0, -5.0]


@pytest.mark.parametrize(
    ("strategy", "lie"), [("cl_min", -5.0), ("cl_mean", -2.0), ("cl_max", 1.0)]
)
def test_pending_points_get_the_lie_and_failures_the_worst_result(
    models: list[Recorded], strategy: str, lie: float
) -> None:
    settings = SkoptSettings(liar_strategy=strategy, n_initial_points=4)
    optimizer = SkoptOptimizer(cube(2), settings, seed=0)
    points = [{"x0": i / 10, "x1": 0.5} for i in range(6)]
    optimizer.tell(points[:4], [-1.0, 5.0, 2.0, "F_crash"])
    optimizer.tell_pending(points[4:])
    optimizer.ask()
    # with the sign of what is minimized
    assert list(models[0].told.values()) == [1.0, -5.0, -2.0, 1.0, lie, lie]


def test_points_of_one_model_differ_in_what_is_expected_of_them() -> None:
    settings = SkoptSettings(acq_func="LCB", n_initial_points=4)
    optimizer = SkoptOptimizer(cube(2), settings, seed=0)
    search_bowl(optimizer, 10)
    # with one weight of the standard deviation, all would be in the best cell of the forest
    assert len({proposal.prediction for proposal in optimizer.ask(8)}) > 1


def test_what_hedging_has_learned_stays_from_one_model_to_the_next(models: list[Recorded]) -> None:
    settings = SkoptSettings(acq_func="gp_hedge", n_initial_points=4)
    optimizer = SkoptOptimizer(cube(2), settings, seed=0)
    search_bowl(optimizer, 7)
    assert not any(models[0].gains_when_told)
    assert any(models[-1].gains_when_told)


@every_model
@pytest.mark.parametrize("penalty", [-sys.float_info.max, -1e300])
def test_a_huge_penalty_does_not_stop_the_model(model: str, penalty: float) -> None:
    optimizer = _optimizer(model, cube(2))
    for _ in range(9):
        proposal = optimizer.ask()
        optimizer.tell(proposal, penalty if proposal.point["x0"] > 0.5 else bowl(proposal.point))
    assert penalty in [objective for _, objective in optimizer.observations]
    assert optimizer.ask().prediction is not None


def test_a_model_that_cannot_be_fitted_gives_way_to_random_points_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    problem = HpProblem()
    problem.add_dim("x", (-1e280, 1e280))  # more than the single precision of a forest holds
    optimizer = _optimizer("RF", problem, n_initial_points=3)
    for i in range(8):
        optimizer.tell(optimizer.ask(), float(i))
    assert ["drawn at random" in record.getMessage() for record in caplog.records] == [True]


@every_model
def test_predictions_are_in_the_units_of_the_objective(model: str) -> None:
    optimizer = _optimizer(model, cube(2))
    for _ in range(16):
        proposal = optimizer.ask()
        optimizer.tell(proposal, 1000.0 + 500.0 * bowl(proposal.point))
    prediction = optimizer.predict({"x0": 0.3, "x1": 0.3})
    assert prediction is not None
    assert 900.0 < prediction.mean < 1100.0
    assert 0.0 <= prediction.std < 200.0


def test_predicting_changes_nothing_about_what_is_proposed() -> None:
    plain, curious = (_optimizer("RF", cube(2)) for _ in range(2))
    for _ in range(8):
        proposal = plain.ask()
        curious.predict({"x0": 0.5, "x1": 0.5}) if curious.observations else None
        assert curious.ask() == proposal
        curious.predict(proposal.point)
        for optimizer in (plain, curious):
            optimizer.tell(proposal, bowl(proposal.point))


def test_without_a_model_nothing_is_predicted() -> None:
    optimizer = _optimizer("DUMMY", cube(2))
    search_bowl(optimizer, 12)
    assert optimizer.ask().prediction is None
    assert optimizer.predict({"x0": 0.5, "x1": 0.5}) is None
