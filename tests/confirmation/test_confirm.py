"""The best points of a search, evaluated again and ranked anew."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deephyper import HpProblem, RandomSearch, VirtualEvaluator, confirm, evaluation
from deephyper import resume_confirmation as resume
from deephyper.confirmation.candidates import Candidate
from deephyper.confirmation.confirmation import Confirmation
from deephyper.confirmation.ranking import ranked
from deephyper.errors import ProblemError, ResultsError, SettingsError
from deephyper.job import Failure, Job, Outcome
from deephyper.search.replay import read_journal
from deephyper.search.results import read_results

RESULTS = """\
lr,units,objective,id,status
0.5,1,3.0,7,finished
0.25,2,5.0,8,finished
1.0,3,4.0,9,finished
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.csv"
    path.write_text(RESULTS)
    return path


def again(results: Path, run: Any, k: int = 2, n: int = 3, **options: Any) -> Any:
    return confirm(results, run, k, n, log_dir=results.parent / "confirm", **options)


def units(point: dict[str, Any]) -> float:
    return float(point["units"])


def test_points_are_ranked_by_the_means_of_new_evaluations(results: Path) -> None:
    first, second = again(results, units)
    assert (first.point, first.objectives) == ({"lr": 1.0, "units": 3}, (3.0,) * 3)
    assert (first.mean, first.standard_error) == (3.0, 0.0)
    assert (first.objective, first.id) == (4.0, 9)
    assert (second.point, second.id) == ({"lr": 0.25, "units": 2}, 8)


def test_the_standard_error_is_that_of_the_mean() -> None:
    candidate = Candidate({"x": 1}, 1.0, 0)
    job = Job("0", {"x": 1})
    outcomes = [Outcome(job, "finished", y, None, 0.0, 1.0, "w") for y in (1.0, 2.0, 6.0)]
    (confirmed,) = ranked([candidate], outcomes, "maximize")
    assert confirmed.mean == 3.0
    assert confirmed.standard_error == pytest.approx(math.sqrt(7.0 / 3.0))  # variance 7, of 3
    (once,) = ranked([candidate], outcomes[:1], "maximize")
    assert (once.mean, once.standard_error) == (1.0, None)


def test_the_original_stays_as_it_is(tmp_path: Path) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    RandomSearch(problem, lambda point: point["x"], log_dir=tmp_path / "log").search(4)
    before = {path: path.read_bytes() for path in (tmp_path / "log").iterdir() if path.is_file()}
    confirm(tmp_path / "log", lambda point: point["x"], 2, 2, log_dir=tmp_path / "confirm")
    after = {path: path.read_bytes() for path in (tmp_path / "log").iterdir() if path.is_file()}
    assert after == before
    with pytest.raises(ResultsError, match="holds a search already"):
        confirm(tmp_path / "log", lambda point: point["x"], 2, 2, log_dir=tmp_path / "log")


def test_each_evaluation_has_a_seed_of_its_own_and_none_of_the_search(tmp_path: Path) -> None:
    def seed(point: dict[str, Any]) -> dict[str, float]:
        return {"objective": point["x"], "seed": float(evaluation.seed)}

    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    log, own = tmp_path / "log", tmp_path / "confirm"
    RandomSearch(problem, seed, log_dir=log, seed=0).search(6)
    confirm(log, seed, 2, 3, log_dir=own, seed=0)
    seeds = [row.metrics["seed"] for path in (log, own) for row in read_results(path)]
    assert len(set(seeds)) == len(seeds) == 12


def test_failures_are_counted_and_points_without_an_objective_come_last(results: Path) -> None:
    def run(point: dict[str, Any]) -> float | str:
        return "F_diverged" if point["units"] == 2 else 1.0

    first, second = again(results, run)
    assert (first.num_finished, first.num_failed, first.id) == (3, 0, 9)
    assert (second.num_finished, second.num_failed, second.mean) == (0, 3, None)


