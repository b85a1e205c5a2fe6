"""Each benchmark runs, with tiny numbers, so that none of them rots."""

from __future__ import annotations

import pytest

from benchmarks import failures, journal, start_up


def test_the_journal_s(capsys: pytest.CaptureFixture[str]) -> None:
    journal.main(["--evaluations", "20"])
    out = capsys.readouterr().out
    assert "20 evaluations, 60 events" in out
    assert "resume, default optimizer: " in out


def test_that_of_failures(capsys: pytest.CaptureFixture[str]) -> None:
    failures.main(["--seeds", "1", "--evaluations", "4", "6"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2 + len(failures.FUNCTIONS)
    assert lines[-1].count("|") == 2 + 2 * len(failures.WAYS)


def test_that_of_the_start_up(capsys: pytest.CaptureFixture[str]) -> None:
    start_up.main(["--runs", "1"])
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(start_up.PROGRAMS)
