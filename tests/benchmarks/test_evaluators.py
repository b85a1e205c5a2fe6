"""The evaluators' benchmark still runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_evaluators_benchmark_fills_its_table() -> None:
    tiny = ["--evaluations", "4", "--workers", "2", "--seconds", "0.01"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.evaluators", "thread", "process", *tiny],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    title, _, _, _, *rows = done.stdout.splitlines()
    assert title == "ideal 0.02 s: 4 evaluations of 0.01 s on 2 workers"
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [row[:2] for row in cells] == [
        ["thread", "random"],
        ["thread", "ambs"],
        ["process", "random"],
        ["process", "ambs"],
    ]
    assert all(float(wall) >= 0.02 for _, _, _, wall, _ in cells)
