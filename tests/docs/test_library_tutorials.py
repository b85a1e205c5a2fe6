"""Types the commands of the tutorials for models of one's own, and compares what they print."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import pytest

from tests.docs.typed_page import DOCS, objectives, type_page


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
