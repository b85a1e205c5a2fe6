"""``deephyper check``: what it tells, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import Ended, Run
from tests.evaluator.conftest import is_gone

REPOSITORY = Path(__file__).resolve().parents[2]
TASK = """
import random
import time
from deephyper.problem import HpProblem
from deephyper import evaluation

Problem = HpProblem()
Problem.add_hyperparameter((1, 100), "units")
Problem.add_hyperparameter((1e-4, 1.0, "log-uniform"), "lr")
Problem.add_starting_point(units=10)
Plain = HpProblem()
Plain.add_hyperparameter([3, 2, 1], "x")

def run(point):
    for epoch in range(1, 6):
        print("epoch", epoch)
        evaluation.report(epoch / 10, step=epoch)
    (evaluation.directory / "model").write_text("weights")
    return {"objective": point["units"] + random.Random(evaluation.seed).random(), "loss": 0.5}

def plain(point):
    return point["x"]

counter = iter(range(100))
def noisy(point):
    return next(counter)

def fails(point):
    print("about to fail")
    raise ValueError("no such file")

def fails_later(point):
    return 1.0 if next(counter) == 0 else "F_late"

def waits(point):
    print("waiting", flush=True)
    with open("begun", "w") as file:
        file.write("yes")
    time.sleep(600)
"""
SPACE = """
hyperparameters:
  rate: (0.001, 1.0, log-uniform)
  layers: (1, 8)
conditions:
  layers: rate > 0.01
