"""What every evaluator tells of its jobs while they run, and how these end early."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from deephyper.evaluator import Ended, Evaluator, Event, Job, Notice, Reported, Started
from tests.evaluator.conftest import Create, events_of, only, points


def gather_reports(evaluator: Evaluator, at_least: int) -> list[Reported]:
    """Gather until enough reports have come."""
    reports: list[Reported] = []
    while len(reports) < at_least:
        reports += [event for event in evaluator.gather() if isinstance(event, Reported)]
    return reports


def test_each_job_is_started_and_ended(method: str, create: Create) -> None:
    evaluator = create(method)
    jobs = evaluator.submit(points(5))
    for job, events in zip(jobs, events_of(evaluator, jobs), strict=True):
        started, ended = events
        assert isinstance(started, Started)
        assert isinstance(ended, Ended)
        assert started.job == ended.job == job
        assert started.worker == ended.outcome.worker
        assert started.time == ended.outcome.start


def test_reports_come_between_start_and_end(method: str, create: Create) -> None:
    evaluator = create(method)
    objectives = [0.1, 0.4, 0.3]
    jobs = evaluator.submit([{"do": "report", "objectives": objectives}] * 3)
    for events in events_of(evaluator, jobs):
        started, *reports, ended = events
        assert isinstance(started, Started)
        assert isinstance(ended, Ended)
        assert ended.outcome.objective == 0.3
        assert ended.outcome.step is None
        told = [(e.step, e.objective) for e in reports if isinstance(e, Reported)]
        assert told == [(1, 0.1), (2, 0.4), (3, 0.3)]


def test_prune_ends_a_job_with_its_last_report(method: str, create: Create, tmp_path: Path) -> None:
    evaluator = create(method, 1)
    work = {"do": "report", "objectives": [0.1, 0.7, 0.4], "then_wait_for": str(tmp_path / "no")}
    pruned, later = evaluator.submit([work, *points(1)])
    last = gather_reports(evaluator, 3)[-1]
    outcome = only(evaluator.prune([pruned.id]))
    assert outcome.job == pruned
    assert (outcome.status, outcome.objective, outcome.step) == ("pruned", 0.4, 3)
    assert outcome.metrics == last.metrics
    assert outcome.failure is None
    assert outcome.start is not None
    assert outcome.start <= outcome.end
    # Its worker serves the next one, and nothing more is heard of it.
    assert events_of(evaluator, [pruned, later])[0] == []
    assert evaluator.prune([pruned.id]) == []


def test_a_job_that_is_asked_to_end_does_so_when_it_reports(
    calling_method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(calling_method, 2)
    files = [tmp_path / "a", tmp_path / "b"]
    asked, _ = evaluator.submit([{"do": "report_until", "file": str(file)} for file in files])
    latest: dict[str, Reported] = {}
    while len(latest) < 2:
        latest |= {report.job.id: report for report in gather_reports(evaluator, 1)}
    evaluator.request_stop([asked.id, "nosuch"])
    ended, last = None, latest[asked.id]
    while ended is None:
        for event in evaluator.gather():
            if isinstance(event, Reported) and event.job == asked:
                last = event
            if isinstance(event, Ended):
                ended = event.outcome
    assert (ended.job, ended.status) == (asked, "pruned")
    assert (ended.step, ended.objective) == (last.step, last.objective)
    assert files[0].read_text() == "cleaned up"
    assert evaluator.num_unfinished == 1
    evaluator.cancel()


def test_a_job_that_asks_is_pruned_whatever_it_returns(calling_method: str, create: Create) -> None:
    evaluator = create(calling_method, 1)
    (job,) = evaluator.submit([{"do": "ask_until"}])
    gather_reports(evaluator, 1)
    evaluator.request_stop([job.id])
    outcome = only(evaluator.gather_all())
    assert (outcome.status, outcome.objective, outcome.step) == ("pruned", 0.25, 3)
    # The worker is as it was.
    evaluator.submit([{"do": "double", "x": 2}])
    assert only(evaluator.gather_all()).objective == 4


def test_a_job_that_never_reports_again_is_ended_after_the_grace(
    method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(method, 1)
    work = {"do": "report", "objectives": [0.5], "then_wait_for": str(tmp_path / "no")}
    (job,) = evaluator.submit([work])
    gather_reports(evaluator, 1)
    evaluator.request_stop([job.id], grace=0.05)
    outcome = only(evaluator.gather_all())
    assert (outcome.status, outcome.objective, outcome.step) == ("pruned", 0.5, 1)
    assert outcome.left_behind == (method == "thread")
    evaluator.submit([{"do": "double", "x": 2}])
    assert only(evaluator.gather_all()).objective == 4


def test_nothing_runs_any_more_of_a_job_that_was_ended_unless_it_says_so(
    calling_method: str, create: Create, tmp_path: Path
) -> None:
    if calling_method == "balsam":
        pytest.skip("it learns of it from a file, some time before another can be launched")
    evaluator = create(calling_method, 1)
    file, held = tmp_path / "alive", tmp_path / "held"
    evaluator.submit([{"do": "count_on", "file": str(file), "held": str(held)}])
    gather_reports(evaluator, 1)
    evaluator.request_stop(["0"], grace=0.05)
    outcome = only(evaluator.gather_all())
    assert outcome.status == "pruned"
    if not outcome.left_behind:
        before = file.read_text()
        evaluator.submit([{"do": "sleep", "seconds": 0.2}])
        evaluator.gather_all()
        assert file.read_text() == before
    else:  # it ends when it reports the next time
        held.touch()
        while file.read_text() != "ended":
            time.sleep(0.01)


@pytest.mark.parametrize("asks", [True, False])
def test_a_job_that_was_ended_early_can_be_submitted_again(
    calling_method: str, create: Create, tmp_path: Path, asks: bool
) -> None:
    """Whether it has noticed, or was ended after the grace."""
    evaluator = create(calling_method, 1)
    work, own = {"do": "train", "asks": asks}, str(tmp_path / "evaluations" / "7")
    evaluator.submit([Job("7", work, 1, own, seed=5)])
    gather_reports(evaluator, 3)
    evaluator.request_stop(["7"], grace=600.0 if asks else 0.05)
    outcome = only(evaluator.gather_all())
    assert outcome.status == "pruned"
    made = outcome.step or 0
    assert made in ((3, 4) if asks else (3,))  # it notices at this report, or at its next one
    assert outcome.objective == made / 8
    again = Job("7", work, 2, own, seed=5)
    evaluator.submit([again])
    (events,) = events_of(evaluator, [again])
    started, *reports, ended = events
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    assert (ended.outcome.status, ended.outcome.objective) == ("finished", 0.75)
    assert [e.step for e in reports if isinstance(e, Reported)] == [*range(made + 1, 7)]


def test_an_evaluation_knows_itself_and_its_directory(
    calling_method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(calling_method, 1)
    own, about = tmp_path / "evaluations" / "7", tmp_path / "about"
    for attempt in (1, 2):
        point = {"do": "tell_about_itself", "file": str(about)}
        evaluator.submit([Job("7", point, attempt, str(own), seed=123)])
        outcome = only(evaluator.gather_all())
        assert outcome.objective == attempt
        assert json.loads(about.read_text()) == ["7", outcome.worker, 123, str(own)]
    assert (own / "attempts").read_text() == "1\n2\n"


def test_an_evaluation_without_a_directory_has_one_as_long_as_it_lasts(
    calling_method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(calling_method, 1)
    about = tmp_path / "about"
    evaluator.submit([{"do": "tell_about_itself", "file": str(about)}])
    assert only(evaluator.gather_all()).objective == 1
    assert not Path(json.loads(about.read_text())[3]).exists()


def test_prune_without_a_report_stops(method: str, create: Create) -> None:
    evaluator = create(method, 1)
    running, waiting, other = evaluator.submit([{"do": "sleep", "seconds": 30.0}] * 3)
    evaluator.gather()  # it has started
    outcomes = evaluator.prune([waiting.id, running.id, "unknown"])
    assert {o.job.id for o in outcomes} == {running.id, waiting.id}
    assert {(o.status, o.objective, o.step) for o in outcomes} == {("stopped", None, None)}
    assert evaluator.num_unfinished == 1
    assert only(evaluator.cancel()).job == other


def test_prune_leaves_alone_what_has_ended(method: str, create: Create) -> None:
    evaluator = create(method, 1)
    (job,) = evaluator.submit([{"do": "report", "objectives": [0.5]}])
    while evaluator.num_unfinished:
        events = evaluator.gather()
    assert evaluator.prune([job.id]) == []
    assert [e.outcome.status for e in events if isinstance(e, Ended)] == ["finished"]


def test_no_event_follows_a_stop(method: str, create: Create) -> None:
    """Also not one that had come before and was not yet gathered."""
    evaluator = create(method)
    work = {"do": "report", "objectives": [0.1] * 20, "seconds": 30.0, "then_wait_for": "/nowhere"}
    gone, left = evaluator.submit([work, work])
    while not any(isinstance(e, Started) and e.job == gone for e in evaluator._events):
        evaluator.cancel(["unknown"])  # which looks for news, but gathers none
    assert only(evaluator.cancel([gone.id])).status == "stopped"
    again = Job(gone.id, {"do": "double", "x": 1}, attempt=2)
    evaluator.submit([again])
    events: list[Event] = []
    while not any(isinstance(event, Ended) for event in events):
        events += evaluator.gather()
    told = [e for e in events if not isinstance(e, Notice) and e.job.id == gone.id]
    assert [type(e) for e in told] == [Started, Ended]
    assert all(e.job == again for e in told)
    assert only(evaluator.cancel()).job == left


def test_metrics_come_with_a_report(calling_method: str, create: Create) -> None:
    evaluator = create(calling_method, 1)
    evaluator.submit([{"do": "report", "objectives": [0.25, 0.5]}])
    assert [e.metrics for e in gather_reports(evaluator, 2)] == [{"loss": 0.75}, {"loss": 0.5}]


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_forked_child_reports_nothing(calling_method: str, create: Create) -> None:
    evaluator = create(calling_method, 1)
    (job,) = evaluator.submit([{"do": "report_from_child"}])
    (events,) = events_of(evaluator, [job])
    assert [event.step for event in events if isinstance(event, Reported)] == [2]


def test_what_an_evaluation_leaves_behind_reports_nothing(
    calling_method: str, create: Create, tmp_path: Path
) -> None:
    if calling_method in ("subprocess", "balsam"):
        pytest.skip("nothing is left of an evaluation there")
    evaluator = create(calling_method, 1)
    gate, done = tmp_path / "gate", tmp_path / "done"
    late = {"do": "report_late", "file": str(gate), "done": str(done)}
    (first,) = evaluator.submit([late])
    evaluator.gather_all()
    again = Job(first.id, {"do": "wait_for", "file": str(done)}, attempt=2)
    evaluator.submit([again])
    gate.touch()
    assert [type(event) for event in events_of(evaluator, [again])[0]] == [Started, Ended]


@pytest.mark.parametrize(("step", "objective"), [(2, "0.5"), (4, "nan"), (-1, "0.5")])
def test_a_bad_report_is_an_exception_of_run(
    method: str, create: Create, step: int, objective: str
) -> None:
    evaluator = create(method, 1)
    evaluator.submit([{"do": "report_badly", "step": step, "objective": objective}])
    failure = only(evaluator.gather_all()).failure
    assert failure is not None
    assert failure.kind == "exception"
    assert "step is" in failure.message or "nan" in failure.message
