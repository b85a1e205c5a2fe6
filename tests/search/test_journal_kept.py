"""The journal of a search that was taken over, and what the disk keeps of one."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deephyper import owner
from deephyper.claim import Claim
from deephyper.errors import ResultsError
from deephyper.job import Job
from deephyper.search import events
from deephyper.search.journal import Journal
from deephyper.search.record import Evaluation, Record
from deephyper.search.replay import read_events, read_journal
from tests.search.opened_journals import SPACE, opened
from tests.search.virtual_search import VirtualSearch


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    return tmp_path / "log"


# Whose journal it is.


def take_over(log_dir: Path) -> contextlib.AbstractContextManager[Journal]:
    """The journal of a search that comes when the owner of the first claim seems to be gone."""
    os.utime(log_dir / "running-000001.json", (0.0, 0.0))
    elsewhere = {"host": "elsewhere", "pid": 7}

    @contextlib.contextmanager
    def taken() -> Iterator[Journal]:
        with (
            Claim(log_dir, this_owner=elsewhere, sleep=lambda seconds: None) as claim,
            contextlib.closing(Journal(claim)) as journal,
        ):
            yield journal

    return taken()


def test_who_was_taken_over_writes_nothing_more(log_dir: Path) -> None:
    with opened(log_dir) as journal:
        journal.begin(Record(space=SPACE, max_evals=5))
        with take_over(log_dir) as successor:
            successor.begin(read_journal(log_dir))
            before = (log_dir / "journal.jsonl").read_bytes()
            with pytest.raises(ResultsError, match=r"taken .* over \(process 7 on elsewhere"):
                journal.submitted(Evaluation(Job("0", {})))
        with pytest.raises(ResultsError, match="took it over and has ended since"):
            journal.submitted(Evaluation(Job("0", {})))
        assert (log_dir / "journal.jsonl").read_bytes() == before


def test_a_line_that_is_written_too_late_is_in_no_journal_and_not_called_kept(
    log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner has looked for its claim, and stands still before it writes."""
    with opened(log_dir) as journal, contextlib.ExitStack() as later:
        journal.begin(Record(space=SPACE, max_evals=5))
        write = os.write

        def stand_still(fd: int, data: bytes) -> int:
            monkeypatch.undo()
            later.enter_context(take_over(log_dir)).begin(read_journal(log_dir))
            return write(fd, data)

        monkeypatch.setattr(os, "write", stand_still)
        with pytest.raises(ResultsError, match="process 7 on elsewhere"):
            journal.submitted(Evaluation(Job("0", {})))
        assert [type(event) for event in read_events(log_dir)] == [
            events.SearchBegan,
            events.Resumed,
        ]


def test_a_line_that_was_written_before_is_in_the_successor_s_journal(log_dir: Path) -> None:
    with opened(log_dir) as journal:
        journal.begin(Record(space=SPACE, max_evals=5))
        journal.submitted(Evaluation(Job("0", {})))
        with take_over(log_dir):
            assert [*read_journal(log_dir).evaluations] == ["0"]


def test_a_search_that_was_taken_over_ends_and_leaves_the_results_alone(log_dir: Path) -> None:
    """Another one on another host has continued it and ended, while it stood still."""
    first = VirtualSearch(log_dir, num_workers=2)

    def stand_still() -> None:
        os.utime(log_dir / "running-000001.json", (0.0, 0.0))
        second = VirtualSearch(log_dir, run=lambda job: 5.0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, "this_process", lambda: {"host": "elsewhere", "pid": 7})
            patch.setattr(time, "sleep", lambda seconds: None)
            ids = [e.job.id for e in second.session(max_evals=12).evaluations]
        assert len({*ids}) == len(ids) == 12
        before.extend(path.read_bytes() for path in files)

    files = [log_dir / "journal.jsonl", log_dir / "results.csv"]
    before: list[bytes] = []
    first.time.at(3.5, stand_still)
    with pytest.raises(ResultsError, match="took it over and has ended since"):
        first.session(max_evals=10)
    assert [path.read_bytes() for path in files] == before
    assert {p.name for p in log_dir.iterdir()} == {"journal.jsonl", "results.csv", "deephyper.log"}
    assert VirtualSearch(log_dir).session(max_evals=13).num_evaluations == 13


# What the disk keeps.


class Disk:
    """Counts what a disk is asked to keep, and how much of the journal it then held."""

    def __init__(self, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kept: list[tuple[str, int]] = []
        fsync = os.fsync

        def count(fd: int) -> None:
            fsync(fd)
            lines = journal.read_bytes().count(b"\n") if journal.exists() else 0
            self.kept.append((threading.current_thread().name, lines))

        monkeypatch.setattr(os, "fsync", count)


def test_the_disk_is_asked_to_keep_each_line(
    log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(log_dir) as journal:
        disk = Disk(log_dir / "journal.jsonl", monkeypatch)
        for number in range(1, 4):
            journal.submitted(Evaluation(Job(str(number), {"x": 1})))
            until = time.monotonic() + 30.0
            while not any(lines >= number for _, lines in disk.kept):
                assert time.monotonic() < until, "nobody has asked the disk"
                time.sleep(0.001)


def test_a_search_ends_when_the_disk_has_its_last_line(
    log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(log_dir / "journal.jsonl", monkeypatch)
    VirtualSearch(log_dir).session(max_evals=2)
    lines = (log_dir / "journal.jsonl").read_bytes().count(b"\n")
    assert ("MainThread", lines) in disk.kept
