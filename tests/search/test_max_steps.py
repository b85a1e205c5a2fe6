"""Searches whose budget is one of steps in all evaluations."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import SettingsError
from deephyper.job import Failure, Job, Outcome, Proposal
from deephyper.search.budget import Budget
from deephyper.search.queue import Queue
from deephyper.search.record import Evaluation, Record
from deephyper.search.replay import read_journal
from deephyper.stopper.early_stopping import EarlyStopping
from deephyper.stopper.reports import Reports
from tests.search.paused_trainings import STEPS, Pausing, Trainings, at_the_end, never
from tests.search.real_search import RealSearch
from tests.search.virtual_search import raise_signal_at


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    return Trainings(tmp_path / "search")


def steps_of(trainings: Trainings) -> int:
    return read_journal(trainings.log_dir).reports.steps


@pytest.mark.parametrize(("max_steps", "evaluations"), [(30, 3), (39, 3), (40, 4)])
def test_a_new_evaluation_begins_only_if_it_can_come_to_its_end(
    trainings: Trainings, max_steps: int, evaluations: int
) -> None:
    result = trainings.session(max_steps=max_steps)
    assert (result.reason, result.num_evaluations) == ("max_steps", evaluations)
    assert "the budget of steps is used up" in repr(result)
    assert [o.status for o in result.outcomes] == ["finished"] * evaluations
    assert steps_of(trainings) == evaluations * STEPS


def test_what_runs_has_its_steps(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path / "search", workers=3)
    result = trainings.session(max_steps=65)
    # The first three of unknown length, then three more; 5 steps are left.
    assert (result.reason, result.num_evaluations) == ("max_steps", 6)
    assert steps_of(trainings) == 60


def test_before_the_first_end_any_number_may_begin(tmp_path: Path) -> None:
    trainings = Trainings(tmp_path / "search", workers=8)
    assert trainings.session(max_steps=15).num_evaluations == 8


def test_the_longest_evaluation_is_the_measure(trainings: Trainings) -> None:
    trainings.steps_of = lambda job: 10 if job.id == "0" else 4
    assert trainings.session(max_steps=25).num_evaluations == 3  # 10, 14, 18: 7 are left


def test_what_is_paused_needs_only_its_rest(trainings: Trainings) -> None:
    # 10, 4 and 4 steps, then 6 and 6 more.
    rule = Pausing(take_up=lambda p, ids: None if p or len(ids) == 0 else ids[0])
    rule._ended_early.add("0")
    result = trainings.session(max_steps=27, stopper=rule)
    assert result.reason == "max_steps"
    assert steps_of(trainings) == 24
    assert [(j.id, j.attempt) for j in trainings.submitted] == [
        ("0", 1), ("1", 1), ("2", 1), ("1", 2),
    ]  # fmt: skip
    assert {o.job.id: o.status for o in result.outcomes} == {
        "0": "finished", "1": "finished", "2": "pruned",
    }  # fmt: skip


class PausingAt(Pausing):
    """Pauses evaluations at steps of their own, and takes up all of them at the end.

    Attributes:
        asked: ids of those that it wanted to continue.
    """

    def __init__(self, steps: dict[str, int]) -> None:
        super().__init__(take_up=at_the_end)
        self.asked: list[str] = []
        self._steps = steps

    def report(self, id: str, step: int, objective: float) -> bool:
        return step == self._steps.get(id)

    def take_up(self, proposal: Proposal | None) -> str | None:
        id_ = super().take_up(proposal)
        self.asked += [] if id_ is None else [id_]
        return id_


class Continued(Trainings):
    """Trainings that continue where they were paused, wherever that was."""

    def _first(self, job: Job) -> int:
        paused = [e["step"] for e in self.events("paused") if e["id"] == job.id]
        return paused[-1] if paused else 0


def test_a_paused_one_that_is_too_long_leaves_the_rest_to_a_shorter_one(tmp_path: Path) -> None:
    trainings = Continued(tmp_path / "search")
    # 10, 4, 4 and 7 steps; of the paused ones the rests are 6, 6 and 3, and 4 steps are left.
    rule = PausingAt({"1": 3, "2": 3, "3": 6})
    result = trainings.session(4, max_steps=29, stopper=rule)
    assert (result.reason, steps_of(trainings)) == ("max_evals", 28)
    assert [j.id for j in trainings.submitted if j.attempt == 2] == ["3"]
    assert rule.asked == ["1", "2", "3"]
    again = trainings.session(4, max_steps=40, stopper=PausingAt({}))
    assert [o.status for o in again.outcomes] == ["finished"] * 4
    assert steps_of(trainings) == 40


def test_a_paused_one_that_was_too_long_begins_once_there_are_steps_for_it(tmp_path: Path) -> None:
    trainings = Continued(tmp_path / "search", workers=2)
    # As long as 2 runs it needs all of its steps but one that are left; it fails after 8.
    trainings.steps_of = lambda job: 8 if job.id == "2" else STEPS
    trainings.fails = lambda job: Failure("exception", "no") if job.id == "2" else None
    rule = PausingAt({"1": 3})
    result = trainings.session(3, max_steps=29, stopper=rule)
    assert [(o.job.id, o.status) for o in result.outcomes] == [
        ("0", "finished"), ("2", "failed"), ("1", "finished"),
    ]  # fmt: skip
    assert rule.asked == ["1", "1"]
    assert steps_of(trainings) == 28


def test_an_interrupted_one_that_is_too_long_leaves_the_rest_to_a_shorter_one() -> None:
    record = Record()
    for id_, steps in {"0": 10, "1": 2, "2": 8}.items():
        job = Job(id_, {"x": 0.5})
        record.add(Evaluation(job))
        record.reports.begin(id_)
        record.reports.add(id_, steps, 0.5)
        if id_ == "0":
            record.end(Outcome(job, "finished", 0.5, None, 1.0, 2.0, "0"))
    queue = Queue(record, Budget(max_steps=24), EarlyStopping(None))
    assert queue.has_steps
    evaluation = queue.next()
    assert evaluation is not None
    assert evaluation.job.id == "2"
    record.reports.begin("2")
    assert queue.next() is None
    assert not queue.has_steps
    assert [job.id for job in queue.again] == ["1"]


def test_steps_that_are_saved_are_spent(trainings: Trainings) -> None:
    rule = Pausing(take_up=never)
    rule._ended_early.add("0")
    result = trainings.session(max_steps=30, stopper=rule)
    # 10, 14, 18, then 8 are left of 30 for those that need 10.
    assert (result.reason, result.num_evaluations) == ("max_steps", 4)
    assert steps_of(trainings) == 22


def test_it_ends_when_evaluations_are_used_up_first(trainings: Trainings) -> None:
    result = trainings.session(2, max_steps=100)
    assert (result.reason, result.num_evaluations) == ("max_evals", 2)


def test_steps_that_are_made_again_count_again(trainings: Trainings) -> None:
    trainings.continues = False
    rule = Pausing(take_up=at_the_end)
    rule._ended_early.add("0")
    # 10, 14, 18, 22; the first that is taken up seems to need 6 and makes 10.
    result = trainings.session(max_steps=31, stopper=rule)
    assert steps_of(trainings) == 32
    assert read_journal(trainings.log_dir).reports.begun_anew == 1
    assert [o.status for o in result.outcomes].count("finished") == 2


def test_they_count_over_all_sessions(trainings: Trainings) -> None:
    trainings.session(max_steps=25)
    assert trainings.session().num_evaluations == 2
    assert read_journal(trainings.log_dir).max_steps == 25
    result = trainings.session(max_steps=45)
    assert (result.reason, result.num_evaluations) == ("max_steps", 4)
    assert trainings.session(max_steps=10).reason == "max_steps"


def test_an_interrupted_evaluation_needs_only_its_rest(trainings: Trainings) -> None:
    raise_signal_at(trainings.clock, (14.2, signal.SIGINT), (14.3, signal.SIGINT))
    result = trainings.session(max_steps=20)
    assert (result.reason, result.num_evaluations) == ("interrupted", 1)
    result = trainings.session()
    assert (result.reason, result.num_evaluations) == ("max_steps", 2)


def test_failures_give_back_what_they_would_have_needed(trainings: Trainings) -> None:
    trainings.fails = lambda job: Failure("exception", "no") if job.id in "12" else None
    trainings.steps_of = lambda job: 2 if job.id in "12" else STEPS
    result = trainings.session(max_steps=24)
    # 10, 12, 14, 24.
    assert (result.num_evaluations, result.num_failures) == (4, 2)


def test_one_that_reports_nothing_counts_none_which_is_said_once(tmp_path: Path) -> None:
    result = Silent(tmp_path / "other").session(5, max_steps=20)
    assert (result.reason, result.num_evaluations) == ("max_evals", 5)
    silent = Silent(tmp_path / "third")
    silent.session(5, max_steps=20, stopper="asha")
    assert silent.notices == [
        "evaluation 0 has ended without a report, so it has no steps that count; have run call "
        "evaluation.report(objective, step=...), after: from deephyper import evaluation"
    ]


class Silent(Trainings):
    """Trainings that report nothing."""

    def _reports(self, job: Any) -> Any:
        return []


@pytest.mark.parametrize("max_steps", [0, -1, 1.5, True, "10", 10**16])
def test_what_is_no_number_of_steps_is_refused(max_steps: Any, trainings: Trainings) -> None:
    with pytest.raises(SettingsError, match=r"^max_steps is .*; give a whole number from 1 to"):
        Budget(max_steps=max_steps)
    with pytest.raises(SettingsError, match=r"^max_steps is "):
        trainings.session(max_steps=max_steps)


def test_from_the_command_line(real: RealSearch) -> None:
    real.write(
        "from deephyper import evaluation\n"
        "def run(point):\n"
        "    for step in range(1, 6):\n"
        "        evaluation.report(point['x'], step=step)\n"
        "    return point['x']\n"
    )
    ended = real.run("--max-steps 17 --evaluator thread --seed 1")
    assert ended.status == 0, ended.err
    assert "up to 17 steps, files in" in ended.err
    assert "the budget of steps is used up (3 evaluations)" in ended.out
    assert real.events()[-1]["reason"] == "max_steps"
    ended = real.run("--max-steps 20", resume=True)
    assert "(4 evaluations)" in ended.out
    ended = real.run("--max-steps 0", resume=True)
    assert ended.status == 2
    assert "--max-steps" in ended.err


# Counting.


def counted(*told: tuple[str, int | None]) -> Reports:
    """Return what reports of these steps come to; None for an evaluation that begins (again)."""
    reports = Reports()
    for id_, step in told:
        if step is None:
            reports.begin(id_)
        else:
            reports.add(id_, step, 0.5)
    return reports


def test_steps_are_counted_as_far_as_reports_say() -> None:
    reports = counted(("0", None), ("0", 5), ("0", 10), ("1", None), ("1", 0), ("1", 0), ("1", 3))
    assert (reports.steps, reports.begun_anew) == (13, 0)


def test_one_that_continues_makes_only_its_rest() -> None:
    reports = counted(("0", None), ("0", 1), ("0", 2), ("0", None), ("0", 3))
    assert (reports.steps, reports.begun_anew) == (3, 0)


def test_one_that_goes_back_to_an_older_checkpoint_makes_steps_again() -> None:
    told = [("0", None), *(("0", step) for step in range(1, 9)), ("0", None), ("0", 6), ("0", 7)]
    reports = counted(*told)
    assert (reports.steps, reports.begun_anew) == (10, 0)
    assert [step for step, _ in reports.curves["0"]] == [*range(1, 8)]


def test_one_that_begins_anew_makes_all_of_them_again() -> None:
    reports = counted(("0", None), ("0", 2), ("0", 4), ("0", None), ("0", 2), ("0", 4), ("0", 6))
    assert (reports.steps, reports.begun_anew) == (10, 1)


def test_what_runs_needs_the_rest_of_the_longest() -> None:
    reports = counted(("0", None), ("0", 10), ("1", None), ("1", 4), ("2", None))
    assert reports.steps_ahead == 14
    reports.end("0", finished=True)
    assert (reports.longest, reports.steps_ahead) == (10, 14 + 6 + 10)
    reports.add("1", 12, 0.5)
    assert reports.steps_ahead == 22 + 10
    reports.end("1", finished=True)
    assert reports.steps_ahead == 22 + 12
    reports.end("2")
    assert reports.steps_ahead == 22
