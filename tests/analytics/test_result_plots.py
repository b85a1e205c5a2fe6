from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper import AMBS, HpProblem, SearchResult, evaluation
from deephyper.analytics import importance, plots
from deephyper.errors import SettingsError
from deephyper.evaluator import Evaluator

KINDS = ("history", "slices", "parallel", "timeline", "predicted", "dependence", "importance")


def run(point: dict[str, Any]) -> float:
    value: float = 1.0 - (point["x"] - 0.3) ** 2 + (0.1 if point["kind"] == "a b" else 0.0)
    evaluation.report(value, step=1)
    return value


def searched(log_dir: Path | None) -> SearchResult:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    problem.add_hyperparameter(["a b", "1"], "kind")
    with Evaluator.create(run, "thread", 2) as evaluator:
        return AMBS(problem, evaluator, log_dir=log_dir, seed=1).search(max_evals=30)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    return searched(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def in_memory() -> SearchResult:
    return searched(None)


@pytest.mark.parametrize("kind", KINDS)
def test_each_plot_is_that_of_the_files(kept: SearchResult, kind: str) -> None:
    figure = getattr(kept.plot, kind)()
    other = getattr(plots, kind)(kept.log_dir)
    assert [axes.get_xlabel() for axes in figure.axes] == [a.get_xlabel() for a in other.axes]
    for axes, same in zip(figure.axes, other.axes, strict=True):
        for one, two in zip(axes.get_lines(), same.get_lines(), strict=True):
            np.testing.assert_array_equal(one.get_ydata(), two.get_ydata())


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_in_memory_is_plotted_and_leaves_no_file(
    in_memory: SearchResult, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert getattr(in_memory.plot, kind)().axes
    assert [*tmp_path.iterdir()] == []


def test_the_same_search_in_memory_has_the_same_history(
    kept: SearchResult, in_memory: SearchResult
) -> None:
    assert in_memory.num_evaluations == kept.num_evaluations
    for result in (kept, in_memory):
        (axes,) = result.plot.history().axes
        best = np.asarray(axes.get_lines()[0].get_ydata())
        assert best[-1] == result.best_objective


def test_a_text_that_looks_like_a_number_stays_a_text(in_memory: SearchResult) -> None:
    axes = in_memory.plot.dependence("x", "kind").axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["1", "a b"]
    axes = next(a for a in in_memory.plot.slices().axes if a.get_xlabel() == "kind")
    assert {text.get_text() for text in axes.get_xticklabels()} == {"1", "a b"}


def test_curves_need_files(kept: SearchResult, in_memory: SearchResult) -> None:
    assert kept.plot.curves().axes
    with pytest.raises(SettingsError, match="log_dir"):
        in_memory.plot.curves()


def test_one_and_two_hyperparameters_are_chosen(kept: SearchResult) -> None:
    assert kept.plot.dependence("x").axes[0].get_xlabel() == "x"
    assert kept.plot.dependence("x", "kind").axes[0].get_ylabel() == "kind"


def test_importance_is_that_of_the_files(kept: SearchResult, in_memory: SearchResult) -> None:
    assert kept.log_dir is not None
    assert kept.importance() == importance(kept.log_dir)
    found = in_memory.importance(pairs=False)
    assert {effect.names[0] for effect in found.hyperparameters} == {"x", "kind"}
    assert found.pairs == ()
