"""Trainings in virtual time that can be paused, and rules that pause them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deephyper.clock import VirtualClock
from deephyper.evaluator import VirtualEvaluator
from deephyper.evaluator.virtual import Reports
from deephyper.job import Estimate, Failure, Job, Outcome, Proposal
from deephyper.optimizer import Optimizer, RandomOptimizer
from deephyper.problem import BaseProblem, HpProblem
from deephyper.search.search import Search
from deephyper.search.search_result import SearchResult
from deephyper.stopper import Stopper
from tests.search.virtual_search import Made, line_problem

STEPS = 10
"""Steps of a whole training; each takes a second."""
Wanted = Callable[[Proposal | None, list[str]], str | None]


def at_the_end(proposal: Proposal | None, paused: list[str]) -> str | None:
    """Take up what is paused, the first first, when nothing new may begin."""
    return paused[0] if paused and proposal is None else None


def never(proposal: Proposal | None, paused: list[str]) -> None:
    """Take up nothing."""


class Pausing(Stopper):
    """Pauses each evaluation once, at a step, and takes up what it is told to.

    Attributes:
        paused: ids, in the order in which they were.
        proposals: what it was given when it was asked what to take up.
        ended: what it was told of ends.
    """

    pauses = True

    def __init__(
        self, at: int = 3, take_up: Wanted = never, std: float | None = None, at_most: float = 1.0
    ) -> None:
        self.paused: list[str] = []
        self.proposals: list[Proposal | None] = []
        self.ended: list[tuple[str, float | None, bool]] = []
        self.reports: dict[str, list[tuple[int, float]]] = {}
        self._at = at
        self._wanted = take_up
        self._std = std
        self._at_most = at_most
        self._ended_early: set[str] = set()

    def report(self, id: str, step: int, objective: float) -> bool:
        self.reports.setdefault(id, []).append((step, objective))
        if step != self._at or id in self._ended_early or objective > self._at_most:
            return False
        self._ended_early.add(id)
        return True

    def pause(self, id: str) -> None:
        self.paused.append(id)

    def end(self, id: str, objective: float | None, pruned: bool) -> None:
        self.ended.append((id, objective, pruned))
        if id in self.paused:
            self.paused.remove(id)

    def take_up(self, proposal: Proposal | None) -> str | None:
        self.proposals.append(proposal)
        id_ = self._wanted(proposal, self.paused)
        if id_ in self.paused:
            self.paused.remove(id_)
        return id_

    def estimate(self, id: str) -> Estimate | None:
        if self._std is None:
            return None
        return Estimate(self.reports[id][-1][1], self._std)


class Listening(RandomOptimizer):
    """Keeps what the last one of it was told."""

    last: Listening

    def __init__(self, problem: BaseProblem, seed: int | None = None) -> None:
        super().__init__(problem, seed)
        self.partial: list[tuple[float, Estimate]] = []
        Listening.last = self

    def tell_partial(self, points: Any, estimates: Any) -> None:
        super().tell_partial(points, estimates)
        self.partial += zip([point["x"] for point in points], estimates, strict=True)


class Trainings:
    """A search of trainings, whose objective grows with each step.

    Attributes:
        log_dir: of the search.
        notices: what the user was told in the last session.
        submitted: the jobs of the last session.
        clock: the time.
        workers: their number.
        continues: whether what is taken up continues where it was.
        steps_of: gives the steps of a whole training.
        value: gives the objective of a whole training.
        fails: gives the failure that it ends with instead, where it does.
    """

    def __init__(self, log_dir: Path, workers: int = 1, paused_at: int = 3) -> None:
        self.log_dir = log_dir
        self.notices: list[str] = []
        self.submitted: list[Job] = []
        self.clock = VirtualClock()
        self.continues = True
        self.problem: HpProblem = line_problem()
        self.steps_of: Callable[[Job], int] = lambda job: STEPS
        self.value: Callable[[Job], float] = lambda job: float(job.point["x"])
        self.fails: Callable[[Job], Failure | None] = lambda job: None
        self.make_optimizer: Callable[[BaseProblem, int | None], Optimizer] = Listening
        self.workers = workers
        self._made = paused_at + 1  # it notices at its next report

    def session(
        self, max_evals: int | None = None, timeout: float | None = None, **options: Any
    ) -> SearchResult:
        """A session of the search, resumed if it exists."""
        self.notices.clear()
        max_steps = options.pop("max_steps", None)
        evaluator = VirtualEvaluator(
            run_job=lambda job: self.fails(job) or self.value(job),
            num_workers=self.workers,
            duration=lambda job: float(self.steps_of(job) - self._first(job)),
            reports=self._reports,
            clock=self.clock,
        )
        search = Search(
            self.problem,
            evaluator,
            Made(self.make_optimizer),
            log_dir=self.log_dir,
            resume=(self.log_dir / "journal.jsonl").exists(),
            on_notice=self.notices.append,
            **({"seed": 1} | options),
        )
        try:
            return search.search(max_evals, timeout, max_steps=max_steps)
        finally:
            self.submitted = evaluator.submitted

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The events of these kinds in the journal."""
        lines = (self.log_dir / "journal.jsonl").read_text().splitlines()
        return [e for e in map(json.loads, lines) if e["event"] in kinds]

    def _first(self, job: Job) -> int:
        """Return the steps that were made before."""
        return self._made if job.attempt > 1 and self.continues else 0

    def _reports(self, job: Job) -> Reports:
        value, steps, first = self.value(job), self.steps_of(job), self._first(job)
        made = range(first + 1, steps + 1)
        return [(step - first - 0.5, step, value * step / steps) for step in made]


def rows(log_dir: Path) -> list[dict[str, str]]:
    with (log_dir / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def told(outcome: Outcome) -> tuple[Any, ...]:
    """Return what a journal tells of an outcome."""
    times = outcome.start, outcome.end, outcome.earlier_sec
    return outcome.job.id, outcome.job.attempt, outcome.objective, outcome.step, *times
