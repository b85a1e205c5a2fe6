"""--config: the options of a search in a file."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from deephyper.search.replay import read_journal, read_start_command
from tests.cli.command_line import Ended, Run

PROBLEM = """
from deephyper.problem import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter((0.0, 1.0), "x")
"""
RUN = "def run(point):\n    return point['x']\n"
TRAIN = '#!/bin/sh\necho "$PWD" > where\necho "x is $2, is all"\n'
FUNCTION = """
problem: problem.py
run: run.py
evaluator: thread
max_evals: 3
seed: 3
log-dir: log
"""
PROGRAM = """
param:
  x: (0.0, 1.0)
  kind: [one, "a; b", 'it''s', true]
command: ./train.sh --x {x} '--kind={kind}'
objective: regex:x is ([^,]*)
minimize: true
num_workers: 2
timeout: 10m
max_evals: 4
stop_when_done: false
log_dir: log
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "problem.py").write_text(PROBLEM)
    (tmp_path / "run.py").write_text(RUN)
    (tmp_path / "two.py").write_text("def run(point):\n    return 2\n")
    (tmp_path / "train.sh").write_text(TRAIN)
    (tmp_path / "train.sh").chmod(0o755)
    (tmp_path / "function.yaml").write_text(FUNCTION)
    (tmp_path / "program.yaml").write_text(PROGRAM)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)


def rows(log_dir: str = "log") -> list[dict[str, str]]:
    with Path(log_dir, "results.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stored(log_dir: str = "log") -> dict[str, str]:
    command = read_start_command(Path(log_dir))
    assert command is not None
    return command.options


@pytest.mark.parametrize("search", ["ambs", "random"])
def test_a_search_in_a_file(search: str, deephyper: Run) -> None:
    ended = deephyper("hps", search, "--config", "function.yaml")
    assert ended.status == 0, ended.err
    assert len(rows()) == 3
    assert stored()["--seed"] == "3"
    assert "--config" not in stored()


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_the_same_in_toml_and_json(ending: str, deephyper: Run) -> None:
    options = {"problem": "problem.py", "run": "run.py", "max_evals": 2, "stop-when-done": 0.5}
    text = json.dumps(options)
    if ending == "toml":
        text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in options.items())
    Path(f"search.{ending}").write_text(text)
    ended = deephyper("hps", "ambs", "--config", f"search.{ending}", "--log-dir", "log")
    assert ended.status == 0, ended.err
    assert (len(rows()), stored()["--stop-when-done"]) == (2, "0.5")


