"""The loop of a search where evaluations fail, or the search itself does, in virtual time."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from deephyper.clock import VirtualClock
from deephyper.errors import ResultsError
from deephyper.evaluator import Evaluator, VirtualEvaluator
from deephyper.job import Failure
from deephyper.optimizer import RandomOptimizer
from deephyper.search.hps.random import RandomSearch
from deephyper.search.replay import read_journal
from deephyper.search.search import Search
from tests.search.virtual_search import (
    DIED,
    RAISED,
    Made,
    VirtualSearch,
    line_problem,
    raise_signal_at,
)


@pytest.fixture
def search(tmp_path: Path) -> VirtualSearch:
    return VirtualSearch(tmp_path / "log")


# Failures.


def test_failures_count_as_evaluations(search: VirtualSearch) -> None:
    search.run = lambda job: RAISED if int(job.id) % 2 else 1.0
    result = search.session(max_evals=6)
    assert (result.num_evaluations, result.num_failures) == (6, 3)


def test_ends_after_max_failures_in_a_row(search: VirtualSearch) -> None:
    search.run = lambda job: RAISED if job.id not in ("0", "3") else 1.0
    result = search.session(max_evals=20, max_failures=3)
    assert result.reason == "max_failures"
    assert result.num_evaluations == 7


def test_tries_again_when_a_worker_died(search: VirtualSearch) -> None:
    search.run = lambda job: DIED if job.id == "1" and job.attempt < 3 else 1.0
    result = search.session(max_evals=3, retries=2)
    assert search.ids == ["0", "1", "1", "1", "2"]
    assert [job.attempt for job in search.evaluator.submitted] == [1, 1, 2, 3, 1]
    assert (result.num_evaluations, result.num_failures) == (3, 0)


def test_tries_once_again_when_a_node_died_even_without_retries(search: VirtualSearch) -> None:
    gone = Failure("node_died", "its node is gone")
    search.run = lambda job: 1.0 if job.attempt == 2 and job.id == "0" else gone
    result = search.session(max_evals=2)
    assert [outcome.job.attempt for outcome in result.outcomes] == [2, 2]
    assert [outcome.failure for outcome in result.outcomes] == [None, gone]
    assert search.notices.count("evaluation 0 runs again: its node is gone") == 1


def test_gives_up_when_the_retries_are_used_up(search: VirtualSearch) -> None:
    search.run = lambda job: DIED
    result = search.session(max_evals=2, retries=1)
    assert search.ids == ["0", "0", "1", "1"]
    assert (result.num_evaluations, result.num_failures) == (2, 2)


def test_a_retry_of_the_last_evaluation_keeps_the_budget(search: VirtualSearch) -> None:
    search.num_workers = 4
    search.run = lambda job: DIED if job.attempt == 1 else 1.0
    result = search.session(max_evals=4, retries=1)
    assert result.reason == "max_evals"
    assert (result.num_evaluations, result.num_failures) == (4, 0)


@pytest.mark.parametrize(
    "kind", ["exception", "reported", "none", "not_a_number", "nan", "infinite", "timeout"]
)
def test_does_not_try_the_code_s_own_faults_again(search: VirtualSearch, kind: Any) -> None:
    search.run = lambda job: Failure(kind, "no")
    search.session(max_evals=2, retries=5)
    assert search.ids == ["0", "1"]


def test_a_retry_that_was_due_at_the_end_of_a_session_is_made_in_the_next(
    search: VirtualSearch,
) -> None:
    search.run = lambda job: DIED
    raise_signal_at(search.time, (0.5, signal.SIGINT))
    assert search.session(max_evals=1, retries=1).num_evaluations == 0
    search.run = lambda job: 1.0
    result = search.session()
    assert (result.num_evaluations, result.num_failures) == (1, 0)


def test_a_search_in_memory_remembers_its_retries() -> None:
    clock = VirtualClock()
    evaluator = VirtualEvaluator(
        run_job=lambda job: DIED if job.id == "1" else 1.0,
        num_workers=2,
        duration=lambda job: 1.0 if job.id == "1" else 5.0,
        clock=clock,
    )
    search = RandomSearch(line_problem(), evaluator, log_dir=None, retries=1)
    # Evaluation 1 dies as the time is over, so its second attempt is the next session's.
    assert search.search(max_evals=2, timeout=1.0).num_failures == 0
    assert search.search(max_evals=2, timeout=100.0).num_failures == 1
    assert [(job.id, job.attempt) for job in evaluator.submitted] == [("0", 1), ("1", 1), ("1", 2)]


def test_no_evaluation_is_tried_again_unless_asked_for(search: VirtualSearch) -> None:
    search.run = lambda job: DIED if job.id == "1" else 1.0
    result = search.session(max_evals=3)
    assert (result.num_evaluations, result.num_failures) == (3, 1)
    assert search.ids == ["0", "1", "2"]


# What goes wrong in the search itself.


def test_what_ended_is_kept_when_the_optimizer_fails(search: VirtualSearch) -> None:
    class Failing(RandomOptimizer):
        def tell(self, x: Any, y: Any) -> None:
            raise RuntimeError("singular matrix")

    search.make_optimizer, search.num_workers = Failing, 3
    search.duration = lambda job: 1.0 + int(job.id)
    with pytest.raises(RuntimeError, match="singular matrix"):
        search.session(max_evals=9)
    assert len(read_journal(search.log_dir).ended) == 1
    search.make_optimizer = VirtualSearch.make_optimizer
    result = search.session()
    assert result.num_evaluations == 9
    assert search.ids == ["1", "2", "3", "4", "5", "6", "7", "8"]


def test_all_that_ended_together_is_kept_when_showing_the_first_fails(
    search: VirtualSearch,
) -> None:
    def show(outcome: Any) -> None:
        raise RuntimeError("no terminal")

    evaluations = 3
    search.num_workers = evaluations  # which all end at the same time
    with pytest.raises(RuntimeError, match="no terminal"):
        search.session(max_evals=evaluations, on_outcome=show)
    assert len(read_journal(search.log_dir).ended) == evaluations


def test_what_ended_meanwhile_is_kept_when_the_optimizer_fails(search: VirtualSearch) -> None:
    first_is_told = threading.Event()
    order = itertools.count()

    def run(point: dict[str, Any]) -> float:
        if next(order) == 1:
            first_is_told.wait(10)
        return float(point["x"])

    class Failing(RandomOptimizer):
        def tell(self, x: Any, y: Any) -> None:
            assert len(x) == 1
            first_is_told.set()
            time.sleep(0.2)  # so that the other evaluation ends
            raise RuntimeError("singular matrix")

    with (
        Evaluator.create(run, "thread", num_workers=2) as evaluator,
        pytest.raises(RuntimeError, match="singular matrix"),
    ):
        Search(
            search.problem,
            evaluator,
            Made(Failing),
            log_dir=search.log_dir,
        ).search(max_evals=2)
    assert len(read_journal(search.log_dir).ended) == 2


def test_ends_when_another_search_has_taken_its_directory(search: VirtualSearch) -> None:
    def take() -> None:
        for claim in search.log_dir.glob("running-*.json"):
            claim.unlink()
        (search.log_dir / "running-000002.json").write_text('{"pid": 1, "host": "elsewhere"}')

    search.time.at(2.5, take)
    with pytest.raises(ResultsError, match=r"another search has taken .*process 1 on elsewhere"):
        search.session(max_evals=10)
    assert len(read_journal(search.log_dir).ended) in (2, 3)
