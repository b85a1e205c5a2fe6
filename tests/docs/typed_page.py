"""Follows a page as its reader does: makes its files, types its commands, compares the output."""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True)
class File:
    """A block of Python whose first line is a comment with the name of a file."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """A line after ``$`` in a console block, and what it is said to print; ``...`` is anything."""

    line: str
    expected: str


def steps_in(text: str) -> Iterator[File | Command]:
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if language == "python" and (named := re.match(r"# ([\w.]+\.py)\n", block)):
            yield File(named[1], block)
        elif language == "console":
            for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                line, _, expected = entry.partition("\n")
                yield Command(line, expected)


def matches(expected: str, printed: str) -> bool:
    pattern = re.escape(expected).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def type_page(
    page: str, environment: dict[str, str], folder: Path, *, commands: bool = True
) -> tuple[Path, str]:
    """Return the last folder, and what the last command printed.

    Args:
        page: its file in ``docs``.
        environment: variables of the commands.
        folder: where the reader begins.
        commands: whether they are typed; files are made in any case.
    """
    last = ""
    for step in steps_in((DOCS / page).read_text(encoding="utf-8")):
        if isinstance(step, File):
            (folder / step.name).write_text(step.text, encoding="utf-8")
        elif commands and step.line.startswith("cd "):
            folder = folder / step.line.removeprefix("cd ")
            assert folder.is_dir()
        elif commands:
            last = typed(step, environment, folder)
    return folder, last


def typed(command: Command, environment: dict[str, str], folder: Path) -> str:
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
    return done.stdout


def objectives(results: Path) -> list[float]:
    """Return the objectives of a results file, in its order."""
    return [float(row["objective"]) for row in csv.DictReader(results.open()) if row["objective"]]
