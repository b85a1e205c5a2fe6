"""The programs of docs/programs.md are tuned by its commands, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deephyper.search.results import read_results

TEXT = (Path(__file__).parents[2] / "docs" / "programs.md").read_text(encoding="utf-8")
PROBLEM = """
from deephyper import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter((0.001, 1.0, "log-uniform"), "rate")
Problem.add_hyperparameter((1, 8), "layers")
"""
INTRODUCTION = TEXT.partition("\n## ")[0]


def section(title: str) -> str:
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "problem.py").write_text(PROBLEM)
    monkeypatch.chdir(tmp_path)
    # The page's python and deephyper are those of this environment.
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for name, words in (("python", ""), ("deephyper", "-m deephyper")):
        (bin_dir / name).write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
        (bin_dir / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_dir}{os.pathsep}{os.environ['PATH']}")


def searched(*commands: str) -> None:
    """Run commands in a shell, with a smaller budget; the search has to find something."""
    for command in commands:
        shorter = command.replace("--max-evals 30", "--max-evals 12 --log-dir log")
        done = subprocess.run(["sh", "-c", shorter], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    rows = list(read_results(Path("log/results.csv")))
    assert len(rows) == 12
    for row in rows:
        rate, layers = float(row.point["rate"]), float(row.point["layers"])
        expected = 1 - (rate - 0.1) ** 2 - (layers - 3) ** 2 / 10
        assert row.objective == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_the_first_program() -> None:
    command, script = blocks(INTRODUCTION, "sh")
    Path("train.sh").write_text(script)
    Path("train.sh").chmod(0o755)
    searched(command)


def test_a_script_with_argparse() -> None:
    text = section("A script with argparse")
    Path("train.py").write_text(*blocks(text, "python"))
    searched(*blocks(text, "sh"))


def test_a_program_in_c() -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    text = section("A program in C")
    Path("simulate.c").write_text(*blocks(text, "c"))
    (lines,) = blocks(text, "sh")
    searched(lines.replace("\n", " && ", 1))


@pytest.mark.long
def test_a_hydra_application() -> None:
    pytest.importorskip("hydra")
    text = section("A Hydra application")
    Path("app.py").write_text(*blocks(text, "python"))
    searched(*blocks(text, "sh"))
    assert Path("log/evaluations/0/.hydra/overrides.yaml").exists()


def test_from_python() -> None:
    Path("train.py").write_text(*blocks(section("A script with argparse"), "python"))
    (code,) = blocks(section("From Python"), "python")
    Path("search.py").write_text(code.replace("max_evals=30", "max_evals=12"))
    searched("python search.py")
