"""One search at a time in a log directory, and none kept out by one that is gone."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from deephyper.claim import Claim
from deephyper.errors import ResultsError
from deephyper.owner import this_process

RUNNING = "a search is running in"


def claim(log_dir: Path, number: int = 1, **owner: Any) -> Path:
    log_dir.mkdir(exist_ok=True)
    path = log_dir / f"running-{number:06}.json"
    path.write_text(json.dumps(this_process() | owner))
    return path


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


@pytest.fixture
def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    return tmp_path / "log"


def claims(log_dir: Path) -> list[str]:
    return sorted(path.name for path in log_dir.iterdir())


def test_makes_the_directory_and_leaves_nothing(log_dir: Path) -> None:
    with Claim(log_dir):
        assert claims(log_dir) == ["running-000001.json"]
    assert claims(log_dir) == []


def test_refuses_a_second_search_and_names_the_first(log_dir: Path) -> None:
    with Claim(log_dir):
        who = rf"process {os.getpid()} on {socket.gethostname()}\); wait .*another log_dir"
        with pytest.raises(ResultsError, match=who), Claim(log_dir):
            pass
        assert claims(log_dir) == ["running-000001.json"]
    with Claim(log_dir):
        pass


def test_takes_over_from_a_process_that_is_gone(log_dir: Path, gone: int) -> None:
    claim(log_dir, pid=gone)
    with Claim(log_dir):
        assert claims(log_dir) == ["running-000002.json"]
    assert claims(log_dir) == []


def test_takes_over_when_another_process_has_got_the_number(log_dir: Path) -> None:
    claim(log_dir, began=1.0, began_after_boot=-1.0)
    with Claim(log_dir):
        assert claims(log_dir) == ["running-000002.json"]


def test_takes_over_from_a_zombie(log_dir: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        began = psutil.Process(process.pid).create_time()
        claim(log_dir, pid=process.pid, began=began)
        with pytest.raises(ResultsError, match=RUNNING), Claim(log_dir):
            pass
        process.kill()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        with Claim(log_dir):
            pass
    finally:
        process.kill()
        process.communicate()


def test_a_clock_that_was_set_makes_no_process_gone(log_dir: Path) -> None:
    claim(log_dir, began=this_process()["began"] - 3600.0)
    with pytest.raises(ResultsError, match=RUNNING), Claim(log_dir):
        pass


@pytest.mark.parametrize("elsewhere", [{"host": "elsewhere"}, {"namespace": "pid:[1]"}])
def test_another_host_or_container_is_gone_when_not_heard_of(
    log_dir: Path, gone: int, elsewhere: dict[str, Any]
) -> None:
    path = claim(log_dir, 1, pid=gone, **elsewhere)
    age(path, 50.0)
    with pytest.raises(ResultsError, match="last heard of less than 60 s ago"), Claim(log_dir):
        pass
    age(path, 70.0)
    with Claim(log_dir, touch_seconds=0.01):
        assert claims(log_dir) == ["running-000002.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": "x"}'])
def test_a_broken_claim_counts_until_it_is_old(log_dir: Path, text: str) -> None:
    path = claim(log_dir)
    path.write_text(text)
    with pytest.raises(ResultsError, match=RUNNING), Claim(log_dir):
        pass
    age(path, 70.0)
    with Claim(log_dir, touch_seconds=0.01):
        pass


@pytest.mark.parametrize("broken", [{"pid": "x"}, {"pid": None}, {"began": "x"}, {"pid": -1}])
def test_a_claim_that_no_search_of_this_host_wrote_is_taken_over(
    log_dir: Path, broken: dict[str, Any]
) -> None:
    claim(log_dir, **broken)
    with Claim(log_dir):
        pass


def test_files_of_similar_names_are_nobody_s_claim(log_dir: Path) -> None:
    log_dir.mkdir()
    names = ["running-fast.json", "running-1.json.bak", "running-.json"]
    for name in names:
        (log_dir / name).write_text("{}")
    with Claim(log_dir):
        pass
    assert claims(log_dir) == sorted(names)


def test_only_the_latest_of_many_claims_need_be_gone(log_dir: Path, gone: int) -> None:
    for number in (1, 9, 10, 999_999, 1_000_000):
        claim(log_dir, number, pid=gone)
    with Claim(log_dir):
        assert claims(log_dir) == ["running-1000001.json"]


def test_of_many_that_begin_together_one_at_most_gets_it(log_dir: Path, gone: int) -> None:
    holders: list[int] = []
    most = 0

    def attempt(number: int) -> bool:
        nonlocal most
        try:
            with Claim(log_dir):
                holders.append(number)
                most = max(most, len(holders))
                time.sleep(0.01)
                holders.remove(number)
        except ResultsError:
            return False
        return True

    won = 0
    for _ in range(20):
        claim(log_dir, pid=gone)
        with ThreadPoolExecutor(8) as threads:
            won += sum(threads.map(attempt, range(8)))
    assert most == 1
    assert won >= 20 * 0.5
    assert claims(log_dir) == []


def test_a_live_claim_that_appears_while_claiming_is_seen(
    log_dir: Path, gone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at old claims and ours, another search may have begun at number 1."""
    claim(log_dir, pid=gone)
    create = os.open

    def slow_open(path: Any, *rest: Any, **keys: Any) -> int:
        if path == "running-000002.json":
            claim(log_dir)
        return create(path, *rest, **keys)

    monkeypatch.setattr(os, "open", slow_open)
    with pytest.raises(ResultsError, match=RUNNING), Claim(log_dir):
        pass
    assert claims(log_dir) == ["running-000001.json"]


