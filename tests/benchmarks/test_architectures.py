"""Tables of architectures as tasks of the optimizer's benchmark."""

from __future__ import annotations

import csv
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.optimizer.architectures import LINKS, architectures, operations
from benchmarks.optimizer.peers import known
from benchmarks.optimizer.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
BEST = "12210012"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of made-up accuracies: layers that are right, and for graphs one that isn't there."""
    directory = tmp_path_factory.mktemp("tables")
    source = directory / "macro.csv"
    with source.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["arch", "acc1", "acc2", "acc3", "params", "flops"])
        for digits in itertools.product("012", repeat=8):
            right = 10.0 * sum(a == b for a, b in zip(digits, BEST, strict=True))
            table.writerow(["".join(digits), right - 1, right, right + 1, 0, 0])
    program = [sys.executable, "-m", "benchmarks.optimizer.tabulate_architectures"]
    done = subprocess.run(
        [*program, directory, "--macro", source], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "macro: 6561 of 6561 points, best 80\n", done.stderr
    kinds = len(operations("cora"))
    scores = np.zeros((len(LINKS), *(kinds,) * 4))
    scores[3] = 1.0
    scores[0] = np.nan
    np.savez_compressed(directory / "graph-cora.npz", scores=scores)
    return directory


def test_the_best_network_of_a_table_is_found(
    tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHITECTURE_TABLES", str(tables))
    macro, graph = architectures()
    assert (macro.name, graph.name) == ("architectures-macro", "architectures-graph-cora")
    assert macro.optimum() == 80.0
    best = {f"layer{i}": ("identity", "kernel3", "kernel5")[int(d)] for i, d in enumerate(BEST)}
    assert macro.value(best) == 80.0
    run = simulate(macro, known("deephyper")(macro.problem(), 0, 4), 0, 4, 80)
    assert run.regrets[-1] == 0.0


def test_points_that_are_not_there_fail(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECTURE_TABLES", str(tables))
    _, graph = architectures()
    layers = {f"layer{i}": "gcn" for i in range(4)}
    assert graph.fails is not None
    assert graph.fails({"inputs": LINKS[0], **layers})
    assert not graph.fails({"inputs": LINKS[3], **layers})
    for peer in ("evolution", "evolution-published"):
        run = simulate(graph, known(peer)(graph.problem(), 0, 2), 0, 2, 30)
        assert run.regrets[-1] == 0.0


def test_without_tables_there_are_no_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHITECTURE_TABLES", raising=False)
    assert architectures() == []
