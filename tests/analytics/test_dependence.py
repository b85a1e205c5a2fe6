from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper.analytics import plots
from deephyper.analytics.fanova.dependence import DependenceModel
from deephyper.analytics.points import read_points
from deephyper.core.cli import analytics
from deephyper.errors import ResultsError, SettingsError

HEADER = "x,lr,kind,units,objective"


def objective(x: Any, lr: Any, kind: Any, units: Any) -> Any:
    """One main effect each, and an interaction of x and the kind."""
    wave = np.sin(3.0 * x)
    log = (np.log10(lr) + 2.0) ** 2 / 4.0
    return wave - log + np.where(kind == "a", x - 0.5, 0.5 - x) + 0.1 * units


def written(path: Path, n: int = 200, seed: int = 3, sign: float = 1.0) -> Path:
    rng = np.random.default_rng(seed)
    x, lr = rng.random(n), 10.0 ** rng.uniform(-4.0, 0.0, n)
    kind, units = rng.choice(["a", "b"], n), rng.choice([1, 2, 4], n)
    y = sign * objective(x, lr, kind, units)
    rows = [f"{a!r},{b!r},{c},{d},{e!r}" for a, b, c, d, e in zip(
        x.tolist(), lr.tolist(), kind.tolist(), units.tolist(), y.tolist(), strict=True
    )]  # fmt: skip
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("results") / "results.csv")


@pytest.fixture(scope="module")
def model(results: Path) -> DependenceModel:
    return DependenceModel(read_points(results), -np.inf)


def test_the_mean_over_all_others_is_found_within_its_error(model: DependenceModel) -> None:
    rng = np.random.default_rng(0)
    x, lr = rng.random(20_000), 10.0 ** rng.uniform(-4.0, 0.0, 20_000)
    kind, units = rng.choice(["a", "b"], 20_000), rng.choice([1, 2, 4], 20_000)
    for k, name in enumerate(("x", "lr")):
        found = model.of([k])
        (column,) = found.columns
        assert column.name == name
        for i in range(10, 91, 20):
            value = column.value_at(float(found.places[0][i]))
            given = {"x": x, "lr": lr, "kind": kind, "units": units, name: value}
            truth = float(np.mean(objective(**given)))
            assert found.mean[i] == pytest.approx(truth, abs=0.05)
            assert abs(found.mean[i] - truth) <= 4.0 * found.std[i] + 0.02


def test_a_map_has_the_interaction_in_it(model: DependenceModel) -> None:
    found = model.of([0, 2])
    assert [column.name for column in found.columns] == ["x", "kind"]
    assert found.mean.shape == found.std.shape == (41, 2)
    difference = found.mean[:, 0] - found.mean[:, 1]  # 2 x - 1
    np.testing.assert_allclose(difference, np.linspace(-1.0, 1.0, 41), atol=0.1)


def test_the_strongest_come_first(model: DependenceModel) -> None:
    # Variances of the main effects: of x 0.097, of lr 0.089, of units 0.016, of the kind 0.
    order = model.strongest()
    assert {*order[:2]} == {0, 1}
    assert order[2:] == [3, 2]


def test_it_is_less_sure_where_less_was_evaluated(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(0.0, 0.5, 60), [1.0]])
    text = "".join(f"{a!r},{math.sin(6 * a)!r}\n" for a in x.tolist())
    path = tmp_path / "results.csv"
    path.write_text("x,objective\n" + text)
    found = DependenceModel(read_points(path), -np.inf).of([0])
    assert found.std[75] > 5.0 * found.std[25]


def test_without_names_each_has_a_panel(results: Path) -> None:
    figure = plots.dependence(results, on_notice=lambda _: None)
    names = [axes.get_xlabel() for axes in figure.axes if axes.get_visible()]
    assert {*names} == {"x", "lr (log)", "kind", "units"}
    assert names[-1] == "kind"


def test_one_has_its_evaluations_too(results: Path) -> None:
    (axes,) = plots.dependence(results, ["lr"], on_notice=lambda _: None).axes
    dots = np.asarray(axes.collections[0].get_offsets())
    assert len(dots) == 200
    line = axes.get_lines()[0]
    assert np.argmax(np.asarray(line.get_ydata())) == pytest.approx(50, abs=5)


