"""The evaluators' benchmarks still run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_benchmark(name: str, *arguments: str) -> list[str]:
    """Return the lines that a benchmark of threads and processes prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "thread", "process", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_benchmark_of_utilization_fills_its_table() -> None:
    tiny = ["--evaluations", "4", "--workers", "2", "--seconds", "0.01"]
    title, _, _, _, *rows = run_benchmark("evaluators", *tiny)
    assert title == "ideal 0.02 s: 4 evaluations of 0.01 s on 2 workers"
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [row[:2] for row in cells] == [
        ["thread", "random"],
        ["thread", "ambs"],
        ["process", "random"],
        ["process", "ambs"],
    ]
    assert all(float(wall) >= 0.02 for _, _, _, wall, _ in cells)


def test_the_benchmark_of_overhead_fills_its_table() -> None:
    tiny = ["--evaluations", "10", "--workers", "2", "--rounds", "1"]
    title, _, _, _, *rows = run_benchmark("overhead", *tiny)
    assert title.startswith("2 workers, 1 rounds")
    cells = [row.strip("| ").split(" | ") for row in rows]
    engines = ["deephyper", "executor, wait", "executor, callbacks"]
    assert [row[:2] for row in cells] == [[m, e] for m in ("thread", "process") for e in engines]
    assert all(float(row[2]) > 0 for row in cells)


def test_the_benchmark_of_reports_fills_its_table() -> None:
    title, _, _, _, *rows = run_benchmark("reports", "--number", "5", "--rounds", "1")
    assert title.startswith("1 rounds of 5 reports of each kind, 0.002 s apart")
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [row[:2] for row in cells] == [[m, n] for m in ("thread", "process") for n in ("0", "4")]
    assert all(float(value) > 0 for row in cells for value in row[2:])
