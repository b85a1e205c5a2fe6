from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deephyper.core.cli import analytics
from deephyper.core.cli import main as deephyper_program
from tests.cli.command_line import Ended, Run


@pytest.fixture
def deephyper(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``deephyper`` with these words, in this process."""
    return _program(deephyper_program.main, capsys)


@pytest.fixture
def deephyper_analytics(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``deephyper-analytics`` likewise."""
    return _program(analytics.main, capsys)


def _program(main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str | Path | int) -> Ended:
        capsys.readouterr()
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ended(status, out, err)

    return run
