"""Thousands of workers on one manager: how busy it keeps them, and what an evaluation costs it.

The whole search runs, with its optimizer, journal and results, on simulated workers. Time is
virtual, but what the manager computes takes as long as it takes: the clock moves on by the
processor time of its thread. So a worker that waits for its next point is seen to wait.

Utilization is the part of the workers' time that was spent in evaluations, from when the first
ones have been replaced until nothing is submitted any more; latency is the time from the end of an
evaluation to the beginning of the next one on its worker.

    python -m benchmarks.scale [--engine bayesian random] [--space hartmann ackley mixed]
        [--workers 8 64 512 1920 4096 16384] [--seconds 1 10 60] [--evaluations 20000] [--memory]
"""

from __future__ import annotations

import argparse
import math
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import EqualsCondition

from deephyper import Search, VirtualEvaluator
from deephyper.benchmark.ackley import ackley
from deephyper.benchmark.hartmann6 import hartmann6
from deephyper.clock import VirtualClock
from deephyper.job import Job
from deephyper.problem import HpProblem


class BusyClock(VirtualClock):
    """A virtual clock that also moves by the processor time of the thread that made it."""

    def __init__(self) -> None:
        # Seconds that have passed beyond the processor's time; its attributes are slow to set.
        self._ahead = [-time.thread_time()]
        super().__init__()

    @property
    def seconds(self) -> float:
        """Seconds that have passed."""
        return self._ahead[0] + time.thread_time()

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._ahead[0] = max(self._ahead[0], value - time.thread_time())


