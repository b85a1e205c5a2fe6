"""The page on search spaces: its code runs and prints what the page shows."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "problem.md"
Block = tuple[str, str, int]
"""Language, text and line of a block of code."""
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    """Every block of code of the page."""
    text = PAGE.read_text(encoding="utf-8")
    return [
        (match[1], match[2], text.count("\n", 0, match.start()) + 2)
        for match in FENCED.finditer(text)
    ]


def test_every_python_block_runs_and_prints_the_text_that_follows(blocks: list[Block]) -> None:
    names = {"__name__": "problem"}
    ran = 0
    for i, (language, text, line) in enumerate(blocks: list[Block]) -> None:
        if language != "python":
            continue
        printed = io.StringIO()
        # line numbers of the page in tracebacks
        code = compile("\n" * (line - 1) + text, str(PAGE), "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        following = blocks[i + 1] if i + 1 < len(blocks) else ("", "", 0)
        expected = following[1] if following[0] == "text" else ""
        assert printed.getvalue() == expected, f"{PAGE.name}, line {line}"
        ran += 1
    assert ran >= 8


def test_every_session_shows_what_python_answers(blocks: list[Block]) -> None:
    text = "".join(text for language, text, _ in blocks if language == "pycon")
    session = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    report = io.StringIO()
    failed, tried = doctest.DocTestRunner(verbose=False).run(session, out=report.write)
    assert failed == 0, report.getvalue()
    assert tried >= 12


def test_there_are_no_blocks_that_no_test_looks_at(blocks: list[Block]) -> None:
    assert {language for language, _, _ in blocks} <= {"python", "text", "pycon"}
