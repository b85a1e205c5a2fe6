"""Control of real searches from other processes, and what can go wrong on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deephyper import SearchControl
from deephyper.ask_tell.search_control import NoAnswer
from deephyper.ask_tell.status import read_status
from deephyper.control.requests import DIRECTORY, Request, encode, new_id
from deephyper.errors import ProblemError, ResultsError, SettingsError
from deephyper.holder import session_of
from tests.search.real_search import LIMIT, REPOSITORY, RealSearch

RUN = """
import os, time
from deephyper import evaluation
def run(point):
    for step in range(1, 100000):
        evaluation.report(point["x"], step=step)
        if os.path.exists("go"):
            return point["x"]
        time.sleep(0.02)
"""


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealSearch]:
    search = RealSearch(tmp_path / "task", tmp_path / "log")
    search.write(RUN)
    yield search
    search.stop_all()


def begin(
    real: RealSearch, options: str = "--max-evals 4 --num-workers 2"
) -> subprocess.Popen[str]:
    process = real.start(f"{options} --stopper none --evaluator thread")
    real.until_started(2)
    return process


def test_a_search_is_controlled_from_another_process(real: RealSearch) -> None:
    process = begin(real)
    control = SearchControl(real.log_dir, timeout=LIMIT)
    assert "the 2 running ones go on" in control.pause()
    assert read_status(real.log_dir).is_held
    assert "the search makes 7 evaluations" in control.set_max_evals(7)
    assert read_status(real.log_dir).max_evals == 7
    assert control.set_num_workers(3) == "3 workers in place of 2"
    assert real.count("submitted") == 2
    control.enqueue({"x": 0.5})
    assert control.resume() == "evaluations begin again"
    real.until_started(3)
    control.stop_evaluation(0, grace=LIMIT)
    (real.folder / "go").touch()
    ended = real.end(process)
    assert ended.status == 0
    rows = {row["id"]: row for row in real.rows()}
    assert len(rows) == 7
    assert rows["2"]["x"] == "0.5"
    assert rows["0"]["status"] == "pruned"
    assert not (real.log_dir / DIRECTORY).exists()


def test_two_controllers_at_once_are_both_answered(real: RealSearch) -> None:
    process = begin(real)
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = SearchControl(real.log_dir, timeout=LIMIT).set_max_evals(number)

    threads = [threading.Thread(target=ask, args=(10 + n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {n: f"makes {n} evaluations" in text for n, text in answers.items()} == dict.fromkeys(
        range(10, 14), True
    )
    SearchControl(real.log_dir, timeout=LIMIT).stop(at_once=True)
    assert real.end(process).status == 130


def test_a_search_that_stands_still_does_not_answer_and_the_request_is_taken_back(
    real: RealSearch,
) -> None:
    process = begin(real)
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(NoAnswer, match=r"has not answered for .* s, and the request was taken"):
        SearchControl(real.log_dir, timeout=0.5).pause()
    assert os.listdir(real.log_dir / DIRECTORY) == []
    process.send_signal(signal.SIGCONT)


def test_a_search_that_is_killed_does_nothing_and_whoever_asks_is_told(real: RealSearch) -> None:
    process = begin(real)
    process.send_signal(signal.SIGSTOP)
    said: list[str] = []

    def ask() -> None:
        with pytest.raises(ResultsError) as error:
            SearchControl(real.log_dir, timeout=LIMIT).pause()
        said.append(str(error.value))

    thread = threading.Thread(target=ask)
    thread.start()
    until = time.monotonic() + LIMIT
    while not list((real.log_dir / DIRECTORY).glob("*.request")):
        assert time.monotonic() < until
        time.sleep(0.01)
    process.kill()
    process.wait()
    thread.join()
    assert "ended before it answered; nothing was done" in said[0]
    assert not list((real.log_dir / DIRECTORY).glob("*.request"))


def test_what_a_killed_search_was_asked_is_taken_by_the_next_session(real: RealSearch) -> None:
    process = begin(real)
    process.send_signal(signal.SIGSTOP)
    session = session_of(real.log_dir)
    assert session is not None
    (real.log_dir / DIRECTORY).mkdir(mode=0o700)
    for request in (
        Request(action="enqueue", session=session, point={"x": 0.5}),
        Request(action="stop", session=session),
    ):  # of users who were killed too
        (real.log_dir / DIRECTORY / f"{new_id()}.request").write_bytes(encode(request))
    process.kill()
    process.wait()
    (real.folder / "go").touch()
    ended = real.run("--max-evals 4 --evaluator thread --stopper none", resume=True)
    assert ended.status == 0
    assert "deephyper ctl enqueue: the point is evaluated" in ended.err
    assert "deephyper ctl stop, not done: this was asked of a session that has ended" in ended.err
    assert [row["x"] for row in real.rows()].count("0.5") == 1
    assert not list((real.log_dir / DIRECTORY).glob("*.request"))


def test_nobody_answers_where_no_search_runs(real: RealSearch) -> None:
    (real.folder / "go").touch()
    assert real.run("--max-evals 2 --evaluator thread").status == 0
    control = SearchControl(real.log_dir)
    with pytest.raises(ResultsError, match=r"no search runs in .*; resume it first"):
        control.pause()
    with pytest.raises(ProblemError, match=r"give a float from 0.0 to 1.0"):
        control.enqueue({"x": 2.0})
    with pytest.raises(ProblemError, match="y"):
        control.enqueue({"y": 2.0})


def test_nobody_answers_where_a_search_was_killed(real: RealSearch) -> None:
    process = begin(real)
    process.kill()
    process.wait()
    with pytest.raises(ResultsError, match="is gone; resume it first"):
        SearchControl(real.log_dir).stop()


def test_a_directory_without_a_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="there is no search in"):
        SearchControl(tmp_path).pause()
    with pytest.raises(ResultsError, match="is not there"):
        SearchControl(tmp_path / "none").pause()


def test_a_directory_that_others_can_write_to_is_refused(real: RealSearch) -> None:
    process = begin(real)
    real.log_dir.chmod(0o777)
    with pytest.raises(ResultsError, match=r"others may write to .*; chmod go-w "):
        SearchControl(real.log_dir).stop()
    real.log_dir.chmod(0o755)
    SearchControl(real.log_dir, timeout=LIMIT).stop(at_once=True)
    assert real.end(process).status == 130


def test_arguments_are_checked(tmp_path: Path) -> None:
    control = SearchControl(tmp_path)
    with pytest.raises(SettingsError, match="max_evals"):
        control.set_max_evals(0)
    with pytest.raises(SettingsError, match="num_workers"):
        control.set_num_workers(-1)
    for id_ in ("x", "-1", "01", "", "1" * 30):
        with pytest.raises(SettingsError, match="give its id, such as 12"):
            control.stop_evaluation(id_)
    with pytest.raises(SettingsError, match="timeout"):
        SearchControl(tmp_path, timeout=0.0)


CONDITIONAL = """
from ConfigSpace import EqualsCondition
from deephyper.problem import HpProblem
Problem = HpProblem()
x = Problem.add_hyperparameter((0.0, 1.0), "x", default_value=0.25)
kind = Problem.add_hyperparameter(["a", "b"], "kind", default_value="b")
depth = Problem.add_hyperparameter((1, 9), "depth", default_value=7)
Problem.add_condition(EqualsCondition(depth, kind, "b"))
"""


def test_what_a_point_leaves_out_has_the_defaults_of_the_problem(real: RealSearch) -> None:
    real.write(RUN, CONDITIONAL)
    process = begin(real)
    control = SearchControl(real.log_dir, timeout=LIMIT)
    control.enqueue({"kind": "b"})
    control.enqueue({"kind": "a", "x": 0.75})
    (real.folder / "go").touch()
    assert real.end(process).status == 0
    points = [
        (row["x"], row["kind"], row["depth"]) for row in real.rows() if int(row["id"]) in (2, 3)
    ]
    assert sorted(points) == [("0.25", "b", "7"), ("0.75", "a", "")]


def test_a_search_from_python_is_controlled_too(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from deephyper import HpProblem, RandomSearch, Evaluator\n"
        "problem = HpProblem(); problem.add_hyperparameter((0.0, 1.0), 'x')\n"
        "def run(point):\n    time.sleep(0.05)\n    return point['x']\n"
        "with Evaluator.create(run, 'thread') as evaluator:\n"
        "    search = RandomSearch(problem, evaluator, log_dir=sys.argv[1])\n"
        "    result = search.search(max_evals=10**6)\n"
        "print(result.reason)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "log")],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + LIMIT
        while not (tmp_path / "log" / "journal.jsonl").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        while True:
            try:
                SearchControl(tmp_path / "log", timeout=LIMIT).stop()
                break
            except ResultsError:  # its journal has no line yet
                assert time.monotonic() < until
        assert process.communicate(timeout=LIMIT)[0] == "interrupted\n"
    finally:
        process.kill()
