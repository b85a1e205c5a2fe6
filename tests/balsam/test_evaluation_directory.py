"""The files by which a search and an evaluation communicate."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.balsam.evaluation_directory import (
    EvaluationDirectory,
    EvaluationSpec,
    MessageReader,
)
from deephyper.evaluator.worker.messages import JobEnded, JobMessage, JobReported, JobStarted
from deephyper.job import Failure

STARTED: JobMessage = JobStarted("3", 10.0, "node1")
REPORTS: list[JobMessage] = [
    JobReported("3", step, 0.5 * step, 10.0 + step, {"loss": 1.0}) for step in (1, 2, 3)
]
ENDED: JobMessage = JobEnded("3", 1.5, 10.0, 20.0)


@pytest.fixture
def directory(tmp_path: Path) -> EvaluationDirectory:
    return EvaluationDirectory(tmp_path)


def test_what_to_evaluate_arrives_as_it_was_written(directory: EvaluationDirectory) -> None:
    spec = EvaluationSpec("3", {"a": None, "b": "ü'\"\n"}, 2, None, "run.json", 1.5, 4, 8, False)
    directory.write_spec(spec)
    assert directory.read_spec() == spec


def test_messages_arrive_in_order_and_each_once(directory: EvaluationDirectory) -> None:
    reader = MessageReader(directory)
    assert reader.read() == []
    directory.send(STARTED)
    directory.send(REPORTS[0])
    assert reader.read() == [STARTED, REPORTS[0]]
    assert reader.read() == []
    for message in [*REPORTS[1:], ENDED]:
        directory.send(message)
    assert reader.read() == [*REPORTS[1:], ENDED]
    assert reader.read() == []


def test_a_failure_arrives(directory: EvaluationDirectory) -> None:
    ended = JobEnded("3", Failure("exception", "ValueError: odd", "Traceback"), None, 20.0)
    directory.send(ended)
    assert MessageReader(directory).read() == [ended]


def test_a_report_is_read_when_its_line_is_whole(directory: EvaluationDirectory) -> None:
    for message in [STARTED, *REPORTS]:
        directory.send(message)
    file = directory.path / "reports.jsonl"
    written = file.read_bytes()
    file.write_bytes(b"")
    reader = MessageReader(directory)
    found = reader.read()
    for length in range(1, len(written) + 1):
        file.write_bytes(written[:length])
        new = reader.read()
        assert len(new) <= 1
        found += new
    assert found == [STARTED, *REPORTS]


def test_a_program_of_the_users_may_write_files_of_these_names(
    directory: EvaluationDirectory,
) -> None:
    for text in ("", "[1, 2]", "{}", '{"says": "hello"}', '{"says": "Loaded"}'):
        (directory.path / "result.json").write_text(text)
        assert directory.ended() is None


def test_an_earlier_try_is_cleared(directory: EvaluationDirectory) -> None:
    for message in [STARTED, *REPORTS, ENDED]:
        directory.send(message)
    directory.clear()
    assert MessageReader(directory).read() == []


def test_a_stop_is_requested_once_and_for_all(directory: EvaluationDirectory) -> None:
    assert not directory.stop_requested
    directory.request_stop()
    assert directory.stop_requested
