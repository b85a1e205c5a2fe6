"""Searches that pause evaluations and take them up again."""

from __future__ import annotations

import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from deephyper import evaluation
from deephyper.errors import SettingsError
from deephyper.evaluator.thread import ThreadEvaluator
from deephyper.job import Failure, Job, Outcome, Prediction, Proposal
from deephyper.optimizer import RandomOptimizer
from deephyper.search.replay import read_journal
from deephyper.search.search import Search
from tests.search.paused_trainings import (
    STEPS,
    Pausing,
    Trainings,
    at_the_end,
    rows,
    told,
)
from tests.search.virtual_search import finite_problem, line_problem, raise_signal_at


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    return Trainings(tmp_path / "search")


def test_what_is_paused_makes_room_and_continues_when_it_is_taken_up(trainings: Trainings) -> None:
    rule = Pausing(take_up=at_the_end)
    result = trainings.session(3, stopper=rule)
    # Each as far as its fourth step, one after the other, then each to its end.
    assert [(j.id, j.attempt) for j in trainings.submitted] == [
        ("0", 1), ("1", 1), ("2", 1), ("0", 2), ("1", 2), ("2", 2),
    ]  # fmt: skip
    assert [(o.job.id, o.status, o.step) for o in result.outcomes] == [
        (id_, "finished", None) for id_ in "012"
    ]
    assert [o.objective for o in result.outcomes] == [o.job.point["x"] for o in result.outcomes]
    assert result.reason == "max_evals"
    assert all(row["status"] == "finished" for row in rows(trainings.log_dir))
    # Each step was made once, and told in its order.
    steps = [(e["id"], e["step"]) for e in trainings.events("reported")]
    assert sorted(steps) == [(id_, step) for id_ in "012" for step in range(1, STEPS + 1)]
    record = read_journal(trainings.log_dir)
    assert (record.reports.steps, record.reports.begun_anew) == (3 * STEPS, 0)
    assert rule.ended == [(o.job.id, o.objective, False) for o in result.outcomes]


def test_it_keeps_its_directory_its_seed_and_its_point(trainings: Trainings) -> None:
    trainings.session(2, stopper=Pausing(take_up=at_the_end))
    first, second = (
        {j.id: (j.directory, j.seed, j.point) for j in trainings.submitted if j.attempt == attempt}
        for attempt in (1, 2)
    )
    assert first == second
    assert first["0"][0] == str(trainings.log_dir / "evaluations" / "0")


def test_the_time_before_a_pause_counts(trainings: Trainings) -> None:
    result = trainings.session(2, stopper=Pausing(take_up=at_the_end))
    # 3.5 s until the report at which it learned of it, 6 s later.
    assert [o.elapsed_sec for o in result.outcomes] == [9.5, 9.5]
    assert [float(row["elapsed_sec"]) for row in rows(trainings.log_dir)] == [9.5, 9.5]
    record = read_journal(trainings.log_dir)
    assert record.busy == 19.0
    assert [told(o) for o in record.outcomes] == [told(o) for o in result.outcomes]


def test_a_stopper_chooses_between_a_new_point_and_a_paused_one(trainings: Trainings) -> None:
    class Predicting(RandomOptimizer):
        def _predict(self, key: Any, point: Any) -> Prediction:
            return Prediction(point["x"], 0.25, 0.0)

    trainings.make_optimizer = Predicting
    # The paused one whenever there is one, so each continues at once.
    rule = Pausing(take_up=lambda proposal, paused: paused[0] if paused else None)
    trainings.session(3, stopper=rule)
    assert [(j.id, j.attempt) for j in trainings.submitted] == [
        ("0", 1), ("0", 2), ("1", 1), ("1", 2), ("2", 1), ("2", 2),
    ]  # fmt: skip
    # It is asked with what would begin otherwise, which then begins next.
    proposals = [p for p in rule.proposals if p is not None]
    points = [j.point for j in trainings.submitted if j.attempt == 1]
    assert [p.point for p in proposals] == points[1:]
    assert [p.prediction and p.prediction.mean for p in proposals] == [p["x"] for p in points[1:]]
    assert rule.proposals[-1] is None


