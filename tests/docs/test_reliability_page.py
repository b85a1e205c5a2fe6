"""docs/reliability.md says what the code does: its events, kinds, reasons and example."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from deephyper.evaluator import Evaluator
from deephyper.job import FailureKind
from deephyper.problem import HpProblem
from deephyper.search.budget import DEFAULT_GRACE, Reason
from deephyper.search.hps.random import RandomSearch

TEXT = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")


def table(first: str) -> list[list[str]]:
    """Cells of the table whose first column has this heading."""
    rows = TEXT.partition(f"| {first} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_every_kind_of_failure_is_explained() -> None:
    named = re.findall(r"`(\w+)`", " ".join(row[0] for row in table("Kind")))
    assert sorted(named) == sorted(get_args(FailureKind))


def test_every_reason_is_named() -> None:
    (row,) = [row for row in table("Event") if row[0] == "`ended`"]
    assert set(re.findall(r"`(\w+)`", row[1])) - {"reason", "results"} == set(get_args(Reason))


def test_the_default_grace_is_right() -> None:
    assert f"`--grace` ({DEFAULT_GRACE:g} s)" in TEXT


def test_a_journal_has_the_documented_keys_and_is_read_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")

    def run(point: dict[str, float]) -> float | str:
        return "F_small" if point["x"] < 0.5 else point["x"]

    for max_evals, resume in ((10, False), (12, True)):
        with Evaluator.create(run, "thread") as evaluator:
            RandomSearch(problem, evaluator, seed=1, resume=resume).search(max_evals)
    documented = {
        row[0].strip("`"): {*re.findall(r"`(\w+)`", row[1]), "event", "time", "seconds"}
        for row in table("Event")
    }
    seen = set()
    for line in Path("journal.jsonl").read_text().splitlines():
        event = json.loads(line)
        seen.add(event["event"])
        assert event.keys() <= documented[event["event"]]
    assert seen == {"search", "resumed", "submitted", "started", "finished", "failed", "ended"}
    (code,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    names: dict[str, dict[str, float]] = {}
    exec(code, names)
    assert 2 <= len(names["objectives"]) < 12
