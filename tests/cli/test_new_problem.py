from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deephyper.core.cli.problem_templates import PROBLEM_TEMPLATES
from tests.cli.command_line import Run

REPOSITORY = Path(__file__).resolve().parents[2]

PROBLEM = """\
Configuration space object:
  Hyperparameters:
    activation, Type: Categorical, Choices: {identity, relu, sigmoid, tanh}, Default: identity
    lr, Type: UniformFloat, Range: [0.0001, 1.0], Default: 0.50005
    units, Type: UniformInteger, Range: [1, 100], Default: 50

Starting Point:
{0: {'activation': 'identity', 'lr': 0.01, 'units': 10}}
"""
DATA = """\
train_X shape: (8000, 10)
train_y shape: (8000, 1)
valid_X shape: (2000, 10)
valid_y shape: (2000, 1)
"""


@pytest.fixture
def polynome2(deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert deephyper("new-problem", "hps", "polynome2").status == 0
    return tmp_path / "polynome2"


def output_of(folder: Path, *words: str) -> str:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_makes_the_four_files_of_the_tutorial(polynome2: Path) -> None:
    files = {"__init__.py", "load_data.py", "model_run.py", "problem.py"}
    assert {path.name for path in polynome2.iterdir()} == files


def test_load_data_prints_the_shapes(polynome2: Path) -> None:
    assert output_of(polynome2, "load_data.py") == DATA


def test_problem_prints_the_space(polynome2: Path) -> None:
    assert output_of(polynome2, "problem.py") == PROBLEM


def test_the_example_is_what_new_problem_writes() -> None:
    for name, text in PROBLEM_TEMPLATES["keras"].files.items():
        assert text == (REPOSITORY / "examples" / "polynome2" / name).read_text(), name


@pytest.mark.parametrize(
    "template",
    ["sklearn", "command", pytest.param("keras", marks=[pytest.mark.tensorflow, pytest.mark.long])],
)
def test_a_problem_of_each_template_can_be_searched(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.chdir(tmp_path)
    made = deephyper("new-problem", "hps", f"with_{template}", "--template", template)
    assert made.status == 0, made.err
    words = made.out.partition("Search it with: deephyper ")[2].split()
    words[words.index("--max-evals") + 1] = "2"
    ended = deephyper(*words, "--seed", "1")
    assert ended.status == 0, ended.err
    assert "(2 evaluations)" in ended.out


@pytest.mark.parametrize("template", PROBLEM_TEMPLATES)
def test_what_each_template_writes_is_python(template: str) -> None:
    for name, text in PROBLEM_TEMPLATES[template].files.items():
        compile(text, name, "exec")


@pytest.mark.parametrize(
    ("template", "module", "extra"), [("keras", "keras", "tensorflow"), ("torch", "torch", "torch")]
)
def test_a_template_whose_library_is_missing_is_refused(
    deephyper: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    module: str,
    extra: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)  # as if it weren't installed
    ended = deephyper("new-problem", "hps", "is_refused", "--template", template)
    assert ended.status == 2
    assert f"isn't installed; get it with: pip install '.[{extra}]'" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_without_keras_the_sample_code_uses_scikit_learn(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "keras", None)
    ended = deephyper("new-problem", "hps", "without_keras")
    assert ended.status == 0
    assert "Keras isn't installed; get it with: pip install '.[tensorflow]'" in ended.out
    assert "the sample code uses scikit-learn instead." in ended.out
    assert "MLPRegressor" in (tmp_path / "without_keras" / "model_run.py").read_text()


def test_a_program_that_fails_is_a_failed_evaluation(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    deephyper("new-problem", "hps", "calls_a_program", "--template", "command")
    words = (
        "hps",
        "random",
        "-p",
        "calls_a_program/problem.py",
        "-r",
        "calls_a_program/model_run.py",
        "--max-evals=1",
    )
    for code, reason in (
        ("raise SystemExit(3)", "the program ended with status 3"),
        ("print('nothing')", "the program printed no objective"),
    ):
        (tmp_path / "calls_a_program" / "program.py").write_text(code)
        ended = deephyper(*words, "--log-dir", f"log {len(code)}")
        assert ended.status == 1
        assert f"failed: {reason}" in ended.err


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("polynome2", ["model_run.py"]),
        pytest.param(".", ["polynome2/model_run.py"], marks=pytest.mark.long),
        pytest.param(".", ["-m", "polynome2.model_run"], marks=pytest.mark.long),
    ],
)
def test_model_run_trains_however_it_is_started(
    polynome2: Path, where: str, words: list[str]
) -> None:
    done = output_of(polynome2.parent / where, *words)
    name, value = done.split(":")
    assert name == "objective"
    assert -0.2 < float(value) < 0.1  # a linear model


def test_names_the_dotted_path_inside_a_package(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "mine" / "inner"
    package.mkdir(parents=True)
    (tmp_path / "mine" / "__init__.py").touch()
    (package / "__init__.py").touch()
    monkeypatch.chdir(package)
    assert "--run mine.inner.bowl.model_run.run" in deephyper("new-problem", "hps", "bowl").out


def test_refuses_an_existing_folder_and_leaves_it_alone(deephyper: Run, polynome2: Path) -> None:
    (polynome2 / "problem.py").write_text("mine")
    ended = deephyper("new-problem", "hps", "polynome2")
    assert ended.status == 2
    assert "exists already" in ended.err
    assert (polynome2 / "problem.py").read_text() == "mine"
