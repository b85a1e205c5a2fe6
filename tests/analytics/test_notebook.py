from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deephyper import AMBS, HpProblem, evaluation
from deephyper.analytics.notebook import write_notebook
from deephyper.core.cli import analytics
from deephyper.evaluator import Evaluator


def run(point: dict[str, Any]) -> float:
    if point["x"] > 0.95:
        raise ValueError("too large")
    value: float = 1.0 - (point["x"] - 0.3) ** 2
    evaluation.report(value, step=1)
    return value


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    problem.add_hyperparameter(["a", "b"], "kind")
    problem.add_starting_point(x=0.99)
    log_dir = tmp_path_factory.mktemp("it's") / "my search"
    with Evaluator.create(run, "thread", 1) as evaluator:
        AMBS(problem, evaluator, log_dir=log_dir, seed=1).search(max_evals=25)
    return log_dir


def executed(path: Path) -> Any:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(notebook, timeout=240, resources=where).execute()
    return notebook


def outputs(notebook: Any) -> dict[str, str]:
    """Return what each cell of code has shown, by its text."""
    return {
        cell.source: json.dumps(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"
    }


def test_it_runs_and_shows_what_is_there(searched: Path, tmp_path: Path) -> None:
    write_notebook(searched, tmp_path / "a.ipynb")
    shown = outputs(executed(tmp_path / "a.ipynb"))
    assert len(shown) == 14
    assert all('"error"' not in output for output in shown.values())
    figures = [source for source, output in shown.items() if "image/png" in output]
    assert len(figures) == 6
    assert "too large" in shown[next(s for s in shown if "failures" in s)]


def test_a_table_of_another_tool_has_what_it_bears(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("x,objective\n1,2\n2,3\n")
    write_notebook(tmp_path / "table.csv", tmp_path / "a.ipynb")
    texts = json.loads((tmp_path / "a.ipynb").read_text())["cells"]
    sources = "".join("".join(cell["source"]) for cell in texts)
    assert "plots.history" in sources
    assert not any(word in sources for word in ("curves", "timeline", "found =", "failures"))
    shown = outputs(executed(tmp_path / "a.ipynb"))
    assert all('"error"' not in output for output in shown.values())


def test_results_are_found_from_where_the_notebook_is(searched: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    write_notebook(searched, tmp_path / "notes" / "a.ipynb")
    cells = json.loads((tmp_path / "notes" / "a.ipynb").read_text())["cells"]
    line = next(line for line in "".join(cells[1]["source"]).splitlines() if "results =" in line)
    found: dict[str, str] = {}
    exec(line, found)
    assert (tmp_path / "notes" / found["results"]).resolve() == searched.resolve()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere"),
        (["{}", "-o", "a.py"], ".ipynb"),
        (["{}", "-o", "mine.ipynb"], "exists already"),
        (["empty.csv"], "no evaluation yet"),
    ],
)
def test_bad_command_lines(
    searched: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.ipynb").write_text("mine")
    Path("empty.csv").write_text("x,objective\n")
    assert analytics.main(["notebook", *(word.format(searched) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert Path("mine.ipynb").read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["empty.csv", "mine.ipynb"]


@pytest.mark.parametrize(
    ("classic", "today"),
    [
        ("quickplot", "plot history"),
        ("single", "notebook"),
        ("multi", "compare"),
        ("parse", "topk"),
    ],
)
def test_classic_names_say_the_new_one(
    classic: str, today: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert analytics.main([classic, "results.csv"]) == 2
    error = capsys.readouterr().err
    assert f"'{classic}' has another name today: deephyper-analytics {today}" in error
    assert len(error.splitlines()) == 1
