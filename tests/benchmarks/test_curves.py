"""The benchmark of early stopping: its tables, its trainings and tiny searches."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.curves.method import Method
from benchmarks.curves.methods import METHODS, Stopping
from benchmarks.curves.simulate import simulate
from benchmarks.curves.space import Point, Space
from benchmarks.curves.suite import TASKS, tasks
from benchmarks.curves.tabulate import tabulate
from benchmarks.curves.task import Task
from benchmarks.curves.training.convolution import Convolutional
from benchmarks.curves.training.dense import LanguageModel, Perceptron, Split
from benchmarks.curves.training.stack import Model, Settings
from deephyper.optimizer import RandomOptimizer

ROOT = Path(__file__).resolve().parents[2]
TASK = TASKS["perceptron-diabetes"]
OWN = [name for name in METHODS if not name.startswith(("dehb", "optuna", "smac", "syne-tune"))]
"""Methods that need no further package."""


def _benchmark(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.curves", *map(str, arguments)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results file with a search of each method."""
    out = tmp_path_factory.mktemp("results") / "results.jsonl"
    done = _run(out)
    assert done.returncode == 0, done.stderr
    return out


def _run(out: Path) -> subprocess.CompletedProcess[str]:
    size = ("--workers", "4", "--seeds", "1", "--evaluations", "30", "--half", "report")
    return _benchmark("run", *size, "--tasks", TASK.name, "--methods", *OWN, "--out", out)


def test_run_appends_a_line_for_each_search(results: Path) -> None:
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [row["method"] for row in rows] == OWN
    for row in rows:
        assert row["regrets"] == sorted(row["regrets"], reverse=True)
        assert len(row["regrets"]) == 5
        assert (row["pruned"] > 0) == ("-" in row["method"])
        assert row["whole"] * TASK.steps <= row["steps"] <= 30 * TASK.steps


def test_run_leaves_out_what_is_there(results: Path) -> None:
    before = results.read_text()
    assert _run(results).returncode == 0
    assert results.read_text() == before


def test_report_compares_with_the_reference(results: Path) -> None:
    done = _benchmark("report", results, "--each")
    assert done.returncode == 0, done.stderr
    assert "### 4 workers, perceptron-diabetes" in done.stdout
    for method in OWN:
        assert done.stdout.count(f"| {method} | 1 | ") == 2


def test_report_pairs_searches_of_the_same_case_and_counts_each_once(tmp_path: Path) -> None:
    row = {"task": "a", "half": "report", "budget": 100, "whole": 1, "pruned": 0, "steps": 60}
    row |= {"best_stopped": False, "seconds": 1.0}
    cases = [(workers, seed) for workers in (1, 8) for seed in range(6)]
    rows = [
        row | {"method": method, "workers": workers, "seed": seed, "regrets": 5 * [regret]}
        for method, regret in (("deephyper", 0.4), ("deephyper-curve", 0.2), ("other", 0.1))
        for workers, seed in cases
        if method != "other" or (workers, seed) == (8, 3)
    ]
    rows[-1]["regrets"] = [0.2, 0.1, 0.05, 0.1, 0.2]
    out = tmp_path / "results.jsonl"
    out.write_text("".join(json.dumps(each) + "\n" for each in rows))
    done = _benchmark("report", out, out, "--reference", "deephyper-curve")
    assert done.returncode == 0, done.stderr
    one, eight = done.stdout.split("### 8 workers")
    assert "| deephyper | 6 | 2.00 (0.03) | 2.00 (0.03) | " in one
    assert "| other |" not in one
    assert "| other | 1 | 1.00 | 0.50 (1) | 0.25 (1) | 0.50 (1) | 1.00 | " in eight


def test_describe_has_a_row_for_each_table() -> None:
    done = _benchmark("describe", "--half", "report")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2 + len(tasks("report"))


