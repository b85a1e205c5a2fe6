"""Two owners of one log directory: whoever stands still for however long, one search is written.

Managers on several hosts run the real code on real files, one line of it at a time, in an order
that a seed decides. They stand still between any two lines, for longer than a claim lasts, or for
ever as after ``kill -9``; the clock of the file server is set; files can't be opened for a while.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import random
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from deephyper import claim, safe_files
from deephyper.claim import GONE_SECONDS, Claim
from deephyper.errors import ResultsError
from deephyper.job import Job, Outcome, Started
from deephyper.search import events, journal, replay
from deephyper.search.journal import Journal, holds_events
from deephyper.search.record import Evaluation, Record
from deephyper.search.replay import read_events, read_journal

# Where turns may end: in what writes a log directory.
TRACED = tuple(module.__file__ or "" for module in (claim, journal, replay, safe_files))
SPACE: dict[str, Any] = {"hyperparameters": {}, "conditions": [], "forbiddens": []}
MANAGERS = 3
# Functions between whose lines it matters that nobody comes between.
CRITICAL = ("_claim", "replace", "_copy", "append", "check", "_holds")


@dataclass
class World:
    """A directory, and managers that take turns in it.

    Attributes:
        kept: the objective of each evaluation that a manager was told is kept.
        damages: what was wrong with the journal of a manager that had its claim.
        now: what the clock of the file server shows.
        taken: sessions that ended because their claim was gone.
        ended: sessions that came to their end.
    """

    log_dir: Path
    chance: random.Random
    kept: dict[str, float] = field(default_factory=dict)
    damages: list[str] = field(default_factory=list)
    now: float = 1e9
    taken: int = 0
    ended: int = 0
    over: bool = False

    def __post_init__(self) -> None:
        self.objectives = itertools.count(1)
        self.turn_ended = threading.Semaphore(0)
        self.managers = [Manager(self, number) for number in range(MANAGERS)]

    def run(self, turns: int) -> None:
        for manager in self.managers:
            manager.thread.start()
            self.turn_ended.acquire()
        for _ in range(turns):
            self._happen()
        self.over = True
        for manager in self.managers:  # whoever stood still wakes up now, and does no harm
            manager.asleep = manager.cut_off = False
            manager.lines = sys.maxsize
            if not manager.ended:
                manager.turn.release()
                self.turn_ended.acquire()
            manager.thread.join()

    def _happen(self) -> None:
        chance = self.chance
        manager = chance.choice(self.managers)
        what = chance.random()
        if manager.asleep:
            manager.asleep = what < 0.9
        elif manager.cut_off and what < 0.2:
            manager.cut_off = False
        elif what < 0.03:
            manager.asleep = True
        elif what < 0.035:
            manager.cut_off = True
        elif what < 0.08:
            self.pass_time(chance.choice([1.0, 2 * GONE_SECONDS]))
        elif what < 0.09:
            self.now += chance.choice([-1, 1]) * 3 * GONE_SECONDS  # the clock is set
        elif not manager.ended:
            manager.lines = chance.choice([1, 1, 2, 3, 5, 10, 30, 100, 300])
            manager.turn.release()
            self.turn_ended.acquire()

    def pass_time(self, seconds: float) -> None:
        """Let time pass; who isn't asleep gives a sign of life."""
        self.now += seconds
        for manager in self.managers:
            if not manager.asleep and not manager.cut_off and manager.claim is not None:
                manager.claim.touch()


