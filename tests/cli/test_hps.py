"""Searches started from the command line: what is shown, what is written, how they exit."""

from __future__ import annotations

import csv
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import Run

REPOSITORY = Path(__file__).resolve().parents[2]

PROBLEM = """\
from deephyper.problem import HpProblem

Problem = HpProblem()
Problem.add_hyperparameter((-5.0, 5.0), "x")
Problem.add_hyperparameter((0, 10), "n")
Problem.add_starting_point(x=1.5, n=4)
"""
RUN = """\
import os, sys, time
from sibling import bowl


def run(point):
    print("evaluating", point)
    return bowl(point["x"], point["n"])


def fails(point):
    print("this is said before it fails")
    raise ValueError("out of cheese")


def fails_far_out(point):
    if abs(point["x"]) > 2:
        raise ValueError("too far out")
    return run(point)


def is_slow(point):
    open("started", "a").close()
    time.sleep(2)
    return run(point)
"""
EVOLUTION = ["--optimizer", "evolution", "--population-size", "5", "--sample-size", "2"]
SIBLING = "def bowl(x, n):\n    return -x * x - abs(n - 7)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a problem in a folder of its own."""
    task = tmp_path / "task"
    task.mkdir()
    (task / "problem.py").write_text(PROBLEM)
    (task / "model_run.py").write_text(RUN)
    (task / "sibling.py").write_text(SIBLING)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(search: str = "ambs", run: str = "run", **options: object) -> list[str]:
    line = ["hps", search, "-p", "task/problem.py", "-r", f"task/model_run.py::{run}"]
    for name, value in options.items():
        line += [f"--{name.replace('_', '-')}", str(value)]
    return line


def rows(log_dir: str | Path = ".") -> list[dict[str, str]]:
    with Path(log_dir, "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def program(*line: str) -> list[str]:
    code = "import sys; from deephyper.core.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", code, *line]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(REPOSITORY)}


@pytest.mark.parametrize("search", ["ambs", "random"])
@pytest.mark.parametrize("evaluator", ["thread", "process", "subprocess", "threadPool"])
def test_a_search_writes_its_results_and_names_the_best_and_the_next_command(
    deephyper: Run, folder: Path, search: str, evaluator: str
) -> None:
    ended = deephyper(*words(search, evaluator=evaluator, max_evals=4, log_dir="found"))
    assert ended.status == 0, ended.err
    found = rows("found")
    assert len(found) == 4
    assert (found[0]["x"], found[0]["n"], found[0]["objective"]) == ("1.5", "4", "-5.25")
    best = max(float(row["objective"]) for row in found)
    assert f"Best objective: {best:.6g}\n" in ended.out
    assert "deephyper-analytics topk found/results.csv" in ended.out
    assert Path("found/deephyper.log").is_file()
    assert ended.err.count("objective") == 4


def test_a_batch_job_says_at_its_start_how_to_resume_when_it_is_killed(
    deephyper: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "37")
    ended = deephyper(*words(search="random", evaluator="thread", max_evals=2, log_dir="a b"))
    resume = (
        f"If this batch job is killed, resume with: deephyper hps random --resume "
        f"{shlex.quote(str(folder / 'a b'))} --problem task/problem.py "
        "--run task/model_run.py::run --max-evals 2 --evaluator thread"
    )
    assert ended.err.splitlines()[0] == resume
    monkeypatch.delenv("SLURM_JOB_ID")
    ended = deephyper(*words(search="random", evaluator="thread", max_evals=2, log_dir="c"))
    assert "batch job" not in ended.err


@pytest.mark.ray
def test_a_search_on_ray(deephyper: Run, folder: Path) -> None:
    assert deephyper(*words(evaluator="ray", num_workers=2, max_evals=4)).status == 0
    assert len(rows()) == 4


def test_the_module_is_the_same_program(folder: Path) -> None:
    command = [sys.executable, "-m", "deephyper.search.hps.ambs"]
    line = words(max_evals=2, evaluator="thread")[2:]
    done = subprocess.run(
        [*command, *line], env=environment(), capture_output=True, text=True, check=True
    )
    assert "Best objective" in done.stdout
    assert len(rows()) == 2
    again = subprocess.run([*command, *line], env=environment(), capture_output=True, text=True)
    assert again.returncode == 2


