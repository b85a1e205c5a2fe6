"""A submitted search as Balsam runs it, without Balsam: its end, and how to resume it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deephyper.balsam.submission.search_job import SPEC_FILE
from deephyper.hpc.spec import SearchSpec

REPOSITORY = Path(__file__).resolve().parents[2]

TASK = """
import time
from deephyper.problem import HpProblem

Problem = HpProblem()
Problem.add_hyperparameter((0.0, 1.0), "x")


def run(point):
    time.sleep(0.1)
    return point["x"]


def fails(point):
    raise ValueError("out of cheese")
"""


@pytest.mark.parametrize(
    ("run", "options", "resume"),
    [
        ("fails", {"--max-failures": "1"}, "deephyper balsam-submit hps mine.1 --resume"),
        ("run", {"--timeout": "1"}, r"deephyper balsam-submit hps mine.1 --resume --timeout \d+"),
    ],
)
def test_a_search_says_how_to_resume_its_workflow(
    tmp_path: Path, run: str, options: dict[str, str], resume: str
) -> None:
    (tmp_path / "task.py").write_text(TASK)
    given = {**options, "--evaluator": "thread", "--grace": "0"}
    directory = _directory_of(tmp_path, "mine.1", f"task.{run}", given)
    ended = subprocess.run(
        [sys.executable, "-m", "deephyper.balsam.submission.search_job"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    lines = re.findall(f"^Resume with: {resume}$", ended.stdout, re.MULTILINE)
    assert len(lines) == 1, ended.stderr


def _directory_of(tmp_path: Path, name: str, run: str, options: dict[str, str]) -> Path:
    spec = SearchSpec(name, ("hps", "random"), "task.Problem", run, options, str(tmp_path))
    directory = tmp_path / "search"
    directory.mkdir()
    (directory / SPEC_FILE).write_text(json.dumps({"search": spec.to_json()}))
    return directory


def start(tmp_path: Path, **variables: str) -> tuple[subprocess.Popen[str], Path]:
    """A search whose evaluations never end, once one runs or it has ended; and its journal."""
    (tmp_path / "task.py").write_text(TASK.replace("time.sleep(0.1)", "time.sleep(600)"))
    options = {"--evaluator": "process", "--grace": "600"}
    directory = _directory_of(tmp_path, "mine", "task.run", options)
    started = subprocess.Popen(
        [sys.executable, "-m", "deephyper.balsam.submission.search_job"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 300
    journal = directory / "journal.jsonl"
    while not has_begun(journal) and started.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.1)
    return started, journal


def has_begun(journal: Path) -> bool:
    """Return whether a search says that one of its evaluations has begun."""
    return journal.exists() and '"started"' in journal.read_text()


def test_a_canceled_search_ends_before_its_grace(tmp_path: Path) -> None:
    """The scheduler kills soon after its SIGTERM, and sends that several times."""
    started, journal = start(tmp_path)
    for _ in range(3):
        started.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    output, _ = started.communicate(timeout=60)
    assert "Resume with: deephyper balsam-submit hps mine --resume\n" in output
    assert '"stopped"' in journal.read_text()


def test_a_search_that_is_killed_leaves_a_word_on_how_to_resume(tmp_path: Path) -> None:
    started, _ = start(tmp_path)
    (search,) = psutil.Process(started.pid).children()
    search.kill()
    output, _ = started.communicate(timeout=60)
    resume = "Resume with: deephyper balsam-submit hps mine --resume\n"
    assert f"The search was ended by SIGKILL. {resume}" in output
    assert started.returncode == 128 + signal.SIGKILL


def test_a_search_ends_before_its_launcher(tmp_path: Path) -> None:
    # The shortest time in which an evaluation begins, which depends on how busy the machine is.
    for seconds in (12, 60, 240):
        (path := tmp_path / str(seconds)).mkdir()
        end = time.time() + seconds
        started, journal = start(path, DEEPHYPER_LAUNCH_END=str(end))
        output, _ = started.communicate(timeout=2 * seconds + 60)
        if has_begun(journal):
            break
    assert time.time() < end
    assert started.returncode == 0
    assert "time is nearly over" in output
    assert "Resume with: deephyper balsam-submit hps mine --resume\n" in output
    assert '"stopped"' in journal.read_text()
