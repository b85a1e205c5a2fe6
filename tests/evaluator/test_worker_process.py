"""A worker process by itself: what it says, and how it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deephyper.evaluator import process
from deephyper.evaluator.process import ProcessEvaluator
from deephyper.evaluator.run_function import RunFunction
from deephyper.evaluator.worker.channel import (
    LONGEST_MESSAGE,
    BrokenChannel,
    ParentEnd,
    WorkerEnd,
)
from deephyper.evaluator.worker.decoding import decode
from deephyper.evaluator.worker.guard import Reaper
from deephyper.evaluator.worker.messages import (
    Died,
    JobEnded,
    JobMessage,
    JobReported,
    JobStarted,
    Loaded,
    LoadFailed,
    Message,
    from_json,
    to_json,
    to_text,
)
from deephyper.evaluator.worker.worker_process import WorkerProcess
from deephyper.job import Failure, Job
from tests.evaluator.conftest import BEHAVE

NewWorker = Callable[[str], WorkerProcess]


@pytest.fixture
def new_worker() -> Iterator[NewWorker]:
    reaper, made = Reaper(), []

    def make(run: str) -> WorkerProcess:
        made.append(WorkerProcess(RunFunction.of(run).dumps(), reaper, {}))
        return made[-1]

    yield make
    for worker in made:
        worker.kill()
    reaper.close()


def events_to_the_end(worker: WorkerProcess) -> list[JobMessage]:
    events: list[JobMessage] = []
    while worker.busy:
        events += worker.events(10.0)
    return events


@pytest.mark.parametrize(
    "message",
    [
        Loaded(),
        LoadFailed("no such file"),
        JobStarted("7", 12.5),
        JobReported("7", 3, 0.25, 13.0, {"loss": 1e-300}),
        JobStarted('"\\', 12.5, "host/1"),
        JobEnded("7", 0.1 + 0.2, 12.5, 14.0),
        JobEnded('"é\n', -1e-300, 1e300, 14.0),
        JobEnded("7", Failure("exception", "ValueError: é", "two\nlines"), None, 14.0),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_survive_the_way(message: Message) -> None:
    assert from_json(json.loads(json.dumps(to_json(message)))) == message
    assert decode(to_text(message, json.dumps).encode()) == message


@pytest.fixture
def channel() -> Iterator[tuple[ParentEnd, WorkerEnd]]:
    ours, theirs = socket.socketpair()
    parent = ParentEnd(ours.detach())
    parent.flush()
    worker = WorkerEnd(theirs.detach())
    yield parent, worker
    parent.close()
    os.close(worker._fd)


def test_messages_come_whole_and_without_a_wait(channel: tuple[ParentEnd, WorkerEnd]) -> None:
    parent, worker = channel
    assert list(parent.drain()) == []
    worker.send(b"first")
    worker.send(b"")
    assert list(parent.drain()) == [b"first", b""]
    assert list(parent.drain()) == []
    parent.send(b"answer")
    assert worker.receive() == b"answer"


def test_a_message_without_end_keeps_nobody_waiting(channel: tuple[ParentEnd, WorkerEnd]) -> None:
    parent, worker = channel
    frame = worker._secret + struct.pack("!II", 10, 0)
    os.write(worker._fd, frame + b"half")
    assert list(parent.drain()) == []
    assert list(parent.drain(to_the_end=True)) == []


@pytest.mark.parametrize("stray", [b"x", b"\n", b'{"says": "Loaded"}\n', bytes(40)])
def test_what_else_is_written_to_a_channel_is_no_message(
    channel: tuple[ParentEnd, WorkerEnd], stray: bytes
) -> None:
    parent, worker = channel
    worker.send(b"first")
    assert list(parent.drain()) == [b"first"]
    os.write(worker._fd, stray)
    worker.send(b"second")
    with pytest.raises(BrokenChannel):
        list(parent.drain())


@pytest.mark.parametrize("size", [LONGEST_MESSAGE + 1, (1 << 32) - 1])
def test_a_message_that_is_too_long_is_not_waited_for(
    channel: tuple[ParentEnd, WorkerEnd], size: int
) -> None:
    parent, worker = channel
    os.write(worker._fd, worker._secret + struct.pack("!II", size, 0))
    with pytest.raises(BrokenChannel):
        list(parent.drain())
    with pytest.raises(ValueError, match="too long"):
        worker.send(bytes(LONGEST_MESSAGE + 1))


def test_a_reader_that_is_busy_keeps_no_writer_waiting(
    channel: tuple[ParentEnd, WorkerEnd],
) -> None:
    parent, worker = channel
    large = os.urandom(5_000_000)
    parent.send(large)
    parent.send(b"next")
    assert parent.interest & select.POLLOUT
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.extend(worker.receive() for _ in range(2)))
    reader.start()
    while parent.interest & select.POLLOUT:
        parent.flush()
    reader.join()
    assert received == [large, b"next"]


def test_the_workers_end_is_met_by_no_program_and_no_child(
    channel: tuple[ParentEnd, WorkerEnd],
) -> None:
    _, worker = channel
    assert worker._fd > 256
    assert not os.get_inheritable(worker._fd)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"JobStarted"',
        b"{}",
        b'{"says": "Died", "failure": {}}',
        b'{"says": "no such message"}',
        b'{"says": ["JobStarted"]}',
        b'{"says": "JobStarted", "job_id": "0"}',
        b'{"says": "JobStarted", "job_id": "0", "time": "12.5"}',
        b'{"says": "JobStarted", "job_id": 0, "time": 12.5}',
        b'{"says": "JobStarted", "job_id": "0", "time": NaN}',
        b'{"says": "JobEnded", "job_id": "0", "result": "0.5", "start": 1.0, "end": 2.0}',
        b'{"says": "JobEnded", "job_id": "0", "result": true, "start": 1.0, "end": 2.0}',
        b'{"says": "JobEnded", "job_id": "0", "result": 1e999, "start": 1.0, "end": 2.0}',
        b'{"says": "JobEnded", "job_id": "0", "result": {"kind": "odd"}, "start": 1.0, "end": 2.0}',
        b'{"says": "JobReported", "job_id": "0", "step": 1.5, "objective": 1.0, "time": 1.0}',
        b'{"says": "LoadFailed", "message": "\xff"}',
        b"[" * 100_000,
    ],
)
def test_only_messages_are_understood(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"message|number"):
        decode(data)


def test_a_job_is_followed_to_its_end(new_worker: NewWorker) -> None:
    worker = new_worker(BEHAVE)
    assert worker.load(60.0) == Loaded()
    assert not worker.busy
    worker.start(Job("7", {"do": "report", "objectives": [0.25, 0.5]}), None)
    started, first, second, ended = events_to_the_end(worker)
    assert isinstance(started, JobStarted)
    assert isinstance(first, JobReported)
    assert isinstance(second, JobReported)
    assert (first.step, first.objective, first.metrics) == (1, 0.25, {"loss": 0.75})
    assert started.time <= first.time <= second.time
    assert isinstance(ended, JobEnded)
    assert ended.result == 0.5
    assert worker.usable


def test_its_death_ends_its_job(new_worker: NewWorker, tmp_path: Path) -> None:
    worker = new_worker(BEHAVE)
    worker.start(Job("7", {"do": "sigkill"}), str(tmp_path / "output"))
    started, ended = events_to_the_end(worker)
    assert isinstance(started, JobStarted)
    assert isinstance(ended, JobEnded)
    assert ended.start == started.time
    assert isinstance(ended.result, Failure)
    assert ended.result.kind == "worker_died"
    assert ended.result.text == "about to die\n"
    assert not worker.usable
    assert worker.events() == []
    assert isinstance(worker.receive()[-1], Died)


def test_a_job_ends_with_the_failure_to_load(new_worker: NewWorker, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("import no_such_module\n")
    worker = new_worker(str(tmp_path / "run.py"))
    worker.start(Job("7", {}), None)
    (ended,) = events_to_the_end(worker)
    assert isinstance(ended, JobEnded)
    assert isinstance(ended.result, Failure)
    assert ended.result.kind == "exception"
    assert "no_such_module" in ended.result.message
    assert ended.start is None
    assert not worker.usable


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import time\ntime.sleep(60)\n", "could not be loaded within 0.5 s"),
        ("import os\nos._exit(3)\n", "ended while loading run: the worker process exited with"),
        ("import no_such_module\n", "no_such_module"),
    ],
)
def test_load_says_what_is_wrong(
    new_worker: NewWorker, tmp_path: Path, code: str, reason: str
) -> None:
    (tmp_path / "run.py").write_text(code)
    worker = new_worker(str(tmp_path / "run.py"))
    answer = worker.load(0.5 if "sleep" in code else 60.0)
    assert isinstance(answer, LoadFailed)
    assert reason in answer.message
    assert not worker.usable


def test_what_is_said_during_load_is_kept(new_worker: NewWorker) -> None:
    worker = new_worker(BEHAVE)
    worker.start(Job("7", {"do": "double", "x": 2}), None)
    assert worker.load(60.0) == Loaded()
    assert [type(event) for event in events_to_the_end(worker)] == [JobStarted, JobEnded]


def stops_after_the_first(point: dict[str, int]) -> int:
    """Stand still some time after the first evaluation has ended."""
    if point["x"] == 0:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGSTOP)).start()
    return point["x"]


def test_a_loaded_worker_that_never_begins_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_BEGIN_SECONDS", 1.0)
    with ProcessEvaluator(stops_after_the_first, 1, timeout=1.0) as evaluator:
        evaluator.submit([{"x": 0}])
        (first,) = evaluator.gather_outcomes()
        assert first.objective == 0
        (worker,) = [slot.worker for slot in evaluator._slots.values()]
        assert worker is not None
        stopped = psutil.STATUS_STOPPED
        family = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
        while not any(each.status() == stopped for each in family):
            time.sleep(0.02)
        evaluator.submit([{"x": 1}, {"x": 2}])
        second, third = sorted(evaluator.gather_all(), key=lambda outcome: outcome.job.id)
    assert second.failure is not None
    assert second.failure.kind == "timeout"
    assert "did not begin in time" in second.failure.message
    assert third.objective == 2


def test_a_job_runs_where_it_is_told_to(new_worker: NewWorker, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import os\ndef run(point):\n    return float(open(os.environ['NAME']).read())\n"
    )
    worker = new_worker(str(tmp_path / "run.py"))
    results = []
    for number in (1, 2):
        directory = tmp_path / str(number)
        directory.mkdir()
        (directory / f"file{number}").write_text(str(number))
        worker.start(Job("7", {}), None, str(directory), {"NAME": f"file{number}"})
        results.append(events_to_the_end(worker)[-1])
    assert [end.result for end in results if isinstance(end, JobEnded)] == [1.0, 2.0]
    worker.start(Job("7", {}), None, str(tmp_path / "nosuch"))
    ended = events_to_the_end(worker)[-1]
    assert isinstance(ended, JobEnded)
    assert isinstance(ended.result, Failure)
    assert "nosuch' can't be entered" in ended.result.message
    assert worker.usable
