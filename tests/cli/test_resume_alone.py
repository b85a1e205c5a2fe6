"""``--resume DIR`` alone: the rest of the command line is in the journal."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from deephyper import HpProblem, RandomSearch
from deephyper.search.replay import read_journal, read_start_command
from tests.cli.command_line import Ended, Run

PROBLEM = """
from deephyper.problem import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter((0.0, 1.0), "x")
"""
START = "-p task/problem.py -r task/model_run.py --evaluator thread --num-workers 2 --seed 3"


@pytest.fixture(autouse=True)
def _task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task/problem.py").write_text(PROBLEM)
    (tmp_path / "task/model_run.py").write_text("def run(point):\n    return point['x']\n")
    monkeypatch.chdir(tmp_path)


def start(deephyper: Run, search: str = "random", options: str = START) -> Path:
    ended = deephyper("hps", search, *shlex.split(options), "--log-dir", "log", "--max-evals", 3)
    assert ended.status == 0, ended.err
    return Path("log").absolute()


def resume(deephyper: Run, options: str = "--max-evals 5", search: str = "random") -> Ended:
    return deephyper("hps", search, "--resume", "log", *shlex.split(options))


def begun(log_dir: Path) -> dict[str, Any]:
    lines = (log_dir / "journal.jsonl").read_text().splitlines()
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return next(e for e in reversed(events) if e["event"] in ("search", "resumed"))


@pytest.mark.parametrize("search", ["random", "ambs"])
def test_the_directory_alone_is_enough(search: str, deephyper: Run) -> None:
    log_dir = start(deephyper, search)
    ended = resume(deephyper, search=search)
    assert ended.status == 0, ended.err
    files = [Path("task", name).absolute() for name in ("problem.py", "model_run.py")]
    assert (
        f"resuming with --problem {files[0]} --run {files[1]} --evaluator thread --num-workers 2 "
        "--seed 3" in ended.err
    )
    assert len(read_journal(log_dir).ended) == 5


def test_it_may_be_resumed_from_another_directory(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that was found in the directory of the first session is found again."""
    Path("far_problem.py").write_text(PROBLEM)
    log_dir = start(deephyper, options="-p far_problem.Problem -r task/model_run.py")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ended = deephyper("hps", "random", "--resume", log_dir, "--max-evals", 5)
    assert ended.status == 0, ended.err
    assert len(read_journal(log_dir).ended) == 5


def test_modules_are_those_of_the_directory_in_which_they_were_named(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for directory, objective in (("one", "1.0"), ("two", "2.0")):
        Path(directory).mkdir()
        Path(directory, "resumed_task.py").write_text(
            f"{PROBLEM}\ndef run(point):\n    return {objective}\n"
        )
    named = ["-p", "resumed_task.Problem", "-r", "resumed_task.run"]

    def search(directory: str, *words: str) -> Ended:
        monkeypatch.chdir(tmp_path / directory)
        with monkeypatch.context() as patched:
            patched.setattr(sys, "path", [*sys.path])
            sys.modules.pop("resumed_task", None)
            return deephyper("hps", "random", *words)

    started = search("one", *named, "--evaluator", "thread", "--max-evals", "1", "--log-dir", "log")
    assert "Best objective: 1" in started.out, started.err
    log = str(tmp_path / "one/log")
    for evaluations in ("2", "3"):  # the second takes it from the first
        again = search("two", "--resume", log, "--max-evals", evaluations)
        assert "Best objective: 1" in again.out, again.err
    half = search("two", "--resume", log, "--max-evals", "4", *named[:2])
    assert (half.status, "give --run too, or a file for --problem" in half.err) == (2, True)
    other = search("two", "--resume", log, "--max-evals", "5", *named)
    assert "Best objective: 2" in other.out, other.err


def test_what_is_given_again_wins_and_is_kept_for_the_next(deephyper: Run) -> None:
    log_dir = start(deephyper)
    resume(deephyper, "--max-evals 5 --num-workers 1 --evaluator process")
    command = read_start_command(log_dir)
    assert command is not None
    assert command.options["--num-workers"] == "1"
    assert command.options["--evaluator"] == "process"
    assert command.options["--problem"] == str(Path("task/problem.py").absolute())
    assert command.directory == os.getcwd()
    assert not {"--max-evals", "--resume", "--log-dir"} & command.options.keys()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("--eval-timeout 30", "--eval-timeout-minutes 1"),
        ("--eval-timeout-minutes 1", "--eval-timeout 30"),
        ("--surrogate-model RF", "--optimizer random"),
        ("--optimizer random", "--surrogate-model DUMMY"),
        ("--optimizer skopt --kappa 2", "--optimizer random"),
    ],
)
def test_options_that_exclude_each_other(first: str, then: str, deephyper: Run) -> None:
    start(deephyper, "ambs", f"{START} {first}")
    ended = resume(deephyper, f"--max-evals 5 {then}", "ambs")
    assert ended.status == 0, ended.err


