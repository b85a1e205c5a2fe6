"""Long searches: what an evaluation costs after many others, and what reading them back takes.

The whole search runs, with its optimizer, journal and results, on simulated workers in virtual
time. Three phases follow one another, each in a process of its own, whose largest memory is
measured: the search; the same search resumed for a few evaluations more; and the best of its
results, by `deephyper-analytics topk`. Costs are of the processor: those of an evaluation are of
everything but the run function. A fixed piece of work is timed beside them now and then, since a
machine that others use is faster at one time than at another; the ratio of the last costs to the
first ones is given as it is, and with the machine's speed taken out.

    python -m benchmarks.long [--engine random bayesian] [--space hartmann ackley mixed]
        [--evaluations 1000000] [--window 10000] [--workers 64] [--directory DIR]
"""

from __future__ import annotations

import argparse
import json
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
        cpu: seconds of the processor until then.
        costs: milliseconds of the processor per evaluation, one for each window of them.
        speeds: milliseconds of the processor that the fixed work took in each window.
        megabytes: largest memory of the process.
    """

    seconds: float
    first_result: float = 0.0
    cpu: float = 0.0
    costs: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    megabytes: float = 0.0


def search(of: LongSearch) -> Measured:
    """Run the search."""
    return _search(of, of.evaluations, resume=False)


def resume(of: LongSearch) -> Measured:
    """Resume the search for a few evaluations."""
    return _search(of, of.evaluations + MORE, resume=True)


def topk(of: LongSearch) -> Measured:
    """Find the ten best evaluations, as `deephyper-analytics topk -k 10` does."""
    from deephyper.analytics.ranked import as_yaml
    from deephyper.analytics.topk import best_evaluations

    begin, cpu = time.perf_counter(), time.process_time()
    as_yaml(best_evaluations(of.log_dir, 10))
    seconds = time.perf_counter() - begin
    return Measured(seconds, seconds, time.process_time() - cpu)


def _fixed_work() -> None:
    """Work as a search does: many small objects, texts and dictionaries."""
    for _ in range(20):
        json.loads(json.dumps({str(i): {"x": i / 7, "y": [i]} for i in range(200)}))


def _search(of: LongSearch, evaluations: int, *, resume: bool) -> Measured:
    make_problem, value = SPACES[of.space]
    in_run = first_result = cpu = last = work = 0.0
    number = 0
    costs: list[float] = []
    speeds: list[float] = []
    begin, cpu_before = time.perf_counter(), time.process_time()

    def run(job: Job) -> float:
        nonlocal in_run
        before = time.thread_time()
        objective = value(job.point)
        in_run += time.thread_time() - before
        return objective

    def count(outcome: Outcome) -> None:
        nonlocal number, first_result, cpu, last, work
        number += 1
        if number == 1:
            first_result, cpu = time.perf_counter() - begin, time.process_time() - cpu_before
            last = time.process_time() - in_run
        if number % max(1, of.window // 20) == 0:
            before = time.thread_time()
            _fixed_work()
            work += time.thread_time() - before
        if number % of.window == 0:
            used = time.process_time() - in_run - work
            costs.append(1e3 * (used - last) / of.window)
            speeds.append(1e3 * (work - sum(speeds) / 1e3))
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
    return Measured(time.perf_counter() - begin, first_result, cpu, costs, speeds)


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
        f"| engine | space | evaluations | ms, first {window} | ms, last {window} | "
        "ratio, at one speed | search s | search MB | journal MB | results MB | resume s, CPU | "
        "resume MB | topk s, CPU | topk MB |"
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
            slower = searched.speeds[-1] / searched.speeds[0]
            print(
                f"| {engine} | {space} | {of.evaluations} | {first:.3f} | {last:.3f} | "
                f"{last / first:.2f}, {last / first / slower:.2f} | {searched.seconds:.1f} | "
                f"{searched.megabytes:.0f} | {journal:.1f} | {results:.1f} | "
                f"{resumed.first_result:.1f}, {resumed.cpu:.1f} | {resumed.megabytes:.0f} | "
                f"{best.seconds:.1f}, {best.cpu:.1f} | {best.megabytes:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
