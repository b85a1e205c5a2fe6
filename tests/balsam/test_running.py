"""When an evaluation counts as ended or dead, by its messages and the state of its job."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.balsam.evaluation_directory import EvaluationDirectory
from deephyper.balsam.job_spec import BalsamJobSpec, balsamjob_spec
from deephyper.balsam.jobs import DELETED
from deephyper.balsam.running import (
    DEATH_SECONDS,
    FILE_SECONDS,
    OtherProgram,
    OwnProgram,
    RunningEvaluation,
    Source,
)
from deephyper.clock import VirtualClock
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobStarted
from deephyper.job import Failure

STARTED = JobStarted("3", 10.0, "node1")
ENDED = JobEnded("3", 1.5, 10.0, 20.0)
DIED = JobEnded("3", Failure("worker_died", "ended by SIGKILL"), 10.0, 20.0)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def running(
    path: Path, clock: VirtualClock, spec: BalsamJobSpec | None = None
) -> RunningEvaluation:
    directory = EvaluationDirectory(path)
    source: Source = OwnProgram(directory, clock)
    if spec is not None:
        source = OtherProgram("3", spec, path, clock)
    return RunningEvaluation("3", directory, "key", path / "printed.out", source, clock)


def failure_of(messages: list[JobMessage]) -> Failure:
    (message,) = messages
    assert isinstance(message, JobEnded)
    assert isinstance(message.result, Failure)
    return message.result


@pytest.mark.parametrize("state", ["PREPROCESSED", "RUNNING", "RUN_DONE", "RUN_ERROR"])
def test_its_files_count_in_every_state(tmp_path: Path, clock: VirtualClock, state: str) -> None:
    evaluation = running(tmp_path, clock)
    evaluation.directory.send(STARTED)
    evaluation.directory.send(ENDED)
    assert evaluation.messages(state) == [STARTED, ENDED]


def test_nothing_is_said_of_a_job_that_waits_for_the_next_launcher(
    tmp_path: Path, clock: VirtualClock
) -> None:
    evaluation = running(tmp_path, clock)
    clock.seconds += 1e6
    assert evaluation.messages("RESTART_READY") == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("RUN_ERROR", "ended as RUN_ERROR without a result"),
        ("USER_KILLED", "was killed"),
        (DELETED, "was deleted"),
    ],
)
def test_a_death_is_held_back(tmp_path: Path, clock: VirtualClock, state: str, reason: str) -> None:
    evaluation = running(tmp_path, clock)
    evaluation.printed.write_text("last words\n")
    assert evaluation.messages(state) == []
    clock.seconds += DEATH_SECONDS - 1
    assert evaluation.messages(state) == []
    clock.seconds += 1
    failure = failure_of(evaluation.messages(state))
    assert failure.kind == "worker_died"
    assert reason in failure.message
    assert failure.text == "last words\n"


def test_a_result_that_appears_meanwhile_is_believed(tmp_path: Path, clock: VirtualClock) -> None:
    evaluation = running(tmp_path, clock)
    assert evaluation.messages("RUN_ERROR") == []
    evaluation.directory.send(ENDED)
    assert evaluation.messages("RUN_ERROR") == [ENDED]


def test_a_death_that_the_evaluation_itself_reports_is_held_back(
    tmp_path: Path, clock: VirtualClock
) -> None:
    evaluation = running(tmp_path, clock)
    evaluation.directory.send(STARTED)
    evaluation.directory.send(DIED)
    assert evaluation.messages("RUNNING") == [STARTED]
    assert evaluation.messages("RUN_ERROR") == []
    clock.seconds += DEATH_SECONDS
    assert evaluation.messages("RUN_ERROR") == [DIED]


def test_the_file_of_a_job_that_ended_well_may_be_late(tmp_path: Path, clock: VirtualClock) -> None:
    evaluation = running(tmp_path, clock)
    assert evaluation.messages("RUN_DONE") == []
    clock.seconds += FILE_SECONDS
    assert evaluation.messages("JOB_FINISHED") == []
    evaluation.directory.send(ENDED)
    assert evaluation.messages("JOB_FINISHED") == [ENDED]


def test_a_job_that_ended_well_without_a_file_is_dead(tmp_path: Path, clock: VirtualClock) -> None:
    evaluation = running(tmp_path, clock)
    assert evaluation.messages("JOB_FINISHED") == []
    clock.seconds += FILE_SECONDS + 1
    assert evaluation.messages("JOB_FINISHED") == []
    clock.seconds += DEATH_SECONDS
    assert "JOB_FINISHED" in failure_of(evaluation.messages("JOB_FINISHED")).message


@balsamjob_spec
def train(point: dict[str, object]) -> dict[str, object]:
    return {"application": "train"}


def test_the_job_of_another_program_starts_and_ends_as_balsam_says(
    tmp_path: Path, clock: VirtualClock
) -> None:
    evaluation = running(tmp_path, clock, train)
    assert evaluation.messages("PREPROCESSED") == []
    (started,) = evaluation.messages("RUNNING")
    assert isinstance(started, JobStarted)
    assert evaluation.messages("RUNNING") == []
    (tmp_path / "objective").write_text("2.5\n")
    clock.seconds += 1e6
    assert evaluation.messages("RUN_DONE") == []  # its own postprocessing may yet come
    (ended,) = evaluation.messages("POSTPROCESSED")
    assert isinstance(ended, JobEnded)
    assert (ended.result, ended.start) == (2.5, started.time)


def test_another_program_without_an_objective_has_failed(
    tmp_path: Path, clock: VirtualClock
) -> None:
    failure = failure_of(running(tmp_path, clock, train).messages("JOB_FINISHED"))
    assert failure.kind == "none"
    assert "no objective can be read: FileNotFoundError" in failure.message


def test_another_program_that_fails_is_dead(tmp_path: Path, clock: VirtualClock) -> None:
    evaluation = running(tmp_path, clock, train)
    assert evaluation.messages("FAILED") == []
    clock.seconds += DEATH_SECONDS
    assert failure_of(evaluation.messages("FAILED")).kind == "worker_died"
