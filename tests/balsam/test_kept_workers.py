"""Evaluations as a launcher runs them in the job mode serial, one after another, without Balsam."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from deephyper.balsam.evaluation_directory import EvaluationDirectory
from deephyper.balsam.kept_worker import KeptWorker, Lines, Place, began, kept_worker
from deephyper.evaluator.worker.messages import JobEnded, JobMessage
from deephyper.job import Failure
from tests.balsam.launched_node import (
    FAILED,
    KEEPER,
    LAUNCHER,
    Node,
    are_gone,
    pids,
    wait_until,
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs in no directory of its own leaves its files here."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    # The path of a socket is short.
    temporary = Path(tempfile.mkdtemp(prefix="dh", dir="/tmp"))
    node = Node(tmp_path, temporary)
    try:
        yield node
    finally:
        for keeper in node.keepers():
            with contextlib.suppress(psutil.Error):
                keeper.terminate()
        wait_until(lambda: not node.keepers(), "keepers to end")
        shutil.rmtree(temporary)


def test_evaluations_in_turn_share_a_process(node: Node) -> None:
    assert len({node.run() for _ in range(3)}) == 1


def test_each_runs_in_its_directory_with_its_job(node: Node) -> None:
    for _ in range(2):
        node.run()
    for number in (1, 2):
        directory = EvaluationDirectory(node._root / f"evaluation{number}")
        assert (directory.path / "here").read_text() == f"evaluation{number}"
        started = directory.started()
        assert started is not None
        assert started.job_id == str(number)


def test_another_session_shares_no_process(node: Node) -> None:
    """The module may have been changed in between."""
    first = node.run()
    node.forget_run_files()
    assert node.run() != first


def test_what_is_printed_while_loading_belongs_to_the_first(node: Node) -> None:
    said = []
    for _ in range(2):
        directory = node.prepare("pid", {})
        with (directory.path / "printed").open("w+") as file:
            process = node.start(directory, stdout=file.fileno())
            assert process.wait(timeout=120) == 0
            file.seek(0)
            said.append(file.read())
    assert said == ["loading\n", ""]


def test_evaluations_at_once_do_not_share_one(node: Node) -> None:
    one = node.prepare("does", {"do": "sleep"})
    process = node.start(one)
    (worker, _) = pids(one)
    assert node.run("does", point={"do": "return"}) != worker
    one.request_stop()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_as_many_at_a_time_share_as_many_processes(node: Node) -> None:
    directories = [node.prepare("pid", {}) for _ in range(20)]
    with ThreadPoolExecutor(2) as slots:
        slots.map(lambda each: node.start(each).communicate(timeout=120), directories)
    results = {ended.result for each in directories if (ended := each.ended()) is not None}
    assert 1 <= len(results) <= 2


def test_one_that_is_about_to_be_free_is_waited_for(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusing to be connected to, it says nothing about whether there is a keeper."""
    monkeypatch.setattr(tempfile, "tempdir", str(node.temporary))
    directory = node.prepare("pid", {})
    spec = directory.read_spec()
    run = Path(spec.run_file).read_text()
    place = Place.of(run, os.stat(spec.run_file).st_mtime_ns, spec.threads)
    assert place is not None
    os.mkdir(place.directory, 0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place.address(os.getpid()))

        def be_free(seconds: float) -> None:
            listener.listen()
            threading.Thread(target=take_one, daemon=True).start()

        def take_one() -> None:
            connection, _ = listener.accept()
            lines = Lines(connection)
            connections.append(connection)
            requests.append(lines.receive(60.0))
            lines.send("taken")

        requests: list[Any] = []
        connections: list[socket.socket] = []
        with monkeypatch.context() as patched:
            patched.setattr("deephyper.balsam.kept_worker.time.sleep", be_free)
            worker = kept_worker(run, spec)
        assert worker is not None
        assert [request["id"] for request in requests] == [spec.id]
        connections.pop().close()
        worker.close()
    assert node.keepers() == []


