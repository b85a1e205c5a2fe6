"""Each benchmark runs, with tiny numbers, so that none of them rots."""

from __future__ import annotations

import time

import pytest

from benchmarks import commands, ending, failures, journal, long, scale, start_up


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


def test_that_of_the_end_of_searches(capsys: pytest.CaptureFixture[str]) -> None:
    ending.main(["--seeds", "1", "--workers", "4", "--evaluations", "12", "--tasks", "trap5"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 searches of 1 tasks"
    rows = lines[4:]
    assert len(rows) == len(ending.SHARES) + len(ending.BUDGETS)
    assert "| --stop-when-done 0.01 | 0% | 100% | 0.0000 |" in rows[1]


def test_that_of_the_start_up(capsys: pytest.CaptureFixture[str]) -> None:
    start_up.main(["--runs", "1"])
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(start_up.PROGRAMS)


def test_that_of_long_searches(capsys: pytest.CaptureFixture[str]) -> None:
    long.main(["--evaluations", "40", "--workers", "4"])
    (row,) = capsys.readouterr().out.splitlines()[2:]
    assert row.count("|") == 15


def test_that_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    commands.main(["--evaluations", "2", "--rounds", "1", "--workers", "2"])
    rows = capsys.readouterr().out.splitlines()[4:]
    assert [row.split()[1] for row in rows] == list(commands.METHODS)


@pytest.mark.parametrize("space", list(scale.SPACES))
def test_that_of_scale(space: str, capsys: pytest.CaptureFixture[str]) -> None:
    scale.main(["--space", space, "--workers", "4", "--evaluations", "12", "--engine", "random"])
    (row,) = capsys.readouterr().out.splitlines()[2:]
    assert row.count("|") == 13


def test_workers_wait_in_virtual_time_while_the_manager_computes() -> None:
    clock = scale.BusyClock()
    begin, used = clock.seconds, time.thread_time()
    while time.thread_time() - used < 0.02:
        pass
    assert clock.seconds - begin >= 0.02
    assert clock.pass_until(100.0)
    assert clock.seconds >= 100.0


def test_utilization_is_the_busy_part_of_the_workers_time() -> None:
    slots = scale.Slots()
    for begin in range(10):
        slots.begin(0, begin, begin + 0.75)
    assert slots.utilization(1) == pytest.approx(0.75)
    assert slots.waits == pytest.approx([0.25] * 9)
