"""When the loop submits, retries, reuses and ends, in virtual time."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import ProblemError, SettingsError
from deephyper.evaluator import Evaluator
from deephyper.optimizer import RandomOptimizer
from deephyper.problem import HpProblem
from deephyper.search.hps.ambs import AMBS
from deephyper.search.search import Search
from tests.search.virtual_search import (
    EPOCH,
    RAISED,
    Made,
    VirtualSearch,
    finite_problem,
    raise_signal_at,
)


@pytest.fixture
def search(tmp_path: Path) -> VirtualSearch:
    return VirtualSearch(tmp_path / "log")


# Budgets.


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_makes_exactly_the_evaluations_of_its_budget(search: VirtualSearch, workers: int) -> None:
    search.num_workers = workers
    result = search.session(max_evals=7)
    assert result.reason == "max_evals"
    assert result.num_evaluations == 7
    assert sorted(search.ids) == sorted("0123456")


def test_makes_100_evaluations_without_a_budget(search: VirtualSearch) -> None:
    assert search.session().num_evaluations == 100


def test_no_worker_waits_for_another(search: VirtualSearch) -> None:
    search.num_workers = 2
    search.duration = lambda job: 100.0 if job.id == "0" else 10.0
    search.session(max_evals=11)
    assert search.time.seconds == 100.0


def test_ends_when_its_time_is_over(search: VirtualSearch) -> None:
    result = search.session(timeout=10.5)
    assert result.reason == "timeout"
    assert result.num_evaluations == 11  # the last one used its grace
    assert search.time.seconds == 11.0


def test_stops_what_runs_past_the_grace(search: VirtualSearch) -> None:
    search.duration = lambda job: 1e9 if job.id == "2" else 1.0
    result = search.session(timeout=5.0, grace=3.0)
    assert result.reason == "timeout"
    assert result.num_evaluations == 2
    assert search.time.seconds == 8.0
    assert search.notices == [
        "the time limit was reached; the 1 running evaluations have 3 s to end",
        "1 running evaluations were stopped; they run again when the search is resumed",
    ]


def test_a_stopped_evaluation_runs_again_on_a_resume(search: VirtualSearch) -> None:
    search.duration = lambda job: 1e9 if job.id == "2" else 1.0
    search.session(max_evals=5, timeout=5.0, grace=3.0)
    search.duration = lambda job: 1.0
    result = search.session(timeout=100.0)
    assert search.ids == ["2", "3", "4"]
    assert result.num_evaluations == 5
    assert len({e.job.point["x"] for e in result.evaluations}) == 5


def test_ends_when_every_point_was_evaluated(search: VirtualSearch) -> None:
    search.problem, search.num_workers = finite_problem(5), 3
    result = search.session(max_evals=100)
    assert result.reason == "exhausted"
    assert sorted(e.job.point["n"] for e in result.evaluations) == [1, 2, 3, 4, 5]


def test_resumes_an_exhausted_space_without_an_evaluation(search: VirtualSearch) -> None:
    search.problem = finite_problem(3)
    search.session(max_evals=100)
    result = search.session()
    assert result.reason == "exhausted"
    assert search.ids == []


# Budgets over sessions.


def test_the_budget_counts_all_sessions(search: VirtualSearch) -> None:
    search.session(max_evals=4)
    assert search.session(max_evals=10).num_evaluations == 10
    assert search.ids == ["4", "5", "6", "7", "8", "9"]


def test_a_resume_keeps_the_budget_that_it_is_not_given(search: VirtualSearch) -> None:
    raise_signal_at(search.time, (2.5, signal.SIGINT))
    search.session(max_evals=6)
    result = search.session()
    assert result.reason == "max_evals"
    assert result.num_evaluations == 6


def test_a_resume_with_its_budget_used_up_evaluates_nothing(search: VirtualSearch) -> None:
    search.session(max_evals=4)
    assert search.session().reason == "max_evals"
    assert search.ids == []


def test_a_smaller_budget_holds_for_unfinished_evaluations_too(search: VirtualSearch) -> None:
    search.num_workers = 4
    raise_signal_at(search.time, (1.5, signal.SIGINT), (1.6, signal.SIGINT))
    assert search.session(max_evals=20).num_evaluations == 4
    result = search.session(max_evals=6)
    assert result.num_evaluations == 6
    assert search.ids == ["4", "5"]


def test_the_time_counts_all_sessions(search: VirtualSearch) -> None:
    raise_signal_at(search.time, (6.5, signal.SIGINT))
    search.session(timeout=10.0)
    search.time.seconds += 1000.0  # between the sessions
    result = search.session()
    assert result.reason == "timeout"
    assert result.num_evaluations == 10


def test_a_resume_with_its_time_used_up_evaluates_nothing(search: VirtualSearch) -> None:
    search.session(timeout=5.0)
    assert search.session().reason == "timeout"
    assert search.ids == []
    assert search.session(timeout=8.0).num_evaluations == 8


def test_a_clock_set_back_between_sessions_gives_and_takes_no_time(search: VirtualSearch) -> None:
    search.session(timeout=5.0)
    search.time.seconds -= 5000.0
    assert search.session(timeout=9.0).num_evaluations == 9
    assert search.session(timeout=12.0).num_evaluations == 12


def test_search_called_again_goes_on(search: VirtualSearch) -> None:
    search.session(max_evals=2)
    again = Search(
        search.problem,
        search.evaluator,
        Made(search.make_optimizer),
        log_dir=search.log_dir,
        resume=True,
    )
    assert again.search(max_evals=3).num_evaluations == 3
    assert again.search(max_evals=5).num_evaluations == 5


def test_search_called_again_forgives_the_failures_before(search: VirtualSearch) -> None:
    search.run = lambda job: RAISED if int(job.id) < 4 else 1.0
    search.session(max_evals=1)
    again = Search(
        search.problem,
        search.evaluator,
        Made(search.make_optimizer),
        log_dir=search.log_dir,
        resume=True,
        max_failures=2,
    )
    assert again.search(max_evals=9).reason == "max_failures"
    assert again.search(max_evals=9).num_evaluations == 9


# Points that are known.


def test_equal_points_are_evaluated_once(search: VirtualSearch) -> None:
    search.problem, search.num_workers = finite_problem(40), 2
    search.run = lambda job: float(job.point["n"] // 10)
    result = search.session(max_evals=40, cache_key=lambda point: point["n"] // 10)
    assert result.num_evaluations == 40
    assert len(search.ids) < 10
    for evaluation in result.evaluations:
        assert evaluation.outcome is not None
        assert evaluation.outcome.objective == evaluation.job.point["n"] // 10


def test_known_points_are_remembered_over_sessions(search: VirtualSearch) -> None:
    search.options = {"cache_key": lambda point: "the same"}
    search.session(max_evals=1)
    assert search.session(max_evals=50).num_evaluations == 50
    assert search.ids == []
    assert search.time.seconds == 1.0


def test_known_points_wait_for_no_running_one(search: VirtualSearch) -> None:
    search.problem, search.num_workers = finite_problem(30), 2
    for first in (1, 7):
        search.problem.add_starting_point(n=first)
    search.duration = lambda job: 100.0 if job.point["n"] == 7 else 1.0
    result = search.session(max_evals=30, cache_key=lambda point: point["n"] == 7)
    reused = [outcome for outcome in result.outcomes if outcome.worker == "cache"]
    assert len(reused) == 28
    assert {outcome.end for outcome in reused} == {EPOCH + 1.0}


def test_failures_are_not_reused(search: VirtualSearch) -> None:
    search.run = lambda job: RAISED
    search.session(max_evals=3, cache_key=lambda point: "the same")
    assert search.ids == ["0", "1", "2"]


def test_known_points_do_not_keep_a_search_from_ending(search: VirtualSearch) -> None:
    asked = 0

    class Counting(RandomOptimizer):
        def ask(self, n_points: Any = None) -> Any:
            nonlocal asked
            asked += 1
            search.time.seconds += 0.01
            if asked == 30:
                signal.raise_signal(signal.SIGINT)
            return super().ask(n_points)

    search.make_optimizer = Counting
    result = search.session(timeout=1e9, cache_key=lambda point: "the same")
    assert result.reason == "interrupted"
    assert asked == 30


# What is refused.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retries": -1}, "retries is -1"),
        ({"grace": -1.0}, "grace is -1.0"),
        ({"grace": float("nan")}, "grace is nan"),
        ({"sigterm_grace": "10s"}, "sigterm_grace is '10s'"),
        ({"max_failures": 0}, "max_failures is 0"),
        ({"resume": True, "warm_start": "results.csv"}, "resume continues a search and warm_start"),
        ({"cache_key": "no.such.module.key"}, "cache key 'no.such.module.key'"),
        ({"retries": "2"}, "retries is '2'"),
        ({"grace": "10s"}, "grace is '10s'"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "3"}, "seed is '3'"),
        ({"cache_key": 5}, "cache key 5"),
        ({"cache_key": "os.path.sep"}, "cache key 'os.path.sep' is not a function"),
    ],
)
def test_refuses_settings_out_of_their_range(
    search: VirtualSearch, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        search.session(max_evals=1, **options)
    assert not search.log_dir.exists()


@pytest.mark.parametrize(
    ("max_evals", "timeout"),
    [
        (0, None),
        (-1, None),
        (2.5, None),
        ("3", None),
        (True, None),
        (None, 0.0),
        (None, float("nan")),
        (None, "soon"),
    ],
)
def test_refuses_budgets_without_room(search: VirtualSearch, max_evals: Any, timeout: Any) -> None:
    with pytest.raises(SettingsError):
        search.session(max_evals, timeout)
    assert not search.log_dir.exists()


@pytest.mark.parametrize("name", ["objective", "id", "status", "start", "failure"])
def test_refuses_a_hyperparameter_named_like_a_column(search: VirtualSearch, name: str) -> None:
    search.problem = HpProblem()
    search.problem.add_hyperparameter((0, 1), name)
    with pytest.raises(ProblemError, match=f"'{name}' has the name of a column"):
        search.session(max_evals=1)


@pytest.mark.parametrize("optimizer", [object(), RandomOptimizer])
def test_refuses_an_optimizer_that_is_none(tmp_path: Path, optimizer: Any) -> None:
    problem = finite_problem(3)
    with (
        Evaluator.create(lambda point: 1.0, "thread") as evaluator,
        pytest.raises(SettingsError, match=r"no method 'ask'|is the class RandomOptimizer"),
    ):
        AMBS(problem, evaluator, log_dir=tmp_path, optimizer=optimizer)


@pytest.mark.parametrize("key", [lambda point: 1 / 0, lambda point: {1: "a", "b": 2}])
def test_a_cache_key_that_fails_is_told_with_its_point(search: VirtualSearch, key: Any) -> None:
    with pytest.raises(SettingsError, match=r"the cache key function failed for \{'x': 0"):
        search.session(max_evals=2, cache_key=key)