def test_the_output_of_an_evaluation_is_kept_in_a_file(deephyper: Run, folder: Path) -> None:
    deephyper(*words(max_evals=2))
    kept = sorted(Path("output").iterdir())
    assert len(kept) == 2
    assert all("evaluating {'" in path.read_text() for path in kept)


def test_a_first_failure_is_shown_at_once_and_a_search_of_failures_exits_with_1(
    deephyper: Run, folder: Path
) -> None:
    ended = deephyper(*words(run="fails", max_evals=9, max_failures=3))
    assert ended.status == 1
    first = ended.err.index("The first evaluation failed: ValueError: out of cheese")
    assert first < ended.err.index("[2/9]")
    assert 'raise ValueError("out of cheese")' in ended.err
    output = re.search(r"its output: (\S+)", ended.err)
    assert output is not None
    assert "this is said before it fails" in Path(output[1]).read_text()
    assert "too many evaluations failed in a row (3 evaluations, 3 of them failed)" in ended.out
    assert "No evaluation has succeeded." in ended.out
    assert len(rows()) == 3


def test_some_failures_are_no_reason_to_exit_otherwise(deephyper: Run, folder: Path) -> None:
    ended = deephyper(*words("random", run="fails_far_out", max_evals=12, seed=3))
    assert ended.status == 0
    failed = sum(row["status"] == "failed" for row in rows())
    assert 0 < failed < 12
    assert f"(12 evaluations, {failed} of them failed)" in ended.out


def test_a_resumed_search_counts_on_from_what_was_there(deephyper: Run, folder: Path) -> None:
    deephyper(*words(max_evals=3, evaluator="thread", log_dir="found"))
    ended = deephyper(*words(max_evals=5, evaluator="thread", resume="found"))
    assert ended.status == 0
    assert len(rows("found")) == 5
    first, *others = ended.err.splitlines()
    assert first.startswith("[3/5]  resuming a search of 2 hyperparameters (n, x)")
    assert [line.split()[0] for line in others] == ["[4/5]", "[5/5]"]
    assert "(5 evaluations)" in ended.out


def test_a_warm_start_learns_from_old_results(deephyper: Run, folder: Path) -> None:
    deephyper(*words(max_evals=3, evaluator="thread", log_dir="old"))
    ended = deephyper(
        *words(max_evals=2, evaluator="thread", log_dir="new", warm_start="old/results.csv")
    )
    assert ended.status == 0
    assert "3 of 3 results fit the space" in ended.err
    assert len(rows("new")) == 2


def test_the_same_seed_and_one_worker_propose_the_same_points(deephyper: Run, folder: Path) -> None:
    for log_dir in ("one", "two"):
        deephyper(*words(max_evals=14, evaluator="thread", seed=5, log_dir=log_dir))
    one, two = ([(row["x"], row["n"]) for row in rows(d)] for d in ("one", "two"))
    assert one == two


