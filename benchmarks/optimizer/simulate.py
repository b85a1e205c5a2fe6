"""Asynchronous search in virtual time: nothing sleeps, the optimizer is real."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass

import numpy as np

from benchmarks.optimizer.peers import Peer
from benchmarks.optimizer.task import Task
from deephyper import VirtualEvaluator
from deephyper.job import Failure, Job
from deephyper.objective import observation_from_json


@dataclass
class Run:
    """The result of a search.

    Attributes:
        regrets: normalized regret of the incumbent after each finished evaluation; the incumbent
            is the best observed point, the regret that of its noiseless objective.
        seconds: spent in ask and tell altogether.
        longest: seconds of the longest ask or tell.
    """

    regrets: list[float]
    seconds: float
    longest: float


def simulate(task: Task, peer: Peer, seed: int, workers: int, evaluations: int) -> Run:
    """Search with so many workers until so many evaluations are finished.

    Evaluations last lognormal times (median 1, sigma 0.5 on the log scale): a worker asks when it
    is free, and a result is told when its evaluation ends. Times and noise depend on the seed and
    the number of the evaluation alone, not on the peer.
    """
    start = zlib.crc32(f"{task.name}/{seed}".encode())
    streams: dict[str, np.random.Generator] = {}

    def duration(job: Job) -> float:
        streams[job.id] = np.random.default_rng([start, int(job.id)])
        return float(np.exp(0.5 * streams[job.id].standard_normal()))

    def run(job: Job) -> float | Failure:
        return observation_from_json(task.observe(job.point, streams.pop(job.id)))

    spent: list[float] = []
    regrets: list[float] = []
    best, regret, asked = -np.inf, float("nan"), 0
    with VirtualEvaluator(run_job=run, num_workers=workers, duration=duration) as evaluator:
        while len(regrets) < evaluations:
            while evaluator.num_free and asked < evaluations:
                before = time.perf_counter()
                point = peer.ask()
                spent.append(time.perf_counter() - before)
                evaluator.submit([Job(str(asked), point)])
                asked += 1
            for outcome in evaluator.gather_outcomes():
                point, objective = outcome.job.point, outcome.objective
                before = time.perf_counter()
                peer.tell(point, "F_region" if objective is None else objective)
                spent.append(time.perf_counter() - before)
                if objective is not None and objective > best:
                    best, regret = objective, task.regret(task.value(point))
                regrets.append(regret)
    return Run(regrets, sum(spent), max(spent))
