"""Asynchronous search in virtual time: nothing sleeps, the optimizer is real."""

from __future__ import annotations

import heapq
import time
import zlib
from dataclasses import dataclass

import numpy as np

from benchmarks.optimizer.peers import Peer
from benchmarks.optimizer.task import Point, Task


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
    running: list[tuple[float, int, Point, float | str]] = []
    regrets: list[float] = []
    seconds = longest = now = 0.0
    best, regret, asked = -np.inf, float("nan"), 0
    while len(regrets) < evaluations:
        if len(running) < workers and asked < evaluations:
            before = time.perf_counter()
            point = peer.ask()
            spent = time.perf_counter() - before
            rng = np.random.default_rng([start, asked])
            duration = float(np.exp(0.5 * rng.standard_normal()))
            heapq.heappush(running, (now + duration, asked, point, task.observe(point, rng)))
            asked += 1
        else:
            now, _, point, objective = heapq.heappop(running)
            before = time.perf_counter()
            peer.tell(point, objective)
            spent = time.perf_counter() - before
            if not isinstance(objective, str) and objective > best:
                best, regret = objective, task.regret(task.value(point))
            regrets.append(regret)
        seconds += spent
        longest = max(longest, spent)
    return Run(regrets, seconds, longest)
