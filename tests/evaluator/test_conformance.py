"""What every evaluator does, stated once and run on each."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import EvaluatorError, RunFunctionError
from deephyper.evaluator import Ended, Evaluator, Job, Outcome, Started
from tests.evaluator.conftest import PROCESSES, RUNS, Create, is_gone, only

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
    method: str, create: Create
) -> None:
    evaluator = create(method)
    evaluator.submit([{"do": "double", "x": 1}, {"do": "double", "x": 1}])
    evaluator.gather_all()  # the workers are up
    slow, quick = evaluator.submit([{"do": "sleep", "seconds": 3.0}, {"do": "double", "x": 4}])
    began = time.monotonic()
    assert only(evaluator.gather_outcomes()).job == quick
    assert time.monotonic() - began < 2.5
    assert evaluator.gather_outcomes(at_least=0) == []
    assert evaluator.num_unfinished == 1
    assert evaluator.num_free == 1
    assert only(evaluator.gather_all()).job == slow


def test_gather_returns_at_its_timeout(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.submit([{"do": "sleep", "seconds": 30.0}])
    began = time.monotonic()
    assert evaluator.gather_outcomes(timeout=0.3) == []
    assert time.monotonic() - began < 5


def test_gather_without_jobs_returns_at_once(method: str, create: Create) -> None:
    assert create(method).gather() == []
    assert create(method).gather_all() == []


def test_jobs_keep_their_ids_and_attempts(method: str, create: Create) -> None:
    evaluator = create(method)
    job = Job("mine", {"do": "double", "x": 2}, attempt=3)
    assert evaluator.submit([job]) == [job]
    assert only(evaluator.gather_all()).job == job


def test_says_when_a_worker_begins(method: str, create: Create) -> None:
    evaluator = create(method)
    jobs = evaluator.submit(points(4))
    events = []
    while not evaluator.idle:
        events += evaluator.gather()
    begun = {event.job.id: event.worker for event in events if isinstance(event, Started)}
    ended = {e.job.id: e.outcome.worker for e in events if isinstance(e, Ended)}
    assert begun == ended
    assert set(begun) == {job.id for job in jobs}


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
        assert outcome.failure.message == "run returned something of type list, not a number"


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


def test_a_changed_point_changes_nothing(method: str, create: Create) -> None:
    evaluator = create(method, 1)
    point = {"do": "change_point", "x": 1}
    evaluator.submit([point])
    assert only(evaluator.gather_all()).job.point == {"do": "change_point", "x": 1}
    assert point == {"do": "change_point", "x": 1}


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
    assert 0.5 <= outcomes[0].elapsed_sec < 3
    assert ("can't be killed" in outcomes[0].failure.message) == (method == "thread")


def test_the_time_limit_does_not_count_the_start_of_a_worker(
    method: str, create: Create, tmp_path: Path
) -> None:
    run = tmp_path / "slow_to_import.py"
    run.write_text("import time\ntime.sleep(1.0)\ndef run(point):\n    return 1\n")
    if method == "thread":
        pytest.skip("a thread has nothing to import")
    with Evaluator.create(str(run), method, 1, timeout=0.8) as evaluator:
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
    evaluator.submit(points(1))
    evaluator.gather_all()
    evaluator.submit([{"do": "sleep", "seconds": 30.0}] * 2)
    began = time.monotonic()
    evaluator.close()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NOT_CALLABLE", "can't be called"),
        ("behav", "did you mean 'behave'"),
    ],
)
def test_check_says_what_is_wrong_with_run(method: str, name: str, reason: str) -> None:
    with (
        Evaluator.create(f"{RUNS}::{name}", method, 1) as evaluator,
        pytest.raises(RunFunctionError, match=reason),
    ):
        evaluator.check()


def test_check_passes_a_good_function(method: str, create: Create) -> None:
    evaluator = create(method)
    evaluator.check()
    evaluator.submit(points(2))
    assert len(evaluator.gather_all()) == 2


def test_takes_functions_that_have_no_module(method: str) -> None:
    factor = 3

    def run(point: dict[str, Any]) -> float:
        return float(factor * point["x"])

    with Evaluator.create(run, method, 1) as evaluator:
        evaluator.submit([{"x": 5}])
        assert only(evaluator.gather_all()).objective == 15


# Faults that end a process: not for threads, which share this one.


@pytest.fixture(params=PROCESSES)
def process_method(request: pytest.FixtureRequest) -> str:
    if request.param == "ray":
        request.getfixturevalue("local_ray")
    return str(request.param)


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


def test_a_flood_of_output_does_no_harm(
    process_method: str, create: Create, tmp_path: Path
) -> None:
    evaluator = create(process_method, 1, output_dir=tmp_path)
    evaluator.submit([{"do": "flood"}, *points(1)])
    flood, _ = evaluator.gather_all()
    assert flood.status == "finished"
    assert flood.output is not None
    path = Path(flood.output)
    assert path.stat().st_size == 200_000_000
    path.unlink()


def test_a_changed_folder_does_not_last(process_method: str, create: Create) -> None:
    evaluator = create(process_method, 1)
    evaluator.submit([{"do": "change_folder"}, {"do": "folder", "folder": os.getcwd()}])
    if process_method == "ray":
        pytest.skip("ray's workers have folders of their own")
    assert [o.objective for o in evaluator.gather_all()] == [1.0, 1.0]


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