def test_an_unknown_name_is_met_with_the_known_ones() -> None:
    done = _benchmark("run", "--methods", "unknown")
    assert done.returncode == 1
    assert "unknown method unknown; choose from deephyper, " in done.stderr
    done = _benchmark("tabulate", "unknown")
    assert done.returncode == 1
    assert "unknown task unknown; choose from perceptron-digits, " in done.stderr


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_each_point_of_a_task_has_a_curve(task: Task) -> None:
    assert len(task.curves) == len(list(task.space.points()))
    optimizer = RandomOptimizer(task.space.problem(), seed=0)
    for proposal in optimizer.ask(100):
        assert task.curve(proposal.point).shape == (task.steps,)
        assert task.seconds(proposal.point) > 0.0
    best, typical = task.scale
    assert typical < best
    assert task.regret(best) == 0.0


class _StopsAtFirst(Method):
    """Ends every evaluation but the first five as soon as it can."""

    def __init__(self, optimizer: RandomOptimizer) -> None:
        self._optimizer = optimizer
        self.told: list[tuple[int, bool]] = []

    def ask(self, id: str) -> Point:
        return self._optimizer.ask().point

    def report(self, id: str, step: int, value: float) -> bool:
        return int(id) >= 5

    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        self.told.append((step, pruned))


def test_without_a_stopper_the_budget_is_used_to_the_last_step() -> None:
    for workers in (1, 7, 64):
        method = Stopping(RandomOptimizer(TASK.space.problem(), seed=0))
        run = simulate(TASK, method, seed=0, workers=workers, evaluations=20)
        assert (run.whole, run.pruned, run.steps) == (20, 0, 20 * TASK.steps)
        assert not run.best_stopped


class _Pauses(_StopsAtFirst):
    """Pauses every evaluation at its third step, and continues it when nothing new may begin."""

    def __init__(self, optimizer: RandomOptimizer) -> None:
        super().__init__(optimizer)
        self.paused: list[str] = []
        self.steps: dict[str, list[int]] = {}

    def take_up(self, may_begin: bool) -> str | None:
        return None if may_begin or not self.paused else self.paused.pop(0)

    def report(self, id: str, step: int, value: float) -> bool:
        self.steps.setdefault(id, []).append(step)
        return step == 3

    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        super().tell(id, value, step, pruned)
        if pruned:
            self.paused.append(id)


def test_what_is_paused_continues_at_its_next_step_and_no_step_is_made_twice() -> None:
    method = _Pauses(RandomOptimizer(TASK.space.problem(), seed=0))
    run = simulate(TASK, method, seed=0, workers=3, evaluations=10)
    assert run.steps == sum(map(len, method.steps.values())) <= 10 * TASK.steps
    assert run.whole >= 1
    assert run.pruned == len(method.steps) - run.whole
    every_step = list(range(1, TASK.steps + 1))
    assert sum(steps == every_step for steps in method.steps.values()) == run.whole
    assert sum(steps == [1, 2, 3] for steps in method.steps.values()) == run.pruned


def test_an_evaluation_ends_at_the_report_that_was_asked_about() -> None:
    method = _StopsAtFirst(RandomOptimizer(TASK.space.problem(), seed=0))
    run = simulate(TASK, method, seed=0, workers=3, evaluations=10)
    assert run.whole == 5
    assert run.pruned == len(method.told) - 5
    assert set(method.told) == {(1, True), (TASK.steps, False)}
    assert run.steps == run.pruned + 5 * TASK.steps == 9 * TASK.steps + 1
    assert run.best_stopped


def _tiny(directory: Path) -> Task:
    space = Space(
        {
            "optimizer": ["sgd", "adam"],
            "layers": [1],
            "units": [4],
            "activation": ["relu"],
            "batch": [32],
            "learning_rate": [0.01, 0.1, 1e30],
            "momentum": [0.0, 0.9],
        },
        {"momentum": ("optimizer", ["sgd"])},
    )
    return dataclasses.replace(TASK, space=space, steps=3, tables=directory)


