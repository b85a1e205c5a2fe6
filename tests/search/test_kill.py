"""``kill -9`` of the process that steers a search: nothing that it reported is lost.

So too where a point kills it, again and again.
"""

from __future__ import annotations

import random
import re
import signal
import time
from functools import partial

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
EVALUATIONS = 60
KILLS = 20


def test_nothing_reported_is_lost_by_20_kills_and_resumes(real: RealSearch) -> None:
    real.write(RUN)
    moments = random.Random(20)
    session_of: dict[str, int] = {}  # objective -> session in which it was reported
    shown: set[str] = set()
    slowest = 0.0
    for session in range(KILLS):
        process = real.start(
            f"--max-evals {EVALUATIONS} --num-workers 3",
            resume=LogDir(real.log_dir).holds_search,
            SESSION=f"{session}",
        )
        before = _ended(real)
        if moments.random() < 0.25:  # while it starts
            time.sleep(moments.uniform(0.0, 1.5))
        else:
            share = (EVALUATIONS - 5 - before) // (KILLS - session)
            wanted = before + moments.randint(0, max(0, min(3, share)))
            real.until(partial(_has_come_to, real, wanted, session))
            time.sleep(moments.uniform(0.0, 0.05))
        assert process.poll() is None, real.err
        process.kill()
        if moments.random() < 0.5:
            process.wait()  # otherwise its zombie is there when the next session begins
        slowest = max(slowest, real.none_left(5.0))
        for event in real.events():
            if event["event"] == "finished":
                session_of.setdefault(repr(event["objective"]), session)
        shown.update(re.findall(r"objective (\S+)", real.err))
        assert _ended(real) < EVALUATIONS
    last = real.run(f"--max-evals {EVALUATIONS} --num-workers 3", resume=True, SESSION=f"{KILLS}")
    assert last.status == 0
    assert "60 evaluations" in last.out
    real.is_complete(EVALUATIONS)
    objectives = {row["objective"] for row in real.rows()}
    assert session_of.keys() <= objectives
    assert shown <= {f"{float(objective):.6g}" for objective in objectives}
    assert len(session_of) > 10
    for line in (real.folder / "ran.txt").read_text().splitlines():
        number, objective = line.split()
        assert int(number) <= session_of.get(objective, KILLS), "it was evaluated again"
    print(f"{len(session_of)} were reported before a kill; workers ended within {slowest:.2f} s")


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
