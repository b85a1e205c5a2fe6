"""What every evaluator does, stated once and run on each."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import EvaluatorError, RunFunctionError
from deephyper.evaluator import Failure, Job
from tests.evaluator.conftest import IN_THIS_PROCESS, RUNS, Create, by_id, only, points

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
