"""A launcher's evaluations on a node, without Balsam."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

from deephyper.balsam.evaluation_directory import EvaluationDirectory, EvaluationSpec
from deephyper.evaluator import RunFunction

REPOSITORY = Path(__file__).resolve().parents[2]
FAILED = 3
KEEPER = "deephyper.balsam.keeper"

FUNCTIONS = """
import os
import subprocess
import sys
import time


print("loading", flush=True)


def pid(point):
    open("here", "w").write(os.environ["BALSAM_JOB_ID"])
    return os.getpid()


def other_pid(point):
    return os.getpid()


def does(point):
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    open("pids", "w").write(f"{os.getpid()} {child.pid}")
    if point["do"] == "sleep":
        time.sleep(600)
    if point["do"] == "fail":
        raise ValueError("out of cheese")
    if point["do"] == "die":
        os._exit(7)
    return os.getpid()
"""
LAUNCHER = """
import json, os, subprocess, sys
for line in sys.stdin:
    directory, variables = json.loads(line)
    done = subprocess.run([sys.executable, "-m", "deephyper.balsam.evaluation"], cwd=directory,
                          env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True)
    print(json.dumps(done.returncode), flush=True)
"""
"""Stands for Balsam's: the parent of evaluations."""


class Node:
    """A launcher's evaluations on a node, whose directory for temporary files is its own."""

    def __init__(self, root: Path, temporary: Path) -> None:
        self.temporary = temporary
        self._root = root
        self._number = 0
        (root / "functions.py").write_text(FUNCTIONS)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "TMPDIR": str(temporary),
        }

    def prepare(self, run: str, point: dict[str, Any], **changes: Any) -> EvaluationDirectory:
        self._number += 1
        path = self._root / f"evaluation{self._number}"
        path.mkdir()
        run_file = self._root / f"{run}.json"
        if not run_file.exists():  # one session writes it once
            run_file.write_text(RunFunction.of(f"{self._root / 'functions.py'}::{run}").dumps())
        values: dict[str, Any] = {
            "id": str(self._number),
            "point": point,
            "attempt": 1,
            "output": str(self._root / f"{self._number}.log"),
            "run_file": str(run_file),
            "timeout": None,
            "ranks": 1,
            "threads": 1,
            "keeps_worker": True,
        }
        directory = EvaluationDirectory(path)
        directory.write_spec(EvaluationSpec(**{**values, **changes}))
        return directory

    def forget_run_files(self) -> None:
        """Be another session from now on."""
        for file in self._root.glob("*.json"):
            file.unlink()

    def start(
        self,
        directory: EvaluationDirectory,
        variables: dict[str, str] | None = None,
        stdout: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "deephyper.balsam.evaluation"],
            cwd=directory.path,
            env={
                **self.environment,
                "BALSAM_JOB_ID": directory.path.name,
                **(variables or {}),
            },
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(
        self,
        run: str = "pid",
        status: int = 0,
        point: dict[str, Any] | None = None,
        variables: dict[str, str] | None = None,
        **changes: Any,
    ) -> Any:
        """Make an evaluation; return its result."""
        directory = self.prepare(run, point or {}, **changes)
        process = self.start(directory, variables)
        printed, _ = process.communicate(timeout=120)
        assert process.returncode == status, printed
        ended = directory.ended()
        assert ended is not None
        return ended.result

    def keepers(self) -> list[psutil.Process]:
        """The keepers that live, and those that are about to end."""
        return [process for process in psutil.process_iter() if self._is_keeper(process)]

    def _is_keeper(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            return KEEPER in words and str(self.temporary) in words[-1]
        return False

    def wait_for_the_end(self) -> None:
        """Wait until nothing is left of any keeper."""
        wait_until(lambda: not self.keepers(), "keepers to end")
        assert list(self.temporary.iterdir()) == []


def wait_until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, f"waited for {what}"
        time.sleep(0.02)


def pids(directory: EvaluationDirectory) -> list[int]:
    """Return the processes of ``does``, when they run."""
    file = directory.path / "pids"
    wait_until(lambda: file.exists() and len(file.read_text().split()) == 2, "run to begin")
    return [int(word) for word in file.read_text().split()]


def are_gone(numbers: Iterable[float]) -> bool:
    for number in numbers:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(int(number)).status() != psutil.STATUS_ZOMBIE:
                return False
    return True