def test_what_is_paused_at_the_end_is_pruned_in_the_results_alone(trainings: Trainings) -> None:
    seen: list[str] = []
    rule = Pausing()
    result = trainings.session(3, stopper=rule, on_outcome=lambda o: seen.append(o.job.id))
    assert result.num_evaluations == 3
    assert [(o.status, o.step) for o in result.outcomes] == [("pruned", 4)] * 3
    assert seen == ["0", "1", "2"]
    assert [(e["event"], e["id"]) for e in trainings.events("paused", "pruned")] == [
        ("paused", "0"), ("paused", "1"), ("paused", "2"),
    ]  # fmt: skip
    assert [(row["status"], row["step"]) for row in rows(trainings.log_dir)] == [
        ("pruned", "4")
    ] * 3
    assert result.best is None
    assert (rule.paused, rule.ended) == (["0", "1", "2"], [])
    assert trainings.notices[-1] == (
        "3 evaluations are paused, and may continue when the search is resumed with --max-evals "
        "larger than 3"
    )
    record = read_journal(trainings.log_dir)
    assert list(record.outcomes) == []
    assert [told(o) for o in record.paused.values()] == [told(o) for o in result.outcomes]
    # It continues in another session if the rule wants it to.
    again = trainings.session(3, stopper=Pausing())
    assert [(o.status, o.step) for o in again.outcomes] == [("pruned", 4)] * 3
    assert trainings.submitted == []
    again = trainings.session(3, stopper=Pausing(take_up=at_the_end))
    assert [o.status for o in again.outcomes] == ["finished"] * 3
    assert [row["status"] for row in rows(trainings.log_dir)] == ["finished"] * 3


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"timeout": 20.0}, "timeout"), ({"max_evals": 9, "target": 0.9}, "target")],
)
def test_it_may_continue_after_every_end(
    trainings: Trainings, options: dict[str, Any], reason: str
) -> None:
    trainings.value = lambda job: 0.95 if job.id == "2" else 0.1
    result = trainings.session(**options, stopper=Pausing(at_most=0.2))
    assert result.reason == reason
    pruned = [o.job.id for o in result.outcomes if o.status == "pruned"]
    assert [*read_journal(trainings.log_dir).paused] == pruned != []
    shown = rows(trainings.log_dir)
    assert {row["id"] for row in shown if row["status"] == "pruned"} == {*pruned}
    assert len(shown) == result.num_evaluations
    seen: list[tuple[str, str]] = []
    more: dict[str, Any] = {"max_evals": len(shown), "timeout": 1000.0}
    rule = Pausing(take_up=at_the_end, at_most=-1.0)
    again = trainings.session(
        **more, stopper=rule, on_outcome=lambda o: seen.append((o.job.id, o.status))
    )
    assert [o.status for o in again.outcomes] == ["finished"] * len(again.outcomes)
    assert {(id_, "finished") for id_ in pruned} <= {*seen}
    assert len({id_ for id_, _ in seen}) == len(seen)
    # Each has one row, and each of its steps was made once.
    finished = rows(trainings.log_dir)
    assert sorted(int(row["id"]) for row in finished) == [*range(len(again.outcomes))]
    assert {row["status"] for row in finished} == {"finished"}
    assert not [*trainings.log_dir.glob("results-*")]
    assert read_journal(trainings.log_dir).reports.steps == STEPS * len(finished)


def test_what_a_failing_session_leaves_unheard_does_not_damage_its_journal(tmp_path: Path) -> None:
    """An evaluation is paused at a report that comes together with its end, as the search fails."""
    asked, failing, ended = threading.Event(), threading.Event(), threading.Event()

    def run(point: dict[str, Any]) -> float:
        if evaluation.id != "1":
            asked.wait(60)
            return 1.0
        try:
            evaluation.report(0.1, step=1)
            failing.wait(60)
            for step in range(2, 1000):
                evaluation.report(0.2, step=step)
                time.sleep(0.01)
        finally:
            ended.set()
        return 1.0

    class AtFirst(Pausing):
        def report(self, id: str, step: int, objective: float) -> bool:
            asked.set()
            return id == "1" and step == 1

    def fail(outcome: Outcome) -> None:
        failing.set()
        ended.wait(60)
        time.sleep(0.2)  # in which its end is usually told; the journal is sound in any case
        raise RuntimeError("it fails")

    log_dir, problem = tmp_path / "search", line_problem()

    def session(**options: Any) -> Search:
        evaluator = ThreadEvaluator(run, num_workers=2)
        return Search(problem, evaluator, "random", log_dir=log_dir, stopper=AtFirst(), **options)

    with pytest.raises(RuntimeError, match="it fails"):
        session(on_outcome=fail).search(3)
    assert len(session(resume=True).search(3).evaluations) == 3


