"""Ask and tell from outside: many at the same time, and what a single one takes.

    python -m benchmarks.asking [--shells 16] [--evaluations 1000] [--kind shell]

has shells ask and tell at the same time in one directory, checks that no evaluation is lost and no
point proposed twice, and then measures a single ``deephyper ask`` and ``deephyper tell`` there.
With ``--kind process`` each of them is one process that asks and tells from Python.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from deephyper import HpProblem, SearchDirectory
from deephyper.search.replay import read_journal

SHELL = """
set -e
for i in $(seq "$3"); do
    line=$("$1" -m deephyper ask "$2" --wait 1h)
    id=${line#'{"id": "'}
    id=${id%%'"'*}
    "$1" -m deephyper tell "$2" "$id" "-$id" --wait 1h
    echo "$line"
done
"""
"""$1: Python, $2: the directory, $3: how often."""
PROCESS = """
import json, sys
from deephyper import SearchDirectory
search = SearchDirectory(sys.argv[1], wait=3600)
for _ in range(int(sys.argv[2])):
    asked, = search.ask()
    search.tell(asked.id, -float(asked.id))
    print(json.dumps({"id": asked.id, "point": asked.point}))
"""


def ask_and_tell(log_dir: Path, shells: int, each: int, kind: str = "shell") -> None:
    """Ask and tell at the same time.

    Args:
        log_dir: a directory for the search.
        shells: how many ask at the same time.
        each: how many evaluations each of them makes.
        kind: "shell" for commands, "process" for Python.

    Raises:
        RuntimeError: if an evaluation is lost, or a point proposed twice.
    """
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    problem.add_hyperparameter((1, 1000), "n")
    SearchDirectory.create(log_dir, problem, seed=1)
    command = ["bash", "-c", SHELL, "loop", sys.executable, str(log_dir), str(each)]
    if kind == "process":
        command = [sys.executable, "-c", PROCESS, str(log_dir), str(each)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(shells)
    ]
    ended = [process.communicate() for process in running]
    for process, (_, errors) in zip(running, ended, strict=True):
        _check(process.returncode == 0 and not errors, f"one has failed: {errors}")
    printed = [json.loads(line) for out, _ in ended for line in out.splitlines()]
    check(log_dir, printed, shells * each)


def check(log_dir: Path, printed: list[dict[str, Any]], total: int) -> None:
    """Check what was printed against the files.

    Args:
        log_dir: of the search.
        printed: the id and the point of each that was asked for.
        total: how many there have to be.

    Raises:
        RuntimeError: if they differ.
    """
    _check(sorted(int(line["id"]) for line in printed) == list(range(total)), "ids are missing")
    points = {line["id"]: line["point"] for line in printed}
    _check(len({json.dumps(p) for p in points.values()}) == total, "a point was proposed twice")
    ended = list(read_journal(log_dir).ended)
    told = {e.job.id: e.outcome.objective for e in ended if e.outcome is not None}
    _check(told == {str(i): -float(i) for i in range(total)}, "what was told is not what is kept")
    _check({e.job.id: e.job.point for e in ended} == points, "what was printed is not what is kept")
    rows = (log_dir / "results.csv").read_text(encoding="utf-8").splitlines()
    _check(len(rows) == total + 1, "results.csv lacks rows")


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise RuntimeError(message)


def seconds_of(*words: str) -> float:
    """Return how long a command takes, with all that it imports."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "deephyper", *words], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shells", type=int, default=16)
    parser.add_argument("--evaluations", type=int, default=1000)
    parser.add_argument("--kind", choices=["shell", "process"], default="shell")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        log_dir = Path(directory) / "search"
        each = max(1, given.evaluations // given.shells)
        began = time.perf_counter()
        ask_and_tell(log_dir, given.shells, each, given.kind)
        seconds = time.perf_counter() - began
        total = given.shells * each
        print(f"{total} evaluations by {given.shells} at the same time: {seconds:.1f} s, none lost")
        asks, tells = [], []
        for i in range(given.repeats):
            asks.append(seconds_of("ask", str(log_dir)))
            tells.append(seconds_of("tell", str(log_dir), str(total + i), "0"))
        print(f"ask: {statistics.median(asks):.2f} s, tell: {statistics.median(tells):.2f} s")


if __name__ == "__main__":
    main()
