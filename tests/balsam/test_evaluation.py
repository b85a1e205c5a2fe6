"""One evaluation as Balsam runs it, without Balsam: its messages, and its exit status."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deephyper.balsam.evaluation_directory import (
    EvaluationDirectory,
    EvaluationSpec,
    MessageReader,
)
from deephyper.evaluator import RunFunction
from deephyper.evaluator.worker.messages import JobEnded, JobReported, JobStarted
from deephyper.job import Failure

REPOSITORY = Path(__file__).resolve().parents[2]
FAILED = 3

FUNCTIONS = """
import os
import time

from deephyper import evaluation


def doubles(point):
    print("doubling")
    return 2 * point["x"]


def reports(point):
    for step in (1, 2):
        evaluation.report(step * point["x"], step=step, loss=0.5)
    return point["x"]


def fails(point):
    raise ValueError("out of cheese")


def sleeps(point):
    time.sleep(600)


def only_rank_0_returns(point):
    return point["x"] if os.environ["PMI_RANK"] == "0" else None


def rank_1_fails(point):
    if os.environ["PMI_RANK"] == "1":
        raise ValueError("out of cheese")
    time.sleep(600)
"""


class Program:
    """The program in a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.path = root / "evaluation"
        self.path.mkdir()
        self.output = root / "output.log"
        self.directory = EvaluationDirectory(self.path)
        self._root = root
        (root / "functions.py").write_text(FUNCTIONS)

    def prepare(self, run: str, **changes: Any) -> None:
        """Leave what to evaluate."""
        run_file = self._root / "run.json"
        run_file.write_text(RunFunction.of(f"{self._root / 'functions.py'}::{run}").dumps())
        values: dict[str, Any] = {
            "id": "7",
            "point": {"x": 1.5},
            "attempt": 1,
            "output": str(self.output),
            "run_file": str(run_file),
            "timeout": None,
            "ranks": 1,
            "threads": 1,
            "keeps_worker": False,
        }
        self.directory.write_spec(EvaluationSpec(**{**values, **changes}))

    def start(self, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "deephyper.balsam.evaluation"],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, **variables: str) -> tuple[int, str]:
        """Run it to its end; return its exit status and what it prints."""
        process = self.start(**variables)
        printed, _ = process.communicate(timeout=120)
        return process.returncode, printed

    def start_and_wait(self, **variables: str) -> subprocess.Popen[str]:
        """Start it; return when it has begun."""
        process = self.start(**variables)
        until = time.monotonic() + 60
        while self.directory.started() is None:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < until
            time.sleep(0.05)
        return process


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_it_leaves_its_start_and_its_objective(program: Program) -> None:
    program.prepare("doubles")
    assert program.run()[0] == 0
    started, ended = MessageReader(program.directory).read()
    assert isinstance(started, JobStarted)
    assert isinstance(ended, JobEnded)
    assert (started.job_id, ended.job_id) == ("7", "7")
    assert ended.result == 3.0
    assert started.time == ended.start
    assert ended.start is not None
    assert ended.start <= ended.end
    assert program.output.read_text() == "doubling\n"


def test_it_leaves_its_reports(program: Program) -> None:
    program.prepare("reports")
    assert program.run()[0] == 0
    started, *reports, ended = MessageReader(program.directory).read()
    assert isinstance(started, JobStarted)
    assert isinstance(ended, JobEnded)
    told = [(r.step, r.objective, r.metrics) for r in reports if isinstance(r, JobReported)]
    assert told == [(1, 1.5, {"loss": 0.5}), (2, 3.0, {"loss": 0.5})]


def test_a_failure_is_the_last_line_and_a_status_that_balsam_takes_as_one(
    program: Program,
) -> None:
    program.prepare("fails")
    status, printed = program.run()
    assert status == FAILED
    assert printed.splitlines()[-1] == "exception: ValueError: out of cheese"
    ended = program.directory.ended()
    assert ended is not None
    assert isinstance(ended.result, Failure)
    assert ended.result.kind == "exception"


def test_it_ends_at_its_time_limit(program: Program) -> None:
    program.prepare("sleeps", timeout=0.5)
    assert program.run()[0] == FAILED
    ended = program.directory.ended()
    assert ended is not None
    assert isinstance(ended.result, Failure)
    assert ended.result.kind == "timeout"
    assert "limit of 0.5 s" in ended.result.message


def test_a_function_that_is_not_there_is_a_failure(program: Program) -> None:
    program.prepare("nosuch")
    assert program.run()[0] == FAILED
    ended = program.directory.ended()
    assert ended is not None
    assert isinstance(ended.result, Failure)
    assert "has no 'nosuch'" in ended.result.message


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_request_to_stop_ends_it_without_a_result(program: Program, ranks: int) -> None:
    program.prepare("sleeps", ranks=ranks)
    process = program.start_and_wait(PMI_RANK="0")
    program.directory.request_stop()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert program.directory.ended() is None


@pytest.mark.parametrize("ranks", [1, 2])
def test_sigterm_ends_it_without_a_result(program: Program, ranks: int) -> None:
    program.prepare("sleeps", ranks=ranks)
    process = program.start_and_wait(PMI_RANK="0")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode not in (0, FAILED)
    assert program.directory.ended() is None


def test_another_try_begins_anew(program: Program) -> None:
    program.prepare("fails")
    program.run()
    program.prepare("doubles")
    assert program.run()[0] == 0
    ended = program.directory.ended()
    assert ended is not None
    assert ended.result == 3.0


def test_the_value_of_rank_0_counts(program: Program) -> None:
    program.prepare("only_rank_0_returns", ranks=2)
    ranks = [program.start(PMI_RANK=rank) for rank in "01"]
    for process in ranks:
        process.communicate(timeout=60)
        assert process.returncode == 0
    ended = program.directory.ended()
    assert ended is not None
    assert ended.result == 1.5


def test_the_failure_of_any_rank_counts(program: Program) -> None:
    program.prepare("rank_1_fails", ranks=2)
    waiting = program.start_and_wait(PMI_RANK="0")
    assert program.run(PMI_RANK="1")[0] == FAILED
    waiting.kill()
    waiting.communicate(timeout=60)
    ended = program.directory.ended()
    assert ended is not None
    assert isinstance(ended.result, Failure)
    assert ended.result.message == "rank 1: ValueError: out of cheese"
