"""Searches that end because of what they have found, or because they find nothing better."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deephyper import VirtualEvaluator
from deephyper.errors import SettingsError
from deephyper.job import Failure, Job, Prediction
from deephyper.optimizer import RandomOptimizer, SkoptSettings
from deephyper.optimizer.encoding import Key
from deephyper.problem import BaseProblem
from deephyper.problem.point import Point
from deephyper.search.budget import Budget
from deephyper.search.search import Search
from tests.search.virtual_search import VirtualSearch, line_problem

FAILED = Failure("exception", "ValueError")
Predictions = Callable[[int], "tuple[float, float] | None"]


class OwnOptimizer:
    """An optimizer of a user's own."""

    def ask(self) -> Point:
        return {"x": 0.5}

    def tell(self, point: Point, objective: float) -> None:
        pass


def searching(tmp_path: Path, objectives: list[float | None], workers: int = 1) -> VirtualSearch:
    """Return a search whose evaluations have these objectives in turn; None fails."""

    def run(job: Job) -> float | Failure:
        objective = objectives[int(job.id)]
        return FAILED if objective is None else objective

    return VirtualSearch(tmp_path / "search", run=run, num_workers=workers)


def test_ends_at_the_target(tmp_path: Path) -> None:
    search = searching(tmp_path, [0.1, 0.5, 0.3, 0.7, 0.9, 0.9])
    result = search.session(6, target=0.7)
    assert (result.reason, result.num_evaluations) == ("target", 4)
    assert "the target was reached" in repr(result)


def test_what_is_running_at_the_target_counts(tmp_path: Path) -> None:
    search = searching(tmp_path, [0.1, 0.7, 0.9, 0.2, 0.3, 0.4], workers=3)
    result = search.session(6, target=0.7)
    assert (result.reason, result.num_evaluations, result.best_objective) == ("target", 3, 0.9)


def test_ends_without_an_improvement_for_as_long_as_the_patience(tmp_path: Path) -> None:
    search = searching(tmp_path, [0.1, 0.5, 0.3, None, 0.6, 0.6, 0.2, None, 0.9])
    result = search.session(9, patience=3)
    assert (result.reason, result.num_evaluations, result.best_objective) == ("patience", 8, 0.6)


def test_improvements_of_no_more_than_min_delta_are_none(tmp_path: Path) -> None:
    search = searching(tmp_path, [0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8])
    result = search.session(6, patience=3, min_delta=0.25)
    assert (result.reason, result.num_evaluations, result.best_objective) == ("patience", 4, 0.6875)
    # Many small ones together are one.
    other = searching(tmp_path / "other", [0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8, 0.8, 0.8, 0.8])
    result = other.session(9, patience=3, min_delta=0.125)
    assert (result.reason, result.num_evaluations) == ("patience", 7)


def test_the_patience_that_was_used_up_counts_on_a_resume(tmp_path: Path) -> None:
    objectives = [0.1, 0.5, 0.3, 0.2, 0.1, 0.9, 0.9]
    search = searching(tmp_path, list(objectives))
    search.session(4)
    result = search.session(7, patience=3)
    assert (result.reason, result.num_evaluations) == ("patience", 5)
    assert search.session(7, patience=3).num_evaluations == 5
    result = search.session(7, target=0.9)
    assert (result.reason, result.num_evaluations) == ("target", 6)


def test_a_resumed_search_begins_without_a_failure(tmp_path: Path) -> None:
    search = searching(tmp_path, [None, None, None, None, 0.5])
    assert search.session(2, max_failures=2, target=1.0).reason == "max_failures"
    assert search.session(5, max_failures=3, target=1.0).reason == "max_evals"


class Foreseeing(RandomOptimizer):
    """Predicts what it is told to, whatever the point is."""

    def __init__(self, problem: BaseProblem, seed: int | None, predictions: Predictions) -> None:
        super().__init__(problem, seed)
        self._predictions = predictions
        self._number = 0

    def _predict(self, key: Key, point: Point) -> Prediction | None:
        self._number += 1
        expected = self._predictions(self._number - 1)
        return None if expected is None else Prediction(*expected, acquisition=0.0)


def foreseeing(
    tmp_path: Path,
    predictions: Predictions,
    later: Callable[[int], float | None] = lambda number: 0.0,
    sign: float = 1.0,
) -> VirtualSearch:
    """Return a search whose first 8 objectives are 0, 0.1, ... 0.7, so that 0.35 is gained.

    Args:
        tmp_path: the directory for its files.
        predictions: mean and standard deviation of the prediction of each evaluation.
        later: objective of each evaluation after the first 8; None fails.
        sign: of all objectives.
    """

    def run(job: Job) -> float | Failure:
        number = int(job.id)
        objective = number / 10 if number < 8 else later(number)
        return FAILED if objective is None else sign * objective

    return VirtualSearch(
        tmp_path / "search",
        run=run,
        make_optimizer=lambda problem, seed: Foreseeing(problem, seed, predictions),
        options={"stop_when_done": True},
    )


