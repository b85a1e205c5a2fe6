"""A program on the command line, in place of a run function."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import pytest

from deephyper.search.replay import read_journal
from tests.cli.command_line import Run

PROBLEM = """
from deephyper.problem import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter((0.0, 1.0), "x")
Problem.add_hyperparameter(["a b", "$(id)", "-v"], "kind")
"""
TRAIN = """#!/bin/sh
echo "DH-REPORT: 1 0.5"
printf '%s\\n' "$@" > seen
echo "x is $2"
"""
SEARCH = ("hps", "random", "-p", "problem.py", "--seed", 3, "--log-dir", "log", "--max-evals")
PROGRAM = ("--", "./train.sh", "--x", "{x}", "--kind={kind}")


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "problem.py").write_text(PROBLEM)
    (tmp_path / "plain.sh").write_text("echo 1\n")
    train = tmp_path / "train.sh"
    train.write_text(TRAIN)
    train.chmod(0o755)
    monkeypatch.chdir(tmp_path)


def rows() -> list[dict[str, str]]:
    with Path("log/results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_program_is_tuned(deephyper: Run) -> None:
    ended = deephyper(*SEARCH, 4, *PROGRAM)
    assert ended.status == 0, ended.err
    assert len(rows()) == 4
    assert all(float(row["objective"]) == float(row["x"]) for row in rows())
    assert Path("seen").read_text().splitlines()[2] == f"--kind={rows()[-1]['kind']}"
    assert "of ./train.sh --x '{x}' '--kind={kind}' by random sampling" in ended.err
    assert [len(curve) for curve in read_journal(Path("log")).curves.values()] == [1] * 4


@pytest.mark.parametrize("evaluator", ["thread", "subprocess"])
def test_other_evaluators(evaluator: str, deephyper: Run) -> None:
    ended = deephyper(*SEARCH, 2, "--evaluator", evaluator, *PROGRAM)
    assert ended.status == 0, ended.err
    assert {row["status"] for row in rows()} == {"finished"}


def test_a_search_is_resumed_program_and_all_from_anywhere(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--objective", "regex:x is (.*)")
    assert deephyper(*SEARCH, 2, *options, *PROGRAM).status == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ended = deephyper("hps", "random", "--resume", tmp_path / "log", "--max-evals", 4)
    assert ended.status == 0, ended.err
    line = ended.err.splitlines()[0]
    assert "--objective 'regex:x is (.*)'" in line
    assert line.endswith("-- ./train.sh --x '{x}' '--kind={kind}'")
    monkeypatch.chdir(tmp_path)
    assert len(rows()) == 4
    assert all(float(row["objective"]) == float(row["x"]) for row in rows())


def test_a_resume_may_name_another_program(deephyper: Run) -> None:
    assert deephyper(*SEARCH, 1, *PROGRAM).status == 0
    ended = deephyper(
        "hps", "random", "--resume", "log", "--max-evals", 2, "--", "sh", "-c", "echo 7", "{x}"
    )
    assert ended.status == 0, ended.err
    assert float(rows()[1]["objective"]) == 7.0


def test_the_best_are_confirmed_with_the_program(deephyper: Run, deephyper_analytics: Run) -> None:
    assert deephyper(*SEARCH, 3, *PROGRAM).status == 0
    ended = deephyper_analytics("confirm", "log", "-k", 1, "-n", 2, "--log-dir", "again")
    assert ended.status == 0, ended.err
    assert len(read_journal(Path("again")).ended) == 2


def test_each_evaluation_has_a_directory_of_its_own(deephyper: Run) -> None:
    program = str(Path("train.sh").absolute())
    ended = deephyper(*SEARCH, 2, "--workdir", "evaluation", "--", program, "--x", "{x}")
    assert ended.status == 0, ended.err
    assert "doesn't have {kind}, which the program finds in DEEPHYPER_POINT alone" in ended.err
    assert Path("log/evaluations/0/seen").read_text() != Path("log/evaluations/1/seen").read_text()
    assert not Path("seen").exists()


def test_an_objective_in_a_json_file(deephyper: Run) -> None:
    script = 'echo "{\\"v\\": [1, $1]}" > "$DEEPHYPER_DIR/o.json"'
    options = ("--objective", "json:{dir}/o.json:v.1", "--num-workers", 2)
    ended = deephyper(*SEARCH, 4, *options, "--", "sh", "-c", script, "sh", "{x}")
    # Braces of the script that hold no name are its own.
    assert ended.status == 0, ended.err
    assert all(float(row["objective"]) == float(row["x"]) for row in rows())


def test_a_program_that_fails_says_why_in_the_results(deephyper: Run) -> None:
    ended = deephyper(*SEARCH, 2, "--", "sh", "-c", "echo out of memory >&2; exit 9", "{x}")
    assert ended.status == 1
    reason = "reported: the program ended with status 9: out of memory"
    assert {row["failure"] for row in rows()} == {reason}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--",), "no program stands after --; write it there"),
        (("-r", "run.py", "--", "true"), "--run names a function, and a program stands after --"),
        (("--run=run.py", "--", "true"), "--run names a function, and a program stands after --"),
        (("--", ""), "the command is empty"),
        (("--", "./no.sh"), "the program './no.sh' is not there; correct its path"),
        (("--", "no-such-program"), "'no-such-program' is not in the directories of PATH"),
        (("--", "plain.sh"), "'plain.sh' is not in the directories of PATH.* ./plain.sh"),
        (
            ("--", "./plain.sh"),
            r"'./plain.sh' is not executable; make it so \(chmod \+x ./plain.sh\)",
        ),
        (("--", "true", "{y}"), r"unknown placeholder \{y\}; there are kind, x, id"),
        (("--", "true", "{kinds}"), r"unknown placeholder \{kinds\}; did you mean \{kind\}\?"),
        (
            ("--", "true", "{x:q}"),
            r"\{x:q\} can't show the value 0.0 .*; give a format that Python",
        ),
        (("--", "true", "{kind:d}"), r"\{kind:d\} can't show the value 'a b' .*; give a format"),
        (("--", "true", "a{args}"), r"\{args\} is a part of the word 'a\{args\}'"),
        (("--objective", "best", "--", "true"), "--objective is 'best'; give last, regex:PATTERN"),
        (("--objective", "regex:(", "--", "true"), "is no regular expression"),
        (("--objective", "regex:a", "--", "true"), "has no group; put the number into parentheses"),
        (("--objective", "json:{z}", "--", "true"), r"unknown placeholder \{z\}"),
        (
            ("--objective", "json:o.json:a", "--num-workers", "2", "--", "true"),
            "json:o.json:a is one file for all evaluations, of which 2 run at the same time; give "
            "each its own, as in 'json:{dir}/o.json'",
        ),
        (("--workdir", "/no/where", "--", "true"), "--workdir is '/no/where', which is no dir"),
        (("-r", "run.py", "--objective", "last"), "--objective is for a program, and run.py is a"),
        (
            ("-r", "run.py", "--workdir", "/"),
            "--workdir is for a program, and run.py is a function",
        ),
        (("true", "{x}"), "the argument 'true' is unexpected; .* after --: -- true"),
    ],
)
def test_bad_command_lines(words: tuple[str, ...], message: str, deephyper: Run) -> None:
    ended = deephyper(*SEARCH, 3, *words)
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    assert line.startswith("deephyper: error: ")
    assert re.search(message, line), line
    assert not Path("log").exists()


SWEEP = """
program: train.py
method: bayes
metric: {name: loss, goal: minimize}
parameters:
  rate: {min: 0.0, max: 1.0}
  model:
    parameters:
      kind: {values: [a, b c]}
