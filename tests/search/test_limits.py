"""Time limits that hold, and failures that are told, with real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.errors import EvaluatorError
from deephyper.evaluator import Evaluator
from deephyper.problem import HpProblem
from deephyper.search.hps.random import RandomSearch
from tests.search.real_search import RealSearch

HANGING = """
import time

def run(point):
    if point["x"] > 0.5:
        print("it hangs", flush=True)
        while True:
            try:
                time.sleep(600)
            except BaseException:
                pass  # nothing that can be caught ends it
    return point["x"]
"""
RAISING = """
def run(point):
    print("about to fail")
    raise ValueError("no such layer")
"""
REPORTING = """
def run(point):
    return "F_out_of_range" if point["x"] < 0.5 else point["x"]
"""
# Each evaluation dies at its first attempt, unless it raises.
DYING = """
import os, signal

def run(point):
    with open("attempts", "a") as file:
        file.write(f"{point['x']!r}\\n")
    if point["x"] < 0.3:
        raise ValueError("the code's own fault")
    if open("attempts").read().split().count(repr(point["x"])) == 1:
        print("last words")
        os.kill(os.getpid(), signal.SIGKILL) if point["x"] < 0.6 else os._exit(3)
    return point["x"]
"""


def test_the_time_of_a_search_ends_what_hangs(real: RealSearch) -> None:
    real.write(HANGING.replace("> 0.5", ">= 0"))
    ended = real.run("--timeout 1.5 --grace 0.5s --num-workers 3")
    assert ended.status == 1  # nothing was found
    assert ended.seconds < 60.0
    assert "the time limit was reached; the 3 running evaluations have 0.5 s to end" in ended.err
    assert "the time limit was reached" in ended.out
    assert real.count("stopped") == 3
    real.is_complete(0)


@pytest.mark.parametrize(
    "options",
    [
        "--eval-timeout 0.5",
        "--eval-timeout-minutes 0.008 --evaluator subprocess",
        "--eval-timeout 0.5s --evaluator thread",
    ],
)
def test_an_evaluation_that_hangs_gives_its_worker_back(real: RealSearch, options: str) -> None:
    real.write(HANGING)
    ended = real.run(f"--max-evals 6 --num-workers 2 --seed 2 {options}")
    assert ended.status == 0, ended.err
    assert ended.seconds < 30.0
    real.is_complete(6)
    hanging = [row for row in real.rows() if float(row["x"]) > 0.5]
    assert len(hanging) >= 2
    for row in real.rows():
        if row in hanging:
            assert row["status"] == "failed"
            assert row["failure"].startswith("timeout: it ran past its limit of 0.")
            assert 0.4 < float(row["elapsed_sec"]) < 5.0
        else:
            assert row["status"] == "finished"
    text = next(e["text"] for e in real.events() if e.get("kind") == "timeout")
    if "thread" in options:
        assert "a thread can't be killed" in hanging[0]["failure"]
    else:
        assert text == "it hangs\n"


def test_a_search_in_which_everything_fails_ends_and_says_why(real: RealSearch) -> None:
    real.write(RAISING)
    ended = real.run("--max-evals 50 --max-failures 3", search="ambs")
    assert ended.status == 1
    real.is_complete(3)
    _, first, *lines = ended.err.splitlines()
    assert first == "The first evaluation failed: ValueError: no such layer"
    assert '  |   File "' in ended.err
    assert 'run.py", line 4, in run' in ended.err
    assert f"  its output: {real.log_dir}/output/0.1.log" in ended.err
    assert lines[-1].startswith("[ 3/50]")
    assert "too many evaluations failed in a row (3 evaluations, 3 of them failed)" in ended.out
    assert "The last one failed: ValueError: no such layer" in ended.out
    assert (real.log_dir / "output" / "0.1.log").read_text() == "about to fail\n"


def test_a_reported_failure_keeps_its_reason(real: RealSearch) -> None:
    real.write(REPORTING)
    ended = real.run("--max-evals 12 --num-workers 2 --seed 1", search="ambs")
    assert ended.status == 0, ended.err
    failed = [row for row in real.rows() if row["status"] == "failed"]
    assert failed
    assert all(float(row["x"]) < 0.5 for row in failed)
    assert {row["failure"] for row in failed} == {"reported: out_of_range"}
    assert {row["objective"] for row in failed} == {""}


def test_a_machine_s_fault_is_retried_and_the_code_s_is_not(real: RealSearch) -> None:
    real.write(DYING)
    ended = real.run("--max-evals 8 --num-workers 2 --retries 1 --seed 3")
    assert ended.status == 0, ended.err
    real.is_complete(8)
    attempts = (real.folder / "attempts").read_text().split()
    for row in real.rows():
        raised = float(row["x"]) < 0.3
        assert row["status"] == ("failed" if raised else "finished")
        assert attempts.count(row["x"]) == (1 if raised else 2)
    died = [e for e in real.events() if e.get("kind") == "worker_died"]
    assert {e["message"] for e in died} == {
        "the worker process was ended by SIGKILL",
        "the worker process exited with status 3",
    }
    assert {e["text"] for e in died} == {"last words\n"}
    assert "runs again: the worker process was ended by SIGKILL" in ended.err


@pytest.mark.parametrize("gathered", [False, True])
def test_an_evaluator_with_evaluations_of_its_own_is_refused(
    tmp_path: Path, gathered: bool
) -> None:
    problem = HpProblem()
    problem.add_dim("y", (0, 10))
    with Evaluator.create(lambda point: point["y"], method="thread", num_workers=3) as evaluator:
        evaluator.submit([{"y": 99}])
        if gathered:
            evaluator.gather_all()
        search = RandomSearch(problem, evaluator, log_dir=tmp_path / "log", seed=1)
        if not gathered:
            with pytest.raises(EvaluatorError, match="gather"):
                search.search(max_evals=4)
            assert not (tmp_path / "log").exists()
            return
        result = search.search(max_evals=4)
        assert [o.objective for o in result.outcomes] == [o.job.point["y"] for o in result.outcomes]
