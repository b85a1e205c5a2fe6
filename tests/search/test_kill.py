"""``kill -9`` of the process that steers a search: nothing that it reported is lost.

So too where a point kills it, again and again.
"""

from __future__ import annotations

import random
import re
import signal
import time
from dataclasses import dataclass
from functools import partial

import pytest

from deephyper.search.log_dir import LogDir
from tests.search.real_search import PROBLEM, RealSearch

RUN = """
import os, time

def run(point):
    with open("ran.txt", "a") as file:
        file.write(f"{os.environ['SESSION']} {point['x']!r}\\n")
    time.sleep(0.15)
    return point["x"]
"""


@dataclass(frozen=True)
class Killed:
    """A search that was killed again and again, and resumed up to its end.

    Attributes:
        reported: results that a session had written before it was killed.
        slowest: seconds that workers lived longer than their search, at most.
    """

    reported: int
    slowest: float


def kill_and_resume(real: RealSearch, evaluator: str, kills: int, evaluations: int) -> Killed:
    """Kill a search so many times at moments that differ, then let it end, and check everything."""
    real.write(RUN)
    options = f"--max-evals {evaluations} --num-workers 3 --evaluator {evaluator}"
    moments = random.Random(kills)
    session_of: dict[str, int] = {}  # objective -> session in which it was reported
    results: dict[str, str] = {}  # id -> objective
    shown: set[str] = set()
    slowest = 0.0
    for session in range(kills):
        process = real.start(
            options, resume=LogDir(real.log_dir).holds_search, SESSION=f"{session}"
        )
        before = _ended(real)
        if moments.random() < 0.25:  # while it starts
            time.sleep(moments.uniform(0.0, 1.5))
        else:
            share = (evaluations - 5 - before) // (kills - session)
            wanted = before + moments.randint(0, max(0, min(3, share)))
            real.until(partial(_has_come_to, real, wanted, session))
            time.sleep(moments.uniform(0.0, 0.05))
        assert process.poll() is None, real.err
        process.kill()
        if moments.random() < 0.5:
            process.wait()  # otherwise its zombie is there when the next session begins
        slowest = max(slowest, real.none_left(120.0 if evaluator == "ray" else 5.0))
        for event in real.events():
            if event["event"] == "finished":
                objective = repr(event["objective"])
                session_of.setdefault(objective, session)
                assert results.setdefault(event["id"], objective) == objective
        shown.update(re.findall(r"objective (\S+)", real.err))
        assert _ended(real) < evaluations
    last = real.run(options, resume=True, SESSION=f"{kills}")
    assert last.status == 0, last.err
    assert f"{evaluations} evaluations" in last.out
    real.is_complete(evaluations)
    rows = {row["id"]: row["objective"] for row in real.rows()}
    assert results.items() <= rows.items()
    assert shown <= {f"{float(objective):.6g}" for objective in rows.values()}
    for line in (real.folder / "ran.txt").read_text().splitlines():
        number, objective = line.split()
        assert int(number) <= session_of.get(objective, kills), "it was evaluated again"
    return Killed(len(session_of), slowest)


@pytest.mark.parametrize(
    ("evaluator", "kills", "evaluations"),
    [
        ("thread", 5, 20),
        pytest.param("process", 10, 35, marks=pytest.mark.long),
        pytest.param("subprocess", 5, 20, marks=pytest.mark.long),
    ],
)
def test_nothing_reported_is_lost_by_kills_and_resumes(
    real: RealSearch, evaluator: str, kills: int, evaluations: int
) -> None:
    killed = kill_and_resume(real, evaluator, kills, evaluations)
    assert killed.reported > kills // 3
    print(f"{killed.reported} were reported before a kill; workers ended in {killed.slowest:.2f} s")


def _has_come_to(real: RealSearch, ended: int, session: int) -> bool:
    return _ended(real) >= ended and _begun(real, session)


def _ended(real: RealSearch) -> int:
    return real.count("finished")


def _begun(real: RealSearch, session: int) -> bool:
    """Whether the session has got as far as an evaluation."""
    ran = real.folder / "ran.txt"
    lines = ran.read_text().splitlines() if ran.exists() else []
    return any(line.startswith(f"{session} ") for line in lines)


def test_a_point_that_kills_the_search_itself_is_got_past_with_processes(real: RealSearch) -> None:
    start = "Problem.add_starting_point(x=0.25)\n"
    crash = "import ctypes\n\ndef run(point):\n"
    crash += "    return ctypes.string_at(0) if point['x'] == 0.25 else point['x']\n"
    real.write(crash, PROBLEM + start)
    for resume in (False, True):
        ended = real.run("--evaluator thread --max-evals 6", resume=resume)
        assert ended.status == -signal.SIGSEGV
    ended = real.run("--evaluator process", resume=True)
    assert ended.status == 0, ended.err
    real.is_complete(6)
    failed = [row for row in real.rows() if row["status"] == "failed"]
    assert [(row["id"], row["x"]) for row in failed] == [("0", "0.25")]
    assert failed[0]["failure"].startswith("worker_died: ")
    last = real.run("--evaluator thread --max-evals 8", resume=True)
    assert last.status == 0, last.err
    real.is_complete(8)
