"""Searches in the cells of a real Jupyter kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

PROBLEM = """
from deephyper import AMBS, HpProblem

problem = HpProblem()
problem.add_hyperparameter((0.0, 1.0), "x")


def run(point):
    if point["x"] > 0.9:
        raise ValueError("<too> large")
    return point["x"]

problem.add_starting_point(x=0.95)
"""


def executed(directory: Path, *cells: str) -> list[list[Any]]:
    """Return what each cell has shown, in the end."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    where = {"metadata": {"path": str(directory)}}
    nbclient.NotebookClient(notebook, timeout=240, resources=where).execute()
    return [cell.outputs for cell in notebook.cells]


def pages(outputs: list[Any]) -> list[str]:
    return [each.data["text/html"] for each in outputs if "text/html" in each.get("data", {})]


def test_a_cell_shows_its_search_and_its_result(tmp_path: Path) -> None:
    _, shown, silent, plotted = executed(
        tmp_path,
        PROBLEM,
        "result = AMBS(problem, run, log_dir='a', seed=1).search(max_evals=12)\nresult",
        "AMBS(problem, run, log_dir='b', seed=1, progress=False).search(max_evals=2)\nNone",
        "result.plot.history()",
    )
    progress, result = pages(shown)
    assert "<progress value=12 max=12>" in progress
    assert "12/12" in progress
    assert "&lt;too&gt; large" in progress
    assert "<too>" not in progress
    assert "<table>" in result
    assert "12 evaluations" in result
    assert pages(silent) == []
    assert any("image/png" in each.get("data", {}) for each in plotted)
