"""The code of docs/optimizer.md runs, and its facts are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deephyper.optimizer.bayesian import optimizer, pool

PAGE = Path(__file__).parents[2] / "docs" / "optimizer.md"


def test_the_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    exec(compile(code, "optimizer.md", "exec"), {"__name__": "page"})
    prediction, climbed = capsys.readouterr().out.splitlines()
    mean, std, _ = (float(number) for number in prediction.split())
    assert abs(mean + 1.0) < 3 * std + 0.1
    assert -30.0 < float(climbed) <= 0.0


def test_its_numbers_are_those_of_the_code() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"until {optimizer.N_INITIAL} results are known" in text
    assert f"a pool of {pool.SIZE} points" in text
    finished, failed, pending = optimizer.MAX_FINISHED, optimizer.MAX_FAILED, optimizer.MAX_PENDING
    assert f"at most {finished} results" in text
    assert f"{failed} failures and {pending} running evaluations" in text


def test_its_links_lead_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert [t for t in targets if "://" not in t and not (PAGE.parent / t).exists()] == []
