"""The code of docs/python.md runs, from its first block to its last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deephyper.search.results_file import COLUMNS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    exec(compile(code, "python.md", "exec"), {"__name__": "page"})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "SearchResult: 20 evaluations; the evaluation budget is used up"
    assert lines[1].startswith("best objective: ")
    assert "    level: high" in lines
    reason, best, *top = lines[-10:-5]
    assert reason == "max_evals 20 0"
    assert "'level': 'high'" in best
    assert len(top) == 3
    assert f"{float(top[0].split()[0]):.6g}" == lines[1].split()[-1]
    effects = [line.split("'")[1] for line in lines[-5:-2]]
    assert {*effects[:2]} == {"x", "level"}
    # The function isn't random, so the best is confirmed exactly.
    assert lines[-2].startswith(f"{top[0].split()[0]} 0.0 0 {{")


def test_the_page_on_results_names_every_column() -> None:
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    assert [column for column in COLUMNS if f"`{column}`" not in text] == []
