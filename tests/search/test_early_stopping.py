"""Searches that end evaluations early by what they report."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from deephyper import AMBS, HpProblem, evaluation
from deephyper.clock import VirtualClock
from deephyper.evaluator import Evaluator, VirtualEvaluator
from deephyper.job import Job
from deephyper.optimizer.settings import RandomSettings
from deephyper.search.replay import read_journal
from deephyper.search.search import Search
from deephyper.search.search_result import SearchResult
from deephyper.stopper import AshaSettings, MedianSettings, Stopper
from tests.search.real_search import RealSearch
from tests.search.virtual_search import line_problem

STEPS = 16


class Trainings:
    """A search of trainings of so many steps, whose objective at each step is the point times it.

    Attributes:
        log_dir: of the search.
        notices: what the user was told.
    """

    def __init__(self, log_dir: Path, workers: int = 4, silent: bool = False) -> None:
        self.log_dir = log_dir
        self.notices: list[str] = []
        self._workers = workers
        self._silent = silent
        self._clock = VirtualClock()

    def session(self, max_evals: int, **options: Any) -> SearchResult:
        evaluator = VirtualEvaluator(
            run_job=lambda job: job.point["x"],
            num_workers=self._workers,
            duration=lambda job: float(STEPS),
            reports=None if self._silent else _reports,
            clock=self._clock,
        )
        search = Search(
            line_problem(),
            evaluator,
            RandomSettings(),
            log_dir=self.log_dir,
            seed=1,
            resume=(self.log_dir / "journal.jsonl").exists(),
            on_notice=self.notices.append,
            **options,
        )
        return search.search(max_evals=max_evals)


def _reports(job: Job) -> list[tuple[float, int, float]]:
    x = job.point["x"]
    return [(step - 0.5, step, x * step / STEPS) for step in range(1, STEPS + 1)]


@pytest.mark.parametrize("stopper", ["asha", "median", AshaSettings(min_steps=2), MedianSettings()])
def test_bad_evaluations_end_early_and_the_best_does_not(tmp_path: Path, stopper: Any) -> None:
    result = Trainings(tmp_path / "search").session(40, stopper=stopper)
    assert result.num_evaluations == 40
    status = {o.job.id: o.status for o in result.outcomes}
    assert 10 < list(status.values()).count("pruned") < 40
    assert set(status.values()) == {"finished", "pruned"}
    assert result.num_pruned == list(status.values()).count("pruned")
    assert f"40 evaluations, {result.num_pruned} pruned; " in repr(result)
    best = max(result.outcomes, key=lambda o: float(o.job.point["x"]))
    assert best.status == "finished"
    assert result.best_objective == best.objective
    for outcome in result.outcomes:
        if outcome.status == "pruned":
            assert outcome.step is not None
            assert outcome.step < STEPS
            assert outcome.objective == outcome.job.point["x"] * outcome.step / STEPS


def test_the_results_say_at_which_step(tmp_path: Path) -> None:
    Trainings(tmp_path / "search").session(30, stopper="asha")
    with (tmp_path / "search" / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert bool(row["step"]) == (row["status"] == "pruned")


def test_a_resumed_search_goes_by_what_earlier_sessions_have_reported(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path / "search")
    trainings.session(30)
    assert sum(map(len, read_journal(tmp_path / "search").curves.values())) == 30 * STEPS
    result = trainings.session(40, stopper=MedianSettings(startup_evals=30))
    assert [o.status for o in result.outcomes[:30]] == ["finished"] * 30
    assert "pruned" in {o.status for o in result.outcomes[30:]}
    again = trainings.session(40, stopper="asha")
    assert [o.status for o in again.outcomes] == [o.status for o in result.outcomes]


def test_a_search_that_minimizes_ends_the_large_ones(tmp_path: Path) -> None:
    result = Trainings(tmp_path / "search").session(40, stopper="asha", direction="minimize")
    best = min(result.outcomes, key=lambda o: float(o.job.point["x"]))
    assert best.status == "finished"
    assert result.best_objective == best.objective
    pruned = [o.job.point["x"] for o in result.outcomes if o.status == "pruned"]
    finished = [o.job.point["x"] for o in result.outcomes if o.status == "finished"]
    assert sum(pruned) / len(pruned) > sum(finished) / len(finished)


def test_a_rule_of_ones_own(tmp_path: Path) -> None:
    class AfterThree(Stopper):
        def __init__(self) -> None:
            self.ended: list[tuple[str, float | None, bool]] = []

        def report(self, id: str, step: int, objective: float) -> bool:
            return step == 3

        def end(self, id: str, objective: float | None, pruned: bool) -> None:
            self.ended.append((id, objective, pruned))

    rule = AfterThree()
    result = Trainings(tmp_path / "search", workers=1).session(3, stopper=rule)
    assert [(o.status, o.step) for o in result.outcomes] == [("pruned", 4)] * 3
    assert rule.ended == [(o.job.id, o.objective, True) for o in result.outcomes]


def test_that_nothing_reports_is_said_once(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path / "search", silent=True)
    trainings.session(5, stopper="asha")
    assert [n for n in trainings.notices if "without a report" in n] == [
        "evaluation 0 has ended without a report, so none can be ended early; have run call "
        "evaluation.report(objective, step=...), after: from deephyper import evaluation"
    ]
    quiet = Trainings(tmp_path / "quiet", silent=True)
    quiet.session(5)
    assert quiet.notices == []


RUN = """
import time
from deephyper import evaluation

