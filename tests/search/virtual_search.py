"""Whole searches in virtual time: the real loop, journal and results, and no waiting.

Evaluations take as long as they are told to by a clock that jumps to the next thing that happens.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deephyper.clock import VirtualClock
from deephyper.evaluator import VirtualEvaluator
from deephyper.evaluator.virtual import Reports
from deephyper.job import Failure, Job
from deephyper.optimizer import Optimizer, RandomOptimizer
from deephyper.optimizer.settings import Settings
from deephyper.problem import BaseProblem, HpProblem
from deephyper.search.search import Search
from deephyper.search.search_result import SearchResult

EPOCH = 1_000_000_000.0
DIED = Failure("worker_died", "the worker process was ended by SIGKILL")
RAISED = Failure("exception", "ValueError: no")
Run = Callable[[Job], "float | Failure"]
MakeOptimizer = Callable[[BaseProblem, "int | None"], Optimizer]


def line_problem() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    return problem


def finite_problem(points: int) -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((1, points), "n")
    return problem


def raise_signal_at(clock: VirtualClock, *moments: tuple[float, signal.Signals]) -> None:
    """Raise signals at these seconds."""
    for seconds, number in moments:
        clock.at(seconds, lambda number=number: signal.raise_signal(number))  # type: ignore[misc]


class Made(Settings):
    """Settings of an optimizer that a test makes."""

    name = "made"

    def __init__(self, make: MakeOptimizer) -> None:
        object.__setattr__(self, "make", make)

    def create(self, problem: BaseProblem, seed: int | None = None) -> Optimizer:
        made: Optimizer = self.make(problem, seed)  # type: ignore[attr-defined]
        return made


@dataclass
class VirtualSearch:
    """A search in virtual time, which continues from one session to the next.

    Attributes:
        log_dir: its log directory.
        problem: what it searches.
        run: gives the objective or failure of a job.
        notices: what its last session told the user.
        evaluator: the last session's.
        options: of each session's :class:`Search`.
        reports: gives what a job reports.
    """

    log_dir: Path
    problem: HpProblem = field(default_factory=line_problem)
    run: Run = lambda job: float(next(iter(job.point.values())))
    num_workers: int = 1
    duration: Callable[[Job], float] = lambda job: 1.0
    time: VirtualClock = field(default_factory=VirtualClock)
    notices: list[str] = field(default_factory=list)
    make_optimizer: MakeOptimizer = RandomOptimizer
    options: dict[str, Any] = field(default_factory=dict)
    reports: Callable[[Job], Reports] | None = None

    def session(
        self, max_evals: int | None = None, timeout: float | None = None, **options: Any
    ) -> SearchResult:
        """A session of the search, resumed if it exists."""
        self.notices.clear()
        self.evaluator = self.new_evaluator()
        options = {"resume": (self.log_dir / "journal.jsonl").exists()} | self.options | options
        search = Search(
            self.problem,
            self.evaluator,
            Made(self.make_optimizer),
            log_dir=self.log_dir,
            on_notice=self.notices.append,
            **options,
        )
        return search.search(max_evals=max_evals, timeout=timeout)

    def new_evaluator(self) -> VirtualEvaluator:
        return VirtualEvaluator(
            run_job=self.run,
            num_workers=self.num_workers,
            duration=self.duration,
            reports=self.reports,
            clock=self.time,
        )

    @property
    def ids(self) -> list[str]:
        """Evaluations that the last session submitted, each time that it did."""
        return [job.id for job in self.evaluator.submitted]
