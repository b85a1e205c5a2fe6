"""What every evaluator does, stated once and run on each."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import EvaluatorError, RunFunctionError
from deephyper.evaluator import (
    Ended,
    Evaluator,
    Event,
    Failure,
    Job,
    Notice,
    Outcome,
    Reported,
    Started,
)
from tests.evaluator.conftest import (
    IN_THIS_PROCESS,
    RAY,
    RUNS,
    Create,
    events_of,
    is_gone,
    only,
    with_its_service,
)

RETURNED = {
    "none": "none",
    "nan": "nan",
    "inf": "infinite",
    "minus_inf": "infinite",
    "huge": "infinite",
    "string": "not_a_number",
    "list": "not_a_number",
    "reason": "reported",
}


def points(n: int) -> list[dict[str, Any]]:
    return [{"do": "double", "x": x} for x in range(n)]


def by_id(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.job.id: outcome for outcome in outcomes}


def test_evaluates_more_points_than_workers(method: str, create: Create) -> None:
    evaluator = create(method)
    jobs = evaluator.submit(points(9))
    outcomes = by_id(evaluator.gather_all())
    assert set(outcomes) == {job.id for job in jobs}
    for job in jobs:
        outcome = outcomes[job.id]
        assert outcome.status == "finished"
        assert outcome.objective == 2 * job.point["x"]
        assert outcome.start is not None
        assert outcome.start <= outcome.end
    assert evaluator.num_unfinished == 0
    assert evaluator.num_free == 2


def test_gathers_what_has_finished_without_waiting_for_the_rest(
    method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(method)
    gate = tmp_path / "gate"
    slow, quick = evaluator.submit(
        [{"do": "wait_for", "file": str(gate)}, {"do": "double", "x": 4}]
    )
    assert only(evaluator.gather_outcomes()).job == quick
    assert evaluator.gather_outcomes(at_least=0) == []
    assert evaluator.num_unfinished == 1
    assert evaluator.num_free == 1
    gate.touch()
    assert only(evaluator.gather_all()).job == slow


def test_gather_returns_at_its_timeout(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.submit([{"do": "sleep", "seconds": 30.0}])
    began = evaluator.clock.monotonic()
    assert evaluator.gather_outcomes(timeout=0.3) == []
    assert 0.3 <= evaluator.clock.monotonic() - began < 25
    assert evaluator.gather(timeout=0.0) == []


def test_gather_without_jobs_returns_at_once(method: str, create: Create) -> None:
    evaluator = create(method)
    assert evaluator.gather() == []
    assert evaluator.gather_outcomes() == []
    assert evaluator.gather_all() == []
    assert evaluator.cancel() == []


def test_jobs_keep_their_ids_and_attempts(method: str, create: Create) -> None:
    evaluator = create(method)
    job = Job("mine", {"do": "double", "x": 2}, attempt=3)
    assert evaluator.submit([job]) == [job]
    assert only(evaluator.gather_all()).job == job


def test_an_id_is_taken_until_its_job_has_ended(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.submit([Job("same", {"do": "sleep", "seconds": 30.0})])
    with pytest.raises(EvaluatorError, match="'same' has not ended"):
        evaluator.submit([Job("same", {"do": "double", "x": 1})])
    evaluator.cancel(["same"])
    evaluator.submit([Job("same", {"do": "double", "x": 1})])
    assert only(evaluator.gather_all()).objective == 2


# Events.


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


def gather_reports(evaluator: Evaluator, at_least: int) -> list[Reported]:
    """Gather until enough reports have come."""
    reports: list[Reported] = []
    while len(reports) < at_least:
        reports += [event for event in evaluator.gather() if isinstance(event, Reported)]
    return reports


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
    reported: set[str] = set()
    while len(reported) < 2:
        reported |= {report.job.id for report in gather_reports(evaluator, 1)}
    evaluator.request_stop([asked.id, "nosuch"])
    ended, last = None, None
    while ended is None:
        for event in evaluator.gather():
            if isinstance(event, Reported) and event.job == asked:
                last = event
            if isinstance(event, Ended):
                ended = event.outcome
    assert (ended.job, ended.status) == (asked, "pruned")
    assert last is not None
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
    evaluator.submit([{"do": "double", "x": 2}])
    assert only(evaluator.gather_all()).objective == 4


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


@pytest.fixture(params=["thread", "process", "subprocess", RAY])
def calling_method(request: pytest.FixtureRequest) -> str:
    """Each backend on which run itself reports; Balsam's evaluations are processes as well."""
    return with_its_service(request)


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
    if calling_method == "subprocess":
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


