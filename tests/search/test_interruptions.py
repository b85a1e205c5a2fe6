"""Interruptions of a search: Ctrl-C, SIGTERM and SIGHUP, in virtual time."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deephyper.job import Failure
from deephyper.optimizer import RandomOptimizer
from deephyper.search.replay import read_journal
from tests.search.virtual_search import VirtualSearch, raise_signal_at


@pytest.fixture
def search(tmp_path: Path) -> VirtualSearch:
    return VirtualSearch(tmp_path / "log")


def test_ctrl_c_waits_for_what_is_running(search: VirtualSearch) -> None:
    search.num_workers, search.duration = 2, lambda job: 10.0
    raise_signal_at(search.time, (15.0, signal.SIGINT))
    result = search.session(max_evals=10)
    assert (result.reason, result.signal) == ("interrupted", signal.SIGINT)
    assert result.num_evaluations == 4
    assert search.time.seconds == 20.0
    assert search.notices == [
        "no new evaluations; waiting for the 2 running ones (press Ctrl-C again to leave at once)"
    ]


def test_where_nobody_can_press_ctrl_c_the_scheduler_s_command_is_named(
    search: VirtualSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "37")
    monkeypatch.setattr("sys.stdin", None)
    search.duration = lambda job: 10.0
    raise_signal_at(search.time, (15.0, signal.SIGINT))
    search.session(max_evals=10)
    assert search.notices == [
        "no new evaluations; waiting for the 1 running ones (scancel 37 ends them)"
    ]


def test_ctrl_c_twice_stops_what_is_running(search: VirtualSearch) -> None:
    search.num_workers, search.duration = 2, lambda job: 1000.0
    raise_signal_at(search.time, (15.0, signal.SIGINT), (17.0, signal.SIGINT))
    result = search.session(max_evals=10)
    assert (result.reason, result.signal) == ("interrupted", signal.SIGINT)
    assert result.num_evaluations == 0
    assert search.time.seconds < 18.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_gives_what_is_running_its_grace(
    search: VirtualSearch, number: signal.Signals
) -> None:
    search.num_workers = 2
    search.duration = lambda job: 5.0 if job.id == "0" else 1000.0
    raise_signal_at(search.time, (1.0, number))
    result = search.session(max_evals=10, grace=7.0)
    assert (result.reason, result.signal) == ("interrupted", number)
    assert result.num_evaluations == 1
    assert search.time.seconds == 8.0


def test_a_second_sigterm_takes_no_grace_away(search: VirtualSearch) -> None:
    search.duration = lambda job: 5.0
    raise_signal_at(search.time, (1.0, signal.SIGTERM), (1.1, signal.SIGTERM))
    assert search.session(max_evals=10, grace=7.0).num_evaluations == 1


def test_a_second_sigterm_gives_no_further_grace(search: VirtualSearch) -> None:
    search.duration = lambda job: 1000.0
    raise_signal_at(search.time, (1.0, signal.SIGTERM), (6.0, signal.SIGTERM))
    search.session(max_evals=10, grace=7.0)
    assert search.time.seconds == 8.0


def test_sigterm_after_ctrl_c_gives_a_grace(search: VirtualSearch) -> None:
    search.num_workers = 2
    search.duration = lambda job: 5.0 if job.id == "0" else 1000.0
    raise_signal_at(search.time, (1.0, signal.SIGINT), (3.0, signal.SIGTERM))
    result = search.session(max_evals=10, grace=4.0)
    assert (result.num_evaluations, result.signal) == (1, signal.SIGINT)
    assert search.time.seconds == 7.0


def test_ctrl_c_after_sigterm_stops_at_once(search: VirtualSearch) -> None:
    search.duration = lambda job: 1000.0
    raise_signal_at(search.time, (1.0, signal.SIGTERM), (2.0, signal.SIGINT))
    result = search.session(max_evals=10, grace=100.0)
    assert result.signal == signal.SIGTERM
    assert search.time.seconds < 3.0


def test_a_third_ctrl_c_ends_an_optimizer_that_never_answers(search: VirtualSearch) -> None:
    class Endless(RandomOptimizer):
        def tell(self, x: Any, y: Any) -> None:
            for _ in range(3):
                signal.raise_signal(signal.SIGINT)
            raise AssertionError("the third one was not heard")

    search.make_optimizer = Endless
    with pytest.raises(KeyboardInterrupt):
        search.session(max_evals=10)
    assert len(read_journal(search.log_dir).ended) == 1
    search.make_optimizer = VirtualSearch.make_optimizer
    assert search.session().num_evaluations == 10


def test_a_search_outside_the_main_thread_leaves_signals_alone(search: VirtualSearch) -> None:
    with ThreadPoolExecutor() as threads:
        assert threads.submit(search.session, 3).result().num_evaluations == 3


def test_signals_are_the_program_s_own_again_after_a_search(search: VirtualSearch) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    search.session(max_evals=1)
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_search_under_nohup_outlives_its_terminal(search: VirtualSearch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        raise_signal_at(search.time, (1.0, signal.SIGHUP))
        assert search.session(max_evals=5).reason == "max_evals"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_dies_after_a_signal_was_stopped_and_runs_again(search: VirtualSearch) -> None:
    """A scheduler that cancels a job ends the evaluations with the search."""
    died = Failure("worker_died", "the worker process was ended by SIGTERM")
    dead = {"1", "2"}
    search.num_workers, search.options = 3, {"retries": 1, "max_failures": 1}
    search.duration = lambda job: 5.0
    search.run = lambda job: died if job.id in dead else job.point["x"]
    raise_signal_at(search.time, (4.0, signal.SIGTERM))
    result = search.session(max_evals=4)
    assert (result.reason, result.num_evaluations, result.num_failures) == ("interrupted", 1, 0)
    assert search.time.seconds == 5.0
    assert search.notices[-1] == (
        "2 running evaluations were stopped; they run again when the search is resumed"
    )
    assert [e.job.id for e in read_journal(search.log_dir).unfinished] == ["1", "2"]
    dead.clear()
    result = search.session(max_evals=4)
    assert (result.reason, result.num_evaluations, result.num_failures) == ("max_evals", 4, 0)
    assert search.ids == ["1", "2", "3"]


def test_what_fails_by_itself_after_a_signal_has_failed(search: VirtualSearch) -> None:
    search.run = lambda job: Failure("exception", "ValueError: odd")
    raise_signal_at(search.time, (0.5, signal.SIGTERM))
    assert search.session(max_evals=4).num_failures == 1
