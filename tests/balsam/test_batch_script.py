"""The batch script of docs/hpc.md that calls deephyper without Balsam, on Slurm."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.balsam.machine import Machine

pytestmark = [pytest.mark.balsam, pytest.mark.timeout(600)]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hpc.md"
RUN = """\
import os, time


def run(point):
    while not os.path.exists("gate"):
        time.sleep(0.1)
    return point["x"]
"""


def script() -> str:
    blocks: list[str] = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (found,) = [block for block in blocks if "--nodes=1\n" in block]
    return found


def events(directory: Path) -> list[dict[str, Any]]:
    journal = directory / "run" / "journal.jsonl"
    lines = journal.read_text().splitlines() if journal.exists() else []
    return [json.loads(line) for line in lines]


def test_evaluations_have_their_grace_when_the_time_is_nearly_over(machine: Machine) -> None:
    """What ``--signal=B:TERM@…`` sends before the end is sent here when evaluations run."""
    directory = machine.home / "own-script"
    machine.run("mkdir own-script")
    (directory / "problem.py").write_text(
        "from deephyper.problem import HpProblem\n"
        "Problem = HpProblem()\n"
        'Problem.add_hyperparameter((0.0, 1.0), "x")\n'
    )
    (directory / "model_run.py").write_text(RUN)
    assert "#SBATCH --signal=B:TERM@" in script()
    (directory / "search.sh").write_text(script().replace("--num-workers 8", "--num-workers 2"))
    submitted = machine.run("sbatch --parsable search.sh", directory="own-script")
    assert submitted.status == 0, submitted.err
    job = submitted.out.strip()
    output = directory / f"slurm-{job}.out"

    def count(kind: str) -> int:
        return sum(event["event"] == kind for event in events(directory))

    machine.wait_until(lambda: count("started") == 2, 120, "evaluations to run")
    machine.run(f"scancel --batch --signal=TERM {job}")
    machine.wait_until(lambda: "SIGTERM: no new" in output.read_text(), 60, "the signal")
    (directory / "gate").touch()
    machine.wait_until(lambda: "Resume with" in output.read_text(), 90, "the end")
    said = output.read_text()
    assert "SIGTERM: no new evaluations; the 2 running ones have 90 s to end" in said
    assert count("finished") == 2
    assert count("stopped") == count("failed") == 0
    assert said.startswith("If this batch job is killed, resume with: deephyper hps ambs --resume")
