"""The cost of an evaluation that runs a program, beside ``subprocess.run`` of the same program.

Rounds of both take turns, and a ratio is the median over those of the rounds. Workers are kept
full; the bare engine is a loop of ``subprocess.run``, or with several workers as many threads that
call it.

    python -m benchmarks.commands [--workers 1] [--evaluations 200] [--rounds 11] [-- PROGRAM ...]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from benchmarks.overhead import POINT
from deephyper.command import Command
from deephyper.evaluator import Evaluator
from deephyper.job import Job

PROGRAM = ["sh", "-c", "echo $1", "sh", "{lr}"]
METHODS = ("process",)


def bare(words: Sequence[str], workers: int, evaluations: int) -> None:
    """Run a program so many times."""

    def once(_: int) -> float:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1])

    if workers == 1:  # a thread would add its own cost
        for number in range(evaluations):
            once(number)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(once, range(evaluations)))


def ours(evaluator: Evaluator, workers: int, evaluations: int) -> None:
    """Evaluate so many times, each in a directory of its own, as in a search."""
    own = f"{evaluator.output_dir}/evaluations"
    jobs = iter([Job(str(i), POINT, directory=f"{own}/{i}") for i in range(evaluations)])
    evaluator.submit(islice(jobs, workers))
    while evaluator.num_unfinished:
        outcomes = evaluator.gather_outcomes()
        assert all(outcome.objective is not None for outcome in outcomes)
        evaluator.submit(islice(jobs, len(outcomes)))


def _seconds(call: Callable[..., None], *arguments: Any) -> float:
    begin = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - begin


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table.

    Args:
        arguments: of the command line; None for those of this process.
    """
    parser = argparse.ArgumentParser(description="The cost of an evaluation that runs a program.")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("program", nargs="*", default=PROGRAM)
    given = parser.parse_args(arguments)
    command = Command(given.program, POINT)
    words = [word.replace("{lr}", str(POINT["lr"])) for word in given.program]
    print(f"{given.workers} workers, {given.rounds} rounds of {given.evaluations}: {words}\n")
    print("| evaluator | ms an evaluation | subprocess.run, ms | ours / that |")
    print("| --- | --- | --- | --- |")
    for method in METHODS:
        with (
            tempfile.TemporaryDirectory() as output,
            Evaluator.create(command, method, given.workers, output_dir=output) as evaluator,
        ):
            ours(evaluator, given.workers, 2 * given.workers)  # begins the workers
            size = given.workers, given.evaluations
            rounds = [
                (_seconds(ours, evaluator, *size), _seconds(bare, words, *size))
                for _ in range(given.rounds)
            ]
        ratio = statistics.median(one / other for one, other in rounds)
        one, other = (
            1000 * statistics.median(each) / given.evaluations for each in zip(*rounds, strict=True)
        )
        print(f"| {method} | {one:.2f} | {other:.2f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
