"""Types the tutorials' commands, in order, in an empty folder, and compares what they print."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Command:
    """A line after ``$`` in a console block, and what it is said to print; ``...`` is anything."""

    line: str
    expected: str


def commands_in(text: str) -> list[Command]:
    commands = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = entry.partition("\n")
            commands.append(Command(line, expected))
    return commands


def matches(expected: str, printed: str) -> bool:
    pattern = re.escape(expected).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def type_commands(page: str, environment: dict[str, str], folder: Path) -> tuple[Path, str]:
    """Return the last folder, and what the last command printed."""
    last = ""
    for command in commands_in((ROOT / "docs" / page).read_text(encoding="utf-8")):
        if command.line.startswith("cd "):
            folder = folder / command.line.removeprefix("cd ")
            assert folder.is_dir()
            continue
        done = subprocess.run(
            command.line,
            shell=True,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command.line}\n{done.stdout}\n{done.stderr}"
        assert matches(command.expected, done.stdout), f"{command.line}\n{done.stdout}"
        last = done.stdout
    return folder, last


@pytest.mark.long
@pytest.mark.ray
@pytest.mark.tensorflow
@pytest.mark.timeout(600)
def test_the_tutorial_runs_as_it_reads(environment: dict[str, str], tmp_path: Path) -> None:
    folder, last = type_commands("tutorial.md", environment, tmp_path)
    rows = list(csv.DictReader((folder / "results.csv").open()))
    assert len(rows) == 6
    assert (rows[0]["activation"], rows[0]["lr"], rows[0]["units"]) == ("identity", "0.01", "10")
    best = json.loads((folder / "best.json").read_text())["0"]
    assert set(best) == {"activation", "lr", "units"}
    objective = max(float(row["objective"]) for row in rows if row["objective"])
    assert float(last.removeprefix("objective: ")) == pytest.approx(objective, abs=0.02)


@pytest.mark.long
@pytest.mark.ray
@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_that_of_architectures_runs_as_it_reads(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder, _ = type_commands("tutorial_nas.md", environment, tmp_path)
    rows = list(csv.DictReader((folder / "results.csv").open()))
    assert len(rows) == 8
    # The first point of the other tutorial, a linear model, explains nothing of these data.
    assert max(float(row["objective"]) for row in rows if row["objective"]) > 0.9
    described = json.loads((folder / "ensemble" / "ensemble.json").read_text())
    assert described["loss"] <= described["best_single"]["loss"]
