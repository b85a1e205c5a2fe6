"""Searches as a user runs them: a command line, in a process of its own, with real signals."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
PROBLEM = """
from deephyper.problem import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter((0.0, 1.0), "x")
"""
MARK = "DEEPHYPER_TEST_MARK"
LIMIT = 60.0  # seconds after which a process of a test is given up


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str
    seconds: float


@dataclass
class RealSearch:
    """A folder with a problem and a run function, to be searched by command lines.

    Attributes:
        folder: where the commands run.
        log_dir: the log directory that they are given.
    """

    folder: Path
    log_dir: Path
    _mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    _started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, run: str, problem: str = PROBLEM) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "problem.py").write_text(problem)
        (self.folder / "run.py").write_text(run)

    def start(
        self,
        options: str,
        *,
        search: str = "random",
        resume: bool = False,
        stderr: int | None = None,
        **variables: str,
    ) -> subprocess.Popen[str]:
        """Start a command; it is stopped at the end of the test if it still runs."""
        where = "--resume" if resume else "--log-dir"
        words = ["-m", "deephyper.core.cli.main", "hps", search, "-p", "problem.py", "-r", "run.py"]
        words += [where, str(self.log_dir), *options.split()]
        return self.start_program(words, stderr=stderr, **variables)

    def start_program(
        self, words: list[str], *, stderr: int | None = None, **variables: str
    ) -> subprocess.Popen[str]:
        """Start Python with these arguments; it is stopped at the end of the test as well."""
        with (self.folder / "err.txt").open("w") as err, (self.folder / "out.txt").open("w") as out:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=self.folder,
                env={
                    **os.environ,
                    "PYTHONPATH": str(REPOSITORY),
                    "OMP_NUM_THREADS": "1",
                    MARK: self._mark,
                    **variables,
                },
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err if stderr is None else stderr,
                text=True,
            )
        self._started.append(process)
        return process

    def end(self, process: subprocess.Popen[str], since: float | None = None) -> Ended:
        """Wait for a command's end; it must leave no process."""
        status = process.wait(LIMIT)
        seconds = time.monotonic() - (since or time.monotonic())
        self.none_left()
        return Ended(status, self.out, self.err, seconds)

    def run(self, options: str, **keys: Any) -> Ended:
        since = time.monotonic()
        return self.end(self.start(options, **keys), since)

    def signalled(
        self, process: subprocess.Popen[str], *signals: signal.Signals, gap: float = 0.3
    ) -> Ended:
        since = time.monotonic()
        for i, each in enumerate(signals):
            time.sleep(gap if i else 0)
            process.send_signal(each)
        return self.end(process, since)

    @property
    def out(self) -> str:
        return (self.folder / "out.txt").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err.txt").read_text()

    def until(self, true: Callable[[], Any], seconds: float = LIMIT) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while not true():
            running = [p for p in self._started if p.poll() is None]
            assert time.monotonic() < end, f"it didn't happen; stderr: {self.err}"
            assert running, f"the search ended before; stderr: {self.err}"
            time.sleep(0.01)

    def until_started(self, evaluations: int) -> None:
        """Wait until so many evaluations of this log directory have begun."""
        self.until(lambda: self.count("started") >= evaluations)

    def left(self) -> list[psutil.Process]:
        """Processes that a command of this test started, directly or not, and that live."""
        found = []
        for process in psutil.process_iter():
            try:
                if (
                    process.environ().get(MARK) == self._mark
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def none_left(self, seconds: float = 10.0) -> float:
        """Wait until no process is left; how many seconds that took."""
        begin = time.monotonic()
        while left := self.left():
            assert time.monotonic() < begin + seconds, [p.cmdline() for p in left]
            time.sleep(0.02)
        return time.monotonic() - begin

    def stop_all(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait(LIMIT)
        for left in self.left():
            left.kill()

    # What a search has written.

    def events(self) -> list[dict[str, Any]]:
        """Events of the journal, without a torn last line."""
        try:
            text = (self.log_dir / "journal.jsonl").read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def count(self, event: str) -> int:
        return sum(each["event"] == event for each in self.events())

    def rows(self) -> list[dict[str, str]]:
        with (self.log_dir / "results.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def files(self) -> set[str]:
        return {path.name for path in self.log_dir.iterdir()}

    def is_complete(self, evaluations: int) -> None:
        """Each evaluation once, and no file beside those of a search that has ended."""
        rows = self.rows()
        assert len(rows) == evaluations
        assert len({row["id"] for row in rows}) == evaluations
        assert len({row["x"] for row in rows}) == evaluations
        assert self.files() <= {"results.csv", "journal.jsonl", "deephyper.log", "output"}
