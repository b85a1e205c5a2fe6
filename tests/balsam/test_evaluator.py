"""The evaluator by itself, beside a launcher: its queries, and what all evaluators have to do."""

from __future__ import annotations

import json

import pytest

from tests.balsam.conftest import Site

pytestmark = [pytest.mark.balsam, pytest.mark.timeout(1200)]

LAUNCHER = """#!/bin/bash
export SLURM_HOSTS=$(scontrol show hostnames)
exec balsam launcher --wf-filter=driver --job-mode=serial --time-limit-minutes=30
"""
# Decided by the same code as another case that is not left out.
DECIDED_ALIKE = ("balsam-inf", "minus_inf", "huge", "string", "list")


@pytest.fixture
def launcher(site: Site) -> Site:
    (site.machine.home / "launcher.sh").write_text(LAUNCHER)
    done = site.run("sbatch -N 1 --exclusive launcher.sh")
    assert done.status == 0, done.err
    return site


def test_queries_do_not_grow_with_the_number_of_jobs(launcher: Site) -> None:
    done = launcher.run("python drive.py 48 8", timeout=280, directory="runs")
    assert done.status == 0, done.err
    told = json.loads(done.out.splitlines()[-1])
    # A look each second, and no more than an insertion for each evaluation.
    assert told["kinds"].pop("INSERT") <= 48
    assert told["kinds"].pop("SELECT") <= told["seconds"] + 5
    assert sum(told["kinds"].values()) <= 2
    _, queries, seconds = told["at_half"]
    late = (told["queries"] - queries) / max(1.0, told["seconds"] - seconds)
    assert late <= 1.5 * queries / seconds + 1


def test_it_passes_the_suite_of_all_evaluators(launcher: Site) -> None:
    unwanted = " and ".join(f"not {name}" for name in DECIDED_ALIKE)
    done = launcher.run(
        "export BALSAM_JOB_ID=$(python ~/runs/drive.py --job) BALSAM_LAUNCHER_NODES=1 "
        "BALSAM_JOB_MODE=serial\n"
        "python -m pytest -o addopts=-q -p no:cacheprovider --timeout 300 "
        f"-k 'balsam and {unwanted}' "
        "tests/evaluator/test_conformance*.py",
        timeout=1100,
        directory="../source",
    )
    assert done.status == 0, done.out[-3000:] + done.err[-1000:]
    assert " passed" in done.out or "[100%]" in done.out