def test_what_is_left_behind_is_pruned_for_good_which_is_said_once(tmp_path: Path) -> None:
    """Taken up, it would run twice at once in the same directory."""
    leave, counts = threading.Event(), dict[str, list[int]]()
    running = threading.Semaphore(0)

    def run(point: dict[str, Any]) -> float:
        counts.setdefault(str(evaluation.id), []).append(evaluation.attempt)
        evaluation.report(0.1, step=1)
        if evaluation.id in ("0", "1"):
            leave.wait(60)
            running.release()
        return 1.0

    class AtOnce(Pausing):
        def report(self, id: str, step: int, objective: float) -> bool:
            return id in "01"

    log_dir, notices = tmp_path / "search", list[str]()
    rule = AtOnce(take_up=at_the_end)
    with ThreadEvaluator(run, num_workers=2) as evaluator:
        search = Search(
            line_problem(), evaluator, "random", log_dir=log_dir, stopper=rule,
            stop_grace=0.05, on_notice=notices.append,
        )  # fmt: skip
        result = search.search(3)
        leave.set()
        for _ in range(2):
            running.acquire()
    assert {o.job.id: (o.status, o.step) for o in result.outcomes} == {
        "0": ("pruned", 1), "1": ("pruned", 1), "2": ("finished", None),
    }  # fmt: skip
    assert counts == {"0": [1], "1": [1], "2": [1]}
    assert rule.paused == []
    assert sorted(end[0] for end in rule.ended) == ["0", "1", "2"]
    assert not read_journal(log_dir).paused
    (notice,) = notices
    assert re.fullmatch(
        r"evaluation [01] has not ended within 0\.05 s .* pruned for good, .*", notice
    )


class _Insistent(Pausing):
    """Pauses at its step every time, and takes up whatever is paused."""

    def report(self, id: str, step: int, objective: float) -> bool:
        return step == 5

    def take_up(self, proposal: Proposal | None) -> str | None:
        return self.paused.pop(0) if proposal is None and self.paused else None


@pytest.mark.parametrize("continues", [True, False])
def test_one_that_is_paused_again_and_again_comes_to_its_end(
    tmp_path: Path, continues: bool
) -> None:
    trainings = Trainings(tmp_path / "search", workers=2, paused_at=5)
    trainings.continues = continues
    result = trainings.session(6, stopper=_Insistent())
    assert [o.status for o in result.outcomes] == ["finished"] * 6
    assert len(trainings.submitted) == 12


def test_it_is_not_paused_again_in_a_resumed_session_either(trainings: Trainings) -> None:
    trainings.continues = False
    raise_signal_at(trainings.clock, (12.0, signal.SIGINT))
    assert trainings.session(4, stopper=_Insistent()).reason == "interrupted"
    assert trainings.events("paused")
    result = trainings.session(4, stopper=_Insistent())
    assert [o.status for o in result.outcomes] == ["finished"] * 4


def test_patience_counts_no_pause_and_lets_nothing_continue_when_it_is_over(
    tmp_path: Path,
) -> None:
    trainings = Trainings(tmp_path / "search")
    trainings.value = lambda job: 1.0 if job.id == "0" else 0.5
    rule = Pausing(at_most=0.2)
    first = trainings.session(8, stopper=rule, patience=5)
    assert first.reason == "max_evals"
    assert [o.status for o in first.outcomes].count("pruned") == 7
    second = trainings.session(14, stopper=Pausing(at=99), patience=5)
    assert second.reason == "patience"
    assert len(second.evaluations) == 13
    third = Trainings(tmp_path / "other")
    third.value = lambda job: 0.5
    ended = third.session(20, stopper=Pausing(take_up=at_the_end, at_most=-1.0), patience=3)
    assert (ended.reason, len(ended.evaluations)) == ("patience", 4)


