"""Searches that end because of what they have found, or because they find nothing better."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.errors import SettingsError
from deephyper.job import Failure, Job
from deephyper.search.budget import Budget
from tests.search.virtual_search import VirtualSearch

FAILED = Failure("exception", "ValueError")


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
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