def test_a_program_is_tuned_and_resumed_by_the_directory_alone(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = deephyper("hps", "random", "--config", "program.yaml")
    assert ended.status == 0, ended.err
    Path("program.yaml").unlink()
    monkeypatch.chdir("elsewhere")
    again = deephyper("hps", "random", "--resume", tmp_path / "log", "--max-evals", 6)
    assert again.status == 0, again.err
    notice = again.err.splitlines()[0]
    assert "kind=[one, " in notice
    assert "--direction minimize" in notice
    assert "--num-workers 2" in notice
    assert notice.endswith("-- ./train.sh --x '{x}' '--kind={kind}'")
    monkeypatch.chdir(tmp_path)
    assert len(rows()) == 6
    assert all(float(row["objective"]) == float(row["x"]) for row in rows())
    assert {row["kind"] for row in rows()} <= {"one", "a; b", "it's", "True", "true"}
    assert read_journal(Path("log")).direction == "minimize"


def test_a_command_as_a_list_of_words(deephyper: Run) -> None:
    Path("list.yaml").write_text(
        "param: ['x=(0.0, 1.0)']\ncommand: [./train.sh, a b, '{x}', 3]\nmax_evals: 2\n"
    )
    ended = deephyper("hps", "random", "--config", "list.yaml", "--log-dir", "log")
    assert ended.status == 0, ended.err
    assert stored()["--run"] == "-- ./train.sh 'a b' '{x}' 3"


def test_what_is_in_the_file_is_meant_in_its_directory(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("elsewhere")
    ended = deephyper("hps", "random", "--config", "../program.yaml")
    assert ended.status == 0, ended.err
    assert (tmp_path / "where").read_text() == f"{tmp_path}\n"
    assert len(rows(str(tmp_path / "log"))) == 4
    own = deephyper("hps", "random", "--config", "../function.yaml", "--log-dir", "own")
    assert own.status == 0, own.err
    assert len(rows("own")) == 3
    assert stored("own")["--run"] == str(tmp_path / "run.py")


def test_modules_are_found_beside_the_file_and_again_on_a_resume(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("beside_config.py").write_text(PROBLEM + RUN)
    Path("modules.yaml").write_text(
        "problem: beside_config.Problem\nrun: beside_config.run\nevaluator: thread\nmax_evals: 2\n"
    )
    monkeypatch.chdir("elsewhere")
    ended = deephyper("hps", "random", "--config", "../modules.yaml", "--log-dir", "log")
    assert ended.status == 0, ended.err
    command = read_start_command(Path("log"))
    assert command is not None
    assert command.directory == str(tmp_path)
    monkeypatch.chdir("/")
    again = deephyper("hps", "random", "--resume", tmp_path / "elsewhere/log", "--max-evals", 3)
    assert again.status == 0, again.err
    monkeypatch.chdir(tmp_path / "elsewhere")
    both = deephyper("hps", "random", "--config", "../modules.yaml", "-r", "other.run")
    assert both.status == 2
    assert "--run is meant in the current directory, and problem in that of the file, " in both.err


@pytest.mark.parametrize(
    ("more", "words", "check"),
    [
        ("", ("--seed", 5, "--max-evals", 1), {"--seed": "5"}),
        ("minimize: true", ("--direction", "maximize"), {"--direction": "maximize"}),
        ("eval_timeout: 5s", ("--eval-timeout-minutes", 1), {"--eval-timeout-minutes": "1"}),
        ("stopper: asha\nreduction_factor: 3", ("--stopper", "median"), {"--stopper": "median"}),
        (
            "stopper: asha\nreduction_factor: 3\nmin_steps: 2",
            ("--min-steps", 4),
            {"--stopper": "asha", "--reduction-factor": "3", "--min-steps": "4"},
        ),
        ("", ("-P", "x=(2.0, 3.0)"), {"--param": "x=(2.0, 3.0)", "--problem": None}),
        ("", ("--space", "space.yaml"), {"--problem": None}),
        ("", ("-r", "two.py::run"), {}),
        ("", ("--", "./train.sh", "--x", "{x}"), {"--run": "-- ./train.sh --x '{x}'"}),
    ],
)
def test_the_command_line_wins(
    more: str, words: tuple[str | int, ...], check: dict[str, str | None], deephyper: Run
) -> None:
    Path("function.yaml").write_text(f"{FUNCTION}{more}\n")
    Path("space.yaml").write_text("hyperparameters:\n  x: (0.0, 1.0)\n")
    ended = deephyper("hps", "random", "--config", "function.yaml", *map(str, words))
    assert ended.status == 0, ended.err
    assert {flag: stored().get(flag) for flag in check} == check


def test_a_run_function_in_place_of_the_program_in_the_file(deephyper: Run) -> None:
    Path("run.py").write_text("def run(point):\n    return 7\n")
    ended = deephyper("hps", "random", "--config", "program.yaml", "-r", "run.py")
    assert ended.status == 0, ended.err
    assert {row["objective"] for row in rows()} == {"7.0"}


def test_definitions_replace_those_of_their_name(deephyper: Run) -> None:
    ended = deephyper("hps", "random", "--config", "program.yaml", "-P", "x=(5.0, 6.0)")
    assert ended.status == 0, ended.err
    assert all(5 <= float(row["x"]) <= 6 and row["kind"] for row in rows())


def test_a_resume_with_a_file_takes_what_the_file_leaves_out_from_the_journal(
    deephyper: Run,
) -> None:
    assert deephyper("hps", "random", "--config", "function.yaml").status == 0
    Path("more.yaml").write_text("max_evals: 5\nnum_workers: 2\n")
    ended = deephyper("hps", "random", "--resume", "log", "--config", "more.yaml")
    assert ended.status == 0, ended.err
    assert len(rows()) == 5
    assert (stored()["--num-workers"], stored()["--seed"]) == ("2", "3")


def test_a_confirmation_in_a_file(deephyper: Run, deephyper_analytics: Run) -> None:
    assert deephyper("hps", "random", "--config", "function.yaml").status == 0
    Path("confirm.yaml").write_text("k: 1\nn: 2\nset: {x: 0.5}\nlog_dir: again\n")
    ended = deephyper_analytics("confirm", "log", "--config", "confirm.yaml")
    assert ended.status == 0, ended.err
    assert [row["objective"] for row in rows("again")] == ["0.5", "0.5"]


def failed(ended: Ended) -> str:
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    assert line.startswith("deephyper: error: ")
    assert not Path("log").exists()
    return line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_eval: 3", r"line 1, column 1: unknown option 'max_eval': did you mean 'max_evals'\?"),
        ("zzz: 3", "unknown option 'zzz': the names are those of the command line's options"),
        ("config: other.yaml", "unknown option 'config'"),
        ("batch: true", "unknown option 'batch'"),
        ("seed: 1\nmax_evals: many", "line 2, column 1: max_evals 'many' is not a valid integer"),
        ("max_evals: 1.5", "max_evals '1.5' is not a valid integer; give a whole number"),
        ("max_evals: [3]", r"max_evals is \[3\]: give one value"),
        ("max_evals:", "max_evals has no value: give one, or leave it out"),
        ("timeout: soon", "timeout 'soon' is not a duration above 0"),
        ("minimize: yes", "minimize is 'yes': give true or false"),
        ("direction: up", "direction 'up' is not one of 'maximize', 'minimize'"),
        ("evaluator: threads", r"evaluator 'threads' is not one of .*did you mean 'thread'\?"),
        ("objective: 5", "objective is 5: give a text"),
        ("seed: true", "seed is True: give one value"),
        ("log_dir: ''", "log_dir can't be used: --log-dir is ''; give a path"),
        ("max_evals: 3\nmax-evals: 4", "max-evals is the same option as max_evals: leave out one"),
        ("backend: thread\nevaluator: ray", "evaluator is the same option as backend"),
        ("run: run.py\ncommand: [a]", "command is the same option as run: leave out one of them"),
        ("run: '-- ./train.sh'", "run is '-- ./train.sh': give a program by command:"),
        ("command: []", "command is empty: write the program"),
        ("command: 'a \"b'", r"command can't be split into words \(No closing quotation\)"),
        ("command: {a: b}", "command is {'a': 'b'}: give the words of the command line as a list"),
        ("param: {x: 3}", "line 1, column 9: param: x is 3: give bounds as"),
        ("param: {x: '(1,'}", "param: x can't be used: the domain"),
        ("param: {x: {range: [1, 2]}}", "param: x has more than a domain: write it into a file"),
        ("param: [3]", "param has 3: give the values by name, or a list of texts NAME=VALUE"),
        ("- max_evals", r"this is \['max_evals'\]: write options by their names"),
        ("", "is empty: write the options of the search into it"),
        ("a: [", "search.yaml', line 1, column 5: while parsing"),
        ("seed: 1\nseed: 2", "line 2, column 1: the key 'seed' stands here a second time"),
    ],
)
def test_bad_files(text: str, message: str, deephyper: Run) -> None:
    Path("search.yaml").write_text(text)
    words = ("-P", "y=(0.0, 1.0)") if text.startswith("command") else ("-p", "problem.py")
    line = failed(deephyper("hps", "ambs", *words, "--config", "search.yaml"))
    assert re.search(message, line), line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--config", "searh.yaml"),
            "there is no file .*searh.yaml': did you mean .*search.yaml",
        ),
        (("--config", "."), "is a directory: name the file of the search in it"),
        (("--config", ""), "--config is ''; give a path"),
        (("--config", "search.yaml", "train.sh"), "a program is written at the end, after --"),
        (("--config", "search.yaml"), "Missing option '--problem'"),
    ],
)
def test_bad_command_lines(words: tuple[str, ...], message: str, deephyper: Run) -> None:
    Path("search.yaml").write_text("max_evals: 3\n")
    line = failed(deephyper("hps", "random", *words))
    assert re.search(message, line), line


def test_the_file_in_the_documentation(deephyper: Run) -> None:
    page = Path(__file__).parents[2] / "docs" / "cli.md"
    text = re.search(r"```yaml\n(# search.yaml.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    Path("search.yaml").write_text(text[1])
    Path("train.sh").write_text("#!/bin/sh\necho 1\n")
    ended = deephyper("hps", "random", "--config", "search.yaml", "--max-evals", 2)
    assert ended.status == 0, ended.err
    assert {row["objective"] for row in rows("results")} == {"1.0"}


def test_every_option_but_hidden_ones_has_a_key(deephyper: Run) -> None:
    """What the help shows is known to the file, by the name that it shows."""
    shown = deephyper("hps", "ambs", "--help").out
    names = {name.replace("-", "_") for name in re.findall(r"--([a-z-]{2,})", shown)}
    for name in sorted(names - {"config", "help"}):
        Path("search.yaml").write_text(f"{name}: {{}}\n")
        ended = deephyper("hps", "ambs", "-p", "problem.py", "--config", "search.yaml")
        assert "unknown option" not in ended.err, name