def test_a_search_that_minimizes_is_confirmed_by_the_smallest(tmp_path: Path) -> None:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    log = tmp_path / "log"
    search = RandomSearch(problem, lambda p: p["x"], log_dir=log, seed=1, direction="minimize")
    objectives = sorted(o.objective or 0.0 for o in search.search(5).outcomes)
    found = confirm(log, lambda p: 1.0 - p["x"], 3, 1, log_dir=tmp_path / "confirm")
    assert [each.objective for each in found] == objectives[2::-1]
    assert read_journal(tmp_path / "confirm").direction == "minimize"


def test_every_point_is_evaluated_once_before_any_is_again(results: Path) -> None:
    again(results, units, 3, 2)
    order = [row.point["units"] for row in read_results(results.parent / "confirm")]
    assert sorted(order[:3]) == sorted(order[3:]) == [1, 2, 3]


def test_what_is_interrupted_is_resumed_to_the_same_number_of_evaluations(tmp_path: Path) -> None:
    candidates = [Candidate({"x": x}, float(x), x) for x in (3, 2, 1)]

    def evaluator() -> VirtualEvaluator:
        return VirtualEvaluator(run_job=lambda job: float(job.point["x"]), num_workers=2)

    first = Confirmation(candidates, evaluator(), 3, log_dir=tmp_path, grace=0.0)
    result, _ = first.confirm(timeout=1.5)
    assert result.reason == "timeout"
    assert result.num_evaluations < 9
    confirmed = resume(tmp_path, evaluator(), timeout=1000.0)
    assert [(each.point["x"], each.num_finished) for each in confirmed] == [(3, 3), (2, 3), (1, 3)]
    assert [each.num_finished for each in resume(tmp_path, evaluator(), 5)] == [5, 5, 5]
    ids = [row.columns["id"] for row in read_results(tmp_path)]
    assert sorted(ids) == list(range(15))


def test_a_failed_evaluation_is_not_made_up_for(tmp_path: Path) -> None:
    candidates = [Candidate({"x": x}, float(x)) for x in (2, 1)]
    failed = Failure("exception", "ValueError")
    evaluator = VirtualEvaluator(run_job=lambda job: failed if job.id == "0" else 1.0)
    result, confirmed = Confirmation(candidates, evaluator, 2, log_dir=tmp_path).confirm()
    assert result.num_evaluations == 4
    assert Counter(each.num_finished + each.num_failed for each in confirmed) == {2: 2}


def test_the_same_point_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("x,objective,id\n1,5.0,0\n1,4.0,1\n1.0,3.0,2\n2,2.0,3\n")
    found = confirm(path, lambda point: point["x"], 3, 1, log_dir=None)
    assert [each.id for each in found] == [3, 0, 2]
    with pytest.raises(ResultsError, match="has 3 different points with an objective, and k is 4"):
        confirm(path, lambda point: point["x"], 4, 1, log_dir=None)


def test_failed_and_pruned_evaluations_are_no_candidates(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("x,objective,status\n1,9.0,pruned\n2,,failed\n3,1.0,finished\n")
    with pytest.raises(ResultsError, match="has 1 point with an objective, and k is 2"):
        confirm(path, units, 2, 1, log_dir=None)
    path.write_text("x,objective,status\n1,9.0,pruned\n2,,failed\n")
    with pytest.raises(ResultsError, match="has no finished evaluation"):
        confirm(path, units, 2, 1, log_dir=None)


def test_fixed_values_replace_those_of_the_search(results: Path) -> None:
    notices: list[str] = []
    found = again(results, units, 2, 1, fixed={"lr": 1, "epochs": 200}, on_notice=notices.append)
    assert [each.point for each in found] == [
        {"lr": 1.0, "units": 3, "epochs": 200},
        {"lr": 1.0, "units": 2, "epochs": 200},
    ]
    assert all(type(each.point["lr"]) is float for each in found)
    assert notices == ["'epochs' is not a hyperparameter of the search; run is given it too"]


def test_points_that_fixed_values_make_the_same_count_once(results: Path) -> None:
    with pytest.raises(ResultsError, match="has 1 point with an objective, and k is 2"):
        again(results, units, 2, 1, fixed={"lr": 0.5, "units": 1})


def test_a_hyperparameter_is_fixed_where_it_is_active(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("degree,kernel,objective\n3,poly,2.0\n,rbf,1.0\n")
    found = confirm(path, lambda point: 1.0, 2, 1, fixed={"degree": 5}, log_dir=None)
    assert [each.point for each in found] == [{"degree": 5, "kernel": "poly"}, {"kernel": "rbf"}]


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"units": 1.5}, "units is 1.5; give a whole number, as in the results"),
        ({"lr": "high"}, "lr is 'high'; give a number, as in the results"),
        ({"lr": math.nan}, "lr is nan; give a finite number, a text, True, False or None"),
        ({"extra": [1]}, r"extra is \[1\]; give a finite number"),
    ],
)
def test_values_that_can_not_be_fixed(results: Path, fixed: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=f"^{message}"):
        again(results, units, fixed=fixed)


