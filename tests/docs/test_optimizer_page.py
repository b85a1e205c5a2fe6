"""The code of docs/optimizer.md runs, and its facts are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from deephyper import optimizer as public
from deephyper.optimizer.bayesian import candidates, optimizer, pace
from deephyper.optimizer.settings import SURROGATE_MODELS, SkoptSettings
from deephyper.registry import OPTIMIZERS

PAGE = Path(__file__).parents[2] / "docs" / "optimizer.md"


@pytest.fixture
def text() -> str:
    return " ".join(PAGE.read_text(encoding="utf-8").split())


def test_the_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    # dataclasses look their module up
    exec(compile("\n".join(blocks), "optimizer.md", "exec"), {"__name__": __name__})
    prediction, description, climbed, point = capsys.readouterr().out.splitlines()
    mean, std, _ = (float(number) for number in prediction.split())
    assert abs(mean + 1.0) < 3 * std + 0.1
    assert "surrogate model RF, acquisition function EI" in description
    assert -30.0 < float(climbed) <= 0.0
    assert max(abs(value) for value in ast.literal_eval(point).values()) < 0.5


def test_its_numbers_are_those_of_the_code(text: str) -> None:
    assert f"until {optimizer.N_INITIAL} results are known" in text
    assert f"has grown by {round(100 * (optimizer.GROWTH - 1))} %" in text
    assert f"a pool of {candidates.SIZE} points" in text
    words = " ".join(text.split())
    usual, crowd, pending = pace.USUAL_PACE, pace.CROWD_PACE, pace.CROWD
    assert f"at most {usual.finished} results" in words
    assert f"{usual.failed} failures and {pending} running evaluations" in words
    assert f"Up to {pending} points" in words
    held = f"{crowd.finished} results, {crowd.failed} failures and the newest {crowd.pending}"
    assert held in words
    assert f"serves {crowd.room} proposals" in words


def test_every_other_proposal_asks_for_a_margin(text: str) -> None:
    assert "Every other proposal asks for an improvement by a margin" in text
    assert [margin > 0 for margin in optimizer.MARGINS] == [True, False, True, False]


def test_it_names_every_engine_its_settings_and_its_options(text: str) -> None:
    for name in OPTIMIZERS.names:
        assert f'| `"{name}"` | `{OPTIMIZERS.load(name).__name__}` |' in text
        assert OPTIMIZERS.load(name).__name__ in public.__all__
    assert "|".join(SURROGATE_MODELS).replace("|", "\\|") in text
    for option in SkoptSettings.options:
        assert option.flag in text


def test_its_links_lead_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert [t for t in targets if "://" not in t and not (PAGE.parent / t).exists()] == []
    titles = {title.lower().replace(" ", "-") for title in re.findall(r"^###? (.*)$", text, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= titles
