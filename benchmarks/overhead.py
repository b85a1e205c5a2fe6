"""The cost of an evaluation that does nothing, beside that of the bare engine.

Workers are kept full: one new evaluation for each one that has ended, as a search submits them. The
bare engines are used in the same way: as many evaluations in flight as workers, the end of each is
heard and its result read, and a new one submitted for it. Rounds of all of them take turns in one
process; a ratio is the median over those of the rounds, as a machine is never quite at rest.

- thread: ``concurrent.futures.ThreadPoolExecutor``
- process: ``concurrent.futures.ProcessPoolExecutor``
- subprocess: an interpreter for each evaluation, by ``subprocess.Popen``
- ray: calls of actors, one for each worker, and tasks, with ``ray.wait``

What an executor has ended is found by ``wait(…, FIRST_COMPLETED)``, as a program without callbacks
finds it, or by callbacks that fill a queue, the least that one can do.

    python -m benchmarks.overhead [thread process subprocess ray] [--workers 4]
        [--evaluations N] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import no_op
from deephyper.evaluator import Evaluator

POINT: dict[str, Any] = {"lr": 0.01, "layers": 3, "units": 128, "activation": "relu"}
SPEC = "benchmarks.no_op.run"
EVALUATIONS = {"thread": 5_000, "process": 1_500, "subprocess": 12, "ray": 150}
"""Evaluations of a round, unless the command line says how many."""
ROUNDS = {"thread": 101, "process": 41, "subprocess": 9, "ray": 21}
"""Rounds. Threads need many: for seconds on end a system wakes them on one core, then on two, and
that alone makes a factor of two, for the bare engine as well."""

Complete = Callable[[int], None]
"""Makes so many evaluations, with the workers kept full."""


@dataclass
class Costs:
    """The costs of an evaluation in seconds, one of each kind for each round.

    Attributes:
        wall: by the clock.
        managing: processor time of this process.
        everywhere: processor time of this process and all those that it has started.
    """

    wall: list[float] = field(default_factory=list)
    managing: list[float] = field(default_factory=list)
    everywhere: list[float] = field(default_factory=list)

    def measure(self, complete: Complete, evaluations: int) -> None:
        """Add a round."""
        everywhere = _cpu_seconds(os.getpid())
        managing, wall = time.process_time(), time.perf_counter()
        complete(evaluations)
        self.wall.append((time.perf_counter() - wall) / evaluations)
        self.managing.append((time.process_time() - managing) / evaluations)
        self.everywhere.append((_cpu_seconds(os.getpid()) - everywhere) / evaluations)


@contextmanager
def ours(method: str, workers: int, **options: Any) -> Iterator[Complete]:
    """Give our evaluator of a method."""
    with Evaluator.create(SPEC, method, workers, **options) as evaluator:

        def complete(evaluations: int) -> None:
            evaluator.submit([POINT] * min(workers, evaluations))
            left = evaluations - workers
            while evaluator.num_unfinished:
                ended = len(evaluator.gather_outcomes())
                if left > 0:
                    evaluator.submit([POINT] * min(ended, left))
                    left -= ended

        yield complete


@contextmanager
def waited(executor: Executor, workers: int) -> Iterator[Complete]:
    """Give an executor that is waited for."""

    def complete(evaluations: int) -> None:
        pending = {executor.submit(no_op.run, POINT) for _ in range(min(workers, evaluations))}
        left = evaluations - workers
        while pending:
            ended, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in ended:
                future.result()
                if left > 0:
                    pending.add(executor.submit(no_op.run, POINT))
                    left -= 1

    with executor:
        yield complete


@contextmanager
def called_back(executor: Executor, workers: int) -> Iterator[Complete]:
    """Give an executor whose futures call back."""
    ended = queue.SimpleQueue[Future[float]]()

    def submit() -> None:
        executor.submit(no_op.run, POINT).add_done_callback(ended.put)

    def complete(evaluations: int) -> None:
        for _ in range(min(workers, evaluations)):
            submit()
        for number in range(evaluations):
            ended.get().result()
            if number < evaluations - workers:
                submit()

    with executor:
        yield complete


@contextmanager
def interpreters(workers: int) -> Iterator[Complete]:
    """Give a new interpreter for each evaluation."""
    program = (
        "import json, sys; from benchmarks.no_op import run; print(run(json.loads(sys.argv[1])))"
    )
    command = [sys.executable, "-c", program, json.dumps(POINT)]

    def complete(evaluations: int) -> None:
        running: dict[int, subprocess.Popen[str]] = {}
        poll = select.poll()
        left = evaluations
        while left or running:
            while left and len(running) < workers:
                process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                assert process.stdout is not None
                running[process.stdout.fileno()] = process
                poll.register(process.stdout, select.POLLIN)
                left -= 1
            for fd, _ in poll.poll():
                poll.unregister(fd)
                float(running.pop(fd).communicate()[0])

    yield complete


@contextmanager
def ray_actors(workers: int) -> Iterator[Complete]:
    """Give as many actors as workers."""
    import ray

    class Actor:
        def run(self, point: dict[str, Any]) -> float:
            return no_op.run(point)

    actors: list[Any] = [ray.remote(Actor).remote() for _ in range(workers)]

    def complete(evaluations: int) -> None:
        running = {actor.run.remote(POINT): actor for actor in actors[:evaluations]}
        left = evaluations - workers
        while running:
            ended, _ = ray.wait(list(running), num_returns=1)
            for reference in ended:
                actor = running.pop(reference)
                ray.get(reference)
                if left > 0:
                    running[actor.run.remote(POINT)] = actor
                    left -= 1

    yield complete


@contextmanager
def ray_tasks(workers: int) -> Iterator[Complete]:
    """Give tasks, as many at a time as workers."""
    import ray

    task = ray.remote(no_op.run)

    def complete(evaluations: int) -> None:
        running = [task.remote(POINT) for _ in range(min(workers, evaluations))]
        left = evaluations - workers
        while running:
            ended, running = ray.wait(running, num_returns=1)
            for reference in ended:
                ray.get(reference)
                if left > 0:
                    running.append(task.remote(POINT))
                    left -= 1

    yield complete


def engines(method: str, workers: int, stack: ExitStack) -> dict[str, Complete]:
    """Return our evaluator and the bare engines, all of them started, by what they are."""
    enter = stack.enter_context
    if method == "thread":
        return {
            "deephyper": enter(ours(method, workers)),
            "executor, wait": enter(waited(ThreadPoolExecutor(workers), workers)),
            "executor, callbacks": enter(called_back(ThreadPoolExecutor(workers), workers)),
        }
    if method == "process":
        # The bare ones first: they fork.
        bare = {
            "executor, wait": enter(waited(ProcessPoolExecutor(workers), workers)),
            "executor, callbacks": enter(called_back(ProcessPoolExecutor(workers), workers)),
        }
        for complete in bare.values():
            complete(workers)
        return {"deephyper": enter(ours(method, workers)), **bare}
    if method == "subprocess":
        return {
            "deephyper": enter(ours(method, workers)),
            "Popen": enter(interpreters(workers)),
        }
    return {
        "deephyper": enter(ours(method, workers, driver_num_cpus=2 * workers)),
        "actors": enter(ray_actors(workers)),
        "tasks": enter(ray_tasks(workers)),
    }


def measure(method: str, workers: int, evaluations: int, rounds: int) -> dict[str, Costs]:
    """Return the costs of our evaluator and of the bare engines."""
    with ExitStack() as stack:
        started = engines(method, workers, stack)
        for complete in started.values():
            complete(max(workers, evaluations // 10))
        costs = {name: Costs() for name in started}
        for number in range(rounds):
            names = list(started) if number % 2 else list(reversed(started))
            for name in names:
                costs[name].measure(started[name], evaluations)
    return costs


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of all below it, those that ended included."""
    parents: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
        ticks[int(path.parent.name)] = sum(map(int, fields[11:15]))
    below, total = [pid], 0
    while below:
        process = below.pop()
        total += ticks.get(process, 0)
        below += parents.get(process, [])
    return total / os.sysconf("SC_CLK_TCK")


