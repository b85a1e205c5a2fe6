"""The optimizer's benchmark runs, with tiny numbers and without other people's optimizers."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.optimizer.remote import ENVIRONMENTS, WORKERS, Environment
from benchmarks.optimizer.suite import tasks
from deephyper.optimizer import RandomOptimizer

ROOT = Path(__file__).resolve().parents[2]


def _benchmark(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    variables = {peer.variable for peer in ENVIRONMENTS}
    environment = {k: v for k, v in os.environ.items() if k not in variables}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.optimizer", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file of a few searches."""
    out = tmp_path_factory.mktemp("results") / "results.jsonl"
    done = _run(out, ("branin", "svm", "cat-wide"), ("deephyper", "random"), 50)
    assert done.returncode == 0, done.stderr
    return out


def _run(
    out: Path, tasks: tuple[str, ...], peers: tuple[str, ...], evaluations: int
) -> subprocess.CompletedProcess[str]:
    common = ("--half", "design", "--workers", "2", "--seeds", "1", "--out", out)
    size = ("--evaluations", str(evaluations))
    return _benchmark("run", *common, *size, "--tasks", *tasks, "--peers", *peers)


def test_run_appends_a_line_for_each_search(results: Path) -> None:
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert {row["group"] for row in rows} == {"hard", "tuning", "discrete"}
    assert [row["peer"] for row in rows] == 3 * ["deephyper", "random"]
    for row in rows:
        assert row["evaluations"] == 50
        assert len(row["regrets"]) == 5
        assert row["regrets"] == sorted(row["regrets"], reverse=True)


def test_scikit_optimize_is_a_peer(tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    done = _run(out, ("forbidden-layers",), ("skopt",), 14)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["peer"] for line in out.read_text().splitlines()] == ["skopt"]


def test_run_leaves_out_what_is_there(results: Path) -> None:
    before = results.read_text()
    done = _run(results, ("branin",), ("deephyper", "random"), 50)
    assert done.returncode == 0, done.stderr
    assert results.read_text() == before


def test_report_makes_tables(results: Path) -> None:
    done = _benchmark("report", results, "--peers", "deephyper", "random", "--groups", "--each")
    assert done.returncode == 0, done.stderr
    assert "### 2 workers, 50 evaluations (3 tasks, 3 searches each)" in done.stdout
    for line in ("| deephyper | ", "| random | ", "### Wins-ties-losses of deephyper"):
        assert line in done.stdout


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="plots need matplotlib")
def test_report_makes_plots(results: Path, tmp_path: Path) -> None:
    done = _benchmark("report", results, "--peers", "deephyper", "random", "--plots", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.suffix for path in tmp_path.iterdir()] != []


def test_cost_makes_a_table() -> None:
    peers = ("--peers", "deephyper", "random")
    done = _benchmark("cost", *peers, "--workers", "2", "--evaluations", "12", "--repeat", "1")
    assert done.returncode == 0, done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith("| 12 | ")]
    assert [line.split(" | ")[1] for line in table] == ["deephyper", "random"]


@pytest.mark.parametrize(
    ("peer", "variable"),
    [
        ("published", "PUBLISHED_DEEPHYPER_PYTHON"),
        ("ax", "AX_PYTHON"),
        ("hebo", "HEBO_PYTHON"),
        ("vizier", "VIZIER_PYTHON"),
    ],
)
def test_a_peer_that_is_not_there_says_how_to_get_it(
    tmp_path: Path, peer: str, variable: str
) -> None:
    out = ("--out", tmp_path / "results.jsonl", "--tasks", "branin")
    done = _benchmark("run", *out, "--peers", peer)
    assert done.returncode == 1
    assert done.stderr.startswith(f"the peer {peer} needs {variable}")


def test_an_unknown_peer_is_told_which_there_are(tmp_path: Path) -> None:
    done = _benchmark("run", "--out", tmp_path / "results.jsonl", "--peers", "unknown")
    assert done.returncode == 1
    assert "unknown peer unknown; choose from deephyper, random, skopt" in done.stderr


def test_an_interpreter_without_the_package_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment("absent", "ABSENT_PYTHON", "no_such_package")
    monkeypatch.setenv("ABSENT_PYTHON", sys.executable)
    with pytest.raises(SystemExit, match="has no package no_such_package"):
        environment.interpreter()


def test_each_peer_of_another_environment_has_a_room_and_its_requirements() -> None:
    for environment in ENVIRONMENTS:
        assert (WORKERS / f"{environment.name}.py").is_file()
        assert (WORKERS / f"{environment.name}-requirements.txt").is_file()


@pytest.mark.parametrize("group", ["rugged", "categories", "wide"])
def test_no_point_of_a_task_is_better_than_its_optimum(group: str) -> None:
    # Those of BBOB need ioh.
    for task in [task for task in tasks("design", group) if not task.name.startswith("bbob")]:
        optimizer = RandomOptimizer(task.problem(), seed=0)
        values = [task.value(proposal.point) for proposal in optimizer.ask(200)]
        assert max(values) <= task.optimum(), task.name
        assert task.scale[1] < task.optimum(), task.name