@pytest.mark.parametrize(
    "change",
    [
        {"run": "other_pid"},
        {"variables": {"CUDA_VISIBLE_DEVICES": "1"}},
        {"threads": 2},
        {"keeps_worker": False},
        {"output": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_differs_does_not_share_one(node: Node, change: dict[str, Any]) -> None:
    assert node.run() != node.run(**change)


def test_an_idle_worker_that_does_not_fit_is_ended(node: Node) -> None:
    idle = node.run()
    node.run(variables={"CUDA_VISIBLE_DEVICES": "1"})
    assert are_gone([idle])


@pytest.mark.parametrize("stop", ["kill", "terminate", "request"])
def test_an_evaluation_that_goes_away_ends_its_worker(node: Node, stop: str) -> None:
    before = node.run()
    directory = node.prepare("does", {"do": "sleep"})
    process = node.start(directory)
    started = pids(directory)
    if stop == "request":
        directory.request_stop()
    else:
        getattr(process, stop)()
    process.communicate(timeout=60)
    if stop == "kill":
        wait_until(lambda: are_gone(started), "the worker to end")
    assert are_gone(started)
    assert directory.ended() is None
    assert node.run() != before


def test_the_limit_of_an_evaluation_holds(node: Node) -> None:
    first = node.run("does", point={"do": "return"})
    failure = node.run("does", FAILED, {"do": "sleep"}, timeout=0.5)
    assert isinstance(failure, Failure)
    assert failure.kind == "timeout"
    assert are_gone([first])
    assert node.run("does", point={"do": "return"}) != first


def test_a_worker_that_nobody_needs_ends(node: Node) -> None:
    directory = node.prepare("does", {"do": "return"})
    spec = directory.read_spec()
    start = began(os.getpid())
    assert start is not None
    place = Place(str(node.temporary / "private"), "key", os.getpid(), start)
    settings = json.dumps({"place": asdict(place), "threads": 1, "idle": 0.1})
    ours, theirs = socket.socketpair()
    with theirs:
        keeper = subprocess.Popen(
            [sys.executable, "-m", KEEPER, str(theirs.fileno()), settings],
            cwd=directory.path,
            env=node.environment,
            pass_fds=(theirs.fileno(),),
        )
    connection = Lines(ours)
    connection.send(Path(spec.run_file).read_text())
    worker = KeptWorker(connection, spec, 60.0)
    messages: list[JobMessage] = []
    while not (messages and isinstance(messages[-1], JobEnded)):
        messages += worker.events(1.0)
    worker.close()
    assert keeper.wait(60) == 0
    assert isinstance(messages[-1].result, float | int)
    assert are_gone([messages[-1].result])
    node.wait_for_the_end()


def test_a_failure_leaves_the_worker(node: Node) -> None:
    first = node.run("does", point={"do": "return"})
    failure = node.run("does", FAILED, {"do": "fail"})
    assert isinstance(failure, Failure)
    assert failure.message == "ValueError: out of cheese"
    assert node.run("does", point={"do": "return"}) == first


def test_a_death_ends_what_the_worker_has_started(node: Node) -> None:
    first = node.run("does", point={"do": "return"})
    directory = EvaluationDirectory(node._root / "evaluation1")
    assert not are_gone(pids(directory))
    failure = node.run("does", FAILED, {"do": "die"})
    assert isinstance(failure, Failure)
    assert failure.kind == "worker_died"
    assert "status 7" in failure.message
    assert are_gone([first, *pids(directory)])
    node.wait_for_the_end()


def test_a_function_that_is_not_there_is_a_failure(node: Node) -> None:
    failure = node.run("nosuch", FAILED)
    assert isinstance(failure, Failure)
    assert "has no 'nosuch'" in failure.message
    node.wait_for_the_end()


def test_a_keeper_that_is_killed_is_a_death_of_the_worker(node: Node) -> None:
    directory = node.prepare("does", {"do": "sleep"})
    process = node.start(directory)
    started = pids(directory)
    (keeper,) = node.keepers()
    keeper.kill()
    process.communicate(timeout=60)
    assert process.returncode == FAILED
    ended = directory.ended()
    assert ended is not None
    assert isinstance(ended.result, Failure)
    assert ended.result.kind == "worker_died"
    wait_until(lambda: are_gone(started), "the worker to end")
    assert isinstance(node.run(), int | float)


def test_one_that_was_killed_while_idle_is_passed_over(node: Node) -> None:
    first = node.run()
    for keeper in node.keepers():
        keeper.kill()
    wait_until(lambda: are_gone([int(first)]), "the worker to end")
    second = node.run()
    assert second != first
    assert node.run() == second


def test_workers_end_with_the_launcher(node: Node) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER],
        env=node.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert launcher.stdin is not None
    assert launcher.stdout is not None
    directories = [node.prepare("does", {"do": "return"}) for _ in range(2)]
    for directory in directories:
        words = json.dumps([str(directory.path), {"BALSAM_JOB_ID": directory.path.name}])
        launcher.stdin.write(f"{words}\n")
        launcher.stdin.flush()
        assert json.loads(launcher.stdout.readline()) == 0
    results = [ended.result for each in directories if (ended := each.ended()) is not None]
    assert results[0] == results[1]
    # It has another parent here, and so another launcher.
    other = node.run("does", point={"do": "return"})
    assert other not in results
    assert len(node.keepers()) == 2
    launcher.kill()
    launcher.communicate()
    left = [number for directory in directories for number in pids(directory)]
    wait_until(lambda: are_gone(left), "the worker to end")
    wait_until(lambda: len(node.keepers()) == 1, "its keeper to end")
    assert len(list(node.temporary.iterdir())) == 1
    assert node.run("does", point={"do": "return"}) == other


@pytest.mark.parametrize("planted", ["open", "link", "file"])
def test_a_directory_that_is_not_private_is_not_used(node: Node, planted: str) -> None:
    node.run()
    (directory,) = node.temporary.iterdir()
    for keeper in node.keepers():
        keeper.terminate()
    node.wait_for_the_end()
    if planted == "open":
        directory.mkdir()
        directory.chmod(0o777)
    elif planted == "link":
        (node._root / "elsewhere").mkdir(mode=0o700)
        directory.symlink_to(node._root / "elsewhere")
    else:
        directory.touch()
    assert len({node.run() for _ in range(2)}) == 2
    assert node.keepers() == []


def test_without_a_place_for_sockets_each_has_its_own_process(node: Node) -> None:
    deep = node.temporary / ("long" * 30)
    deep.mkdir()
    node.environment["TMPDIR"] = str(deep)
    assert len({node.run() for _ in range(2)}) == 2
    assert node.keepers() == []
