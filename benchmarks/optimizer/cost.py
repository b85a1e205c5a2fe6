"""The cost of a proposal: seconds of ask and tell as a search grows, each peer in its own process.

Ten mixed hyperparameters, workers that are never idle, evaluations in virtual time. The peers run
one after the other; what counts is the ratio between them.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys

import numpy as np

from benchmarks.optimizer.peers import known
from benchmarks.optimizer.simulate import simulate
from benchmarks.optimizer.task import Point, Task
from deephyper.problem import HpProblem


def _problem() -> HpProblem:
    problem = HpProblem()
    for i in range(4):
        problem.add_dim(f"x{i}", (0.0, 1.0))
    for i in range(2):
        problem.add_dim(f"log{i}", (1e-4, 1.0, "log-uniform"))
        problem.add_dim(f"int{i}", (1, 100))
        problem.add_dim(f"cat{i}", ["a", "b", "c", "d"])
    return problem


def _value(point: Point) -> float:
    smooth = sum((point[f"x{i}"] - 0.3) ** 2 for i in range(4))
    logs = sum((math.log10(point[f"log{i}"]) + 2.0) ** 2 for i in range(2)) / 10.0
    integers = sum(abs(point[f"int{i}"] - 30) / 100.0 for i in range(2))
    categories = sum(0.3 for i in range(2) if point[f"cat{i}"] != "b")
    return -float(smooth + logs + integers + categories)


TASK = Task("cost", "hard", "design", _problem, _value, optimum=lambda: 0.0)


def measure(peer: str, workers: int, evaluations: int) -> dict[str, float]:
    """Milliseconds of ask and tell per evaluation, of the longest call, and megabytes.

    A search before makes the imports, and the memory that it leaves is where counting starts.
    """
    simulate(TASK, known(peer)(TASK.problem(), 1, 4), 1, 4, 16)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = known(peer)(TASK.problem(), 0, workers)
    run = simulate(TASK, made, 0, workers, evaluations)
    return {
        "mean": 1e3 * run.seconds / evaluations,
        "longest": 1e3 * run.longest,
        "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "regret": run.regrets[-1],
    }


def table(arguments: argparse.Namespace) -> None:
    """Print a row for each number of evaluations and peer; memory is what the search adds."""
    print(f"{arguments.workers} workers, 10 mixed hyperparameters")
    print()
    print("| evaluations | peer | ms/evaluation | of the first | longest call, ms | memory, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for evaluations in arguments.evaluations:
        runs: dict[str, list[dict[str, float]]] = {peer: [] for peer in arguments.peers}
        for _ in range(arguments.repeat):
            for peer in arguments.peers:
                runs[peer].append(_in_its_own_process(peer, arguments.workers, evaluations))
        first = np.median([run["mean"] for run in runs[arguments.peers[0]]])
        for peer, figures in runs.items():
            mean = np.median([run["mean"] for run in figures])
            print(
                f"| {evaluations} | {peer} | {mean:.1f} | {mean / first:.2f} | "
                f"{max(run['longest'] for run in figures):.0f} | "
                f"{max(run['memory'] for run in figures):.0f} |",
                flush=True,
            )


def _in_its_own_process(peer: str, workers: int, evaluations: int) -> dict[str, float]:
    program = (
        "import json, sys, warnings; warnings.filterwarnings('ignore');"
        "from benchmarks.optimizer.cost import measure;"
        "print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, peer, str(workers), str(evaluations)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures
