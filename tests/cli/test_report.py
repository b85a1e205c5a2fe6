"""``deephyper-analytics report``: the file, and what is said of mistakes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deephyper.analytics.report.page import MARK
from tests.analytics.report.searches import values_in, write_rows
from tests.cli.command_line import Run


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_rows(tmp_path / "results.csv", ["x", "objective"], [[i, i] for i in range(9)])


def test_the_report_is_saved_under_its_default_name(
    deephyper_analytics: Run, results: Path
) -> None:
    ended = deephyper_analytics("report", results)
    assert (ended.status, ended.out, ended.err) == (0, "Saved the report in report.html.\n", "")
    assert Path("report.html").read_bytes().startswith(MARK)
    assert values_in(Path("report.html"))["numRows"] == 9


def test_a_report_that_is_there_is_replaced_where_that_is_said(
    deephyper_analytics: Run, results: Path
) -> None:
    Path("mine.html").write_text("mine")
    ended = deephyper_analytics("report", results, "-o", "mine.html")
    assert ended.status == 2
    assert "'mine.html' exists already" in ended.err
    assert "--force" in ended.err
    assert Path("mine.html").read_text() == "mine"
    assert deephyper_analytics("report", results, "-o", "mine.html", "--force").status == 0
    assert Path("mine.html").read_bytes().startswith(MARK)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere"),
        (["results.csv", "-o", "report.pdf"], "ends in .html"),
        (["results.csv", "-o", "nowhere/report.html"], "there is no directory 'nowhere'"),
        (["results.csv", "--follow", "0"], "duration"),
        (["results.csv", "--follow", "soon"], "duration"),
        (["results.csv", "--follow"], "log directory of a search"),
        ([], "Missing argument"),
    ],
)
def test_bad_command_lines(
    deephyper_analytics: Run, results: Path, words: list[str], said: str
) -> None:
    ended = deephyper_analytics("report", *words)
    assert ended.status == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
    assert [*Path.cwd().iterdir()] == [results]


def test_the_command_in_a_report_does_what_was_done(
    deephyper: Run, deephyper_analytics: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("problem.py").write_text(
        "from deephyper import HpProblem\n\nProblem = HpProblem()\n"
        "Problem.add_hyperparameter((0.0, 1.0), 'x')\n\n\n"
        "def run(point):\n    return point['x']\n"
    )
    words = ["--problem", "problem.py", "--run", "problem.py", "--log-dir", "the search"]
    ended = deephyper("hps", "random", *words, "--max-evals", 3, "--seed", 1)
    assert ended.status == 0, ended.err
    assert deephyper_analytics("report", "the search").status == 0
    run = values_in(Path("report.html"))["run"]
    settings = dict(run["settings"])
    assert settings["log directory"] == str(tmp_path / "the search")
    assert settings["working directory"] == str(tmp_path)
    points = Path("the search", "results.csv").read_text().splitlines()[1][:8]
    Path("the search").rename("moved away")
    program, *copied = shlex.split(run["command"])
    assert program == "deephyper"
    ended = deephyper(*copied)
    assert ended.status == 0, ended.err
    assert Path("the search", "results.csv").read_text().splitlines()[1][:8] == points


def test_without_bokeh_one_line_says_how_to_install_it(results: Path) -> None:
    program = (
        "import sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'bokeh': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "from deephyper.core.cli.analytics import main\n"
        "sys.exit(main(['report', 'results.csv']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=results.parent
    )
    assert done.returncode == 2
    assert done.stderr == (
        "deephyper: error: Bokeh isn't installed; get it with: pip install '.[report]' "
        "in the clone of deephyper\n"
    )
    assert not (results.parent / "report.html").exists()
