"""What the journal costs: appending an event, and reading a long search back to resume it.

    python -m benchmarks.journal [--evaluations 10000] [--log-dir DIR]

writes a search of so many evaluations, each submitted, started and finished as the loop does, then
resumes it up to the moment at which it would propose its next point. The figures are of a problem
of six hyperparameters of all kinds, for random search and for the default optimizer.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deephyper.evaluator import Job, Outcome
from deephyper.optimizer import RandomOptimizer, create_optimizer
from deephyper.problem import HpProblem
from deephyper.problem.description import describe_space
from deephyper.search.journal import Evaluation, Journal, Record, read_journal
from deephyper.search.search import Search


def make_problem() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((1, 1000), "units")
    problem.add_hyperparameter((1e-5, 1.0, "log-uniform"), "lr")
    problem.add_hyperparameter((0.0, 0.9), "dropout")
    problem.add_hyperparameter(["relu", "tanh", "elu", "selu"], "activation")
    problem.add_hyperparameter([8, 16, 32, 64, 128], "batch_size")
    problem.add_hyperparameter([True, False], "residual")
    return problem


class _Reached(Exception):
    """The search has been read back and is about to propose a point."""


class _Nothing:
    """An evaluator that is never given a job."""

    num_free, num_unfinished, on_start = 1, 0, None

    def check(self, *_: Any) -> None: ...

    def cancel(self) -> list[Any]:
        return []

    def gather(self, at_least: int = 1, timeout: float | None = None) -> list[Any]:
        return []


def write(log_dir: Path, problem: HpProblem, evaluations: int) -> list[float]:
    """A journal of so many evaluations; the seconds of each append."""
    points = [each.point for each in RandomOptimizer(problem, seed=1).ask(evaluations)]
    objectives = np.random.default_rng(1).normal(size=evaluations)
    journal = Journal(log_dir)
    journal.begin("search", Record(space=describe_space(problem)))
    seconds = []

    def timed(append: Callable[..., None], *arguments: Any, **keys: Any) -> None:
        begin = time.perf_counter()
        append(*arguments, **keys)
        seconds.append(time.perf_counter() - begin)

    for i, (point, objective) in enumerate(zip(points, objectives, strict=True)):
        job = Job(str(i), point)
        timed(journal.append_submitted, Evaluation(job, predicted=(0.1 * i, 0.5)))
        timed(journal.append, "started", id=job.id, attempt=1, worker="0")
        now = time.time()
        outcome = Outcome(job, "finished", float(objective), None, now, now + 1.0, "0", "out.log")
        timed(journal.append_outcome, outcome)
    journal.close()
    return seconds


def resume(log_dir: Path, problem: HpProblem, engine: Callable[[int | None], Any]) -> str:
    """Seconds from nothing to the moment of the next proposal, by the wall and of processor."""

    def make(seed: int | None) -> Any:
        optimizer = engine(seed)

        def ask(*_: Any) -> Any:
            raise _Reached

        optimizer.ask = ask
        return optimizer

    search = Search(problem, _Nothing(), make, log_dir=log_dir, resume=True)  # type: ignore[arg-type]
    begin, cpu = time.perf_counter(), time.process_time()
    try:
        search.search(max_evals=10**9)
    except _Reached:
        return (
            f"{time.perf_counter() - begin:.2f} s ({time.process_time() - cpu:.2f} s of processor)"
        )
    raise AssertionError("the search did not go on")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=10_000)
    parser.add_argument("--log-dir", help="a folder on the disk to measure; default: a new one")
    options = parser.parse_args()
    problem = make_problem()
    with tempfile.TemporaryDirectory(dir=options.log_dir) as folder:
        log_dir = Path(folder)
        append = np.array(write(log_dir, problem, options.evaluations)) * 1e6
        size = (log_dir / "journal.jsonl").stat().st_size
        begin = time.perf_counter()
        read_journal(log_dir)
        read = time.perf_counter() - begin
        random = resume(log_dir, problem, lambda seed: RandomOptimizer(problem, seed))
        default = resume(log_dir, problem, lambda seed: create_optimizer(problem, seed=seed))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}")
    print(f"{options.evaluations} evaluations, {len(append)} events, {size / 1e6:.1f} MB")
    print(
        f"append: median {np.median(append):.0f} us, mean {append.mean():.0f} us, "
        f"99 % below {np.percentile(append, 99):.0f} us, largest {append.max() / 1e3:.1f} ms"
    )
    print(f"read the journal: {read:.2f} s")
    print(f"resume, random search: {random}")
    print(f"resume, default optimizer: {default}")


if __name__ == "__main__":
    main()
