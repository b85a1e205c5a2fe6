"""What the journal costs: appending an event, and reading a long search back to resume it.

    python -m benchmarks.journal [--evaluations 10000] [--log-dir DIR]

writes a search of so many evaluations, each submitted, started and finished as the loop does, then
resumes it up to the moment at which it would propose its next point. The figures are of a problem
of six hyperparameters of all kinds, for random search and for the default optimizer.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deephyper import HpProblem, Search, VirtualEvaluator
from deephyper.claim import Claim
from deephyper.job import Job, Outcome, Proposal, Started
from deephyper.optimizer import Optimizer, RandomOptimizer
from deephyper.optimizer.settings import BayesianSettings, RandomSettings, Settings
from deephyper.problem import BaseProblem
from deephyper.search.journal import Journal
from deephyper.search.record import Evaluation, Record
from deephyper.search.replay import read_journal


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


class _UntilAsked(Settings):
    """An engine that ends the measurement when it is asked for a point."""

    name = "until asked"

    def __init__(self, engine: Settings) -> None:
        object.__setattr__(self, "_engine", engine)

    def create(self, problem: BaseProblem, seed: int | None = None) -> Optimizer:
        optimizer: Optimizer = self._engine.create(problem, seed)  # type: ignore[attr-defined]

        def ask(n_points: int) -> list[Proposal]:
            raise _Reached

        optimizer.ask = ask  # type: ignore[method-assign,assignment]
        return optimizer


def write(log_dir: Path, problem: HpProblem, evaluations: int) -> list[float]:
    """Write a journal of so many evaluations; return the seconds of each append."""
    proposals = RandomOptimizer(problem, seed=1).ask(evaluations)
    objectives = np.random.default_rng(1).normal(size=evaluations)
    seconds = []

    def timed(append: Callable[..., None], *arguments: Any, **keys: Any) -> None:
        begin = time.perf_counter()
        append(*arguments, **keys)
        seconds.append(time.perf_counter() - begin)

    with Claim(log_dir) as claim, contextlib.closing(Journal(claim)) as journal:
        journal.begin(Record(space=problem.describe(), max_evals=evaluations))
        for i, (proposal, objective) in enumerate(zip(proposals, objectives, strict=True)):
            job, now = Job(str(i), proposal.point), time.time()
            timed(journal.submitted, Evaluation(job, predicted=(0.1 * i, 0.5)))
            timed(journal.started, Started(job, "0", now))
            end = now + 1.0
            outcome = Outcome(job, "finished", float(objective), None, now, end, "0", "out.log")
            timed(journal.outcome, outcome)
    return seconds


def resume(log_dir: Path, problem: HpProblem, engine: Settings) -> str:
    """Return the time from nothing to the moment of the next proposal, of wall and of processor."""
    evaluator = VirtualEvaluator(run_job=lambda job: 0.0)
    search = Search(problem, evaluator, _UntilAsked(engine), log_dir=log_dir, resume=True)
    begin, cpu = time.perf_counter(), time.process_time()
    try:
        search.search(max_evals=10**9)
    except _Reached:
        return (
            f"{time.perf_counter() - begin:.2f} s ({time.process_time() - cpu:.2f} s of processor)"
        )
    raise AssertionError("the search did not continue")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--evaluations", type=int, default=10_000)
    parser.add_argument("--log-dir", help="a directory on the disk to measure; default: a new one")
    options = parser.parse_args(arguments)
    problem = make_problem()
    with tempfile.TemporaryDirectory(dir=options.log_dir) as directory:
        log_dir = Path(directory)
        append = np.array(write(log_dir, problem, options.evaluations)) * 1e6
        size = (log_dir / "journal.jsonl").stat().st_size
        begin = time.perf_counter()
        read_journal(log_dir)
        read = time.perf_counter() - begin
        random = resume(log_dir, problem, RandomSettings())
        default = resume(log_dir, problem, BayesianSettings())
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