"""


@pytest.mark.parametrize("python", [True, False], ids=["", "without python in PATH"])
def test_the_program_of_a_sweep_is_run_as_the_sweep_says(
    deephyper: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, python: bool
) -> None:
    (tmp_path / "bin").mkdir()
    if python:
        (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (tmp_path / "bin" / "python").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    Path("train.py").write_text(
        "import sys\nwords = dict(w[2:].split('=') for w in sys.argv[1:])\n"
        "assert words['model.kind'] in ('a', 'b c')\nprint('loss:', words['rate'])\n"
    )
    Path("sweep.yaml").write_text(SWEEP)
    ended = deephyper("hps", "ambs", "--space", "sweep.yaml", "--log-dir", "log", "--max-evals", 3)
    assert ended.status == 0, ended.err
    interpreter = "python" if python else sys.executable
    assert f"of /usr/bin/env {interpreter} train.py '{{args=}}' by" in ended.err
    assert all(float(row["objective"]) == float(row["rate"]) for row in rows())
    best = min(float(row["objective"]) for row in rows())
    assert f"Best objective: {best:.6g}" in ended.out
    again = deephyper("hps", "ambs", "--resume", "log", "--max-evals", 5)
    assert again.status == 0, again.err
    assert len(rows()) == 5


def test_a_sweep_whose_command_cannot_be_run_needs_another(deephyper: Run) -> None:
    Path("sweep.yaml").write_text(f"{SWEEP}command: ['${{program}}', '${{nothing}}']\n")
    words = ("hps", "ambs", "--space", "sweep.yaml", "--log-dir", "log", "--max-evals", 2)
    ended = deephyper(*words)
    assert (ended.status, Path("log").exists()) == (2, False)
    assert "the command has ${nothing}, which stands for nothing: choose from" in ended.err
    assert deephyper(*words, "--", "echo", "{rate}").status == 0


def test_a_file_without_a_program_does_not_do(deephyper: Run) -> None:
    Path("space.yaml").write_text("hyperparameters:\n  x: (0.0, 1.0)\n")
    ended = deephyper("hps", "ambs", "--space", "space.yaml", "--log-dir", "log")
    assert ended.status == 2
    assert "names no program; give --run, or a program after --" in ended.err
    assert not Path("log").exists()
    ended = deephyper("hps", "ambs", "-p", "problem.py")
    assert ended.status == 2
    assert "'--run' / '-r'. Give it, or a program after --" in ended.err
