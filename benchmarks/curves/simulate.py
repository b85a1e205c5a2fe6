"""Asynchronous search in virtual time: nothing is trained, the methods are real."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass

import numpy as np

from benchmarks.curves.method import Method
from benchmarks.curves.task import Task
from deephyper import VirtualEvaluator
from deephyper.job import Ended, Job, Reported

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the budget at which the regret is kept."""


@dataclass
class Run:
    """The result of a search.

    Attributes:
        regrets: normalized regret of the incumbent, the best whole evaluation, after each of
            :data:`SHARES` of the budget; 1 as long as there is none that is better than typical.
        whole: evaluations that came to their end.
        pruned: evaluations that were ended early, and not continued to their end.
        steps: that were made in all.
        best_stopped: whether the best of all points that were begun, by its objective at the end,
            was ended early and is better than the incumbent.
        seconds: spent in ask, report and tell altogether.
    """

    regrets: list[float]
    whole: int
    pruned: int
    steps: int
    best_stopped: bool
    seconds: float


def simulate(task: Task, method: Method, seed: int, workers: int, evaluations: int = 100) -> Run:
    """Search until as many steps are made as so many whole evaluations take.

    An evaluation begins, or continues after a pause, only if the budget suffices for it and for the
    rest of all that are running, so none is cut at the end. Steps take the time of their point, and
    an evaluation a lognormal factor (sigma 0.1) that depends on the seed and its number alone, not
    on the method. An evaluation that is to end does so at the report that the method was asked
    about, and so does one whose method said how many steps it makes before it pauses.
    """
    start = zlib.crc32(f"{task.name}/{seed}".encode())
    budget = evaluations * task.steps
    left: dict[str, int] = {}  # steps of running evaluations that are still to come
    made: dict[str, int] = {}  # steps that evaluations had made when they began or continued
    paused: dict[str, int] = {}  # and when they were ended early
    jobs: dict[str, Job] = {}

    def step_time(job: Job) -> float:
        rng = np.random.default_rng([start, int(job.id)])
        return task.seconds(job.point) * float(np.exp(0.1 * rng.standard_normal()))

    def duration(job: Job) -> float:
        return (task.steps - made[job.id]) * step_time(job)

    def reports(job: Job) -> list[tuple[float, int, float]]:
        whole, first = duration(job), made[job.id]
        n, values = task.steps - first, task.curve(job.point)[first:].tolist()
        return [(whole * ((i + 1) / n), first + i + 1, value) for i, value in enumerate(values)]

    def run(job: Job) -> float:
        return float(task.curve(job.point)[-1])

    spent, whole, seconds = 0, 0, 0.0
    best, best_begun = -np.inf, -np.inf
    history: list[tuple[int, float]] = []
    with VirtualEvaluator(
        run_job=run, num_workers=workers, duration=duration, reports=reports
    ) as evaluator:
        while True:
            while evaluator.num_free:
                free = budget - spent - sum(left.values())
                before = time.perf_counter()
                ahead = method.next_steps()
                if ahead is None:
                    may_begin = free >= task.steps
                    fits = any(free >= task.steps - steps for steps in paused.values())
                else:
                    may_begin = fits = free >= ahead
                id_ = method.take_up(may_begin) if fits else None
                if id_ is not None and free >= (ahead or task.steps - paused[id_]):
                    made[id_] = paused.pop(id_)
                elif may_begin:
                    id_ = str(len(jobs))
                    jobs[id_] = Job(id_, method.ask(id_))
                    made[id_] = 0
                    best_begun = max(best_begun, run(jobs[id_]))
                else:
                    break
                seconds += time.perf_counter() - before
                left[id_] = ahead or task.steps - made[id_]
                evaluator.submit([jobs[id_]])
            if not evaluator.num_unfinished:
                break
            for event in evaluator.gather():
                before = time.perf_counter()
                if isinstance(event, Reported):
                    id_ = event.job.id
                    spent += 1
                    left[id_] -= 1
                    stop = method.report(id_, event.step, event.objective)
                    if (stop or not left[id_]) and event.step < task.steps:
                        evaluator.prune([id_])
                        method.tell(id_, event.objective, event.step, True)
                        del left[id_]
                        paused[id_] = event.step
                elif isinstance(event, Ended):
                    objective = event.outcome.objective
                    assert objective is not None
                    method.tell(event.job.id, objective, task.steps, False)
                    del left[event.job.id]
                    whole += 1
                    if objective > best:
                        best = objective
                        history.append((spent, task.regret(best)))
                seconds += time.perf_counter() - before
    regrets = [
        min([1.0, *(regret for steps, regret in history if steps <= share * budget)])
        for share in SHARES
    ]
    return Run(regrets, whole, len(jobs) - whole, spent, bool(best_begun > best), seconds)