def test_two_have_a_map_with_the_best_on_it(results: Path) -> None:
    points = read_points(results)
    best = points.places[int(np.argmax(points.objectives)), :2]
    figure = plots.dependence(results, ["x", "lr"], on_notice=lambda _: None)
    stars = [c for c in figure.axes[0].collections if c.get_label() == "the best"]
    np.testing.assert_allclose(np.asarray(stars[0].get_offsets())[0], best)


def test_a_search_that_minimizes_keeps_its_sign(tmp_path: Path) -> None:
    path = written(tmp_path / "results.csv", n=80, sign=-1.0)
    head, *lines = path.read_text().splitlines()
    own = "id,elapsed_sec,status,worker,start,end,failure,predicted,predicted_std,direction"
    rows = [f"{line},{i},1.0,finished,0,0,1,,,,minimize" for i, line in enumerate(lines)]
    path.write_text("\n".join([f"{head},{own}", *rows, ""]))
    points = read_points(path)
    assert points.direction == "minimize"
    found = DependenceModel(points, np.inf).of([1])
    assert int(np.argmin(found.mean)) == pytest.approx(50, abs=8)
    assert plots.dependence(path, ["x", "units"], on_notice=lambda _: None).axes


def test_one_that_diverged_does_not_hide_the_rest(results: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(results.read_text() + "0.5,0.01,a,1,-1e300\n")
    (axes,) = plots.dependence(path, ["x"], on_notice=lambda _: None).axes
    low, high = axes.get_ylim()
    assert high - low < 50.0
    line = np.asarray(axes.get_lines()[0].get_ydata())
    assert np.isfinite(line).all()


def test_importance_is_plotted_with_its_intervals(results: Path) -> None:
    from deephyper.analytics import importance

    found = importance(results)
    (axes,) = plots.importance(results, on_notice=lambda _: None).axes
    names = [text.get_text() for text in axes.get_yticklabels()]
    widths: list[float] = [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]
    shares = {" x ".join(e.names): e.share for e in (*found.hyperparameters, *found.pairs)}
    assert {"x", "lr", "units", "kind", "x x kind"} <= {*names}
    assert sorted(widths) == pytest.approx(sorted(shares[name] or 0.0 for name in names))
    assert names[0] == max(shares, key=lambda name: shares[name] or 0.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dependence", "{}", "-H", "xx"], "did you mean 'x'?"),
        (
            ["dependence", "{}", "-H", "x", "-H", "lr", "-H", "kind"],
            "one hyperparameter, or of two",
        ),
        (["dependence", "{}", "-H", "x", "-H", "x"], "one hyperparameter, or of two"),
        (["dependence", "few.csv"], "3 finished evaluations, and it takes 10"),
        (["dependence", "equal.csv"], "all objectives are equal"),
        (["dependence", "one.csv"], "varies"),
        (["importance", "few.csv"], "3 finished evaluations, and it takes 10"),
        (["importance", "equal.csv"], "all objectives are equal"),
        (["importance", "{}", "--best", "2"], "--best"),
    ],
)
def test_what_can_not_be_plotted_is_said(
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("few.csv").write_text("x,objective\n1,2\n2,3\n3,4\n")
    Path("equal.csv").write_text("x,objective\n" + "".join(f"{i},2\n" for i in range(20)))
    Path("one.csv").write_text("x,objective\n" + "".join(f"1,{i}\n" for i in range(20)))
    assert analytics.main(["plot", *(word.format(results) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert not [*Path().glob("*.png")]


def test_a_constant_has_no_dependence(results: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("".join(f"c,{line}\n" if i == 0 else f"7,{line}\n" for i, line in enumerate(
        results.read_text().splitlines()
    )))  # fmt: skip
    with pytest.raises(SettingsError, match="'c' has one value"):
        plots.dependence(path, ["c"])


def test_too_few_are_too_little(tmp_path: Path) -> None:
    path = written(tmp_path / "results.csv", n=9)
    with pytest.raises(ResultsError, match="9 finished"):
        plots.dependence(path)