@dataclass
class Slots:
    """The times of evaluations, by worker.

    Attributes:
        begins, ends: of each evaluation, in seconds.
        used: processor time of the searching thread when each was begun.
        waits: from the end of an evaluation to the next one's beginning.
    """

    begins: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    _free: dict[int, float] = field(default_factory=dict)

    def begin(self, slot: int, begin: float, end: float) -> None:
        """Take note of an evaluation."""
        if slot in self._free:
            self.waits.append(begin - self._free[slot])
        self._free[slot] = end
        self.begins.append(begin)
        self.ends.append(end)
        self.used.append(time.thread_time())

    def steady(self, workers: int) -> int:
        """Return the number of the evaluation from which on the search was under way."""
        return min(2 * workers, len(self.begins) // 2)

    def cost(self, workers: int) -> tuple[float, float, float]:
        """Return the seconds of processor time per evaluation while the search was under way.

        Returns:
            Of all evaluations, of the first quarter and of the last quarter.
        """
        used = np.array(self.used[self.steady(workers) :])
        quarter = max(len(used) // 4, 1)
        return (
            (used[-1] - used[0]) / max(len(used) - 1, 1),
            (used[quarter] - used[0]) / quarter,
            (used[-1] - used[-1 - quarter]) / quarter,
        )

    def latency(self) -> tuple[float, float]:
        """Return median and 99th percentile of the seconds that a worker waited."""
        median, high = np.quantile(self.waits, (0.5, 0.99)) if self.waits else (math.nan, math.nan)
        return float(median), float(high)

    def utilization(self, workers: int) -> float:
        """Return the busy part of the workers' time while the search was under way."""
        begins, ends = np.array(self.begins), np.array(self.ends)
        since, until = begins[self.steady(workers)], begins[-1]
        busy = np.minimum(ends, until) - np.maximum(begins, since)
        return float(np.clip(busy, 0.0, None).sum() / (workers * (until - since)))


class _Watched(VirtualEvaluator):
    """Simulated workers whose times are noted."""

    slots: Slots

    def _start(self, job: Job, slot: int, output: str | None) -> str:
        begin = self.clock.seconds
        worker = super()._start(job, slot, output)
        self.slots.begin(slot, begin, self._simulated[job.id].end)
        return worker


def _cube(dims: int, low: float, high: float) -> HpProblem:
    problem = HpProblem()
    for i in range(dims):
        problem.add_dim(f"x{i}", (low, high))
    return problem


def _mixed() -> HpProblem:
    problem = HpProblem()
    problem.add_dim("lr", (1e-5, 1.0, "log-uniform"))
    problem.add_dim("units", (8, 1024, "log-uniform"))
    problem.add_dim("layers", (1, 8))
    problem.add_dim("dropout", (0.0, 0.9))
    activation = problem.add_dim("activation", ["relu", "tanh", "gelu", "elu"])
    optimizer = problem.add_dim("optimizer", ["sgd", "adam", "rmsprop"])
    momentum = problem.add_dim("momentum", (0.0, 0.99))
    beta = problem.add_dim("beta", (0.8, 0.999))
    alpha = problem.add_dim("alpha", (0.1, 2.0))
    problem.add_condition(EqualsCondition(momentum, optimizer, "sgd"))
    problem.add_condition(EqualsCondition(beta, optimizer, "adam"))
    problem.add_condition(EqualsCondition(alpha, activation, "elu"))
    return problem


def _mixed_value(p: dict[str, Any]) -> float:
    rate = math.log10(p["lr"]) + {"sgd": 1.5, "adam": 3.0, "rmsprop": 3.3}[p["optimizer"]]
    size = math.log2(p["units"]) - 7.5 + 0.4 * (p["layers"] - 3)
    extra = (
        2.0 * (p.get("momentum", 0.9) - 0.9) ** 2
        + 5.0 * (p.get("beta", 0.9) - 0.93) ** 2
        + 0.05 * (p.get("alpha", 1.0) - 1.0) ** 2
    )
    kind = {"relu": 0.0, "tanh": 0.03, "gelu": -0.01, "elu": 0.01}[p["activation"]]
    loss: float = 0.05 * rate**2 + 0.01 * size**2 + 0.1 * (p["dropout"] - 0.25) ** 2 + extra + kind
    return 0.95 - loss


def _values(point: dict[str, Any]) -> np.ndarray:
    return np.array([point[f"x{i}"] for i in range(len(point))])


# Away from the middle of the ranges, where a search may begin.
_OPTIMUM = np.linspace(-0.55, 0.45, 10)

SPACES: dict[str, tuple[Callable[[], HpProblem], Callable[[dict[str, Any]], float]]] = {
    "hartmann": (lambda: _cube(6, 0.0, 1.0), lambda p: hartmann6(_values(p))),
    "ackley": (lambda: _cube(10, -1.0, 1.0), lambda p: ackley(8.0 * (_values(p) - _OPTIMUM))),
    "mixed": (_mixed, _mixed_value),
}


@dataclass(frozen=True)
class Measured:
    """The figures of a search.

    Attributes:
        utilization: of the workers, from 0 to 1.
        cost: milliseconds of the manager per evaluation once the search is under way: of all, and
            of the first and the last quarter of the evaluations.
        latency: median and 99th percentile of the milliseconds that a worker waited.
        start: seconds until every worker had its first point.
        megabytes: largest memory of the process.
        best: objective.
        warnings: number of warnings.
    """

    utilization: float
    cost: tuple[float, float, float]
    latency: tuple[float, float]
    start: float
    megabytes: float
    best: float
    warnings: int


def measure(
    engine: str,
    space: str,
    workers: int,
    seconds: float,
    evaluations: int,
    *,
    seed: int = 1,
    log_dir: Path | None = None,
) -> Measured:
    """Search once; ``log_dir``: where to keep it, None for in memory."""
    make_problem, value = SPACES[space]
    durations = np.random.default_rng([seed, 7])
    clock, slots = BusyClock(), Slots()

    def duration(job: Job) -> float:
        return seconds * float(np.exp(0.25 * durations.standard_normal() - 0.25**2 / 2))

    evaluator = _Watched(
        run_job=lambda job: value(job.point), num_workers=workers, duration=duration, clock=clock
    )
    evaluator.slots = slots
    with warnings.catch_warnings(record=True) as caught, evaluator:
        warnings.simplefilter("always")
        search = Search(
            make_problem(),
            evaluator,
            engine,
            log_dir=log_dir,
            seed=seed,
        )
        result = search.search(max_evals=evaluations)
    cost, first, last = slots.cost(workers)
    median, high = slots.latency()
    return Measured(
        utilization=slots.utilization(workers),
        cost=(1e3 * cost, 1e3 * first, 1e3 * last),
        latency=(1e3 * median, 1e3 * high),
        start=slots.begins[min(workers, len(slots.begins)) - 1],
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        best=math.nan if result.best_objective is None else float(result.best_objective),
        warnings=len(caught),
    )


def main(args: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", nargs="+", default=["bayesian", "random"])
    parser.add_argument("--space", nargs="+", default=list(SPACES), choices=list(SPACES))
    parser.add_argument("--workers", nargs="+", type=int, default=[8, 64, 512, 1920, 4096])
    parser.add_argument("--seconds", nargs="+", type=float, default=[10.0])
    parser.add_argument("--evaluations", type=int, default=20_000)
    parser.add_argument("--memory", action="store_true", help="keep the search in memory")
    options = parser.parse_args(args)
    print(
        "| engine | space | workers | s | utilization | ms/evaluation | first, last quarter | "
        "latency ms, p99 | start s | MB | best | warnings |"
    )
    print("|" + " --- |" * 12)
    for engine in options.engine:
        for space in options.space:
            for workers in options.workers:
                for seconds in options.seconds:
                    with tempfile.TemporaryDirectory() as directory:
                        log_dir = None if options.memory else Path(directory) / "search"
                        m = measure(
                            engine, space, workers, seconds, options.evaluations, log_dir=log_dir
                        )
                    print(
                        f"| {engine} | {space} | {workers} | {seconds:g} | {m.utilization:.2%} | "
                        f"{m.cost[0]:.2f} | {m.cost[1]:.2f}, {m.cost[2]:.2f} | "
                        f"{m.latency[0]:.1f}, {m.latency[1]:.1f} | {m.start:.1f} | "
                        f"{m.megabytes:.0f} | {m.best:.4g} | {m.warnings} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
