"""``deephyper ctl``: its words, and its mistakes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deephyper import HpProblem, RandomSearch, VirtualEvaluator
from deephyper.core.cli.ctl import read_point
from deephyper.errors import ProblemError
from tests.cli.command_line import Run
from tests.search.real_search import RealSearch

RUN = """
import os, time
def run(point):
    while not os.path.exists("go"):
        time.sleep(0.02)
    return point["x"]
"""


@pytest.mark.parametrize(
    ("words", "point"),
    [
        (('{"lr": 0.01, "units": 10, "name": "a", "on": true}',), None),
        (("lr=0.01", "units=10", "name=a", "on=True"), None),
        (('name="10"',), {"name": "10"}),
        (("name=a=b",), {"name": "a=b"}),
        (("lr=-1e-3",), {"lr": -0.001}),
    ],
)
def test_a_point_is_json_or_words(words: tuple[str, ...], point: dict[str, object] | None) -> None:
    assert read_point(words) == (point or {"lr": 0.01, "units": 10, "name": "a", "on": True})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lr",), "is not NAME=VALUE"),
        (("=1",), "is not NAME=VALUE"),
        (("lr=",), "is not NAME=VALUE"),
        (("lr=1", "lr=2"), "given twice"),
        (('{"lr": ',), "is not JSON"),
        (("[1]",), "is not NAME=VALUE"),
    ],
)
def test_what_is_no_point_is_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        read_point(words)


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    evaluator = VirtualEvaluator(lambda point: float(point["x"]))
    RandomSearch(problem, evaluator, log_dir=tmp_path / "log").search(max_evals=2)
    return tmp_path / "log"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pause", "no search runs in"),
        ("max-evals 0", "0 is not in the range"),
        ("max-evals many", "'many' is not a valid integer"),
        ("workers", "Missing argument"),
        ("stop-evaluation first", "give its id, such as 12"),
        ("stop-evaluation 1 --grace soon", "duration"),
        ("enqueue", "Missing argument"),
        ("enqueue x=3", "give a float from 0.0 to 1.0"),
        ("enqueue y=3", "y"),
        ("halt", "No such command"),
        ("pauze", "pause"),
    ],
)
def test_mistakes_are_one_line(deephyper: Run, ended: Path, words: str, said: str) -> None:
    done = deephyper("ctl", ended, *words.split())
    assert done.status == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_command_line_controls_a_search(tmp_path: Path, deephyper: Run) -> None:
    real = RealSearch(tmp_path / "task", tmp_path / "log")
    real.write(RUN)
    try:
        process = real.start("--max-evals 3 --evaluator thread")
        real.until_started(1)
        done = deephyper("ctl", real.log_dir, "max-evals", 2, "--timeout", "60")
        assert (done.status, done.err) == (0, "")
        assert done.out == "the search makes 2 evaluations in place of 3\n"
        done = deephyper("ctl", real.log_dir, "enqueue", "--timeout", "60", "x=0.5")
        assert done.out == "the point is evaluated as soon as a worker is free\n"
        done = deephyper("ctl", real.log_dir, "workers", 100_000, "--timeout", "60")
        assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
        assert "not done: 100000 workers are more than this machine bears" in done.err
        (real.folder / "go").touch()
        assert real.end(process).status == 0
        assert real.rows()[1]["x"] == "0.5"
        assert "deephyper ctl max-evals: the search makes 2" in real.err
    finally:
        real.stop_all()


def test_a_search_that_does_not_answer_is_another_status(tmp_path: Path, deephyper: Run) -> None:
    import signal

    real = RealSearch(tmp_path / "task", tmp_path / "log")
    real.write(RUN)
    try:
        process = real.start("--max-evals 3 --evaluator thread")
        real.until_started(1)
        process.send_signal(signal.SIGSTOP)
        done = deephyper("ctl", real.log_dir, "pause", "--timeout", "0.3s")
        assert done.status == 1
        assert "has not answered for 0.3 s" in done.err
    finally:
        real.stop_all()


def test_help_imports_nothing_of_a_search(deephyper: Run) -> None:
    before = set(sys.modules)
    assert deephyper("ctl", "--help").status == 0
    assert "deephyper.ask_tell.search_control" not in set(sys.modules) - before
