"""How busy each evaluator keeps its workers.

Runs a search of 40 evaluations that last 0.2 s each on 4 workers and compares its whole wall time,
with what the search itself costs, with the ideal of 2 s. The start-up is measured before: finding
the run function, starting workers or ray, until each worker has been through an evaluation. A row
with the random search has no model to wait for, one with the default optimizer has.

    python benchmarks/evaluators.py [thread process subprocess ray]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from sleeping_run import SECONDS

from deephyper.evaluator import Evaluator
from deephyper.problem import HpProblem
from deephyper.search.hps.ambs import AMBS
from deephyper.search.hps.random import RandomSearch

EVALUATIONS, WORKERS = 40, 4
IDEAL = SECONDS * EVALUATIONS / WORKERS
RUN = f"{Path(__file__).resolve().with_name('sleeping_run.py')}"


def problem() -> HpProblem:
    made = HpProblem()
    made.add_dim("x", (0.0, 1.0))
    made.add_dim("y", (0.0, 1.0))
    made.add_dim("kind", ["a", "b", "c"])
    return made


def main(methods: list[str]) -> None:
    print(f"ideal {IDEAL:.2f} s: {EVALUATIONS} evaluations of {SECONDS} s on {WORKERS} workers\n")
    print("| evaluator | search | start-up, s | wall, s | wall / ideal |")
    print("| --- | --- | --- | --- | --- |")
    for method in methods:
        for cls in (RandomSearch, AMBS):
            start_up, wall = measure(method, cls)
            name = "random" if cls is RandomSearch else "ambs"
            print(f"| {method} | {name} | {start_up:.2f} | {wall:.2f} | {wall / IDEAL:.2f} |")


def measure(method: str, cls: type[AMBS] | type[RandomSearch]) -> tuple[float, float]:
    """Start-up and wall time in seconds."""
    with tempfile.TemporaryDirectory() as log_dir:
        began = time.monotonic()
        with Evaluator.create(RUN, method, WORKERS) as evaluator:
            evaluator.submit([{"x": 0.0, "y": 0.0}] * WORKERS)
            evaluator.gather_all()
            started = time.monotonic()
            cls(problem(), evaluator, log_dir=log_dir, seed=1).search(max_evals=EVALUATIONS)
            ended = time.monotonic()
    return started - began - SECONDS, ended - started


if __name__ == "__main__":
    main(sys.argv[1:] or ["thread", "process", "subprocess", "ray"])
