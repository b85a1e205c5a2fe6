"""How busy each evaluator keeps its workers.

Runs a search of 40 evaluations that last 0.2 s each on 4 workers and compares its whole wall time,
with what the search itself costs, with the ideal of 2 s. The start-up is measured before: finding
the run function, starting workers or Ray, until each worker has been through an evaluation. A row
with the random search has no model to wait for, one with the default optimizer has.

    python -m benchmarks.evaluators [thread process subprocess ray] [--evaluations 40]
        [--workers 4] [--seconds 0.2]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass

from benchmarks.sleeping_run import SleepingRun
from deephyper.evaluator import Evaluator
from deephyper.problem import HpProblem
from deephyper.search.hps.ambs import AMBS
from deephyper.search.hps.random import RandomSearch

METHODS = ("thread", "process", "subprocess", "ray")
SEARCHES: dict[str, type[AMBS] | type[RandomSearch]] = {"random": RandomSearch, "ambs": AMBS}


@dataclass(frozen=True)
class Setting:
    """A search to measure.

    Attributes:
        evaluations: number of evaluations.
        workers: number of workers.
        seconds: what each evaluation lasts.
    """

    evaluations: int
    workers: int
    seconds: float

    @property
    def ideal(self) -> float:
        """The wall time in seconds if no worker ever waited."""
        return self.seconds * self.evaluations / self.workers


def make_problem() -> HpProblem:
    """Return a problem with two numbers and a choice."""
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    problem.add_hyperparameter((0.0, 1.0), "y")
    problem.add_hyperparameter(["a", "b", "c"], "kind")
    return problem


def measure(method: str, search: str, setting: Setting) -> tuple[float, float]:
    """Return the seconds of the start-up and of the search."""
    with tempfile.TemporaryDirectory() as log_dir:
        began = time.monotonic()
        run = SleepingRun(setting.seconds)
        with Evaluator.create(run, method, setting.workers) as evaluator:
            evaluator.submit([{"x": 0.0, "y": 0.0}] * setting.workers)
            evaluator.gather_all()
            started = time.monotonic()
            made = SEARCHES[search](make_problem(), evaluator, log_dir=log_dir, seed=1)
            made.search(max_evals=setting.evaluations)
            ended = time.monotonic()
    return started - began - setting.seconds, ended - started


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="How busy each evaluator keeps its workers.")
    parser.add_argument("methods", nargs="*", default=METHODS)
    parser.add_argument("--evaluations", type=int, default=40)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.2)
    given = parser.parse_args()
    setting = Setting(given.evaluations, given.workers, given.seconds)
    print(
        f"ideal {setting.ideal:.2f} s: {setting.evaluations} evaluations of {setting.seconds:g} s "
        f"on {setting.workers} workers\n"
    )
    print("| evaluator | search | start-up, s | wall, s | wall / ideal |")
    print("| --- | --- | --- | --- | --- |")
    for method in given.methods:
        for search in SEARCHES:
            start_up, wall = measure(method, search, setting)
            ratio = wall / setting.ideal
            print(f"| {method} | {search} | {start_up:.2f} | {wall:.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
