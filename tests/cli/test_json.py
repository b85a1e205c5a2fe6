"""``--json``: what programs read of a search's end and of its best evaluations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deephyper.search.replay import read_journal
from tests.cli.command_line import Run

RUN = """
def run(point):
    return 'F_low' if point['x'] < 0.5 else {'objective': point['x'], 'm': 1}
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code.py").write_text(RUN)
    monkeypatch.chdir(tmp_path)


def search(deephyper: Run, *words: str) -> tuple[int, dict[str, Any]]:
    ended = deephyper(
        *("hps", "random", "-P", "x=(0.0, 1.0)", "-r", "code.py", "--evaluator", "thread"),
        *("--seed", 1, "--log-dir", "log", "--json", *words),
    )
    (line,) = ended.out.splitlines()
    assert "starting a search" in ended.err
    found: dict[str, Any] = json.loads(line)
    return ended.status, found


def test_a_search_ends_with_one_object(deephyper: Run) -> None:
    status, found = search(deephyper, "--max-evals", "8")
    record = read_journal(Path("log"))
    assert record.best is not None
    assert (status, found["exit_status"], found["reason"]) == (0, 0, "max_evals")
    assert found["best"] == {
        "id": record.best.job.id,
        "objective": record.best.objective,
        "point": record.best.job.point,
        "metrics": {"m": 1.0},
    }
    assert found["num_evaluations"] == 8
    assert found["num_failed"] == 8 - sum(
        e.outcome.objective is not None for e in record.ended if e.outcome
    )
    assert found["last_failure"]["message"] == "low"
    assert found["resume"] == "deephyper hps random --resume log"
    assert record.command is not None
    assert "--json" not in record.command.options


def test_where_nothing_was_found_the_best_is_null(deephyper: Run) -> None:
    Path("code.py").write_text("def run(point):\n    return 'F_always'\n")
    status, found = search(deephyper, "--max-evals", "2")
    assert (status, found["exit_status"], found["best"]) == (1, 1, None)


def test_topk_prints_a_list(deephyper: Run, deephyper_analytics: Run) -> None:
    search(deephyper, "--max-evals", "8")
    ended = deephyper_analytics("topk", "log/results.csv", "-k", 2, "--json")
    assert (ended.status, ended.err) == (0, "")
    first, second = json.loads(ended.out)
    assert first["objective"] >= second["objective"]
    assert first["metrics"] == {"m": 1}
    points = deephyper_analytics("topk", "log/results.csv", "--points", "--json")
    assert json.loads(points.out) == [{"x": first["x"]}]


def test_json_is_printed_or_a_file_is_saved(deephyper: Run, deephyper_analytics: Run) -> None:
    search(deephyper, "--max-evals", "3")
    ended = deephyper_analytics("topk", "log/results.csv", "--json", "-o", "best.json")
    assert (ended.status, ended.out) == (2, "")
    assert "give one of them" in ended.err