def test_a_table_is_continued_where_it_was(tmp_path: Path) -> None:
    at_once, resumed = _tiny(tmp_path / "at_once"), _tiny(tmp_path / "resumed")
    assert tabulate(at_once)
    assert not tabulate(resumed, most=-1.0)
    assert not resumed.available
    part = resumed.path.with_suffix(".jsonl")
    part.write_text('{"rows": [0, 1], "curv')
    assert tabulate(resumed)
    assert not part.exists()
    assert np.array_equal(at_once.curves, resumed.curves)
    assert at_once.curves.shape == (9, 3)
    for point in at_once.space.points():
        # Rates as large as that give what isn't a number: the worst objective there is.
        assert (at_once.curve(point) == -1.0).all() == (point["learning_rate"] == 1e30)


def test_a_table_holds_curves_to_its_resolution(tmp_path: Path) -> None:
    task = _tiny(tmp_path)
    curves = np.random.default_rng(0).normal(0.0, 1.0, size=(9, 3))
    curves[0] = [np.nan, -np.inf, np.inf]
    task.save(curves, np.arange(1.0, 10.0))
    assert (task.curves[0] == task.floor).all()
    error = np.abs(task.curves[1:] - np.maximum(curves[1:], task.floor))
    assert error.max() <= task.resolution / 2 + 1e-9
    assert [task.seconds(point) for point in task.space.points()] == list(range(1, 10))


def _models() -> dict[str, tuple[Model, float]]:
    """Models of each kind that are validated on what they are trained on, in double precision, and
    the factor from the gradient of the loss to that of the metric."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 12)
    y[:3] = range(3)
    x, images = rng.normal(size=(12, 5)), rng.normal(size=(12, 8, 8))
    tokens, targets = rng.integers(0, 3, size=(12, 4)), rng.normal(size=12)
    dense = {"units": 4, "layers": 2}
    filters = {"filters": 2, "augmentation": "none"}
    words = {"context": 2, "embedding": 3, "units": 4}
    spread = np.square(targets - targets.mean()).sum()
    return {
        "relu": (Perceptron(Split(x, y, x, y), {**dense, "activation": "relu"}, "likelihood"), -1),
        "tanh": (Perceptron(Split(x, y, x, y), {**dense, "activation": "tanh"}, "likelihood"), -1),
        "regression": (
            Perceptron(Split(x, targets, x, targets), {**dense, "activation": "tanh"}, "r2"),
            -2 * 12 / spread,
        ),
        "max": (
            Convolutional(Split(images, y, images, y), {**filters, "pooling": "max"}, "likelihood"),
            -1,
        ),
        "mean": (
            Convolutional(
                Split(images, y, images, y), {**filters, "pooling": "mean"}, "likelihood"
            ),
            -1,
        ),
        "language": (LanguageModel(Split(tokens, y, tokens, y), words), -1),
    }


@pytest.mark.parametrize("name", ["relu", "tanh", "regression", "max", "mean", "language"])
def test_gradients_are_those_of_the_metric(name: str) -> None:
    model, factor = _models()[name]
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=(2, *shape)) for shape in model.shapes]
    into = [np.zeros_like(view) for view in weights]
    settings = Settings.of(2 * [{"optimizer": "sgd", "batch": 12}])
    model.gradients(weights, into, np.arange(12), settings, rng)
    ways = [rng.normal(size=view.shape) for view in weights]
    ends = [
        model.scores([view + sign * 1e-6 * way for view, way in zip(weights, ways, strict=True)])
        for sign in (1, -1)
    ]
    expected = (ends[0] - ends[1]) / 2e-6
    found = sum((g * way).reshape(2, -1).sum(axis=1) for g, way in zip(into, ways, strict=True))
    assert factor * np.asarray(found) == pytest.approx(expected, rel=1e-5)
