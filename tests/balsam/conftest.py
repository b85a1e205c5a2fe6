"""One machine and one Balsam database for all tests that need them.

These install packages as root, so they run only where their marker is named:
``pytest -n 0 -m balsam``.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.balsam.machine import QUEUE, USER, Ended, Machine, NotHere, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "balsam" in (config.option.markexpr or "").replace("not balsam", ""):
        return
    marked = [item for item in items if HERE in item.path.parents and _needs_machine(item)]
    if marked:
        config.hook.pytest_deselected(items=marked)
        items[:] = [item for item in items if item not in marked]


def _needs_machine(item: pytest.Item) -> bool:
    return item.get_closest_marker("balsam") is not None


@dataclass
class Site:
    """The machine as its user sees it, with an active database."""

    machine: Machine
    database: str = "polydb"

    @property
    def path(self) -> Path:
        return self.machine.home / self.database

    def activate(self) -> None:
        """Start the database's server."""
        done = self.machine.run(f"source balsamactivate {self.path}")
        assert done.status == 0, done.out + done.err

    def run(self, command: str, timeout: float = 120, directory: str = "") -> Ended:
        return self.machine.run(f"export BALSAM_DB_PATH={self.path}\n{command}", timeout, directory)

    def psql(self, sql: str, password: str | None = None) -> subprocess.CompletedProcess[str]:
        """Ask the database as root, which is not its owner."""
        info = json.loads((self.path / "server-info").read_text())
        address = f"host=127.0.0.1 port={info['port']} user={USER} dbname=balsam"
        return subprocess.run(
            ["psql", "-w", "-At", "-c", sql, f"{address} password={password or info['password']}"],
            capture_output=True,
            text=True,
            timeout=30,
            env={"PATH": "/usr/bin:/bin"},
        )

    def submit(self, words: str, directory: str = "runs") -> Path:
        """Submit a search; return the directory that its banner names."""
        done = self.run(f"deephyper balsam-submit hps {words}", directory=directory)
        assert done.status == 0, done.err
        return Path(done.out.splitlines()[-2].partition("will run at: ")[2])

    def submit_run(self, workflow: str, run: str, words: str) -> Path:
        """Submit a random search of the functions in runs.py, which needs no time to propose."""
        return self.submit(
            f"{workflow} random -p problem.py -r runs.py::{run} -t 20 -q {QUEUE} --seed 1 {words}"
        )

    def query(self, program: str) -> str:
        """What a Python program with the names of Balsam's models prints."""
        start = "from balsam.launcher.dag import BalsamJob; from balsam.core.models import *; "
        done = self.run(f"python -c {shlex.quote(start + program)}")
        assert done.status == 0, done.err
        return done.out.strip()

    def cancel_all(self) -> None:
        self.machine.run("scancel -u $USER")
        self.wait_until(lambda: not self.machine.run("squeue -h").out.strip(), 60, "jobs to end")

    def wait_until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        self.machine.wait_until(holds, seconds, what)

    def wait_for_end(self, directory: Path, seconds: float = 180, session: int = 1) -> str:
        """Wait until a search has ended so many times; return its output of the last session."""
        output, journal = directory / f"{directory.parent.name}.out", directory / "journal.jsonl"

        def ends() -> int:
            return journal.read_text().count('{"event": "ended"') if journal.exists() else 0

        def text() -> str:
            return output.read_text() if output.exists() else ""

        until = time.monotonic() + seconds
        while ends() < session or "The search has ended" not in text():
            log = directory / "deephyper.log"
            said = f"{text()}\n{log.read_text()[-2000:] if log.exists() else ''}"
            assert time.monotonic() < until, f"no end after {seconds} s:\n{said}"
            time.sleep(0.5)
        return text()


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    try:
        with running() as machine:
            yield machine
    except NotHere as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def database(machine: Machine) -> Site:
    """A database as ``deephyper balsam-init`` makes it, and run functions to search."""
    done = machine.run("deephyper balsam-init polydb --loopback --slurm")
    assert done.status == 0, done.err
    directory = machine.home / "runs"
    machine.run("mkdir runs")
    for name in ("problem.py", "runs.py", "drive.py"):
        (directory / name).write_text((HERE / name).read_text())
    site = Site(machine)
    site.activate()
    return site


@pytest.fixture
def site(database: Site) -> Iterator[Site]:
    """The database, with the scheduler's queue empty before and after."""
    database.cancel_all()
    yield database
    database.cancel_all()