class Manager:
    """A manager on a host of its own, which searches again and again.

    Attributes:
        lines: of code that it may run until its turn ends.
        asleep: whether it gets no turn, and gives no sign of life.
        cut_off: whether it can't open a file.
    """

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.claim: Claim | None = None
        self.lines = 0
        self.asleep = self.cut_off = self.ended = False
        self.turn = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, name=f"manager {number}", daemon=True)

    def _run(self) -> None:
        self._end_turn()
        sys.settrace(self._trace)
        try:
            for session in itertools.count():
                if self.world.over:
                    break
                with contextlib.suppress(ResultsError, OSError):
                    self._session(f"{self.number}.{session}")
        finally:
            sys.settrace(None)
            self.ended = True
            self.world.turn_ended.release()

    def _end_turn(self) -> None:
        self.world.turn_ended.release()
        self.turn.acquire()

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in TRACED:
            return None
        if event == "line":
            self.lines -= 1
            if frame.f_code.co_name in CRITICAL and self._falls_asleep():
                self.lines = 0
            if self.lines <= 0:
                self._end_turn()
        return self._trace

    def _falls_asleep(self) -> bool:
        """Stand still, sometimes, for longer than a claim lasts."""
        if self.world.over or self.world.chance.random() > 0.006:
            return False
        self.asleep = True
        self.world.pass_time(2 * GONE_SECONDS)
        return True

    def _sleep(self, seconds: float) -> None:
        if not self.world.over:
            self.world.pass_time(seconds)

    def _session(self, name: str) -> None:
        world, host = self.world, {"host": f"host {self.number}", "pid": self.number}
        try:
            with (
                Claim(world.log_dir, this_owner=host, sleep=self._sleep) as self.claim,
                contextlib.closing(Journal(self.claim)) as journal_,
            ):
                self._search(journal_, name)
                world.ended += 1
        except ResultsError as error:
            text = str(error)
            world.taken += "this one ends" in text
            if "is damaged" in text or "while the search ran" in text:
                world.damages.append(text)
            raise
        finally:
            self.claim = None

    def _search(self, journal_: Journal, worker: str) -> None:
        world = self.world
        record = Record(space=SPACE, max_evals=10**6)
        if holds_events(journal_.path):
            record = read_journal(world.log_dir)
        journal_.begin(record)
        unfinished = [evaluation.job for evaluation in record.unfinished]
        for _ in range(world.chance.randint(1, 4)):
            job = unfinished.pop() if unfinished else Job(record.next_id, {})
            record.add(Evaluation(job))
            journal_.submitted(Evaluation(job))
            journal_.started(Started(job, worker, 0.0))
            objective = float(next(world.objectives))
            journal_.outcome(Outcome(job, "finished", objective, None, 0.0, 1.0, worker))
            world.kept[job.id] = objective
        journal_.ended("interrupted")


def simulate_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files have the times of a file server, and let no file be opened by who is cut off."""
    open_, utime = os.open, os.utime

    def maybe_open(path: Any, *arguments: Any, **keys: Any) -> int:
        for manager in world.managers:
            if manager.cut_off and manager.thread is threading.current_thread():
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        return open_(path, *arguments, **keys)

    def touch(path: Any) -> None:
        utime(path, (world.now, world.now))

    monkeypatch.setattr(os, "open", maybe_open)
    monkeypatch.setattr(os, "utime", touch)
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # no power fails here


def check(world: World) -> None:
    """The journal is one search's, and has all that was called kept."""
    assert world.damages == []
    record = read_journal(world.log_dir)
    found = {e.job.id: e.outcome.objective for e in record.ended if e.outcome is not None}
    assert world.kept.items() <= found.items()
    workers: set[str] = set()
    for event in read_events(world.log_dir):
        if isinstance(event, events.Session):
            workers = set()
        elif isinstance(event, events.Started | events.Finished):
            workers.add(event.worker)
            assert len(workers) == 1, "two owners wrote in one session"


def simulate(seed: int, log_dir: Path, monkeypatch: pytest.MonkeyPatch, turns: int) -> World:
    log_dir.mkdir()
    world = World(log_dir, random.Random(seed))
    with monkeypatch.context() as context:
        simulate_files(world, context)
        world.run(turns)
    check(world)
    return world


@pytest.mark.parametrize("part", range(4))
def test_there_are_never_two_owners(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = ended = kept = 0
    for seed in range(part, 60, 4):
        world = simulate(seed, tmp_path / str(seed), monkeypatch, turns=1500)
        taken, ended = taken + world.taken, ended + world.ended
        kept += len(world.kept)
    assert taken > 50
    assert ended > 20
    assert kept > 100
    print(f"{ended} sessions ended, {taken} were taken over, {kept} results were kept")
