"""How much does `--stop-when-done` save, and what does it cost?

Tasks of the design half of `benchmarks.optimizer` are searched by the default optimizer to the end
of a budget, in virtual time. The rule then looks at each search as it looks at one that runs, and
its end is compared with that of the budget:

- **ended**: the share of searches that it ends early;
- **used**: the share of the evaluations that are made;
- **cost**: the normalized regret (1 is that of the median random point) that the end of the budget
  would have saved; the mean, the 90 % quantile and the largest.

Beside it are budgets that are smaller for all, to be compared at the same share.

    python -m benchmarks.ending [--seeds 3] [--workers 1 8] [--evaluations 200] [--tasks NAME ...]
"""

from __future__ import annotations

import argparse
import os
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.optimizer.suite import tasks
from benchmarks.optimizer.task import Task
from deephyper import VirtualEvaluator
from deephyper.job import Failure, Job
from deephyper.objective import observation_from_json
from deephyper.search.budget import Expectations
from deephyper.search.record import Evaluation
from deephyper.search.search import Search

SHARES = (0.03, 0.01, 0.003, 0.001)
BUDGETS = (0.7, 0.75, 0.8)
_SLOW = ("wide", "live")


@dataclass
class Searched:
    """A search to the end of its budget.

    Attributes:
        evaluations: in the order in which they ended.
        regrets: of the best objective after each of them.
    """

    evaluations: Sequence[Evaluation]
    regrets: list[float]

    def end(self, worth: float) -> int:
        """Return the number of evaluations after which the rule ends it."""
        expectations = Expectations("maximize", worth)
        for number, evaluation in enumerate(self.evaluations, 1):
            assert evaluation.outcome is not None
            expectations.take(evaluation.predicted, evaluation.outcome)
            if expectations.are_low:
                return number
        return len(self.evaluations)

    def cost(self, end: int) -> float:
        """Return the regret that evaluations after the first ``end`` save."""
        return self.regrets[end - 1] - self.regrets[-1]


def search(task: Task, seed: int, workers: int, evaluations: int) -> Searched:
    """Search a task; durations and noise depend on seed and number of an evaluation alone."""
    start = zlib.crc32(f"{task.name}/{seed}".encode())
    streams: dict[str, np.random.Generator] = {}

    def duration(job: Job) -> float:
        streams[job.id] = np.random.default_rng([start, int(job.id)])
        return float(np.exp(0.5 * streams[job.id].standard_normal()))

    def run(job: Job) -> float | Failure:
        return observation_from_json(task.observe(job.point, streams.pop(job.id)))

    with VirtualEvaluator(run_job=run, num_workers=workers, duration=duration) as evaluator:
        made = Search(task.problem(), evaluator, log_dir=None, seed=seed)
        ended = made.search(max_evals=evaluations).evaluations
    best, regret, regrets = -np.inf, 1.0, []
    for evaluation in ended:
        outcome = evaluation.outcome
        if outcome is not None and outcome.objective is not None and outcome.objective > best:
            best, regret = outcome.objective, task.regret(task.value(outcome.job.point))
        regrets.append(regret)
    return Searched(ended, regrets)


def row(name: str, searched: Sequence[Searched], end: Callable[[Searched], int]) -> str:
    """Return a row of the table: what becomes of searches that end like this."""
    ends = [end(each) for each in searched]
    used = np.array([e / len(s.regrets) for e, s in zip(ends, searched, strict=True)])
    costs = np.array([s.cost(e) for e, s in zip(ends, searched, strict=True)])
    return (
        f"| {name} | {(used < 1.0).mean():.0%} | {used.mean():.0%} | {costs.mean():.4f} | "
        f"{np.quantile(costs, 0.9):.4f} | {costs.max():.2f} |"
    )


def main(args: list[str] | None = None) -> None:
    """Search, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ending")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--tasks", nargs="*", default=[""], help="parts of names of tasks")
    given = parser.parse_args(args)
    warnings.filterwarnings("ignore")
    chosen = [
        task
        for task in tasks("design")
        if not any(slow in (task.group, task.name.partition("-")[0]) for slow in _SLOW)
        and any(part in task.name for part in given.tasks)
    ]
    searched = [
        search(task, seed, workers, given.evaluations)
        for task in chosen
        for workers in given.workers
        for seed in range(given.seeds)
    ]
    print(f"{len(searched)} searches of {len(chosen)} tasks\n")
    print("| end | ended | used | cost | 90 % | largest |\n| --- | --- | --- | --- | --- | --- |")
    for worth in SHARES:
        print(row(f"--stop-when-done {worth}", searched, lambda each, w=worth: each.end(w)))  # type: ignore[misc]
    for share in BUDGETS:
        print(
            row(
                f"{share:.0%} of the budget",
                searched,
                lambda each, s=share: max(1, int(s * len(each.regrets))),  # type: ignore[misc]
            )
        )


if __name__ == "__main__":
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_name, "1")
    main()
