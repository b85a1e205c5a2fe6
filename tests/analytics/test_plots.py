from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from deephyper import AMBS, HpProblem, evaluation
from deephyper.analytics import plots
from deephyper.analytics.plots.figure import BLUE, ORANGE, label
from deephyper.core.cli import analytics
from deephyper.errors import DeepHyperError, ResultsError
from deephyper.evaluator import Evaluator

NAMES = (
    "history",
    "curves",
    "timeline",
    "predicted",
    "slices",
    "parallel",
    "dependence",
    "importance",
)


def run(point: dict[str, Any]) -> float:
    """Fail where x is large, and report ten steps elsewhere."""
    if point["x"] > 0.9:
        raise ValueError("too large")
    value = 0.0
    for step in range(1, 11):
        value = (1.0 - (point["x"] - 0.3) ** 2) * (1.0 - 0.5**step)
        evaluation.report(value, step=step)
    return value


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the log directory of a real search with reports and failures."""
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    problem.add_starting_point(x=0.95)
    log_dir = tmp_path_factory.mktemp("searched") / "search"
    with Evaluator.create(run, "thread", 3) as evaluator:
        AMBS(problem, evaluator, log_dir=log_dir, seed=1).search(max_evals=30)
    return log_dir


def rows(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_history_shows_every_objective_and_the_best_so_far(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "results.csv",
        "x,objective,status,start,end\n"
        "1,2.0,finished,0,3\n2,,failed,0,4\n3,2.5,pruned,1,5\n4,1.0,finished,1,2\n5,3.0,finished,5,9\n",
    )
    (axes,) = plots.history(path).axes
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(line.get_ydata(), [1.0, 2.0, 2.0, 2.0, 3.0])
    shown = {c.get_label(): np.asarray(c.get_offsets()).tolist() for c in axes.collections}
    assert shown["finished"] == [[1, 1.0], [2, 2.0], [5, 3.0]]
    assert shown["ended early"] == [[4, 2.5]]
    assert [x for x, _ in shown["failed"]] == [3]
    (axes,) = plots.history(path, by="time").axes
    np.testing.assert_array_equal(axes.get_lines()[0].get_xdata(), [2, 3, 4, 5, 9])


def test_history_says_what_is_out_of_sight(tmp_path: Path) -> None:
    values = [*np.linspace(1.0, 2.0, 20), -1e9, -5e8]
    text = "".join(f"{i},{value}\n" for i, value in enumerate(values))
    (axes,) = plots.history(rows(tmp_path / "results.csv", f"x,objective\n{text}")).axes
    assert "2 further below" in axes.get_title()
    low, high = axes.get_ylim()
    assert -5.0 < low < 1.0
    assert high > 2.0


@pytest.mark.parametrize("name", ["history", "timeline"])
def test_one_evaluation_and_equal_ones_are_plotted(tmp_path: Path, name: str) -> None:
    plot: Callable[..., Any] = getattr(plots, name)
    for number in (1, 5):
        text = "".join(f"{i},1.0,{10 + i},{12 + i}\n" for i in range(number))
        figure = plot(rows(tmp_path / "results.csv", f"x,objective,start,end\n{text}"))
        plots.save(figure, tmp_path / "plot.png", force=True)


def test_curves_are_those_that_were_reported(searched: Path) -> None:
    (axes,) = plots.curves(searched).axes
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    best = next(line for name, line in lines.items() if name.startswith("the best"))
    steps = np.asarray(best.get_xdata())
    np.testing.assert_array_equal(steps, np.arange(1, 11))
    ratio = np.asarray(best.get_ydata()) / (1.0 - 0.5**steps)
    assert np.ptp(ratio) < 1e-12
    assert "finished" in lines
    assert plots.curves(searched / "results.csv").axes


def test_a_curve_shows_what_came_of_its_evaluation(searched: Path, tmp_path: Path) -> None:
    lines = (searched / "journal.jsonl").read_text().splitlines()
    ends = [i for i, line in enumerate(lines) if '"event": "finished"' in line]
    for i, event in zip(ends, ("pruned", "paused"), strict=False):
        lines[i] = json.dumps({**json.loads(lines[i]), "event": event, "step": 10})
    (tmp_path / "journal.jsonl").write_text("\n".join([*lines, ""]))
    (axes,) = plots.curves(tmp_path).axes
    colors = [line.get_color() for line in axes.get_lines()]
    assert colors.count(ORANGE) == lines_of(lines, '"pruned"') + 1
    assert colors.count(BLUE) == lines_of(lines, '"finished"')
    assert colors.count("black") == 1


def lines_of(lines: list[str], event: str) -> int:
    return sum(f'"event": {event}' in line for line in lines)


def test_a_timeline_counts_what_runs_at_once(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "results.csv",
        "x,objective,worker,start,end\n1,1,w0,10,12\n2,1,w1,11,14\n3,1,w0,12,13\n",
    )
    above, below = plots.timeline(path).axes
    (line,) = above.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2, 2, 3, 4])
    np.testing.assert_array_equal(line.get_ydata(), [1, 2, 1, 2, 1, 0])
    assert "75.0%" in above.get_title()
    assert "of 2 at once" in above.get_title()
    assert len(below.patches) == 3


def test_evaluations_that_took_no_time_are_there(tmp_path: Path) -> None:
    text = "x,objective,worker,start,end\n1,1,w0,10,10\n2,1,w1,10,10\n3,1,w0,12,12\n"
    above, _ = plots.timeline(rows(tmp_path / "results.csv", text)).axes
    assert "of 2 at once" in above.get_title()
    figure = plots.timeline(rows(tmp_path / "results.csv", text.replace("12", "10")))
    assert "100.0% of 3 at once" in figure.axes[0].get_title()


def test_predictions_are_shown_beside_what_was_found(searched: Path) -> None:
    (axes,) = plots.predicted(searched).axes
    points = axes.collections[-1]
    assert len(np.asarray(points.get_offsets())) > 5
    assert "rank correlation" in axes.get_title()


TABLE = (
    "units,lr,kind,momentum,objective\n"
    "8,0.0001,adam,,1\n64,0.01,sgd,0.5,3\n32,0.001,sgd,0.9,2\n16,0.1,adam,,2.5\n"
)


def test_slices_have_the_values_where_they_belong(tmp_path: Path) -> None:
    figure = plots.slices(rows(tmp_path / "results.csv", TABLE), on_notice=lambda _: None)
    shown = {axes.get_xlabel().removesuffix(" (log)"): axes for axes in figure.axes}
    assert {*shown} >= {"units", "lr", "kind", "momentum"}
    offsets = np.asarray(shown["lr"].collections[0].get_offsets())
    np.testing.assert_allclose(offsets[:, 0], [0.0, 2 / 3, 1 / 3, 1.0], atol=1e-9)
    np.testing.assert_array_equal(offsets[:, 1], [1.0, 3.0, 2.0, 2.5])
    kinds = np.asarray(shown["kind"].collections[0].get_offsets())[:, 0]
    texts = [text.get_text() for text in shown["kind"].get_xticklabels()]
    places = dict(zip(texts, shown["kind"].get_xticks(), strict=True))
    for x, kind in zip(kinds, ["adam", "sgd", "sgd", "adam"], strict=True):
        assert min(places, key=lambda each: abs(places[each] - x)) == kind
    inactive = np.ma.getdata(shown["momentum"].collections[0].get_offsets())[:, 0]
    assert np.isnan(inactive).tolist() == [True, False, False, True]


def test_a_value_that_is_always_bad_is_at_the_edge(tmp_path: Path) -> None:
    text = "".join(f"{'good' if i % 4 else 'bad'},{i if i % 4 else -1e6}\n" for i in range(40))
    figure = plots.slices(rows(tmp_path / "results.csv", f"kind,objective\n{text}"))
    _, edge = figure.axes[0].collections
    low, _ = figure.axes[0].get_ylim()
    offsets = np.asarray(edge.get_offsets())
    assert len(offsets) == 10
    assert {*offsets[:, 1]} == {low}
    assert {*np.round(offsets[:, 0] * 2 - 0.5)} == {0.0}  # of the first of two


def test_the_better_lines_are_on_top(tmp_path: Path) -> None:
    path = rows(tmp_path / "results.csv", TABLE)
    (axes,) = plots.parallel(path, on_notice=lambda _: None).axes
    lines = axes.collections[0]
    ends = [segment[-1][1] for segment in lines.get_segments()]  # type: ignore[attr-defined]
    assert ends == sorted(ends)
    assert [text.get_text().split("\n")[0] for text in axes.get_xticklabels()][-1] == "objective"


def test_of_many_evaluations_the_best_are_among_the_lines(tmp_path: Path) -> None:
    text = "".join(f"{i % 97},{i}\n" for i in range(3000))
    path = rows(tmp_path / "results.csv", f"x,objective\n{text}")
    (axes,) = plots.parallel(path, on_notice=lambda _: None).axes
    assert "1000 of 3000" in axes.get_title()
    assert len(axes.collections[0].get_segments()) == 1000  # type: ignore[attr-defined]


def test_a_search_of_one_point_has_nothing_to_slice(tmp_path: Path) -> None:
    path = rows(tmp_path / "results.csv", "x,objective\n1,2\n1,3\n")
    with pytest.raises(ResultsError, match="varies"):
        plots.slices(path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_each_kind_is_saved_in_each_form(
    searched: Path, tmp_path: Path, name: str, ending: str
) -> None:
    path = tmp_path / f"plot{ending}"
    assert analytics.main(["plot", name, str(searched), "-o", str(path)]) == 0
    begin = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(begin)


def test_a_file_that_is_there_is_kept(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert analytics.main(["plot", "history", str(searched)]) == 0
    before = (tmp_path / "history.png").read_bytes()
    assert analytics.main(["plot", "history", str(searched), "--by", "time"]) == 2
    assert (tmp_path / "history.png").read_bytes() == before
    assert analytics.main(["plot", "history", str(searched), "--by", "time", "--force"]) == 0
    assert (tmp_path / "history.png").read_bytes() != before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["history", "nowhere"], "nowhere"),
        (["history", "{}", "-o", "x.gif"], ".png, .svg or .pdf"),
        (["history", "{}", "-o", "no/x.png"], "no directory"),
        (["history", "{}", "--by", "steps"], "--by"),
        (["histories", "{}"], "histories"),
        (["curves", "plain.csv"], "no journal beside"),
        (["timeline", "plain.csv"], "'start' and 'end'"),
        (["predicted", "plain.csv"], "nothing in 'plain.csv' was predicted"),
        (["history", "plain.csv", "--by", "time"], "by evaluations"),
        (["history", "failed.csv"], "no finished evaluation"),
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
    rows(tmp_path / "plain.csv", "x,objective\n1,2\n2,3\n")
    rows(tmp_path / "failed.csv", "x,objective,status\n1,,failed\n")
    assert analytics.main(["plot", *(word.format(searched) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["failed.csv", "plain.csv"]


def test_searches_without_reports_have_no_curves(tmp_path: Path) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    with Evaluator.create(lambda point: point["x"], "thread", 1) as evaluator:
        AMBS(problem, evaluator, log_dir=tmp_path, seed=1).search(max_evals=2)
    with pytest.raises(ResultsError, match="has reported"):
        plots.curves(tmp_path)


def test_without_matplotlib_is_said_how_to_install_it(
    searched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DeepHyperError, match=r"'\.\[plot\]'"):
        plots.history(searched)


def test_a_notebook_shows_a_figure_without_pyplot(searched: Path) -> None:
    program = (
        "import sys; from deephyper.analytics import plots; "
        f"figure = plots.history({str(searched)!r}); "
        "assert 'matplotlib.pyplot' not in sys.modules; "
        "print(figure._repr_png_()[:4])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == repr(b"\x89PNG"), done.stderr


def test_names_of_users_are_not_mathematics() -> None:
    assert label("$x_1$") == r"\$x_1\$"
    assert label("a\nb") == "a b"
    assert len(label("n" * 500)) == 60


def test_help_lists_the_kinds() -> None:
    from deephyper.core.cli.plot import plot

    shown = CliRunner().invoke(plot, ["--help"]).output
    assert all(f"\n  {name}" in shown for name in NAMES)
