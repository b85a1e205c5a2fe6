"""Run functions for searches through Balsam; quick to import, since each evaluation does it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from deephyper import evaluation
from deephyper.balsam.job_spec import balsamjob_spec


def quick(point: dict[str, Any]) -> Any:
    return float(point["x"])


def six_seconds(point: dict[str, Any]) -> Any:
    time.sleep(6)
    return point["x"]


def a_minute_at_first(point: dict[str, Any]) -> Any:
    """Takes a minute, unless the file ``hurry`` lies beside this one."""
    if not Path(__file__).with_name("hurry").exists():
        time.sleep(60)
    return point["x"]


def own_process(point: dict[str, Any]) -> Any:
    return os.getpid()


def length_of_text(point: dict[str, Any]) -> Any:
    return len(point["text"])


def fails_or_hangs(point: dict[str, Any]) -> Any:
    print("about to misbehave")
    if point["n"] % 4 == 0:
        raise ValueError("divisible by four")
    if point["n"] % 4 == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    if point["n"] % 4 == 2:
        time.sleep(10000)
    return point["x"]


def trains(point: dict[str, Any]) -> Any:
    """Twelve steps, from the one after that in the evaluation's directory."""
    assert evaluation.directory is not None
    checkpoint = Path(evaluation.directory) / "step"
    first = int(checkpoint.read_text()) if checkpoint.exists() else 0
    objective = 0.0
    for step in range(first + 1, 13):
        time.sleep(0.3)
        checkpoint.write_text(f"{step}")
        objective = point["x"] * (1.0 - 0.7**step)
        evaluation.report(objective, step=step)
    return objective


def over_ranks(point: dict[str, Any]) -> Any:
    """Each rank gives its part; rank 0 returns the sum."""
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    total = world.reduce(point["x"], op=MPI.SUM, root=0)
    return None if world.rank else total / world.size + 10 * world.size


@balsamjob_spec
def as_a_job(point: dict[str, Any]) -> dict[str, Any]:
    return {"application": "twice", "num_nodes": 2, "ranks_per_node": 1}


def read_score(directory: Path) -> float:
    return float((directory / "score").read_text())


@balsamjob_spec
def as_an_unknown_job(point: dict[str, Any]) -> dict[str, Any]:
    return {"application": "nosuch"}


@balsamjob_spec(reads_objective=read_score)
def as_a_failing_job(point: dict[str, Any]) -> dict[str, Any]:
    return {"application": "exits-7"}
