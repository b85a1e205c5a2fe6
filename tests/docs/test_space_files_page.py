"""The page on space files: its files can be read, and its commands print what it shows."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from deephyper.core.cli.main import main
from deephyper.space_file import read_space

PAGE = (Path(__file__).parents[2] / "docs" / "space_files.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the files of the page, each of which begins with its name."""
    for _, text in BLOCKS:
        if text.startswith("# "):
            name = text.partition("\n")[0].removeprefix("# ")
            (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "model_run.py").write_text("def run(point):\n    return -point['lr']\n")
    # The page's python is that of this environment.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)


def printed(command: str) -> tuple[int, str]:
    """Return the status of a command and all that it prints."""
    program, *words = shlex.split(command.partition(" > ")[0])
    assert program == "deephyper"
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = main(words)
    return status, output.getvalue()


def test_every_command_prints_what_the_page_shows() -> None:
    sessions = "".join(text for language, text in BLOCKS if language == "console")
    commands = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", sessions, re.MULTILINE)
    assert len(commands) >= 6
    for command, shown in commands:
        assert printed(command)[1] == shown, command


def test_every_command_that_prints_nothing_here_succeeds() -> None:
    commands = [text.strip() for language, text in BLOCKS if language == "sh"]
    assert len(commands) >= 4
    for i, command in enumerate(commands):
        first, separator, program = command.partition(" -- ")
        searches = f" --log-dir log{i}" if " hps " in first else ""
        status, output = printed(first + searches + separator + program)
        assert status == 0, output


def test_the_space_is_the_same_in_toml() -> None:
    assert repr(read_space("space.toml").problem) == repr(read_space("space.yaml").problem)


def test_the_python_of_the_page_prints_what_it_shows() -> None:
    code = next(text for language, text in BLOCKS if language == "python")
    (shown,) = (text for language, text in BLOCKS if language == "text")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, {"__name__": "page"})
    assert output.getvalue() == shown


def test_the_domains_of_the_equivalents_are_read() -> None:
    table = PAGE.partition("## Equivalents")[2]
    rows = re.findall(r"^\| `([^`]+)` \| `[^|]*\| (?:`([^`]+)`|[^`|]+) \|", table, re.MULTILINE)
    domains = [
        text for row in rows for text in row if text[:1] in ("(", "[") or re.match(r"\w+\(", text)
    ]
    assert len(domains) >= 12
    for text in domains:
        assert read_space(None, [f"x={text}"]).problem.hyperparameter_names == ["x"]


def test_there_are_no_blocks_that_no_test_looks_at() -> None:
    languages = {language for language, _ in BLOCKS}
    assert languages == {"yaml", "toml", "sh", "console", "python", "text"}
