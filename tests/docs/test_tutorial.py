"""Types the tutorials' commands, in order, in an empty folder, and compares what they print."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import pytest

from tests.docs.typed_page import DOCS, type_page


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


def objectives(results: Path) -> list[float]:
    return [float(row["objective"]) for row in csv.DictReader(results.open()) if row["objective"]]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_first_page_leads_to_a_tuned_model(environment: dict[str, str], tmp_path: Path) -> None:
    folder, last = type_page("start.md", environment, tmp_path)
    found = objectives(folder / "boosting" / "results.csv")
    assert len(found) == 40
    # The mean absolute error with scikit-learn's defaults is 46.7.
    assert min(found) < 46
    assert (folder / "history.png").read_bytes().startswith(b"\x89PNG")
    assert last.startswith("trained with {'learning_rate': ")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_recipes_work(environment: dict[str, str], tmp_path: Path) -> None:
    type_page("start.md", environment, tmp_path, commands=False)
    folder, last = type_page("howto.md", environment, tmp_path)
    assert len(objectives(folder / "smallest" / "results.csv")) == 16
    assert len(last.splitlines()) == 4


@pytest.mark.long
@pytest.mark.timeout(900)
def test_that_of_scikit_learn_runs_as_it_reads(environment: dict[str, str], tmp_path: Path) -> None:
    folder, _ = type_page("tutorial_sklearn.md", environment, tmp_path)
    assert max(objectives(folder / "digits" / "results.csv")) > 0.98


@pytest.mark.long
@pytest.mark.tensorflow
@pytest.mark.timeout(900)
def test_that_of_keras_runs_as_it_reads(environment: dict[str, str], tmp_path: Path) -> None:
    folder, _ = type_page("tutorial_keras.md", environment, tmp_path)
    rows = list(csv.DictReader((folder / "digits" / "results.csv").open()))
    assert len(rows) == 16
    assert max(objectives(folder / "digits" / "results.csv")) > 0.9


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs PyTorch")
def test_that_of_pytorch_runs_as_it_reads(environment: dict[str, str], tmp_path: Path) -> None:
    folder, _ = type_page("tutorial_torch.md", environment, tmp_path)
    assert max(objectives(folder / "digits" / "results.csv")) > 0.9


@pytest.mark.parametrize("page", ["start", "tutorial_sklearn", "tutorial_keras", "tutorial_torch"])
def test_the_code_of_a_page_is_valid(page: str, tmp_path: Path) -> None:
    type_page(f"{page}.md", {}, tmp_path, commands=False)
    files = sorted(tmp_path.glob("*.py"))
    assert len(files) >= 2
    for file in files:
        compile(file.read_text(encoding="utf-8"), file.name, "exec")
    assert f"images/{page.replace('tutorial_', '')}" in (DOCS / f"{page}.md").read_text()
