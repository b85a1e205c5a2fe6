"""Progress of searches that are run from Python: on a terminal, and in a notebook."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from typing import Any, Literal

import pytest

from deephyper import HpProblem, RandomSearch, VirtualEvaluator
from deephyper.errors import SettingsError
from deephyper.progress.notebook import as_html, in_notebook
from deephyper.progress.state import Row, State


def search(progress: Any) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    evaluator = VirtualEvaluator(lambda point: float(point["x"]), 2)
    RandomSearch(problem, evaluator, log_dir=None, progress=progress).search(max_evals=3)


@pytest.mark.parametrize(("progress", "lines"), [(True, 4), (False, 0), ("auto", 0)])
def test_progress_is_shown_when_it_is_asked_for(
    progress: bool | Literal["auto"], lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    search(progress)
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == lines
    if lines:
        assert shown[0].startswith("[0/3]  searching 1 hyperparameters by")
        assert shown[-1].startswith("[3/3] ")


def test_anything_else_is_refused() -> None:
    with pytest.raises(SettingsError, match="progress is 'often'; give True, False or 'auto'"):
        search("often")


def test_this_is_no_notebook() -> None:
    assert not in_notebook()
    program = (
        "import sys; from deephyper.progress.notebook import in_notebook; "
        "print(in_notebook(), 'IPython' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_a_notebook_shows_the_search_as_html() -> None:
    point = {"<b>": "<script>alert(1)</script>"}
    state = State(
        3,
        10,
        1,
        0.5,
        61.0,
        120.0,
        running=9,
        workers=9,
        utilization=0.5,
        best_point=point,
        since_best=5.0,
        rows=(Row("7", "0", 65.0, 3, 0.25, point),),
    )
    html = as_html(state, ["a line & <more>"])
    found: list[str] = []
    texts: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(tag)

        def handle_data(self, data: str) -> None:
            texts.append(data)

    Parser().feed(html)
    assert found[0] == "progress"
    assert {"script", "b"} & {*found} == set()
    assert "a line & <more>" in texts
    text = " ".join(texts)
    for part in ("3/10", "best 0.5", "9 running", "utilization 50%", "1:05", "and 8 more"):
        assert part in text
