"""Run functions that break what they can reach: each is its own evaluation's failure alone."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest

from deephyper.evaluator import Outcome
from tests.evaluator.conftest import Create, is_gone
from tests.evaluator.hostile.named import ANYWHERE, ENDLESS, IN_A_PROCESS
from tests.evaluator.hostile.run import HERE, run

BY_SIGNALS = [name for name in IN_A_PROCESS if name.startswith("end by")]
OTHERS = [name for name in IN_A_PROCESS if name not in BY_SIGNALS]
FRESH = [
    "write_to_all",
    "close_all",
    "leave_session_and_die",
    "leave_without_environment_and_die",
    "daemonize",
    "fork_and_return_in_both",
    "kill_supervisor_of_daemon",
    "clear_modules",
]
"""Those that are tried with a process for each evaluation too."""


def outcomes_beside(
    create: Create, method: str, names: list[str], tmp_path: Path, timeout: float | None = None
) -> dict[str, Outcome]:
    """Evaluate hostile points among others; return the outcomes of the hostile ones.

    The others must come out right, and no process may be left.
    """
    pids = tmp_path / "pids"
    pids.touch()
    output = None if method == "thread" else tmp_path
    evaluator = create(
        method, 2, run=run if method == "thread" else HERE, timeout=timeout, output_dir=output
    )
    points: list[dict[str, Any]] = [{"x": -1}, {"x": -2}]
    for number, name in enumerate(names):
        points[-1:-1] = [{"do": name, "pids": str(pids)}, {"x": number}]
    evaluator.submit(points)
    outcomes = evaluator.gather_all()
    evaluator.close()
    assert len(outcomes) == 2 * len(names) + 2
    hostile = {o.job.point["do"]: o for o in outcomes if "do" in o.job.point}
    for outcome in outcomes:
        if "x" in outcome.job.point:
            assert outcome.objective == 2 * outcome.job.point["x"]
        assert outcome.start is not None
        assert 0 <= outcome.elapsed_sec < 100
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())
    return hostile


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that have a word in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if mark in process.environ().values():
                found.append(process)
        except psutil.Error:
            pass
    return found


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """A word in the environment of all that is started."""
    word = str(uuid.uuid4())
    monkeypatch.setenv("HOSTILE_TEST", word)
    return word


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_in_threads_a_hostile_run_is_a_failure_of_its_own(create: Create, tmp_path: Path) -> None:
    here = os.getcwd()
    outcomes = outcomes_beside(create, "thread", list(ANYWHERE), tmp_path)
    for name, outcome in outcomes.items():
        if name.startswith(("raise", "return")):
            assert outcome.status == "failed", name
    assert os.getcwd() == here


def test_in_a_process_a_hostile_run_is_a_failure_of_its_own(create: Create, tmp_path: Path) -> None:
    outcomes = outcomes_beside(create, "process", list(ANYWHERE), tmp_path)
    for name, outcome in outcomes.items():
        if name.startswith(("raise", "return")):
            assert outcome.failure is not None, name
            assert outcome.failure.kind != "worker_died", name


@pytest.mark.parametrize("name", OTHERS)
def test_a_run_that_breaks_its_worker_breaks_nothing_else(
    create: Create, tmp_path: Path, mark: str, name: str
) -> None:
    outcome = outcomes_beside(create, "process", [name], tmp_path)[name]
    assert outcome.objective == 1.0 or outcome.failure is not None
    assert [process for process in marked(mark) if not is_gone(process.pid)] == []


@pytest.mark.parametrize("name", FRESH)
def test_a_run_that_breaks_its_own_process_breaks_nothing_else(
    create: Create, tmp_path: Path, mark: str, name: str
) -> None:
    outcome = outcomes_beside(create, "subprocess", [name], tmp_path)[name]
    assert outcome.objective == 1.0 or outcome.failure is not None
    assert [process for process in marked(mark) if not is_gone(process.pid)] == []


def test_any_signal_is_an_end_like_others(create: Create, tmp_path: Path) -> None:
    outcomes = outcomes_beside(create, "process", BY_SIGNALS, tmp_path)
    failures = {name: o.failure for name, o in outcomes.items() if o.failure is not None}
    for name in ("end by SIGKILL", "end by SIGSEGV", "end by SIGTERM"):
        failure = failures[name]
        assert failure is not None
        assert failure.kind == "worker_died"
        assert name.removeprefix("end by ") in failure.message


@pytest.mark.parametrize("name", ENDLESS)
def test_a_run_without_end_ends_at_its_limit(create: Create, tmp_path: Path, name: str) -> None:
    failure = outcomes_beside(create, "process", [name], tmp_path, timeout=1.0)[name].failure
    assert failure is not None
    assert failure.kind in ("timeout", "out_of_memory")


@pytest.mark.parametrize("name", ["write_to_all", "write_messages_to_all", "write_then_sleep"])
def test_what_breaks_the_channel_is_a_death_of_the_worker(
    create: Create, tmp_path: Path, name: str
) -> None:
    failure = outcomes_beside(create, "process", [name], tmp_path)[name].failure
    assert failure is not None
    assert failure.kind == "worker_died"
    assert "channel" in failure.message