starting_points:
- {rate: 0.1, layers: 2}
- {rate: 0.001}
"""
FILES = {"task.py", "space.yaml"}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deephyper: Run) -> Run:
    """Check what a command line names, in a directory with a task and a space."""
    (tmp_path / "task.py").write_text(TASK)
    (tmp_path / "space.yaml").write_text(SPACE)
    temporary = tmp_path.with_name(f"{tmp_path.name}-temporary")
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.chdir(tmp_path)

    def run(words: str) -> Ended:
        ended = deephyper("check", *shlex.split(words))
        assert not sys.dont_write_bytecode
        assert [each.name for each in temporary.iterdir() if "check" in each.name] == []
        return ended

    return run


def found(ended: Ended) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(ended.out)
    return tree


def test_a_check_tells_all_of_a_search_that_could_begin(check: Run, tmp_path: Path) -> None:
    ended = check("-p task.py -r task.py --num-workers 2 --max-evals 50")
    assert ended.status == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "Search space: 2 hyperparameters, infinitely many points"
    assert "      lr: (0.0001, 1.0, log-uniform)" in lines
    assert "Starting points: 1, which is valid" in lines
    assert "Point: lr=0.01 units=10" in lines
    assert "Reports: 5, of steps 1 to 5; early stopping can make a search shorter" in lines
    assert "Metrics: loss=0.5" in lines
    assert "Output: 40 bytes, the last line: epoch 5" in lines
    assert "the same seed gives the same objective, and another seed one that differs" in ended.out
    assert lines[-1].startswith("A search of 50 evaluations with 2 workers takes ")
    assert "deephyper: evaluating it once more, with another seed ...\n" in ended.err
    assert {each.name for each in tmp_path.iterdir()} == FILES


def test_the_same_for_programs(check: Run) -> None:
    lines = "DH-REPORT: 1 0.5", "DH-REPORT: 5 0.7", "DH-OUTPUT: {seed} loss=0.5"
    program = shlex.join(["printf", "%s\\n", *lines])
    ended = check(f"-p task.py --json --seed 4 -- {program}")
    tree = found(ended)
    assert ended.status == 0
    assert tree["ok"] is True
    assert tree["point"] == {"lr": 0.01, "units": 10}
    assert tree["space"]["definition"]["hyperparameters"]["units"] == "(1, 100)"
    assert (tree["space"]["num_points"], tree["space"]["num_starting_points"]) == (None, 1)
    assert (tree["evaluator"], tree["num_workers"]) == ("process", 1)
    first, again, other = tree["evaluations"]
    assert first["seed"] == again["seed"] != other["seed"]
    assert [each["objective"] == each["seed"] for each in (first, again, other)] == [True] * 3
    assert first["reports"] == {"number": 2, "first_step": 1, "last_step": 5}
    assert (first["metrics"], first["failure"]) == ({"loss": 0.5}, None)
    assert first["output"]["tail"].startswith("DH-REPORT: 1 0.5\n")
    assert tree["noise"] == "seeded"
    assert tree["search"]["max_evals"] == 100
    assert tree["search"]["seconds"] > 0
    assert "ray" in tree["environment"]["packages"]
    assert set(tree["environment"]["programs"]) == {"sbatch", "qsub", "mpirun"}


def test_the_seed_is_that_of_the_first_evaluation_of_the_search(
    check: Run, deephyper: Run, tmp_path: Path
) -> None:
    seen = "import random\ndef run(point):\n    from deephyper import evaluation\n"
    (tmp_path / "seen.py").write_text(f"{seen}    return evaluation.seed\n")
    tree = found(check("-p task.py -r seen.py --evaluator thread --seed 7 --json"))
    search = "hps random -p task.py -r seen.py --evaluator thread --seed 7 --max-evals 1 --json"
    ended = deephyper(*search.split(), "--log-dir", "log")
    assert json.loads(ended.out)["best"]["objective"] == tree["evaluations"][0]["objective"]


@pytest.mark.parametrize(
    ("words", "noise", "evaluations", "text"),
    [
        ("-r task.py::plain", "none", 3, "none, with the same seed and with another one"),
        ("-r task.py::plain --runs 2", "none", 2, "another seed wasn't tried"),
        ("-r task.py::plain --runs 1", "unknown", 1, "unknown, as there was one evaluation"),
        ("-r task.py::noisy", "unseeded", 2, "the same point with the same seed gives objectives"),
    ],
)
def test_noise_is_told_by_as_many_evaluations_as_it_takes(
    words: str, noise: str, evaluations: int, text: str, check: Run
) -> None:
    tree = found(check(f"-p task.py::Plain {words} --evaluator thread --json"))
    assert (tree["noise"], len(tree["evaluations"])) == (noise, evaluations)
    assert text in check(f"-p task.py::Plain {words} --evaluator thread").out


@pytest.mark.parametrize(
    "evaluator", ["process", pytest.param("subprocess", marks=pytest.mark.long)]
)
def test_a_failure_is_told_with_its_reason_and_output(evaluator: str, check: Run) -> None:
    ended = check(f"-p task.py -r task.py::fails --evaluator {evaluator}")
    assert ended.status == 1
    assert ": ValueError: no such file\n" in ended.out
    assert "  its output:\n  | about to fail\n" in ended.out
    assert "Again" not in ended.out
    assert ended.out.endswith("No search should begin before this evaluation succeeds.\n")


def test_a_second_evaluation_that_fails_is_a_failure_too(check: Run) -> None:
    ended = check("-p task.py -r task.py::fails_later --evaluator thread --json")
    tree = found(ended)
    assert (ended.status, tree["ok"], tree["search"]["seconds"]) == (1, False, None)
    first, again = tree["evaluations"]
    assert (first["status"], again["failure"]["message"]) == ("finished", "late")


def test_an_evaluation_is_ended_at_its_time_limit(check: Run) -> None:
    ended = check("-p task.py --eval-timeout 0.5 --json -- sleep 600")
    (tried,) = found(ended)["evaluations"]
    assert ended.status == 1
    assert tried["failure"]["kind"] == "timeout"


def test_what_a_thread_prints_is_not_among_the_results(check: Run) -> None:
    ended = check("-p task.py -r task.py --evaluator thread --json")
    assert found(ended)["evaluations"][0]["output"] is None
    assert "epoch 5" in ended.err


def test_a_program_on_a_space_in_a_file_is_checked(check: Run) -> None:
    ended = check("--space space.yaml -- sh -c 'echo DH-REPORT: 1 0.5; echo {rate}' {layers}")
    assert ended.status == 0, ended.err
    assert "Starting points: 2, which are valid" in ended.out
    assert "Point: rate=0.1 layers=2" in ended.out
    assert "Evaluation: objective 0.1 in " in ended.out
    assert "Reports: 1, of step 1;" in ended.out


def test_definitions_are_a_space_whose_defaults_are_evaluated(check: Run) -> None:
    ended = check("-P 'x=[3, 2, 1]' -- echo {x}")
    assert "Search space: 1 hyperparameter, 3 points\n" in ended.out
    assert "none, so the point of all defaults was evaluated" in ended.out
    assert "the space is exhausted after 3 of the 100 evaluations" in ended.err
    assert "A search of 3 evaluations with 1 worker takes " in ended.out


def test_the_file_and_the_command_line_of_a_search_are_taken_as_they_are(
    check: Run, tmp_path: Path
) -> None:
    (tmp_path / "search.yaml").write_text(
        "space: space.yaml\ncommand: echo {rate} {layers}\nminimize: true\nnum_workers: 2\n"
        "max_evals: 30\ntimeout: 2h\nlog_dir: results\nstopper: asha\nkappa: 1.5\n"
    )
    ended = check("--config search.yaml --resume nosuch --warm-start nosuch --retries 3")
    assert ended.status == 0, ended.err
    assert "A search of 30 evaluations with 2 workers takes " in ended.out
    assert not (tmp_path / "results").exists()


def test_of_a_large_space_the_beginning_is_shown(check: Run, tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text(
        "from deephyper.problem import HpProblem\nProblem = HpProblem()\n"
        "for i in range(500):\n    Problem.add_hyperparameter((0.0, 1.0), f'x{i}')\n"
        "def run(point):\n    return 1.0\n"
    )
    ended = check("-p large.py -r large.py --evaluator thread")
    assert "    ... and 461 more lines\n" in ended.out
    assert max(map(len, ended.out.splitlines())) < 1100


def test_what_our_form_of_a_space_cannot_say_is_shown_in_short(check: Run, tmp_path: Path) -> None:
    (tmp_path / "normal.py").write_text(
        "from deephyper.problem import HpProblem, config_space as cs\nProblem = HpProblem()\n"
        "Problem.add_hyperparameter(cs.BetaFloatHyperparameter('b', 2, 3, 0.0, 1.0))\n"
        "def run(point):\n    return 1.0\n"
    )
    ended = check("-p normal.py -r normal.py --evaluator thread --runs 1")
    assert ended.status == 0, ended.err
    assert "    b: " in ended.out
    assert found(check("-p normal.py -r normal.py --evaluator thread --json"))["ok"]


def test_more_workers_than_cores_or_evaluations_are_noticed(check: Run) -> None:
    ended = check(
        "-p task.py::Plain -r task.py::plain --num-workers 5000 --runs 1 --evaluator thread --json"
    )
    notices = found(ended)["notices"]
    assert "5000 workers are more than the 3 evaluations of the search" in notices
    assert any("5000 workers want 5000 cores, and there are" in notice for notice in notices)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "Missing option '--problem' / '-p'. Give it, or --space FILE, or -P NAME=DOMAIN"),
        ("-p task.py", "Missing option '--run' / '-r'. Give it, or a program after --"),
        ("-p task.py -r tsk.py", "there is no file '"),
        ("-p tsk.py -r task.py", "there is no file 'tsk.py'; did you mean 'task.py'?"),
        ("-p task.py -r task.py::runs --evaluator thread", "has no 'runs'; did you mean 'run'?"),
        ("-p task.py -r task.py --runs 4", "4 is not in the range 1<=x<=3"),
        ("-p task.py -r task.py --run-s 1", "No such option '--run-s'. Did you mean '--runs'?"),
        ("-p task.py -r task.py --space space.yaml", "--problem and --space both give the search"),
        ("--space space.yaml", "'space.yaml', names no program; give --run, or a program after --"),
        ("-P 'objective=[1, 2]' -- echo 1", "'objective' has the name of a column"),
        ("-P 'x=[1]' -- echo {y}", "the command has the unknown placeholder {y}"),
        ("-P 'rate=[1]' -- echo {rat}", "did you mean {rate}?"),
        ("-p task.py -r task.py --ray-address auto", "--ray-address is an option of ray"),
        ("-p task.py -r task.py --objective last", "--objective is for a program"),
        ("-p task.py -r task.py --num-gpus-per-task 1000", "needs 1000 GPUs, and there are"),
    ],
)
def test_a_mistake_is_one_line(words: str, message: str, check: Run) -> None:
    ended = check(words)
    assert (ended.status, ended.out) == (2, "")
    last = ended.err.splitlines()[-1]
    assert last.startswith("deephyper: error: ")
    assert message in last


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "status"), SIGNALS[:2])
def test_a_signal_ends_it_and_all_that_it_has_started(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    program = ["sh", "-c", f"echo $$ > {tmp_path}/begun; exec sleep 600"]
    ends_by_signal(tmp_path, number, status, ["-P", "x=[1]", "--", *program])
    assert is_gone(int((tmp_path / "begun").read_text()), seconds=120.0)


@pytest.mark.long
@pytest.mark.parametrize(("number", "status"), SIGNALS)
@pytest.mark.parametrize("evaluator", ["thread", "process"])
def test_a_signal_ends_a_run_function(
    evaluator: str, number: signal.Signals, status: int, tmp_path: Path
) -> None:
    task = ["-p", "task.py", "-r", "task.py::waits", "--evaluator", evaluator]
    ends_by_signal(tmp_path, number, status, task)


def ends_by_signal(directory: Path, number: signal.Signals, status: int, words: list[str]) -> None:
    """Check that a signal ends a check whose evaluation has begun, and that nothing is left."""
    (directory / "task.py").write_text(TASK)
    temporary = directory / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "deephyper", "check", *words],
        cwd=directory,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    begun = directory / "begun"
    while not (begun.exists() and begun.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == status, err
    assert out == ""
    assert "Traceback" not in err
    assert [each.name for each in temporary.iterdir() if "check" in each.name] == []


@pytest.mark.ray
@pytest.mark.long
def test_it_runs_on_a_ray_cluster(check: Run) -> None:
    ended = check("-p task.py -r task.py --evaluator ray --num-workers 1 --json")
    tree = found(ended)
    assert ended.status == 0, ended.err
    assert (tree["evaluator"], tree["noise"]) == ("ray", "seeded")
    assert tree["evaluations"][0]["output"]["tail"].endswith("epoch 5\n")


@pytest.mark.tensorflow
@pytest.mark.long
def test_a_problem_of_networks_is_trained_without_a_run_function(
    check: Run, deephyper: Run, tmp_path: Path
) -> None:
    assert deephyper("new-problem", "nas", "mine").status == 0
    ended = check("-p mine/problem.py --runs 1 --json")
    tree = found(ended)
    assert ended.status == 0, ended.err
    assert tree["evaluations"][0]["reports"]["number"] > 0
    assert not list(tmp_path.rglob("*.keras"))