def test_an_option_without_its_value_is_kept_with_it(deephyper: Run) -> None:
    start(deephyper, "ambs", f"{START} --stop-when-done")
    assert "--stop-when-done 0.01" in resume(deephyper, search="ambs").err


def test_options_of_another_kind_of_search_are_left_out(deephyper: Run) -> None:
    start(deephyper, "ambs", f"{START} --optimizer skopt")
    assert resume(deephyper).status == 0


def test_a_search_from_python_names_no_files(deephyper: Run) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    RandomSearch(problem, lambda point: 1.0, log_dir="log").search(max_evals=1)
    ended = resume(deephyper)
    assert ended.status == 2
    assert "give --problem and --run, because the search in" in ended.err
    assert resume(deephyper, "--max-evals 2 " + START).status == 0


@pytest.mark.parametrize("name", [".", "journal.jsonl"])
@pytest.mark.parametrize("how", ["mode", "owner"])
def test_a_directory_that_others_can_write_runs_no_code(
    how: str, name: str, deephyper: Run
) -> None:
    log_dir = start(deephyper)
    marker = Path("marker").absolute()
    Path("task/model_run.py").write_text(f"open({str(marker)!r}, 'w')\ndef run(p): return 1\n")
    if how == "mode":
        (log_dir / name).chmod(0o777)
    else:
        try:
            os.chown(log_dir / name, 12345, 12345)
        except OSError:
            pytest.skip("files can't be given away here")
    ended = resume(deephyper)
    assert ended.status == 2
    theirs = "belongs to another user" in ended.err
    assert theirs or "give --problem and --run, because others may write to" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not marker.exists()
    again = resume(deephyper, f"--max-evals 4 {START}")
    # A journal that belongs to neither the user nor the owner of its directory is not read at all.
    assert again.status == (2 if (how, name) == ("owner", "journal.jsonl") else 0), again.err


def test_secrets_are_not_kept(deephyper: Run) -> None:
    pytest.importorskip("ray")
    from deephyper.core.cli.resumed_command import start_command

    given = {"--problem": "a.P", "--run": "a.run", "--ray-password": "secret"}
    assert start_command(given).options == {"--problem": "a.P", "--run": "a.run"}


def test_a_resume_of_nothing_says_so(deephyper: Run) -> None:
    ended = resume(deephyper)
    assert ended.status == 2
    assert f"there is no search to resume in '{Path('log').absolute()}'" in ended.err


def test_a_resume_of_a_file_says_so(deephyper: Run) -> None:
    log_dir = start(deephyper)
    ended = deephyper("hps", "random", "--resume", "log/results.csv")
    assert ended.status == 2
    assert f"'{log_dir / 'results.csv'}' is a file" in ended.err


def test_a_project_that_was_moved_is_asked_for(deephyper: Run) -> None:
    start(deephyper)
    gone = Path("task/model_run.py").absolute()
    gone.rename("moved.py")
    ended = resume(deephyper)
    assert ended.status == 2
    assert f"give --run, because '{gone}', which the search was started with" in ended.err
    assert resume(deephyper, "--run moved.py --max-evals 5").status == 0


def test_a_second_search_is_told_both_ways(deephyper: Run) -> None:
    start(deephyper)
    Path("log-2").mkdir()
    words = ["hps", "random", *shlex.split(START), "--log-dir", "log", "--max-evals", "3"]
    ended = deephyper(*words)
    assert ended.status == 2
    assert f"--resume {Path('log').absolute()}" in ended.err
    fresh = Path("log-3").absolute()
    assert f"--log-dir {fresh}" in ended.err
    assert deephyper(*words, "--log-dir", fresh).status == 0


def test_a_second_search_in_the_working_directory_is_given_one_inside(deephyper: Run) -> None:
    words = ["hps", "random", *shlex.split(START), "--max-evals", "3"]
    assert deephyper(*words).status == 0
    ended = deephyper(*words)
    assert f"--log-dir {Path('search-2').absolute()}" in ended.err


@pytest.mark.parametrize("option", ["--minimize", "--direction minimize"])
def test_a_search_that_minimizes_does_so_when_it_is_resumed(option: str, deephyper: Run) -> None:
    log_dir = start(deephyper, options=f"{START} {option}")
    ended = resume(deephyper)
    assert ended.status == 0, ended.err
    assert "--direction minimize" in ended.err
    record = read_journal(log_dir)
    objectives = [e.outcome.objective for e in record.ended if e.outcome is not None]
    assert f"Best objective: {min(o for o in objectives if o is not None):.6g}\n" in ended.out
    again = resume(deephyper, "--max-evals 6 --direction maximize")
    assert again.status == 2
    assert "was started to minimize the objective" in again.err
    assert "give --direction minimize" in again.err
    assert resume(deephyper, "--max-evals 6 --minimize").status == 0
