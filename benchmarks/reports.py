"""The time that a report takes from a training, beside the least that one can do.

A search of one worker, whose evaluations measure their own reports: each returns when the training
may continue, and the search writes it to its journal meanwhile. In turns with them, the same is put
into a queue that another thread empties (threads), or written as a line of JSON to a pipe that
another process reads. There is a pause before each, as there is a step of the training.

    python -m benchmarks.reports [thread process subprocess ray] [--number 500] [--rounds 5]
        [--pause 0.002]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile

from benchmarks.reporting_run import METRICS
from deephyper.evaluator import Evaluator
from deephyper.problem import HpProblem
from deephyper.search.hps.random import RandomSearch

METHODS = ("thread", "process", "subprocess", "ray")
SPEC = "benchmarks.reporting_run.run"


def measure(method: str, number: int, rounds: int, pause: float) -> list[dict[str, float]]:
    """Return what the reports of each round took, as :func:`.reporting_run.run` names it."""
    problem = HpProblem()
    bare = "queue" if method == "thread" else "pipe"
    for name, value in {"number": number, "pause": pause, "bare": bare}.items():
        problem.add_hyperparameter([value], name)
    problem.add_hyperparameter((0, 10**6), "round")
    with (
        tempfile.TemporaryDirectory() as log_dir,
        Evaluator.create(SPEC, method, 1) as evaluator,
    ):
        search = RandomSearch(problem, evaluator, log_dir=log_dir, seed=1)
        result = search.search(max_evals=rounds + 1)
    # The first one warms up.
    return [dict(outcome.metrics) for outcome in result.outcomes[1:]]


def _row(method: str, metrics: int, rounds: list[dict[str, float]]) -> str:
    def ms(kind: str, what: str) -> str:
        seconds = statistics.median(each[f"{kind} {metrics} {what}"] for each in rounds)
        return f"{1000 * seconds:.3f}"

    ratios = (e[f"report {metrics} median"] / e[f"bare {metrics} median"] for e in rounds)
    cells = [method, f"{metrics}", *(ms("report", what) for what in ("median", "mean", "p99"))]
    cells += [ms("bare", "median"), f"{statistics.median(ratios):.1f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="The time that a report takes from a training.")
    parser.add_argument("methods", nargs="*", default=METHODS)
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pause", type=float, default=0.002)
    given = parser.parse_args()
    print(
        f"{given.rounds} rounds of {given.number} reports of each kind, {given.pause:g} s apart; "
        "ms in the worker, medians of the rounds\n"
    )
    print("| evaluator | metrics | median | mean | 99 % | bare, median | ours / that |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for method in given.methods:
        rounds = measure(method, given.number, given.rounds, given.pause)
        for metrics in (0, len(METRICS)):
            print(_row(method, metrics, rounds), flush=True)


if __name__ == "__main__":
    main()
