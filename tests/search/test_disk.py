"""A disk that is full, a log directory that can't be written any more, and one that is gone."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deephyper.errors import ResultsError
from deephyper.search.log_dir import LogDir
from deephyper.search.replay import read_journal
from deephyper.search.results import read_results
from tests.search.real_search import Ended, RealSearch
from tests.search.virtual_search import VirtualSearch

RUN = """
import os, time

def run(point):
    print("x" * int(os.environ.get("OUTPUT", "0")))
    time.sleep(0.02)
    return point["x"]
"""
EVALUATIONS = 40
BUDGET = f"--max-evals {EVALUATIONS} --num-workers 2"


@pytest.fixture
def mount(real: RealSearch) -> Iterator[list[str]]:
    """How to mount a small disk at the log directory; add the options and run it."""
    real.write(RUN)
    real.log_dir.mkdir()
    yield ["mount", "-t", "tmpfs", "none", str(real.log_dir), "-o"]
    real.stop_all()
    subprocess.run(["umount", "-l", str(real.log_dir)], capture_output=True)


def run_or_skip(command: list[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "stderr", None) or str(error)
        pytest.skip(f"mounting a small disk isn't permitted here: {why.strip()}")


def fill(log_dir: Path, leave: int) -> Path:
    """A file that leaves so many bytes of the disk."""
    filler = log_dir / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
        file.truncate(max(0, file.tell() - leave))
    return filler


def is_told_in_one_line(ended: Ended, reason: str) -> None:
    assert ended.status == 2, ended.err
    (line,) = [line for line in ended.err.splitlines() if not line.startswith("[")]
    assert line.startswith("deephyper: error: ")
    assert reason in line


def resumes_without_loss(real: RealSearch, before: str) -> None:
    """What could be read and was shown is there when the search has gone on."""
    assert all(row.objective is not None for row in read_results(real.log_dir / "results.csv"))
    ended = {e.job.id: e.outcome for e in read_journal(real.log_dir).ended}
    last = real.run(BUDGET, resume=True)
    assert last.status == 0, last.err
    real.is_complete(EVALUATIONS)
    assert {e.job.id: e.outcome for e in read_journal(real.log_dir).ended}.items() >= ended.items()
    shown = set(re.findall(r"objective (\S+)", before))
    assert shown <= {f"{float(row['objective']):.6g}" for row in real.rows()}


def test_a_full_disk_ends_a_search_with_a_line(real: RealSearch, mount: list[str]) -> None:
    run_or_skip([*mount, "mode=755,size=160k"])
    ended = real.run(BUDGET, OUTPUT="10000")  # what evaluations print fills the disk
    is_told_in_one_line(ended, "can't be written (No space left on device)")
    assert "what was written before is intact: free some space" in ended.err
    assert 2 <= len(read_journal(real.log_dir).ended) < EVALUATIONS
    assert not list(real.log_dir.glob("running-*"))
    again = real.run(BUDGET, resume=True)
    is_told_in_one_line(again, "No space left on device")
    run_or_skip([*mount, "remount,size=2m"])
    resumes_without_loss(real, ended.err)


@pytest.mark.parametrize("leave", [0, 4096, 8192, 16384])
def test_a_disk_that_is_full_from_the_start(real: RealSearch, mount: list[str], leave: int) -> None:
    run_or_skip([*mount, "mode=755,size=64k"])
    filler = fill(real.log_dir, leave)
    with pytest.raises(ResultsError, match="No space left on device"):
        VirtualSearch(real.log_dir).session(max_evals=100)
    assert real.files() <= {"journal.jsonl", "results.csv", "deephyper.log", "filler"}
    filler.unlink()
    run_or_skip([*mount, "remount,size=1m"])
    resume = LogDir(real.log_dir).holds_search
    assert resume == (leave > 4096)  # a page is for the claim
    VirtualSearch(real.log_dir).session(max_evals=100, resume=resume)
    real.is_complete(100)


def test_a_disk_without_room_for_files_of_output(real: RealSearch, mount: list[str]) -> None:
    """What is printed is lost, but no result."""
    run_or_skip([*mount, "mode=755,size=1m,nr_inodes=6"])
    ended = real.run(BUDGET)
    assert ended.status == 0, ended.err
    real.is_complete(EVALUATIONS)


def test_a_read_only_log_directory_is_not_resumed(real: RealSearch, mount: list[str]) -> None:
    run_or_skip([*mount, "mode=755,size=1m"])
    VirtualSearch(real.log_dir).session(max_evals=3)
    before = {path: path.read_bytes() for path in real.log_dir.iterdir()}
    run_or_skip([*mount, "remount,ro"])
    with pytest.raises(ResultsError, match=r"can't be written \(Read-only file system"):
        VirtualSearch(real.log_dir).session(max_evals=5)
    assert {path: path.read_bytes() for path in real.log_dir.iterdir()} == before


def test_files_that_may_grow_no_more_end_a_search(real: RealSearch) -> None:
    """By a limit of the process: what a quota does, and it needs no privilege."""
    real.write(RUN)
    process = real.start(BUDGET)
    real.until(lambda: real.count("finished") >= 5)
    size = (real.log_dir / "journal.jsonl").stat().st_size + 500
    psutil.Process(process.pid).rlimit(resource.RLIMIT_FSIZE, (size, size))
    ended = real.end(process)
    is_told_in_one_line(ended, "can't be written (File too large)")
    assert "raise the limit on the size of files (ulimit -f)" in ended.err
    resumes_without_loss(real, ended.err)


def test_a_log_directory_that_is_deleted_ends_a_search(real: RealSearch) -> None:
    real.write(RUN)
    process = real.start(BUDGET)
    real.until(lambda: real.count("finished") >= 5)
    manager = psutil.Process(process.pid)
    manager.suspend()  # or it may look for a file between two that are deleted
    shutil.rmtree(real.log_dir)
    manager.resume()
    ended = real.end(process)
    is_told_in_one_line(ended, "journal.jsonl' was deleted while the search ran")


def test_a_claim_that_is_deleted_ends_a_search(real: RealSearch) -> None:
    real.write(RUN)
    process = real.start(BUDGET)
    real.until(lambda: real.count("finished") >= 5)
    (claim,) = real.log_dir.glob("running-*")
    claim.unlink()
    ended = real.end(process)
    is_told_in_one_line(ended, "is gone, because another search took it over and has ended since")
    assert "is kept, unless that was deleted too; to continue, use --resume" in ended.err
    resumes_without_loss(real, ended.err)
