"""Ctrl-C, SIGTERM and closed terminals: what had ended is kept, and no process stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.search.real_search import RealSearch

RAY = pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.long])
INT, TERM = signal.SIGINT, signal.SIGTERM

# Evaluations last until the file "go" appears; where there is a file "quick", no time at all.
RUN = """
import os, subprocess, time

def run(point):
    if not os.path.exists("quick"):
        subprocess.Popen(["sleep", "600"])  # what an evaluation starts is to end with it
        while not os.path.exists("go"):
            time.sleep(0.02)
    return point["x"]
"""


@pytest.fixture
def running(real: RealSearch) -> RealSearch:
    """A search whose evaluations wait for the file "go"."""
    real.write(RUN)
    return real


def start(real: RealSearch, options: str = "", evaluator: str = "process") -> subprocess.Popen[str]:
    """Start a search of 6 evaluations on 2 workers, and wait until two of them run."""
    process = real.start(f"--max-evals 6 --num-workers 2 --evaluator {evaluator} {options}")
    real.until_started(2)
    return process


def resume(real: RealSearch, search: str = "random") -> None:
    """The budget is met exactly, and nothing is evaluated again that had ended."""
    ended = {e["id"] for e in real.events() if e["event"] == "finished"}
    before = len(real.events())
    (real.folder / "quick").touch()
    last = real.run("--num-workers 2", search=search, resume=True)
    assert last.status == 0, last.err
    real.is_complete(6)
    again = [e["id"] for e in real.events()[before:] if e["event"] == "submitted"]
    assert not ended & set(again)


def test_ctrl_c_waits_for_what_is_running(running: RealSearch) -> None:
    process = start(running)
    process.send_signal(INT)
    running.until(lambda: "waiting for the 2 running ones" in running.err)
    assert "press Ctrl-C again to leave at once" in running.err
    (running.folder / "go").touch()
    ended = running.end(process)
    assert ended.status == 130
    assert "it was interrupted (2 evaluations)" in ended.out
    assert "Resume with: " in ended.out
    running.is_complete(2)
    assert running.count("submitted") == 2
    resume(running)


@pytest.mark.parametrize("evaluator", ["process", "subprocess", "thread", RAY])
def test_ctrl_c_twice_stops_at_once(running: RealSearch, evaluator: str) -> None:
    process = start(running, evaluator=evaluator)
    since = time.monotonic()
    process.send_signal(INT)
    time.sleep(0.4)
    process.send_signal(INT)
    assert process.wait(20) == 130
    assert time.monotonic() - since < 10.0
    running.none_left()  # what a thread has started ends a second later
    assert running.count("stopped") == 2
    running.is_complete(0)
    assert (
        "2 running evaluations were stopped; they run again when the search is resumed"
        in running.err
    )
    if evaluator == "process":
        resume(running)


def test_sigterm_gives_a_grace_and_then_stops(running: RealSearch) -> None:
    process = start(running, "--grace 1.5")
    ended = running.signalled(process, TERM)
    assert ended.status == 143
    assert 1.4 < ended.seconds < 12.0
    assert "SIGTERM: no new evaluations; the 2 running ones have 1.5 s to end" in ended.err
    assert running.count("stopped") == 2
    running.is_complete(0)
    resume(running, "ambs")


def test_sigterm_keeps_what_ends_within_the_grace(running: RealSearch) -> None:
    process = start(running, "--grace 30s")
    process.send_signal(TERM)
    process.send_signal(TERM)  # once to the process, once to its group, as schedulers do
    running.until(lambda: "SIGTERM" in running.err)
    (running.folder / "go").touch()
    ended = running.end(process)
    assert ended.status == 143
    running.is_complete(2)
    assert running.count("stopped") == 0


def test_a_closed_terminal_ends_a_search_as_sigterm_does(running: RealSearch) -> None:
    process = start(running, "--grace 0.1")
    assert running.signalled(process, signal.SIGHUP).status == 129
    assert running.count("stopped") == 2


def test_a_search_whose_terminal_is_gone_goes_on(real: RealSearch) -> None:
    """Nobody reads what it shows: each write to its standard error fails."""
    real.write("def run(point): return point['x']\n")
    read, write = os.pipe()
    os.close(read)
    process = real.start("--max-evals 5", stderr=write)
    os.close(write)
    assert process.wait(60) == 0
    real.is_complete(5)


@pytest.mark.parametrize("file", ["problem.py", "run.py"])
def test_ctrl_c_while_a_search_starts(real: RealSearch, file: str) -> None:
    real.write("def run(point): return point['x']\n")
    with (real.folder / file).open("a") as text:
        text.write("import time\nopen('loading', 'w').close()\ntime.sleep(600)\n")
    process = real.start("--max-evals 50")
    real.until((real.folder / "loading").exists)
    ended = real.signalled(process, INT)
    assert ended.status == 130
    assert ended.err.strip() == "deephyper: interrupted"
    assert not real.log_dir.exists()


@pytest.mark.parametrize("evaluator", ["process", RAY])
def test_workers_end_when_the_search_is_killed_while_they_work(
    running: RealSearch, evaluator: str
) -> None:
    process = start(running, evaluator=evaluator)
    workers = [p for p in running.left() if p.pid != process.pid]
    assert len(workers) >= 5  # two workers, what they started, and the reaper
    # A terminal signals a whole process group; only the search is to hear its Ctrl-C.
    group = os.getpgid(process.pid)
    if evaluator == "process":
        assert all(os.getpgid(worker.pid) != group for worker in workers)
    process.kill()
    process.wait()
    running.none_left(10.0)


def test_a_search_stops_itself_when_it_has_stood_still_and_lost_its_directory(
    running: RealSearch, tmp_path: Path
) -> None:
    process = start(running)
    psutil.Process(process.pid).suspend()
    for claim in running.log_dir.glob("running-*.json"):
        claim.unlink()
    (running.log_dir / "running-000002.json").write_text('{"host": "elsewhere", "pid": 1}')
    psutil.Process(process.pid).resume()
    ended = running.end(process)
    assert ended.status == 2
    assert "another search has taken" in ended.err