def test_an_evaluation_past_its_limit_fails(deephyper: Run, folder: Path) -> None:
    ended = deephyper(*words(run="is_slow", max_evals=1, eval_timeout="0.5s"))
    assert ended.status == 1
    assert rows()[0]["failure"].startswith("timeout")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_search_with_its_results_written(
    folder: Path, number: signal.Signals, status: int
) -> None:
    search = subprocess.Popen(
        program(*words(run="is_slow", max_evals=50)),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not Path("started").exists():
        time.sleep(0.05)
        assert search.poll() is None
    search.send_signal(number)
    out, err = search.communicate(timeout=60)
    assert search.returncode == status, err
    assert "Traceback" not in err
    assert "it was interrupted (1 evaluation)" in out
    assert "Resume with: deephyper hps ambs --resume .\n" in out
    assert len(rows()) == 1


def test_the_command_after_a_timeout_goes_on(deephyper: Run, folder: Path) -> None:
    line = words(evaluator="thread", timeout="0.5s", grace=0, kappa=1, log_dir="found")
    ended = deephyper(*line)
    assert "--kappa has no effect without --surrogate-model" in ended.err
    again = ended.out.partition("Resume with: deephyper ")[2].strip()
    assert again.startswith("hps ambs --resume found --timeout ")
    before = len(rows("found"))
    assert deephyper(*shlex.split(again)).status == 0
    assert len(rows("found")) > before


@pytest.mark.parametrize("group", ["hps", "nas"])
def test_options_without_limits_show_none(deephyper: Run, group: str) -> None:
    shown = deephyper(group, "ambs", "--help").out
    assert "--target VALUE" in shown
    assert "None]" not in shown


def test_h_is_short_for_help(deephyper: Run) -> None:
    assert "--max-evals" in deephyper("hps", "random", "-h").out


def test_a_base_problem_can_be_searched(deephyper: Run, folder: Path) -> None:
    Path("task/problem.py").write_text(PROBLEM.replace("HpProblem", "BaseProblem"))
    assert deephyper(*words(evaluator="thread", max_evals=1)).status == 0


def test_ctrl_c_while_the_problem_is_imported_is_no_error_of_the_problem(
    deephyper: Run, folder: Path
) -> None:
    Path("long_import.py").write_text("raise KeyboardInterrupt\n")
    ended = deephyper("hps", "ambs", "-p", "long_import.py", "-r", "task/model_run.py")
    assert (ended.status, ended.err.strip()) == (130, "deephyper: interrupted")


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_reader_that_has_left_is_no_reason_to_end_a_search(folder: Path, closed: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    search = subprocess.Popen(
        program(*words(max_evals=3)),
        env=environment(),
        stdout=writing if closed == "stdout" else subprocess.PIPE,
        stderr=writing if closed == "stderr" else subprocess.PIPE,
    )
    os.close(writing)
    search.communicate(timeout=60)
    assert len(rows()) == 3
    assert search.returncode == 0


def test_a_terminal_shows_a_live_line(folder: Path) -> None:
    reading, writing = pty.openpty()
    search = subprocess.Popen(
        program(*words(max_evals=3, evaluator="thread")),
        env=environment() | {"TERM": "xterm", "COLUMNS": "120", "CI": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=writing,
    )
    os.close(writing)
    shown = b""
    try:
        while piece := os.read(reading, 4096):
            shown += piece
    except OSError:
        pass  # how Linux says that the other end of a terminal is closed
    os.close(reading)
    assert search.wait(timeout=60) == 0
    text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown).decode()
    assert "evaluations" in text
    assert "3/3" in text
    assert "[1/3]  new best" in text


def test_evolution(deephyper: Run, folder: Path) -> None:
    asked: dict[str, Any] = {"evaluator": "thread", "max_evals": 30, "seed": 1}
    ended = deephyper(*words("regevo", **asked, log_dir="log"), *EVOLUTION[2:])
    assert ended.status == 0
    assert "by regularized evolution (population of 5, samples of 2)" in ended.err
    assert len(rows("log")) == 30
    again = deephyper(*words("ambs", **asked, log_dir="again"), *EVOLUTION)
    assert again.status == 0
    assert again.out.splitlines()[1] == ended.out.splitlines()[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("regevo --population-size 0", "population-size"),
        ("regevo --surrogate-model RF", "--surrogate-model"),
        ("ambs --population-size 5", "--population-size is an option of evolution"),
    ],
)
def test_bad_options_of_evolution(deephyper: Run, folder: Path, line: str, said: str) -> None:
    search, *given = line.split()
    ended = deephyper(*words(search), *given)
    assert ended.status == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_quiet_shows_the_summary_alone_and_verbose_every_point(
    deephyper: Run, folder: Path
) -> None:
    asked: dict[str, Any] = {"evaluator": "thread", "max_evals": 3, "seed": 1}
    quiet = deephyper(*words("random", **asked, log_dir="quiet"), "--quiet")
    assert (quiet.status, quiet.err) == (0, "")
    verbose = deephyper(*words("random", **asked, log_dir="verbose"), "-v")
    assert verbose.out.splitlines()[1:2] == quiet.out.splitlines()[1:2]
    shown = [line for line in verbose.err.splitlines() if " objective " in line]
    assert len(shown) == 3
    assert all("=" in line.rpartition("best ")[2] for line in shown)
    assert deephyper(*words("random", max_evals=4), "--resume", "quiet", "--quiet").status == 0
    both = deephyper(*words("random", max_evals=4), "--quiet", "--verbose")
    assert both.status == 2
    assert "--quiet and --verbose" in both.err