def test_a_search_that_has_run_out_of_patience_begins_nothing_whatever_comes_then(
    tmp_path: Path,
) -> None:
    trainings = Trainings(tmp_path / "search", workers=3)
    trainings.steps_of = lambda job: 40 if job.id == "0" else 1
    trainings.value = lambda job: 1.0 if job.id == "0" else 0.1
    result = trainings.session(stopper=Pausing(at=99), patience=2, max_steps=60)
    assert result.reason == "patience"
    assert result.outcomes[-1].job.id == "0"  # better than all before, long after that
    number = len(result.evaluations)
    assert number < 8
    assert {e["id"] for e in trainings.events("submitted")} == {str(i) for i in range(number)}


def test_a_paused_evaluation_is_neither_a_target_nor_an_improvement(trainings: Trainings) -> None:
    trainings.value = lambda job: 0.1
    result = trainings.session(6, stopper=Pausing(), target=0.2, patience=3)
    assert (result.reason, result.num_evaluations) == ("max_evals", 6)


def test_one_that_finishes_before_it_notices_is_finished(trainings: Trainings) -> None:
    result = trainings.session(2, stopper=Pausing(at=STEPS))
    assert [o.status for o in result.outcomes] == ["finished"] * 2
    assert trainings.events("paused") == []


def test_a_finite_space_that_is_used_up_leaves_what_is_paused(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path / "search", workers=2)
    trainings.problem = finite_problem(3)
    trainings.make_optimizer = RandomOptimizer
    trainings.value = lambda job: float(job.point["n"])
    result = trainings.session(10, stopper=Pausing(take_up=at_the_end, at_most=9.0))
    assert (result.reason, result.num_evaluations) == ("exhausted", 3)
    assert [o.status for o in result.outcomes] == ["finished"] * 3
    assert sorted((j.id, j.attempt) for j in trainings.submitted) == [
        (id_, attempt) for id_ in "012" for attempt in (1, 2)
    ]


def test_many_workers_take_up_what_is_paused_together(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path / "search", workers=4)
    result = trainings.session(10, stopper=Pausing(take_up=at_the_end))
    assert [o.status for o in result.outcomes] == ["finished"] * 10
    assert trainings.clock.seconds == pytest.approx(3 * 3.5 + 3 * 6.0, abs=6.0)


def test_what_is_not_paused_cannot_be_taken_up(trainings: Trainings) -> None:
    rule = Pausing(take_up=lambda proposal, paused: "77")
    with pytest.raises(SettingsError, match="takes up '77', which is not the id of a paused"):
        trainings.session(3, stopper=rule)
    # What had come until then is kept.
    assert [*read_journal(trainings.log_dir).paused] == ["0"]


# Attempts.


def test_to_be_taken_up_is_no_retry(trainings: Trainings) -> None:
    def fails(job: Job) -> Failure | None:
        return None if job.attempt == 3 else Failure("worker_died", "it died")

    trainings.fails = fails
    result = trainings.session(1, stopper=Pausing(take_up=at_the_end), retries=1)
    assert [j.attempt for j in trainings.submitted] == [1, 2, 3]
    assert [o.status for o in result.outcomes] == ["finished"]
    assert read_journal(trainings.log_dir).ended[0].job.attempt == 3


def test_retries_are_used_up_by_failures_alone(trainings: Trainings) -> None:
    trainings.fails = lambda job: Failure("worker_died", "it died")
    result = trainings.session(1, stopper=Pausing(take_up=at_the_end), retries=1)
    assert [j.attempt for j in trainings.submitted] == [1, 2, 3]
    assert [o.status for o in result.outcomes] == ["failed"]


def test_one_that_begins_anew_is_counted_and_the_user_told_once(trainings: Trainings) -> None:
    trainings.continues = False
    result = trainings.session(3, stopper=Pausing(take_up=at_the_end))
    assert [o.status for o in result.outcomes] == ["finished"] * 3
    assert trainings.notices == [
        "evaluation 0 was taken up after a pause and began anew at step 1, so what it had computed "
        "is lost; have run keep a checkpoint in evaluation.directory, and continue from it "
        "(docs/evaluations.md, The directory)"
    ]
    record = read_journal(trainings.log_dir)
    assert record.reports.begun_anew == 3
    assert record.reports.steps == 3 * (4 + STEPS)
    assert [len(curve) for curve in record.curves.values()] == [STEPS] * 3
