"""Programs are waited for together: none keeps another one, or whoever waits, from going on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deephyper.command.program import Program
from deephyper.command.watch import Watch
from tests.command.test_command import is_gone

LONGEST = 1.0


@pytest.fixture(params=["descriptors of ends", "without"])
def watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """It waits for ends by their descriptors, and as where the system has none."""
    if request.param == "without":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    elif not hasattr(os, "pidfd_open"):
        pytest.skip("the system has none")
    with Watch() as watch:
        yield watch


class Started:
    """A shell script that is waited for."""

    def __init__(self, watch: Watch, script: str, output: Path | None = None) -> None:
        self.watch = watch
        self.lines: list[str] = []
        words, file = ["sh", "-c", script], None if output is None else str(output)
        self.program = Program(words, os.environb, os.getcwd(), self.lines.extend, file)
        watch.add(self.program)

    def until_line(self, line: str) -> None:
        while line not in self.lines:
            assert self.watch.wait(LONGEST) == []

    def status(self) -> int | None:
        while self.program not in self.watch.wait(LONGEST):
            pass
        return self.program.status


def test_its_lines_and_its_status(watch: Watch) -> None:
    started = Started(watch, "echo 1; echo err >&2; printf 2; exit 3")
    assert started.status() == 3
    assert started.lines == ["1", "2"]
    assert started.program.last_lines == "err"


def test_one_that_has_closed_its_streams_is_waited_for(watch: Watch) -> None:
    started = Started(watch, "echo 1; exec >&- 2>&-; sleep 0.3; exit 4")
    assert started.status() == 4


def test_one_whose_streams_are_held_is_not_waited_for(watch: Watch) -> None:
    started = Started(watch, "sleep 600 & echo $!; printf 'no end'; exit 5")
    assert started.status() == 5
    assert started.lines[1:] == ["no end"]
    is_gone(int(started.lines[0]))


def test_what_comes_after_the_end_of_the_program_counts(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deephyper.command.program._SILENT_SECONDS", 60.0)
    started = Started(watch, "(sleep 0.1; echo late) & echo 1")
    assert started.status() == 0
    assert started.lines == ["1", "late"]


def test_one_that_is_to_end_has_time_to(watch: Watch, tmp_path: Path) -> None:
    script = "trap 'echo saved; exit 0' TERM; echo 1; while :; do sleep 0.01; done"
    started = Started(watch, script, tmp_path / "output")
    started.until_line("1")
    watch.terminate(started.program)
    assert started.status() == 0
    assert started.program.is_ending
    assert started.lines[:1] == ["1"]
    assert started.lines[-1] == "saved"
    assert (tmp_path / "output").read_text().endswith("saved\n")


def test_the_part_of_a_line_that_one_has_printed_when_it_was_ended_does_not_count(
    watch: Watch, tmp_path: Path
) -> None:
    started = Started(watch, "echo 1; printf 0.1; exec sleep 600", tmp_path / "output")
    while (tmp_path / "output").read_text() != "1\n0.1":
        watch.wait(LONGEST)
    watch.terminate(started.program)
    assert started.status() == -15
    assert started.lines == ["1"]


def test_one_that_does_not_end_is_killed_with_what_has_left_its_group(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deephyper.command.program._TERM_SECONDS", 0.1)
    leave = "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
    script = f"trap '' TERM; {sys.executable} -c '{leave}' & while :; do sleep 0.01; done"
    started = Started(watch, script)
    while not started.lines:
        watch.wait(LONGEST)
    watch.terminate(started.program)
    assert started.status() == -9
    is_gone(int(started.lines[0]))


def test_one_that_has_ended_is_not_ended_early(watch: Watch) -> None:
    started = Started(watch, "echo 1")
    is_gone(started.program.pid)
    watch.terminate(started.program)
    assert started.status() == 0
    assert not started.program.is_ending
    assert started.lines == ["1"]


def test_what_one_has_printed_until_it_is_killed_is_kept(watch: Watch, tmp_path: Path) -> None:
    started = Started(watch, f"echo 1; : > {tmp_path}/printed; sleep 600", tmp_path / "output")
    while not (tmp_path / "printed").exists():
        pass
    watch.kill(started.program)
    assert (tmp_path / "output").read_text() == "1\n"
    assert started.lines == []
    is_gone(started.program.pid)


def test_only_so_much_is_read_in_one_go(watch: Watch, tmp_path: Path) -> None:
    outputs = [tmp_path / f"{i}" for i in range(40)]
    for output in outputs:
        Started(watch, "exec yes 0123456789", output)
    for round_ in range(1, 4):
        watch.wait(LONGEST)
        assert sum(output.stat().st_size for output in outputs) <= round_ << 20
    short = Started(watch, "echo 1")
    assert short.status() == 0
    assert short.lines == ["1"]


def test_what_is_left_is_ended(watch: Watch) -> None:
    with Watch() as inner:
        started = Started(inner, "echo 1; exec sleep 600")
        started.until_line("1")
    assert started.program.status == -15
