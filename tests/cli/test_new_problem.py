from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deephyper.core.cli.new_problem import FILES
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
    assert sorted(path.name for path in polynome2.iterdir()) == sorted(FILES)


def test_load_data_prints_the_shapes(polynome2: Path) -> None:
    assert output_of(polynome2, "load_data.py") == DATA


def test_problem_prints_the_space(polynome2: Path) -> None:
    assert output_of(polynome2, "problem.py") == PROBLEM


def test_the_example_is_what_new_problem_writes(polynome2: Path) -> None:
    for name in FILES:
        example = REPOSITORY / "examples" / "polynome2" / name
        assert (polynome2 / name).read_text() == example.read_text(), name


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("polynome2", ["model_run.py"]),
        (".", ["polynome2/model_run.py"]),
        (".", ["-m", "polynome2.model_run"]),
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