def run(point):
    for step in range(1, 201):
        evaluation.report(point["x"], step=step, loss=1.0 - point["x"])
        if evaluation.id not in ("0", "1", "2", "3"):
            time.sleep(0.01)
    return point["x"]
"""


@pytest.mark.parametrize("evaluator", ["process", "thread"])
def test_real_evaluations_end_early(real: RealSearch, evaluator: str) -> None:
    real.write(RUN)
    ended = real.run(
        f"--max-evals 12 --num-workers 2 --seed 3 --evaluator {evaluator} --stopper median "
        "--startup-evals 4"
    )
    assert ended.status == 0, ended.err
    results = [e for e in real.events() if e["event"] in ("finished", "pruned")]
    assert len(results) == 12
    pruned = [event["event"] for event in results].count("pruned")
    assert pruned > 0
    assert f"(12 evaluations, {pruned} of them ended early)" in ended.out
    best = max(results, key=lambda event: event["objective"])
    assert best["event"] == "finished"


def test_a_resumed_search_keeps_the_rule_of_its_last_session(tmp_path: Path) -> None:
    def rules() -> list[str]:
        events = [json.loads(line) for line in (tmp_path / "journal.jsonl").open()]
        begun = [event for event in events if event["event"] in ("search", "resumed")]
        return [event["settings"]["stopper"]["name"] for event in begun]

    def run(point: dict[str, Any]) -> float:
        return float(point["x"])

    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    for number, stopper in enumerate([None, None, "none", None, AshaSettings(2), None], 1):
        AMBS(problem, run, log_dir=tmp_path, resume=number > 1, stopper=stopper).search(
            max_evals=number
        )
    assert rules() == ["curve", "curve", "none", "none", "asha", "asha"]


def test_directories_in_memory_are_removed_when_their_evaluations_have_ended() -> None:
    directories: list[Path] = []

    def run(point: dict[str, Any]) -> float:
        directories.append(evaluation.directory)
        assert [path for path in directories if path.exists()] == directories[-1:]
        return float(point["x"])

    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    with Evaluator.create(run, method="thread") as evaluator:
        result = AMBS(problem, evaluator, log_dir=None, seed=1).search(max_evals=3)
    assert result.num_evaluations == 3
    assert [o.status for o in result.outcomes] == ["finished"] * 3
    assert not any(path.exists() for path in directories)
