from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.core.cli import main as deephyper_program
from tests.cli.command_line import Ended, Run


@pytest.fixture
def deephyper(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``deephyper`` with these words, in this process."""

    def run(*words: str | Path) -> Ended:
        capsys.readouterr()
        status = deephyper_program.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ended(status, out, err)

    return run
