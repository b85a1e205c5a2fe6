"""``deephyper-analytics confirm``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml

from deephyper.search.replay import read_journal, read_start_command
from deephyper.search.results import read_results
from tests.cli.command_line import Ended, Run

PROBLEM = """
from deephyper.problem import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter((1, 50), "epochs")
Problem.add_hyperparameter(["1", "2"], "kind")
"""
MODEL_RUN = (
    "def run(point):\n    return {'objective': point['epochs'], 'epochs': point['epochs']}\n"
)
START = "-p problem.py -r model_run.py --evaluator thread --num-workers 2 --seed 3 --max-evals 4"


@pytest.fixture(autouse=True)
def _search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deephyper: Run) -> None:
    (tmp_path / "problem.py").write_text(PROBLEM)
    (tmp_path / "model_run.py").write_text(MODEL_RUN)
    monkeypatch.chdir(tmp_path)
    ended = deephyper("hps", "random", *shlex.split(START), "--log-dir", "log")
    assert ended.status == 0, ended.err


@pytest.fixture
def confirm(deephyper_analytics: Run) -> Run:
    def run(words: str) -> Ended:
        return deephyper_analytics("confirm", *shlex.split(words))

    return run


def best_of_search() -> list[int]:
    return sorted((row.point["epochs"] for row in read_results("log")), reverse=True)


def test_the_journal_of_the_search_names_what_is_left_out(confirm: Run) -> None:
    ended = confirm("log/results.csv -k 2 -n 3")
    assert ended.status == 0, ended.err
    ranks = yaml.safe_load(ended.out)
    assert list(ranks) == ["0", "1"]
    assert [ranks[rank]["point"]["epochs"] for rank in ranks] == best_of_search()[:2]
    assert list(ranks["0"]) == [
        "mean",
        "standard_error",
        "num_finished",
        "num_failed",
        "objective",
        "id",
        "point",
    ]
    run = Path("model_run.py").absolute()
    problem = Path("problem.py").absolute()
    assert (
        f"confirming with --problem {problem} --run {run} --evaluator thread --num-workers 2\n"
        in ended.err
    )
    assert "starting a confirmation of 2 points, 3 times each, with" in ended.err
    assert "each point was evaluated 3 times (6 evaluations)" in ended.err
    assert "Files: confirm/results.csv" in ended.err
    assert len(read_journal(Path("log")).ended) == 4
    assert len(read_journal(Path("confirm")).ended) == 6


def test_values_are_read_as_those_of_their_hyperparameters(confirm: Run) -> None:
    ended = confirm("log -k 1 -n 1 --set epochs=200 --set kind=2 --set verbose=False")
    assert ended.status == 0, ended.err
    assert "'verbose' is not a hyperparameter of the search; run is given it too\n" in ended.err
    mistyped = confirm("log -k 1 -n 1 --set epoch=200 --log-dir other")
    assert "run is given it too; did you mean 'epochs'?\n" in mistyped.err
    point = yaml.safe_load(ended.out)["0"]["point"]
    assert point == {"epochs": 200, "kind": "2", "verbose": False}


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_the_ranks_can_be_saved(confirm: Run, suffix: str) -> None:
    ended = confirm(f"log -k 1 -n 1 -o best{suffix}")
    assert (ended.status, ended.out) == (0, ""), ended.err
    text = Path(f"best{suffix}").read_text()
    if suffix == ".json":
        assert json.loads(text)["0"]["num_finished"] == 1
    else:
        assert text.splitlines()[0] == "epochs,kind,mean,num_finished,num_failed,objective,id"


def test_a_confirmation_is_resumed_by_its_directory_alone(confirm: Run) -> None:
    confirm("log -k 2 -n 1 --seed 5")
    ended = confirm("--resume confirm -n 2")
    assert ended.status == 0, ended.err
    assert "resuming a confirmation of 2 points, 2 times each" in ended.err
    assert [each["num_finished"] for each in yaml.safe_load(ended.out).values()] == [2, 2]
    command = read_start_command(Path("confirm"))
    assert command is not None
    assert command.options == {
        "--run": str(Path("model_run.py").absolute()),
        "--evaluator": "thread",
        "--num-workers": "2",
        "--seed": "5",
    }
    assert confirm("--resume confirm").status == 0
    assert len(read_journal(Path("confirm")).ended) == 4


def test_a_second_confirmation_is_told_both_ways(confirm: Run) -> None:
    confirm("log -k 1 -n 1")
    ended = confirm("log -k 1 -n 1")
    assert ended.status == 2
    assert f"resume it with --resume {Path('confirm').absolute()}" in ended.err
    assert f"--log-dir {Path('confirm-2').absolute()}" in ended.err


def test_a_confirmation_is_no_search_to_resume(confirm: Run, deephyper: Run) -> None:
    confirm("log -k 1 -n 1")
    ended = deephyper("hps", "random", "--resume", "confirm", "-p", "problem.py")
    assert (ended.status, "was started with another space" in ended.err) == (2, True)


def test_a_directory_that_others_can_write_runs_no_code(confirm: Run) -> None:
    Path("log").chmod(0o777)
    ended = confirm("log -k 1 -n 1")
    assert ended.status == 2
    assert "give --run, because others may write to" in ended.err
    assert not Path("confirm").exists()
    ended = confirm("log -k 1 -n 1 --run model_run.py --evaluator thread")
    assert ended.status == 0, ended.err


def test_a_timeout_is_told_with_the_way_to_resume(confirm: Run) -> None:
    # In a thread, since a process may not have begun by then.
    Path("slow.py").write_text("import time\ndef run(point):\n    time.sleep(600)\n")
    ended = confirm("log -k 1 -n 2 -r slow.py --evaluator thread --timeout 1 --grace 0")
    assert ended.status == 1
    assert ended.out == ""
    assert "Resume with: deephyper-analytics confirm --resume confirm --timeout " in ended.err


def test_failures_alone_end_with_status_1(confirm: Run) -> None:
    Path("model_run.py").write_text("def run(point):\n    return 'F_broken'\n")
    ended = confirm("log -k 1 -n 2 --evaluator process")
    assert (ended.status, ended.out) == (1, "")
    assert "(2 evaluations, 2 of them failed)" in ended.err
    assert "No evaluation has succeeded.\nThe last one failed: broken" in ended.err
