"""Evaluations in threads: what not every evaluator has to do."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import EvaluatorError
from deephyper.evaluator import Job
from deephyper.job import Started
from tests.evaluator.conftest import Create, only


def test_a_thread_that_cannot_be_started_is_told_in_one_line(
    create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(EvaluatorError, match="use fewer workers"):
        create("thread", 1).submit([{"do": "double", "x": 1}])


@pytest.mark.parametrize("with_another", [False, True])
def test_threads_leave_directory_and_streams_as_they_were(
    create: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_another: bool
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    streams = sys.stdout, sys.stderr

    def run(point: dict[str, Any]) -> Any:
        if "do" not in point:
            return float(os.path.samefile(os.curdir, tmp_path / "renamed"))
        gone = tempfile.mkdtemp()
        os.chdir(gone)
        os.rmdir(gone)
        sys.stdout = sys.stderr = io.StringIO()
        home.rename(tmp_path / "renamed")
        return 1.0

    evaluator = create("thread", 1, run=run)
    evaluator.submit([{"do": "change"}, *([{}] if with_another else [])])
    assert [o.objective for o in evaluator.gather_all()] == [1.0] * (1 + with_another)
    assert os.path.samefile(os.curdir, tmp_path / "renamed")
    assert (sys.stdout, sys.stderr) == streams


def test_threads_whose_processes_stay_need_one_reaper_for_all(create: Create) -> None:
    def run(point: dict[str, Any]) -> Any:
        started.append(subprocess.Popen(["sleep", "60"]))
        return 1.0

    def leave_one() -> int:
        evaluator = create("thread", 1, run=run)
        evaluator.submit([{}])
        assert only(evaluator.gather_all()).objective == 1.0
        evaluator.close()
        return len(os.listdir("/proc/self/fd"))

    started: list[subprocess.Popen[bytes]] = []
    try:
        assert leave_one() == leave_one() == leave_one()
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_a_late_result_of_a_left_thread_is_no_other_jobs(create: Create) -> None:
    evaluator = create("thread", 1, timeout=0.3)
    evaluator.submit([Job("0", {"do": "sleep", "seconds": 0.6})])
    assert only(evaluator.gather_all()).status == "failed"
    evaluator.timeout = None
    evaluator.submit([Job("0", {"do": "sleep", "seconds": 1.0})])
    assert only(evaluator.gather_all()).objective == 1.0


def test_a_canceled_job_that_no_thread_has_begun_is_not_run(create: Create) -> None:
    ran = []

    def run(point: dict[str, int]) -> float:
        ran.append(point["x"])
        return 1.0

    evaluator = create("thread", 1, run=run)
    evaluator.submit([{"x": 0}])
    evaluator.gather_all()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(600.0)  # no thread gets a turn before we wait
    try:
        evaluator.submit([{"x": 1}])
        assert only(evaluator.cancel()).status == "stopped"
    finally:
        sys.setswitchinterval(interval)
    evaluator.submit([{"x": 2}])
    assert only(evaluator.gather_all()).objective == 1.0
    assert ran == [0, 2]


def test_no_job_waits_for_a_thread_that_was_left_behind(create: Create) -> None:
    released = threading.Event()

    def run(point: dict[str, bool]) -> float:
        if point["hangs"]:
            released.wait()
        return 1.0

    evaluator = create("thread", 2, run=run)
    try:
        for _ in range(3):
            hanging = evaluator.submit([{"hangs": True}, {"hangs": True}])
            begun: set[str] = set()
            while len(begun) < 2:
                begun |= {e.job.id for e in evaluator.gather() if isinstance(e, Started)}
            assert len(evaluator.cancel(job.id for job in hanging)) == 2
            evaluator.submit([{"hangs": False}] * 4)
            assert [outcome.objective for outcome in evaluator.gather_all()] == [1.0] * 4
    finally:
        released.set()


def test_threads_end_with_their_evaluator(create: Create) -> None:
    before = set(threading.enumerate())
    with create("thread", 3) as evaluator:
        evaluator.submit([{"do": "double", "x": 1}] * 3)
        evaluator.gather_all()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=60.0)
        assert not thread.is_alive()
