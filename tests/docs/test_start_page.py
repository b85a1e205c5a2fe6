"""Types the first pages' commands, as they read there, and compares what they print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.typed_page import objectives, type_page


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_first_page_leads_to_a_tuned_model(environment: dict[str, str], tmp_path: Path) -> None:
    folder, last = type_page("start.md", environment, tmp_path)
    found = objectives(folder / "boosting" / "results.csv")
    assert len(found) == 40
    # The mean absolute error with scikit-learn's defaults is 46.7.
    assert min(found) < 46
    assert (folder / "history.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "report.html").read_bytes().startswith(b"<!doctype html>")
    assert last.startswith("trained with {'learning_rate': ")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_recipes_work(environment: dict[str, str], tmp_path: Path) -> None:
    type_page("start.md", environment, tmp_path, commands=False)
    folder, last = type_page("howto.md", environment, tmp_path)
    assert len(objectives(folder / "smallest" / "results.csv")) == 16
    assert len(last.splitlines()) == 4