def _row(method: str, name: str, costs: Costs, own: Costs) -> str:
    def text(of: Callable[[Costs], list[float]]) -> str:
        # A round of few evaluations may take less than the system's clock of processor time shows.
        ratios = [ours_ / value for ours_, value in zip(of(own), of(costs), strict=True) if value]
        ratio = f"{statistics.median(ratios):.2f}" if costs is not own and ratios else ""
        return f"{1000 * statistics.median(of(costs)):.3f} | {ratio}"

    cells = [text(lambda c: c.wall), text(lambda c: c.managing), text(lambda c: c.everywhere)]
    return f"| {method} | {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="The cost of an evaluation that does nothing.")
    parser.add_argument("methods", nargs="*", default=list(EVALUATIONS))
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--evaluations", type=int)
    parser.add_argument("--rounds", type=int)
    given = parser.parse_args()
    print(
        f"{given.workers} workers, {given.rounds or 'many'} rounds, median per evaluation in ms; "
        "ours / that: our evaluator's over the bare engine's, median of the rounds' ratios\n"
    )
    ratio = "ours / that"
    print(
        f"| evaluator | engine | wall | {ratio} | managing process' CPU | {ratio} "
        f"| CPU of all processes | {ratio} |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for method in given.methods:
        evaluations = given.evaluations or EVALUATIONS[method]
        costs = measure(method, given.workers, evaluations, given.rounds or ROUNDS[method])
        for name, cost in costs.items():
            print(_row(method, name, cost, costs["deephyper"]), flush=True)


if __name__ == "__main__":
    main()
