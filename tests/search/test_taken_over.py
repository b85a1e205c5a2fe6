"""A real search that is stopped, taken over by another one, and continued too late."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

from deephyper.claim import Claim
from deephyper.search.journal import Journal
from deephyper.search.replay import read_journal
from tests.search.real_search import RealSearch

RUN = """
import time

def run(point):
    time.sleep(0.05)
    return point["x"]
"""


@pytest.mark.parametrize(("evaluator", "is_over"), [("thread", True), ("process", False)])
def test_a_search_that_wakes_up_too_late_ends_and_changes_nothing(
    real: RealSearch, evaluator: str, is_over: bool
) -> None:
    real.write(RUN)
    process = real.start(f"--max-evals 1000 --num-workers 2 --evaluator {evaluator}")
    real.until(lambda: real.count("finished") >= 3)
    process.send_signal(signal.SIGSTOP)
    os.utime(real.log_dir / "running-000001.json", (0.0, 0.0))
    elsewhere = {"host": "elsewhere", "pid": 7}
    successor = Claim(real.log_dir, this_owner=elsewhere, sleep=lambda seconds: None)
    files = [real.log_dir / name for name in ("journal.jsonl", "results.csv")]
    with successor, contextlib.closing(Journal(successor)) as journal:
        journal.begin(read_journal(real.log_dir))
        rows = files[1].read_bytes()

        def write(fd: int) -> None:
            os.write(fd, rows)

        os.close(successor.replace(files[1].name, write))
        before = [path.read_bytes() for path in files]
        if not is_over:
            process.send_signal(signal.SIGCONT)
            ended = real.end(process)
    if is_over:
        process.send_signal(signal.SIGCONT)
        ended = real.end(process)
    assert ended.status == 2
    error = ended.err.splitlines()[-1]
    assert ("and has ended since" if is_over else "(process 7 on elsewhere)") in error
    assert "this one ends" in error
    assert f"--resume {real.log_dir}" in error
    assert "Traceback" not in ended.err
    assert [path.read_bytes() for path in files] == before