# What run returns or raises.


def test_metrics_are_returned_in_a_dictionary(method: str, create: Create) -> None:
    evaluator = create(method)
    values = ["metrics", "failed_with_metrics", "bad_metric"]
    evaluator.submit([{"do": "return", "value": value} for value in values])
    outcomes = by_id(evaluator.gather_all())
    assert (outcomes["0"].status, outcomes["0"].objective) == ("finished", 0.5)
    assert outcomes["0"].metrics == {"loss": 0.25, "epochs": 3.0}
    assert outcomes["1"].failure == Failure("reported", "diverged")
    assert outcomes["1"].metrics == {"epochs": 3.0}
    failure = outcomes["2"].failure
    assert failure is not None
    assert failure.message == "the metric 'model' is the text 'resnet', not a number"


def test_a_metric_that_is_not_returned_is_the_last_reported_one(
    calling_method: str, create: Create
) -> None:
    evaluator = create(calling_method)
    evaluator.submit([{"do": "report", "objectives": [0.25, 0.5]}])
    assert only(evaluator.gather_all()).metrics == {"loss": 0.5}


def test_an_exception_is_a_failure_with_its_traceback(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.submit([{"do": "raise"}, *points(3)])
    outcomes = evaluator.gather_all()
    failure = by_id(outcomes)["0"].failure
    assert failure is not None
    assert failure.kind == "exception"
    assert failure.message == "ValueError: no such kernel"
    assert "in _raise" in failure.text
    assert "deephyper" not in failure.text.replace(str(RUNS), "")
    assert [o.status for o in outcomes].count("finished") == 3


@pytest.mark.parametrize("value", RETURNED)
def test_what_is_no_finite_number_is_a_failure(method: str, create: Create, value: str) -> None:
    if method == "ray" and value not in ("none", "nan"):
        pytest.skip("decided by the same code as in a process")
    evaluator = create(method, 1)
    evaluator.submit([{"do": "return", "value": value}])
    outcome = only(evaluator.gather_all())
    assert outcome.status == "failed"
    assert outcome.objective is None
    assert outcome.failure is not None
    assert outcome.failure.kind == RETURNED[value]
    if value == "reason":
        assert outcome.failure.message == "too_large"
    if value == "list":
        assert outcome.failure.message == (
            "run returned something of type list, not a number; return one number, the objective "
            "to maximize"
        )


def test_numbers_of_other_libraries_are_objectives(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.submit(
        [{"do": "numpy", "x": 0}, {"do": "numpy", "x": 1}, {"do": "return", "value": "int"}]
    )
    assert sorted(o.objective or 0 for o in evaluator.gather_all()) == [0.5, 0.5, 3.0]


def test_system_exit_and_memory_error_are_failures(method: str, create: Create) -> None:
    evaluator = create(method, 1)
    evaluator.submit([{"do": "system_exit"}, {"do": "memory"}, *points(1)])
    kinds = [o.failure and o.failure.kind for o in evaluator.gather_all()]
    assert kinds == ["exception", "out_of_memory", None]


@pytest.mark.parametrize("child", ["raises", "exits", "returns"])
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_forked_child_is_no_second_worker(method: str, create: Create, child: str) -> None:
    evaluator = create(method, 1)
    work = {"do": "fork", "child": child}
    jobs = evaluator.submit(
        [
            *({**work, "x": float(x), "wait": True} for x in range(2)),
            *({**work, "x": float(x), "child_sleeps": 0.2} for x in range(2, 5)),
            {"do": "sleep", "seconds": 0.5},
            *points(2),
        ]
    )
    outcomes = by_id(evaluator.gather_all())
    objectives = [outcomes[job.id].objective for job in jobs]
    assert objectives == [0.0, 1.0, 2.0, 3.0, 4.0, 0.5, 0, 2]


@pytest.mark.parametrize("in_process", IN_THIS_PROCESS)
def test_a_changed_point_changes_nothing(in_process: str, create: Create) -> None:
    """Of the others, a point goes to another process as a copy."""
    evaluator = create(in_process, 1)
    point = {"do": "change_point", "x": 1}
    evaluator.submit([point])
    assert only(evaluator.gather_all()).job.point == {"do": "change_point", "x": 1}
    assert point == {"do": "change_point", "x": 1}


# Ending jobs.


def test_a_time_limit_ends_an_evaluation_and_gives_its_worker_back(
    method: str, create: Create
) -> None:
    evaluator = create(method, 1, timeout=0.5)
    hanging = {"do": "sleep", "seconds": 5.0} if method == "thread" else {"do": "ignore_sigterm"}
    evaluator.submit([hanging, *points(2)])
    outcomes = evaluator.gather_all()
    assert [o.status for o in outcomes] == ["failed", "finished", "finished"]
    assert outcomes[0].failure is not None
    assert outcomes[0].failure.kind == "timeout"
    assert outcomes[0].elapsed_sec >= 0.5
    assert ("can't be killed" in outcomes[0].failure.message) == (method == "thread")


def test_the_time_limit_does_not_count_the_start_of_a_worker(
    process_method: str, create: Create, tmp_path: Path
) -> None:
    run = tmp_path / "slow_to_import.py"
    run.write_text("import time\ntime.sleep(1.0)\ndef run(point):\n    return 1\n")
    evaluator = create(process_method, 1, run=str(run), timeout=0.8)
    evaluator.submit([{}])
    assert only(evaluator.gather_all()).status == "finished"


def test_cancel_ends_what_runs_and_what_waits(method: str, create: Create) -> None:
    evaluator = create(method, 1)
    evaluator.submit(points(1))
    evaluator.gather_all()
    jobs = evaluator.submit([{"do": "sleep", "seconds": 30.0}, *points(2)])
    evaluator.gather_outcomes(timeout=0.3)
    stopped = evaluator.cancel()
    assert {o.job.id for o in stopped} == {job.id for job in jobs}
    assert {o.status for o in stopped} == {"stopped"}
    assert evaluator.num_unfinished == 0
    evaluator.submit(points(1))
    assert only(evaluator.gather_all()).objective == 0


def test_cancel_of_one_job_leaves_the_others(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.submit([{"do": "sleep", "seconds": 30.0}, {"do": "sleep", "seconds": 0.5}])
    assert only(evaluator.cancel(["0"])).job.id == "0"
    assert only(evaluator.gather_all()).job.id == "1"


def test_a_closed_evaluator_takes_no_jobs(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.close()
    evaluator.close()
    with pytest.raises(EvaluatorError, match="closed"):
        evaluator.submit(points(1))


def test_close_does_not_wait_for_what_runs(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.submit([{"do": "sleep", "seconds": 100.0}] * 2)
    evaluator.gather()
    began = time.monotonic()
    evaluator.close()
    assert time.monotonic() - began < 90


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NOT_CALLABLE", "can't be called"),
        ("behav", "did you mean 'behave'"),
    ],
)
def test_check_says_what_is_wrong_with_run(
    method: str, create: Create, name: str, reason: str
) -> None:
    evaluator = create(method, 1, run=f"{RUNS}::{name}")
    with pytest.raises(RunFunctionError, match=reason):
        evaluator.check()


def test_check_passes_a_good_function(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.check()
    evaluator.submit(points(2))
    assert len(evaluator.gather_all()) == 2


def test_takes_functions_that_have_no_module(method: str, create: Create) -> None:
    factor = 3

    def run(point: dict[str, Any]) -> float:
        return float(factor * point["x"])

    evaluator = create(method, 1, run=run)
    evaluator.submit([{"do": "", "x": 5}])
    assert only(evaluator.gather_all()).objective == 15


# Faults that end a process: not for threads, which share this one.


@pytest.mark.parametrize(
    ("fault", "message"),
    [("os_exit", "status 1"), ("sigkill", "SIGKILL"), ("segfault", "SIGSEGV")],
)
def test_the_death_of_a_worker_is_a_failure_and_another_takes_its_place(
    process_method: str, create: Create, tmp_path: Path, fault: str, message: str
) -> None:
    evaluator = create(process_method, 1, output_dir=tmp_path)
    evaluator.submit([{"do": fault}, *points(2)])
    outcomes = evaluator.gather_all()
    assert [o.status for o in outcomes] == ["failed", "finished", "finished"]
    failure = outcomes[0].failure
    assert failure is not None
    assert failure.kind == "worker_died"
    assert message in failure.message
    if fault == "sigkill":
        assert failure.text == "about to die\n"
    if fault == "segfault":
        assert "Segmentation fault" in failure.text


def test_an_endless_loop_is_ended(process_method: str, create: Create) -> None:
    evaluator = create(process_method, 2, timeout=0.5)
    evaluator.submit([{"do": "spin"}, *points(3)])
    outcomes = by_id(evaluator.gather_all())
    assert outcomes["0"].failure is not None
    assert outcomes["0"].failure.kind == "timeout"
    assert sum(o.status == "finished" for o in outcomes.values()) == 3


def test_output_is_kept_in_a_file_for_each_evaluation(
    process_method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(process_method, 1, output_dir=tmp_path / "output")
    evaluator.submit([{"do": "print"}, *points(1), {"do": "print"}])
    for outcome in evaluator.gather_all():
        assert outcome.output == str(tmp_path / "output" / f"{outcome.job.id}.1.log")
        lines = set(Path(outcome.output).read_text().splitlines())
        printed = {"to stdout", "to stderr", "from below"}
        assert lines == (printed if outcome.job.point["do"] == "print" else set())


def test_only_output_that_is_there_is_named(
    process_method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(process_method, 1, output_dir=tmp_path)
    evaluator.submit([Job("7", {"do": "remove", "file": str(tmp_path / "7.1.log")})])
    outcome = only(evaluator.gather_all())
    assert (outcome.objective, outcome.output) == (1.0, None)


def test_a_flood_of_output_does_no_harm(
    process_method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(process_method, 1, output_dir=tmp_path)
    evaluator.submit([{"do": "flood"}, *points(1)])
    flood, _ = evaluator.gather_all()
    assert flood.status == "finished"
    assert flood.output is not None
    assert Path(flood.output).stat().st_size == 2_000_000


@pytest.mark.parametrize("kept", ["process", RAY])
def test_a_changed_directory_does_not_last(
    kept: str, create: Create, request: pytest.FixtureRequest
) -> None:
    """Where a process serves several evaluations."""
    if kept == "ray":
        request.getfixturevalue("local_ray")
    evaluator = create(kept, 1)
    evaluator.submit([{"do": "directory"}, {"do": "change_directory"}, {"do": "directory"}])
    before, _, after = evaluator.gather_all()
    assert before.objective is not None
    assert before.objective == after.objective != os.stat("/").st_ino


def test_output_closed_by_one_evaluation_is_open_to_the_next(
    process_method: str, create: Create
) -> None:
    evaluator = create(process_method, 1)
    evaluator.submit([{"do": "close_output"}, {"do": "print"}, {"do": "close_output"}])
    assert [outcome.objective for outcome in evaluator.gather_all()] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("how", ["finished", "timeout", "cancel", "close"])
def test_no_child_is_left(process_method: str, create: Create, tmp_path: Path, how: str) -> None:
    file = tmp_path / "child"
    limit = 1.0 if how == "timeout" else None
    evaluator = create(process_method, 1, timeout=limit)
    evaluator.submit([{"do": "start_child", "file": str(file), "wait": how != "finished"}])
    if how in ("finished", "timeout"):
        evaluator.gather_all()
    else:
        while not (file.exists() and file.read_text()):
            assert evaluator.gather_outcomes(timeout=0.1) == []
    if how == "cancel":
        evaluator.cancel()
    else:
        evaluator.close()
    assert is_gone(int(file.read_text()))


def test_a_process_is_used_again_but_for_subprocess(create: Create) -> None:
    for method, distinct in (("process", 1), ("subprocess", 3)):
        evaluator = create(method, 1)
        evaluator.submit([{"do": "process_id"}] * 3)
        assert len({o.objective for o in evaluator.gather_all()}) == distinct
