"""Searches that minimize: whatever a user sees has the user's own sign."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from deephyper.analytics.topk import best_evaluations, best_point
from deephyper.errors import ResultsError, SettingsError
from deephyper.job import Failure
from deephyper.optimizer import BayesianOptimizer
from deephyper.search.replay import read_journal
from deephyper.search.search import Search
from tests.search.virtual_search import VirtualSearch, line_problem


def minimizing(log_dir: Path, **options: object) -> VirtualSearch:
    """Return a search for the x nearest to 0.3, by the default optimizer."""
    return VirtualSearch(
        log_dir,
        run=lambda job: (job.point["x"] - 0.3) ** 2 + 5.0,
        make_optimizer=lambda problem, seed: BayesianOptimizer(problem, seed=seed),
        options={"direction": "minimize", "seed": 1, **options},
    )


def rows_of(log_dir: Path) -> list[dict[str, str]]:
    with (log_dir / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_finds_the_smallest_objective_and_says_so(tmp_path: Path) -> None:
    result = minimizing(tmp_path / "search").session(25)
    objectives = [o.objective for o in result.outcomes if o.objective is not None]
    assert result.best_objective == min(objectives) < 5.0001
    assert f"best objective: {result.best_objective:.6g}" in repr(result)
    html = result._repr_html_()
    first = html.partition("<tbody><tr><td>")[2].partition("</td>")[0]
    assert first == f"{min(objectives):.6g}"
    frame = result.to_dataframe()
    assert frame["objective"].min() == result.best_objective
    assert set(frame["direction"]) == {"minimize"}


def test_predictions_have_the_sign_of_objectives(tmp_path: Path) -> None:
    minimizing(tmp_path / "search").session(25)
    predicted = [r["predicted"] for r in rows_of(tmp_path / "search") if r["predicted"]]
    assert len(predicted) > 10
    assert all(4.5 < float(value) < 6.0 for value in predicted)


def test_topk_ranks_the_smallest_first(tmp_path: Path) -> None:
    result = minimizing(tmp_path / "search").session(12)
    file = tmp_path / "search" / "results.csv"
    found = [each["objective"] for each in best_evaluations(file, 12)]
    assert found == sorted(o.objective for o in result.outcomes if o.objective is not None)
    assert best_point(file) == result.best_point
    # Wherever the file is, and whatever else is gone.
    other = tmp_path / "copy.csv"
    other.write_bytes(file.read_bytes())
    assert best_point(other) == result.best_point


def test_the_search_goes_the_same_way_as_one_that_maximizes_the_opposite(tmp_path: Path) -> None:
    one = minimizing(tmp_path / "one").session(20)
    other = minimizing(tmp_path / "other", direction="maximize")
    other.run = lambda job: -((job.point["x"] - 0.3) ** 2 + 5.0)
    again = other.session(20)
    assert [o.job.point for o in one.outcomes] == [o.job.point for o in again.outcomes]


def test_a_resumed_search_minimizes(tmp_path: Path) -> None:
    search = minimizing(tmp_path / "search")
    search.session(10)
    record = read_journal(tmp_path / "search")
    assert record.direction == "minimize"
    assert record.best is not None
    result = search.session(25)
    assert result.best_objective is not None
    assert result.best_objective <= min(float(r["objective"]) for r in rows_of(search.log_dir))
    with pytest.raises(SettingsError, match=r"started to minimize .* give direction='minimize'$"):
        search.session(30, direction="maximize")


def test_ends_at_the_target_and_without_patience(tmp_path: Path) -> None:
    objectives = [0.9, 0.5, 0.7, 0.4, 0.45, 0.3, 0.1]
    search = VirtualSearch(tmp_path / "a", run=lambda job: objectives[int(job.id)])
    result = search.session(7, direction="minimize", target=0.4)
    assert (result.reason, result.num_evaluations) == ("target", 4)
    search = VirtualSearch(tmp_path / "b", run=lambda job: objectives[int(job.id)])
    result = search.session(7, direction="minimize", patience=3, min_delta=0.25)
    assert (result.reason, result.num_evaluations) == ("patience", 5)


def test_a_warm_start_has_the_same_direction(tmp_path: Path) -> None:
    minimizing(tmp_path / "first").session(15)
    results = tmp_path / "first" / "results.csv"
    warm = minimizing(tmp_path / "second", warm_start=results)
    result = warm.session(10)
    assert result.best_objective is not None
    assert result.best_objective < 5.001
    with pytest.raises(ResultsError, match="is of a search to minimize the objective"):
        minimizing(tmp_path / "third", warm_start=results, direction="maximize").session(1)


def test_failures_are_failures(tmp_path: Path) -> None:
    search = minimizing(tmp_path / "search")
    search.run = lambda job: (
        Failure("exception", "odd") if job.point["x"] > 0.5 else 1.0 + job.point["x"]
    )
    result = search.session(20)
    assert 0 < result.num_failures < 12
    assert result.best_objective is not None
    assert result.best_objective < 1.01


def test_results_of_both_directions_are_not_mixed(tmp_path: Path) -> None:
    minimizing(tmp_path / "search").session(4)
    file = tmp_path / "search" / "results.csv"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(
        "".join([*lines[:2], *(line.replace("minimize", "maximize") for line in lines[2:])])
    )
    with pytest.raises(ResultsError, match="is not 'minimize' in every row"):
        best_evaluations(file)


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(SettingsError, match="direction is 'min'; give 'maximize' or 'minimize'"):
        Search(line_problem(), lambda point: 1.0, direction="min")  # type: ignore[arg-type]