def test_a_fixed_name_that_results_have_a_column_of(results: Path) -> None:
    with pytest.raises(ProblemError, match="hyperparameter 'id' has the name of a column"):
        again(results, units, fixed={"id": 3}, on_notice=[].append)


def problem_with(units: Any, **others: Any) -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter(units, "units")
    for name, value in others.items():
        problem.add_hyperparameter(value, name)
    return problem


def test_a_problem_says_which_columns_are_hyperparameters(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("note,units,objective\ngood,2.0,1.0\n")
    notices: list[str] = []
    (found,) = confirm(
        path,
        units,
        1,
        1,
        problem=problem_with((1, 5), depth=(2, 8)),
        log_dir=None,
        on_notice=notices.append,
    )
    assert found.point == {"units": 2, "depth": 5}
    assert type(found.point["units"]) is int
    assert notices == [f"not in '{path}' and so at the default: depth = 5"]


def test_results_of_another_problem_are_refused(results: Path) -> None:
    with pytest.raises(ProblemError, match=r"line 3 of the results is no point of the problem: un"):
        again(results, units, problem=problem_with((5, 9)))


def test_a_fixed_value_may_be_out_of_the_range_that_was_searched(results: Path) -> None:
    problem = problem_with((1, 5), lr=(0.0, 1.0))
    found = again(results, units, 1, 1, problem=problem, fixed={"units": 500, "lr": 0.125})
    assert found[0].point == {"units": 500, "lr": 0.125}


def test_what_depends_on_a_fixed_value_is_checked(tmp_path: Path) -> None:
    from ConfigSpace import EqualsCondition

    problem = HpProblem()
    kernel = problem.add_hyperparameter(["rbf", "poly"], "kernel")
    degree = problem.add_hyperparameter((2, 5), "degree")
    problem.add_condition(EqualsCondition(degree, kernel, "poly"))
    path = tmp_path / "results.csv"
    path.write_text("degree,kernel,objective\n3,poly,2.0\n,rbf,1.0\n")
    with pytest.raises(ProblemError, match="degree"):
        confirm(path, units, 2, 1, problem=problem, fixed={"kernel": "poly"}, log_dir=None)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 0), (1.5, 1), (1, "3")])
def test_numbers_that_are_none(results: Path, k: Any, n: Any) -> None:
    with pytest.raises(SettingsError, match="give a whole number of at least 1"):
        again(results, units, k, n)


def test_only_a_confirmation_is_resumed(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="there is no search to resume"):
        resume(tmp_path, units)
    RandomSearch(problem_with((1, 5)), units, log_dir=tmp_path).search(1)
    with pytest.raises(ResultsError, match="holds a search and no confirmation"):
        resume(tmp_path, units)


def test_a_damaged_confirmation_is_told(results: Path) -> None:
    again(results, units)
    journal = results.parent / "confirm" / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"repeats": 3', '"repeats": "many"'))
    with pytest.raises(ResultsError, match=r"its settings are not those of a confirmation .*repea"):
        resume(results.parent / "confirm", units)
    journal.write_text(journal.read_text().replace('"repeats": "many"', '"repeats": 4'))
    journal.write_text(journal.read_text().replace('"units": 3}', '"units": 4}', 1))
    with pytest.raises(
        ResultsError, match=r"was changed since .* is none of the points to confirm"
    ):
        resume(results.parent / "confirm", units)
