"""Whole searches in virtual time: the real loop, journal and results, and no waiting.

Evaluations take as long as they are told to by a clock that jumps to the next thing that happens.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deephyper.clock import Clock
from deephyper.evaluator import Failure, Job, Outcome
from deephyper.optimizer import RandomOptimizer
from deephyper.problem import HpProblem
from deephyper.search.result import SearchResult
from deephyper.search.search import Search

EPOCH = 1_000_000_000.0
Run = Callable[[Job], "float | Failure"]


def line_problem() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    return problem


def finite_problem(points: int) -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((1, points), "n")
    return problem


class VirtualTime:
    """Seconds that pass only when nothing else can happen; and what happens at which of them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = Clock(now=lambda: EPOCH + self.seconds, monotonic=lambda: self.seconds)
        self._plan: list[tuple[float, Callable[[], None]]] = []

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        self._plan.append((seconds, action))
        self._plan.sort(key=lambda planned: planned[0])

    def pass_until(self, seconds: float) -> bool:
        """Go there, or to the next action before it, which is done; whether it was the former."""
        if self._plan and self._plan[0][0] <= seconds:
            at, action = self._plan.pop(0)
            self.seconds = max(self.seconds, at)
            action()
            return False
        self.seconds = max(self.seconds, seconds)
        return True


def raise_signal_at(time: VirtualTime, *moments: tuple[float, signal.Signals]) -> None:
    """Raise signals at these seconds."""
    for seconds, number in moments:
        time.at(seconds, lambda number=number: signal.raise_signal(number))


class VirtualEvaluator:
    """What a search asks of an evaluator, in virtual time.

    Args:
        time: the time.
        run: gives the objective or failure of a job.
        num_workers: evaluations at a time.
        duration: gives the seconds that a job takes.
    """

    def __init__(
        self,
        time: VirtualTime,
        run: Run,
        num_workers: int = 1,
        duration: Callable[[Job], float] = lambda job: 1.0,
    ) -> None:
        self.time, self.run, self.num_workers, self.duration = time, run, num_workers, duration
        self.on_start: Callable[[Job, str, float], None] | None = None
        self.submitted: list[Job] = []
        self._running: dict[str, tuple[Job, float, float]] = {}

    def check(self, limit: float | None = None) -> None: ...

    @property
    def num_unfinished(self) -> int:
        return len(self._running)

    @property
    def idle(self) -> bool:
        return not self._running

    @property
    def num_free(self) -> int:
        return self.num_workers - len(self._running)

    def submit(self, jobs: list[Job]) -> None:
        for job in jobs:
            assert self.num_free > 0
            assert job.id not in self._running
            now = self.time.seconds
            self.submitted.append(job)
            self._running[job.id] = (job, now, now + self.duration(job))
            if self.on_start is not None:
                self.on_start(job, "0", EPOCH + now)

    def gather(self, at_least: int = 1, timeout: float | None = None) -> list[Outcome]:
        until = math.inf if timeout is None else self.time.seconds + timeout
        done: list[Outcome] = []
        while len(done) < min(at_least, len(done) + len(self._running)):
            job, start, end = min(self._running.values(), key=lambda running: running[2])
            if end <= until:
                if self.time.pass_until(end):
                    del self._running[job.id]
                    done.append(self._outcome(job, start))
            elif self.time.pass_until(until):
                break
        return done

    def cancel(self) -> list[Outcome]:
        now = EPOCH + self.time.seconds
        stopped = [
            Outcome(job, "stopped", None, None, EPOCH + start, now, "0")
            for job, start, _ in self._running.values()
        ]
        self._running.clear()
        return stopped

    def _outcome(self, job: Job, start: float) -> Outcome:
        result = self.run(job)
        failure = result if isinstance(result, Failure) else None
        return Outcome(
            job=job,
            status="failed" if failure else "finished",
            objective=None if isinstance(result, Failure) else result,
            failure=failure,
            start=EPOCH + start,
            end=EPOCH + self.time.seconds,
            worker="0",
        )


@dataclass
class VirtualSearch:
    """A search in virtual time, which goes on from one session to the next.

    Attributes:
        log_dir: its log directory.
        problem: what it searches.
        run: gives the objective or failure of a job.
        notices: what its last session told the user.
        evaluator: the last session's.
        options: of each session's :class:`Search`.
    """

    log_dir: Path
    problem: HpProblem = field(default_factory=line_problem)
    run: Run = lambda job: float(next(iter(job.point.values())))
    num_workers: int = 1
    duration: Callable[[Job], float] = lambda job: 1.0
    time: VirtualTime = field(default_factory=VirtualTime)
    notices: list[str] = field(default_factory=list)
    make_optimizer: Callable[[HpProblem, int | None], Any] = RandomOptimizer
    options: dict[str, Any] = field(default_factory=dict)

    def session(
        self, max_evals: int | None = None, timeout: float | None = None, **options: Any
    ) -> SearchResult:
        """A session of the search, resumed if it exists."""
        self.notices.clear()
        self.evaluator = VirtualEvaluator(self.time, self.run, self.num_workers, self.duration)
        options = {"resume": (self.log_dir / "journal.jsonl").exists()} | self.options | options
        search = Search(
            self.problem,
            self.evaluator,  # type: ignore[arg-type]
            lambda seed: self.make_optimizer(self.problem, seed),
            log_dir=self.log_dir,
            clock=self.time.clock,
            on_notice=self.notices.append,
            **options,
        )
        return search.search(max_evals=max_evals, timeout=timeout)

    @property
    def ids(self) -> list[str]:
        """Evaluations that the last session submitted, each time that it did."""
        return [job.id for job in self.evaluator.submitted]