def successor(log_dir: Path) -> Claim:
    """The claim of a search on another host, which doesn't see the process of the first."""
    elsewhere = this_process() | {"host": "elsewhere", "pid": 7}
    return Claim(log_dir, this_owner=elsewhere, sleep=lambda seconds: None)


def test_notices_that_another_has_taken_over_and_says_who(log_dir: Path) -> None:
    with Claim(log_dir) as first:
        first.check()
        age(log_dir / "running-000001.json", 70.0)
        with successor(log_dir):
            with pytest.raises(
                ResultsError, match=r"taken .* over \(process 7 on elsew.*resume=True"
            ):
                first.check()
            assert claims(log_dir) == ["running-000002.json"]
    assert claims(log_dir) == []


@pytest.mark.parametrize("others", [1, 2])
def test_notices_that_others_came_and_went(log_dir: Path, others: int) -> None:
    with Claim(log_dir) as first:
        age(log_dir / "running-000001.json", 70.0)
        for _ in range(others):
            with successor(log_dir):
                pass
        with pytest.raises(ResultsError, match="took it over and has ended since"):
            first.check()


def test_a_claim_of_the_same_name_is_another_s_and_left_alone(log_dir: Path) -> None:
    with Claim(log_dir) as first:
        age(log_dir / "running-000001.json", 70.0)
        with successor(log_dir):
            pass
        with successor(log_dir):  # numbers have begun anew
            assert claims(log_dir) == ["running-000001.json"]
            path = log_dir / "running-000001.json"
            age(path, 1000.0)
            first.touch()
            assert time.time() - path.stat().st_mtime > 900.0
            with pytest.raises(ResultsError, match=r"process 7 on elsewhere"):
                first.check()
            first.__exit__(None, None, None)
            assert claims(log_dir) == ["running-000001.json"]


def test_a_deleted_claim_ends_the_search_since_nothing_tells_who_did_it(log_dir: Path) -> None:
    with Claim(log_dir) as first:
        (log_dir / "running-000001.json").unlink()
        with pytest.raises(ResultsError, match="or because somebody deleted it"):
            first.check()


def test_a_claim_holds_in_a_directory_that_is_renamed(log_dir: Path) -> None:
    with Claim(log_dir) as first:
        log_dir.rename(log_dir.with_name("moved"))
        first.check()
    assert claims(log_dir.with_name("moved")) == []


