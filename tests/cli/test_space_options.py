"""--space and --param: a search whose space is not written in Python."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import pytest

from deephyper.search.replay import read_journal, read_start_command
from tests.cli.command_line import Ended, Run

RUN = "def run(point):\n    return point['x'] if point['kind'] != 'zero' else 0.0\n"
SPACE = "hyperparameters:\n  x: (0.0, 1.0)\n  kind: [one, zero]\n"
OPTIONS = "-r run.py --evaluator thread --seed 3"
INLINE = ["-P", "x=(0.0, 1.0)", "-P", "kind=[one, 'a; b', zero]"]


@pytest.fixture(autouse=True)
def _task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.py").write_text(RUN)
    (tmp_path / "space.yaml").write_text(SPACE)
    monkeypatch.chdir(tmp_path)


def search(deephyper: Run, *words: str | Path, evaluations: int = 3) -> Ended:
    return deephyper("hps", "random", *shlex.split(OPTIONS), "--max-evals", evaluations, *words)


def resume(deephyper: Run, *words: str | Path, evaluations: int = 5) -> Ended:
    return deephyper("hps", "random", "--resume", "log", "--max-evals", evaluations, *words)


def rows(log_dir: str = "log") -> list[dict[str, str]]:
    with Path(log_dir, "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["ambs", "random"])
def test_a_space_in_a_file_is_searched_and_resumed_by_the_directory_alone(
    kind: str, deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*shlex.split(OPTIONS), "--space", "space.yaml", "--log-dir", "log"]
    started = deephyper("hps", kind, *words, "--max-evals", 3)
    assert started.status == 0, started.err
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = deephyper("hps", kind, "--resume", "../log", "--max-evals", 5)
    assert again.status == 0, again.err
    assert f"--space {tmp_path / 'space.yaml'}" in again.err
    assert len(read_journal(tmp_path / "log").ended) == 5


def test_definitions_survive_every_resume(deephyper: Run) -> None:
    started = search(deephyper, *INLINE, "--log-dir", "log")
    assert started.status == 0, started.err
    for evaluations in (5, 7):
        again = resume(deephyper, evaluations=evaluations)
        assert again.status == 0, again.err
    command = read_start_command(Path("log"))
    assert command is not None
    assert command.options["--param"] == "x=(0.0, 1.0); kind=[one, 'a; b', zero]"
    assert len(rows()) == 7
    assert {row["kind"] for row in rows()} <= {"one", "a; b", "zero"}


def test_definitions_add_to_a_file_and_replace_what_is_in_it(deephyper: Run) -> None:
    ended = search(
        deephyper, "--space", "space.yaml", "-P", "x=[0.5]", "--param", "n=(1, 3)", "--log-dir", "l"
    )
    assert ended.status == 0, ended.err
    assert {row["x"] for row in rows("l")} == {"0.5"}
    assert {row["n"] for row in rows("l")} <= {"1", "2", "3"}
    assert "kind" in rows("l")[0]


def test_the_direction_of_a_file_is_that_of_the_search(deephyper: Run) -> None:
    Path("space.yaml").write_text(f"{SPACE}direction: minimize\n")
    ended = search(deephyper, "--space", "space.yaml", "--log-dir", "log", evaluations=8)
    best = min(float(row["objective"]) for row in rows())
    assert f"Best objective: {best:.6g}"[:20] in ended.out
    # And of the resumed one, whose command line doesn't name it.
    assert resume(deephyper, evaluations=9).status == 0
    other = search(deephyper, "--space", "space.yaml", "--direction", "maximize", "--log-dir", "up")
    best = max(float(row["objective"]) for row in rows("up"))
    assert f"Best objective: {best:.6g}"[:20] in other.out


def test_another_way_of_giving_the_space_replaces_it_on_a_resume(deephyper: Run) -> None:
    Path("task.py").write_text(
        "from deephyper.problem import HpProblem\nProblem = HpProblem()\n"
        "Problem.add_dim('x', (0.0, 1.0))\nProblem.add_dim('kind', ['one', 'zero'])\n"
    )
    assert search(deephyper, "--space", "space.yaml", "--log-dir", "log").status == 0
    as_problem = resume(deephyper, "-p", "task.py", evaluations=4)
    assert as_problem.status == 0, as_problem.err
    command = read_start_command(Path("log"))
    assert command is not None
    assert "--space" not in command.options
    as_definitions = resume(deephyper, "-P", "x=(0.0, 1.0)", "-P", "kind=[one, zero]")
    assert as_definitions.status == 0, as_definitions.err
    command = read_start_command(Path("log"))
    assert command is not None
    assert "--problem" not in command.options


def test_a_resume_after_the_space_has_changed_says_what_differs(deephyper: Run) -> None:
    assert search(deephyper, "--space", "space.yaml", "--log-dir", "log").status == 0
    Path("space.yaml").write_text(SPACE.replace("1.0", "2.0"))
    ended = resume(deephyper)
    assert ended.status == 2
    assert "upper of 'x' was 1.0 and is 2.0" in ended.err


def test_a_resume_after_the_file_was_moved_asks_for_it(deephyper: Run) -> None:
    assert search(deephyper, "--space", "space.yaml", "--log-dir", "log").status == 0
    there = Path("space.yaml").absolute()
    there.rename("moved.yaml")
    ended = resume(deephyper)
    assert ended.status == 2
    assert f"give --space, because '{there}', which the search was started with" in ended.err
    assert resume(deephyper, "--space", "moved.yaml").status == 0


def test_the_best_are_confirmed_in_the_same_space(deephyper: Run, deephyper_analytics: Run) -> None:
    Path("space.toml").write_text('[hyperparameters]\nx = "(0.0, 1.0)"\nkind = ["0", "1"]\n')
    assert search(deephyper, "--space", "space.toml", "--log-dir", "log").status == 0
    ended = deephyper_analytics(
        "confirm", "log", "-k", 1, "-n", 1, "--evaluator", "thread", "-o", "best.json"
    )
    assert ended.status == 0, ended.err
    point = json.loads(Path("best.json").read_text())["0"]["point"]
    assert point["kind"] in ("0", "1")
    other = deephyper_analytics(
        *("confirm", "log", "-k", 1, "-n", 1, "--evaluator", "thread", "--log-dir", "again"),
        *("--space", "space.toml", "-P", "x=(2.0, 3.0)"),
    )
    assert other.status == 2
    assert "is no point of the problem" in other.err


def test_a_space_file_given_as_a_problem_is_explained(deephyper: Run) -> None:
    ended = search(deephyper, "-p", "space.yaml")
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)
    assert "'space.yaml' is not a Python file; give a file of a search space by --space" in (
        ended.err
    )


def test_a_sweep_of_wandb_is_searched_as_it_is(deephyper: Run) -> None:
    Path("sweep.yaml").write_text("""\
program: train.py
method: bayes
metric: {name: loss, goal: minimize}
early_terminate: {type: hyperband, min_iter: 3}
parameters:
  x: {min: 0.0, max: 1.0}
  kind: {values: [one, zero]}
  optimizer:
    parameters:
      lr: {distribution: log_uniform_values, min: 1e-5, max: 0.1}
      momentum: {distribution: normal, mu: 0.5, sigma: 0.1}
""")
    ended = search(deephyper, "--space", "sweep.yaml", "--log-dir", "log", evaluations=5)
    assert ended.status == 0, ended.err
    for notice in (
        "early_terminate: 'hyperband' has no effect here: give --stopper asha --min-steps 3",
        "optimizer.momentum: normal, and so without bounds: searched from 0.1 to 0.9",
    ):
        assert ended.err.count(notice) == 1
    assert {"optimizer.lr", "optimizer.momentum"} <= rows()[0].keys()
    assert all(0.1 <= float(row["optimizer.momentum"]) <= 0.9 for row in rows())
    again = resume(deephyper, "--stopper", "asha", evaluations=7)
    assert again.status == 0, again.err
