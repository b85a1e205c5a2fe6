"""Types the tutorials' commands, in order, in an empty folder, and compares what they print."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.docs.typed_page import type_page


@pytest.mark.long
@pytest.mark.ray
@pytest.mark.tensorflow
@pytest.mark.timeout(600)
def test_the_tutorial_runs_as_it_reads(environment: dict[str, str], tmp_path: Path) -> None:
    folder, last = type_page("tutorial.md", environment, tmp_path)
    rows = list(csv.DictReader((folder / "results.csv").open()))
    assert len(rows) == 6
    assert (rows[0]["activation"], rows[0]["lr"], rows[0]["units"]) == ("identity", "0.01", "10")
    best = json.loads((folder / "best.json").read_text())["0"]
    assert set(best) == {"activation", "lr", "units"}
    objective = max(float(row["objective"]) for row in rows if row["objective"])
    assert float(last.removeprefix("objective: ")) == pytest.approx(objective, abs=0.02)


@pytest.mark.long
@pytest.mark.ray
@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_that_of_architectures_runs_as_it_reads(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder, _ = type_page("tutorial_nas.md", environment, tmp_path)
    rows = list(csv.DictReader((folder / "results.csv").open()))
    assert len(rows) == 8
    # The first point of the other tutorial, a linear model, explains nothing of these data.
    assert max(float(row["objective"]) for row in rows if row["objective"]) > 0.9
    described = json.loads((folder / "ensemble" / "ensemble.json").read_text())
    assert described["loss"] <= described["best_single"]["loss"]