def test_a_claim_is_looked_for_without_a_descriptor_left(
    log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Claim(log_dir) as first:

        def no_descriptor(*arguments: Any, **keys: Any) -> int:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        monkeypatch.setattr(os, "open", no_descriptor)
        first.check()
        (log_dir / "running-000001.json").unlink()
        with pytest.raises(ResultsError, match="the claim of this search to"):
            first.check()
        monkeypatch.undo()


@pytest.mark.parametrize("set_by", [3600.0, -3600.0])
def test_a_file_server_s_clock_that_was_set_makes_no_living_search_gone(
    log_dir: Path, set_by: float
) -> None:
    """It gives its next sign of life while it is waited for."""
    path = claim(log_dir, 1, host="elsewhere")
    age(path, set_by)
    waited: list[float] = []
    said: list[str] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        os.utime(path)

    with pytest.raises(ResultsError, match=RUNNING):
        Claim(log_dir, sleep=sleep, notify=said.append).__enter__()
    assert waited == [12.0]
    assert len(said) == 1
    assert "sign of life" in said[0]
    age(path, set_by)
    with Claim(log_dir, sleep=waited.append):  # it is silent, so it is gone
        assert waited == [12.0, 12.0]
        assert claims(log_dir) == ["running-000002.json"]


def test_a_host_of_the_same_name_is_another_host(log_dir: Path, gone: int) -> None:
    claim(log_dir, pid=gone, boot="another")
    with pytest.raises(ResultsError, match="last heard of less than 60 s ago"), Claim(log_dir):
        pass


# Replacing files.


def content(text: bytes) -> Callable[[int], None]:
    def write(fd: int) -> None:
        os.write(fd, text)

    return write


def test_replaces_a_file_in_one_step_and_appends_to_it(log_dir: Path) -> None:
    with Claim(log_dir) as first:
        (log_dir / "a.txt").write_text("old")
        fd = first.replace("a.txt", content(b"new"))
        os.write(fd, b" and more")
        os.close(fd)
        assert (log_dir / "a.txt").read_text() == "new and more"
        assert claims(log_dir) == ["a.txt", "running-000001.json"]


def test_nothing_is_replaced_without_a_claim(log_dir: Path) -> None:
    with Claim(log_dir) as first:
        (log_dir / "a.txt").write_text("the successor's")
        age(log_dir / "running-000001.json", 70.0)
        with successor(log_dir), pytest.raises(ResultsError, match="process 7"):
            first.replace("a.txt", content(b"late"))
        assert claims(log_dir) == ["a.txt"]
        assert (log_dir / "a.txt").read_text() == "the successor's"


def test_who_stood_still_while_replacing_replaces_nothing(log_dir: Path) -> None:
    """Its claim was there when it began; the successor came before it ended."""
    with Claim(log_dir) as first, contextlib.ExitStack() as later:

        def stand_still(fd: int) -> None:
            age(log_dir / "running-000001.json", 70.0)
            later.enter_context(successor(log_dir))
            (log_dir / "a.txt").write_text("the successor's")
            os.write(fd, b"late")

        with pytest.raises(ResultsError, match="process 7 on elsewhere"):
            first.replace("a.txt", stand_still)
        assert (log_dir / "a.txt").read_text() == "the successor's"
        assert claims(log_dir) == ["a.txt", "running-000002.json"]


def test_a_full_disk_leaves_the_file_as_it_was(log_dir: Path) -> None:
    with Claim(log_dir) as first:
        (log_dir / "a.txt").write_text("old")

        def full(fd: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with pytest.raises(OSError, match="No space left"):
            first.replace("a.txt", full)
        assert (log_dir / "a.txt").read_text() == "old"
        assert claims(log_dir) == ["a.txt", "running-000001.json"]


@pytest.mark.parametrize("where", ["file/log", "file"])
def test_says_why_a_directory_cannot_be_made(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match=r"can't be (written|made)"), Claim(tmp_path / where):
        pass


def test_a_claim_tells_again_and_again_that_its_owner_lives(log_dir: Path) -> None:
    with Claim(log_dir, touch_seconds=0.01):
        path = log_dir / "running-000001.json"
        age(path, 1000.0)
        until = time.monotonic() + 30.0
        while time.time() - path.stat().st_mtime > 100.0:
            assert time.monotonic() < until, "it has not touched its file"
            time.sleep(0.01)
