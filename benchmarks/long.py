"""Long searches: what an evaluation costs after many others, and what reading them back takes.

The whole search runs, with its optimizer, journal and results, on simulated workers in virtual
time. Three phases follow one another, each in a process of its own, whose largest memory is
measured: the search; the same search resumed for a few evaluations more; and the best of its
results, by `deephyper-analytics topk`. Times are of the processor; the cost of an evaluation is
that of everything but the run function, which costs nothing here.

    python -m benchmarks.long [--engine random bayesian] [--space hartmann ackley mixed]
        [--evaluations 1000000] [--window 10000] [--workers 64] [--directory DIR]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.scale import SPACES
from deephyper import Search, VirtualEvaluator
from deephyper.job import Job, Outcome

MORE = 100
"""Evaluations of the resumed search."""


@dataclass(frozen=True)
class LongSearch:
    """A search to measure.

    Attributes:
        engine: name of the optimizer.
        space: name of the space.
        evaluations: how many.
        workers: number of simulated workers.
        window: evaluations that a cost is averaged over.
        log_dir: where the search is kept.
    """

    engine: str
    space: str
    evaluations: int
    workers: int
    window: int
    log_dir: Path


@dataclass
class Measured:
    """The figures of a phase.

    Attributes:
        seconds: from its beginning to its end, of the clock on the wall.
        first_result: seconds until the first evaluation had ended; of a resume, all that it took
            to read the search back and to make the first points.
        costs: milliseconds of the processor per evaluation, one for each window of them.
        megabytes: largest memory of the process.
    """

    seconds: float
    first_result: float = 0.0
    costs: list[float] = field(default_factory=list)
    megabytes: float = 0.0


def search(of: LongSearch) -> Measured:
    """Run the search."""
    return _search(of, of.evaluations, resume=False)


def resume(of: LongSearch) -> Measured:
    """Resume the search for a few evaluations."""
    return _search(of, of.evaluations + MORE, resume=True)


def topk(of: LongSearch) -> Measured:
    """Find the ten best evaluations, as `deephyper-analytics topk -k 10` does."""
    from deephyper.analytics.topk import as_yaml, best_evaluations

    begin = time.perf_counter()
    as_yaml(best_evaluations(of.log_dir, 10))
    return Measured(time.perf_counter() - begin)


def _search(of: LongSearch, evaluations: int, *, resume: bool) -> Measured:
    make_problem, value = SPACES[of.space]
    in_run = first_result = last = 0.0
    number = 0
    costs: list[float] = []
    begin = time.perf_counter()

    def run(job: Job) -> float:
        nonlocal in_run
        before = time.thread_time()
        objective = value(job.point)
        in_run += time.thread_time() - before
        return objective

    def count(outcome: Outcome) -> None:
        nonlocal number, first_result, last
        number += 1
        if number == 1:
            first_result, last = time.perf_counter() - begin, time.process_time() - in_run
        if number % of.window == 0:
            used = time.process_time() - in_run
            costs.append(1e3 * (used - last) / of.window)
            last = used

    with VirtualEvaluator(run_job=run, num_workers=of.workers) as evaluator:
        Search(
            make_problem(),
            evaluator,
            of.engine,
            log_dir=of.log_dir,
            seed=1,
            resume=resume,
            on_outcome=count,
        ).search(max_evals=evaluations)
    return Measured(time.perf_counter() - begin, first_result, costs)


def _measured(phase: Callable[[LongSearch], Measured], of: LongSearch) -> Measured:
    figures = phase(of)
    figures.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def measure(phase: Callable[[LongSearch], Measured], of: LongSearch) -> Measured:
    """Run a phase in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_measured, phase, of).result()


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", nargs="+", default=["random"])
    parser.add_argument("--space", nargs="+", default=["hartmann"], choices=list(SPACES))
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    parser.add_argument("--window", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--directory", help="on the disk to measure; default: a temporary one")
    options = parser.parse_args(arguments)
    window = max(1, min(options.window, options.evaluations // 2))
    print(
        f"| engine | space | evaluations | ms, first {window} | ms, last {window} | ratio | "
        "search s | search MB | journal MB | results MB | resume s | resume MB | topk s | topk MB |"
    )
    print("|" + " --- |" * 14)
    for engine in options.engine:
        for space in options.space:
            with tempfile.TemporaryDirectory(dir=options.directory) as directory:
                log_dir = Path(directory) / "search"
                of = LongSearch(
                    engine, space, options.evaluations, options.workers, window, log_dir
                )
                searched, resumed, best = (measure(p, of) for p in (search, resume, topk))
                journal, results = (
                    (log_dir / name).stat().st_size / 1e6
                    for name in ("journal.jsonl", "results.csv")
                )
            first, last = searched.costs[0], searched.costs[-1]
            print(
                f"| {engine} | {space} | {of.evaluations} | {first:.3f} | {last:.3f} | "
                f"{last / first:.2f} | {searched.seconds:.1f} | {searched.megabytes:.0f} | "
                f"{journal:.1f} | {results:.1f} | {resumed.first_result:.1f} | "
                f"{resumed.megabytes:.0f} | {best.seconds:.1f} | {best.megabytes:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
