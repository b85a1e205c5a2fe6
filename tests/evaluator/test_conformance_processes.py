"""What every evaluator does whose evaluations run in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deephyper.evaluator import Job
from tests.evaluator.conftest import RAY, Create, by_id, is_gone, only, points

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