def test_ends_when_little_was_expected_often_enough(tmp_path: Path) -> None:
    result = foreseeing(tmp_path, lambda number: (0.0, 0.001)).session(100)
    assert (result.reason, result.num_evaluations) == ("done", 8 + 25)
    assert "no improvement that is worth further evaluations" in repr(result)


def test_what_a_search_that_minimizes_expects(tmp_path: Path) -> None:
    search = foreseeing(tmp_path, lambda number: (0.0, 0.001), sign=-1.0)
    result = search.session(100, direction="minimize")
    assert (result.reason, result.num_evaluations, result.best_objective) == ("done", 33, -0.7)


@pytest.mark.parametrize("promised", [(0.71, 0.001), (0.5, 0.2), None])
def test_one_that_promises_more_begins_anew(
    tmp_path: Path, promised: tuple[float, float] | None
) -> None:
    search = foreseeing(tmp_path, lambda number: promised if number == 20 else (0.0, 0.001))
    assert search.session(100).num_evaluations == 21 + 25


def test_an_improvement_that_was_not_expected_begins_anew(tmp_path: Path) -> None:
    def later(number: int) -> float:
        return {20: 0.71, 25: 0.7101}.get(number, 0.0)

    result = foreseeing(tmp_path, lambda number: (0.0, 0.001), later).session(100)
    assert result.num_evaluations == 21 + 25


def test_failures_that_promised_little_count(tmp_path: Path) -> None:
    result = foreseeing(tmp_path, lambda number: (0.0, 0.001), lambda number: None).session(100)
    assert (result.reason, result.num_evaluations) == ("done", 33)


def test_a_model_that_is_too_sure_of_itself_ends_nothing(tmp_path: Path) -> None:
    # Five standard deviations below the best; as far as that, objectives are off too.
    wrong = foreseeing(tmp_path, lambda number: (0.6, 0.02), lambda number: 0.5)
    assert wrong.session(80).reason == "max_evals"
    right = foreseeing(tmp_path / "right", lambda number: (0.6, 0.02), lambda number: 0.61)
    assert right.session(80).reason == "done"


def test_a_smaller_share_is_worth_more(tmp_path: Path) -> None:
    # 0.001 is 0.3 % of what was gained.
    search = foreseeing(tmp_path, lambda number: (0.701, 1e-6), lambda number: 0.7)
    assert search.session(60, stop_when_done=0.001).reason == "max_evals"
    other = foreseeing(tmp_path / "other", lambda number: (0.701, 1e-6), lambda number: 0.7)
    assert other.session(60, stop_when_done=0.01).reason == "done"


def test_where_nothing_was_gained_nothing_is_little(tmp_path: Path) -> None:
    search = foreseeing(tmp_path, lambda number: (0.0, 0.001))
    search.run = lambda job: 0.0
    assert search.session(60).reason == "max_evals"


def test_what_was_expected_counts_on_a_resume(tmp_path: Path) -> None:
    search = foreseeing(tmp_path, lambda number: (0.0, 0.001))
    search.session(30, stop_when_done=False)
    assert search.session(100).num_evaluations == 33
    assert search.session(100).reason == "done"


@pytest.mark.parametrize("optimizer", ["random", SkoptSettings("DUMMY"), OwnOptimizer()])
def test_without_a_model_nothing_is_expected(tmp_path: Path, optimizer: Any) -> None:
    with pytest.raises(SettingsError, match=r"^stop_when_done goes by what a model expects, and '"):
        Search(line_problem(), lambda p: 0.0, optimizer, log_dir=None, stop_when_done=True)


def test_a_simple_problem_is_soon_done() -> None:
    evaluator = VirtualEvaluator(run_job=lambda job: -((job.point["x"] - 0.3) ** 2), num_workers=4)
    search = Search(line_problem(), evaluator, log_dir=None, seed=1, stop_when_done=True)
    result = search.search(max_evals=200)
    assert result.reason == "done"
    assert result.num_evaluations < 60
    assert result.best_objective == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stop_when_done": 1}, "stop_when_done is 1; give the share of what was gained"),
        ({"stop_when_done": 0.0}, "stop_when_done is 0.0; give the share"),
        ({"stop_when_done": "yes"}, "stop_when_done is 'yes'; give the share"),
        ({"target": "0.9"}, "target is '0.9'; give the objective that is good enough"),
        ({"target": float("nan")}, "target is nan"),
        ({"patience": 0}, "patience is 0; give a whole number from 1 to"),
        ({"patience": 3, "min_delta": -0.1}, "min_delta is -0.1"),
        ({"min_delta": 0.1}, "min_delta says which improvements count for patience"),
    ],
)
def test_what_can_be_no_end_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=f"^{message}"):
        Budget(**options)  # type: ignore[arg-type]
