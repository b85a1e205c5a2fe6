from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from deephyper.evaluator.worker import reaper


def test_processes_with_a_mark_are_found() -> None:
    mark = os.urandom(16).hex()
    process = subprocess.Popen(["sleep", "60"], env={"SOME": f"x{mark}x"})
    try:
        assert reaper.marked([mark]) == [process.pid]
        assert reaper.marked([os.urandom(16).hex()]) == []
    finally:
        process.kill()
        process.wait()


def entry(proc: Path, pid: int, environment: bytes, *, memory: int, end: int) -> None:
    """Make the files of a process, as far as they are looked at."""
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "environ").write_bytes(environment)
    fields = ["0"] * 50
    fields[20], fields[48] = str(memory), str(end)
    (proc / str(pid) / "stat").write_text(f"{pid} (a) name) {' '.join(fields)}\n")


def test_one_that_is_about_to_become_another_program_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its memory is there a moment before its environment is.
    entry(tmp_path, 3, b"", memory=4096, end=0)
    entry(tmp_path, 4, b"", memory=0, end=0)  # a thread of the kernel
    entry(tmp_path, 5, b"", memory=4096, end=99)  # which has an empty environment
    entry(tmp_path, 6, b"SOME=mark\0", memory=4096, end=99)
    pauses = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            entry(tmp_path, 3, b"OTHER=mark\0", memory=4096, end=99)

    monkeypatch.setattr(reaper, "_PROC", str(tmp_path))
    monkeypatch.setattr(time, "sleep", sleep)
    assert sorted(reaper.marked(["mark"])) == [3, 6]
    assert len(pauses) == 3


def test_one_that_never_begins_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry(tmp_path, 3, b"", memory=4096, end=0)
    monkeypatch.setattr(reaper, "_PROC", str(tmp_path))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert reaper.marked(["mark"]) == []
