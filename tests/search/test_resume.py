"""Going on with a search, or beginning one from another's results."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ConfigSpace
import pytest

from deephyper.errors import ProblemError, ResultsError
from deephyper.job import Failure
from deephyper.optimizer import RandomOptimizer
from deephyper.problem import BaseProblem, HpProblem
from deephyper.search.replay import read_journal
from deephyper.search.search_result import SearchResult
from tests.search.virtual_search import VirtualSearch, finite_problem, line_problem


@pytest.fixture
def search(tmp_path: Path) -> VirtualSearch:
    return VirtualSearch(tmp_path / "log")


def rows(log_dir: Path) -> list[dict[str, str]]:
    with (log_dir / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def told(result: SearchResult) -> list[float | None]:
    return [outcome.objective for outcome in result.outcomes]


class Remembering(RandomOptimizer):
    """Keeps what the last one of it was told, and when."""

    last: Remembering

    def __init__(self, problem: BaseProblem, seed: int | None = None) -> None:
        super().__init__(problem, seed)
        self.told_before_asked: list[float | None] | None = None
        self.pending_before_asked: int | None = None
        Remembering.last = self

    def ask(self, n_points: Any = None) -> Any:
        if self.told_before_asked is None:
            self.told_before_asked = [objective for _, objective in self.observations]
            self.pending_before_asked = len(self.pending)
        return super().ask(n_points)


# The optimizer.


def test_the_optimizer_knows_all_results_before_it_proposes(search: VirtualSearch) -> None:
    search.make_optimizer = Remembering
    search.run = lambda job: Failure("nan", "NaN") if job.id == "1" else float(job.id)
    search.session(max_evals=3)
    search.session(max_evals=4)
    assert Remembering.last.told_before_asked == [0.0, None, 2.0]


def test_each_session_of_a_seeded_search_has_another_seed(search: VirtualSearch) -> None:
    seeds: list[int | None] = []

    def make(problem: BaseProblem, seed: int | None) -> RandomOptimizer:
        seeds.append(seed)
        return RandomOptimizer(problem, seed)

    search.make_optimizer, search.options = make, {"seed": 7}
    search.session(max_evals=20)
    search.session(max_evals=25)
    search.session(max_evals=26)
    assert seeds == [7, 27, 32]


def test_seeded_searches_are_the_same(tmp_path: Path) -> None:
    first, second = (
        VirtualSearch(tmp_path / name, options={"seed": 7}).session(max_evals=10)
        for name in ("a", "b")
    )
    assert told(first) == told(second)


def test_starting_points_are_not_evaluated_again(search: VirtualSearch) -> None:
    search.problem.add_starting_point(x=0.125)
    search.session(max_evals=2)
    result = search.session(max_evals=4)
    assert told(result)[0] == 0.125
    assert told(result).count(0.125) == 1


def test_unfinished_evaluations_come_first_and_keep_their_ids(search: VirtualSearch) -> None:
    search.make_optimizer = Remembering
    search.num_workers = 3
    search.duration = lambda job: 1e9 if job.id in ("1", "3") else 1.0
    first = search.session(max_evals=5, timeout=4.0, grace=1.0)
    assert [e.job.id for e in first.evaluations] == ["0", "2", "4"]
    points = {job.id: job.point for job in search.evaluator.submitted}
    search.duration = lambda job: 1.0
    search.session(max_evals=7, timeout=1e6)
    assert search.ids == ["1", "3", "5", "6"]
    assert {job.id: job.point for job in search.evaluator.submitted}["1"] == points["1"]
    # the third worker's new point is proposed while the other two are pending
    assert Remembering.last.pending_before_asked == 2


# The same space.


def one_of_each() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((1, 10), "units")
    problem.add_hyperparameter((1e-3, 1.0, "log-uniform"), "lr")
    problem.add_hyperparameter(["relu", "tanh"], "activation")
    problem.add_hyperparameter([16, 32, 64], "batch")
    return problem


def changed(**values: object) -> Callable[[], HpProblem]:
    def make() -> HpProblem:
        problem = HpProblem()
        kinds = {
            "units": (1, 10),
            "lr": (1e-3, 1.0, "log-uniform"),
            "activation": ["relu", "tanh"],
            "batch": [16, 32, 64],
        } | values
        for name, value in kinds.items():
            if value is not None:
                problem.add_hyperparameter(value, name)
        return problem

    return make


def with_condition() -> HpProblem:
    problem = one_of_each()
    space = problem.space
    problem.add_condition(ConfigSpace.EqualsCondition(space["lr"], space["activation"], "relu"))
    return problem


def with_clause() -> HpProblem:
    problem = one_of_each()
    problem.add_forbidden_clause(
        ConfigSpace.ForbiddenEqualsClause(problem.space["activation"], "tanh")
    )
    return problem


@pytest.mark.parametrize(
    ("make", "difference"),
    [
        (changed(lr=None), "'lr' is gone"),
        (changed(depth=(1, 3)), "'depth' is new"),
        (changed(units=(1, 11)), "upper of 'units' was 10 and is 11"),
        (changed(units=(2, 10)), "lower of 'units' was 1 and is 2"),
        (changed(lr=(1e-3, 1.0)), "log of 'lr' was True and is False"),
        (changed(units=(1.0, 10.0)), "type of 'units' was uniform_int and is uniform_float"),
        (changed(activation=["relu", "elu"]), "choices of 'activation' was"),
        (changed(activation=["relu", "tanh", "elu"]), "choices of 'activation' was"),
        (changed(batch=[16, 32]), "sequence of 'batch' was"),
        (changed(batch=["16", "32", "64"]), "type of 'batch' was ordinal and is categorical"),
        (with_condition, "the conditions differ"),
        (with_clause, "the forbidden clauses differ"),
    ],
)
def test_a_changed_space_is_refused_with_the_difference(
    search: VirtualSearch, make: Callable[[], HpProblem], difference: str
) -> None:
    search.problem = one_of_each()
    search.run = lambda job: 1.0
    search.session(max_evals=2)
    before = (search.log_dir / "journal.jsonl").read_bytes()
    search.problem = make()
    with pytest.raises(ProblemError) as caught:
        search.session(max_evals=4)
    message = str(caught.value)
    assert difference in message
    assert "\n" not in message
    assert f"warm_start='{search.log_dir / 'results.csv'}" in message
    assert (search.log_dir / "journal.jsonl").read_bytes() == before


def test_removed_constraints_are_a_difference_too(search: VirtualSearch) -> None:
    search.problem, search.run = with_condition(), lambda job: 1.0
    search.session(max_evals=2)
    search.problem = one_of_each()
    with pytest.raises(ProblemError, match="the conditions differ"):
        search.session(max_evals=4)


def test_what_decides_no_point_may_change(search: VirtualSearch) -> None:
    search.problem, search.run = one_of_each(), lambda job: 1.0
    search.session(max_evals=2)
    problem = HpProblem()  # another order, another default, a starting point
    problem.add_hyperparameter([16, 32, 64], "batch", default_value=64)
    problem.add_hyperparameter(["relu", "tanh"], "activation")
    problem.add_hyperparameter((1e-3, 1.0, "log-uniform"), "lr")
    problem.add_hyperparameter((1, 10), "units", default_value=2)
    problem.add_starting_point(units=3)
    search.problem = problem
    result = search.session(max_evals=3)
    assert result.evaluations[-1].job.point["units"] == 3


# results.csv.


def test_results_are_the_same_whether_written_or_derived(search: VirtualSearch) -> None:
    search.run = lambda job: Failure("exception", 'a, "b"\tc') if job.id == "1" else 0.1 + 0.2
    search.session(max_evals=4)
    path = search.log_dir / "results.csv"
    written = path.read_bytes()
    path.unlink()
    search.session(max_evals=4)
    assert path.read_bytes() == written


@pytest.mark.parametrize("cut", [0, 1, 10, 60, 150, -1, -10])
def test_results_that_were_cut_off_are_completed(search: VirtualSearch, cut: int) -> None:
    search.session(max_evals=3)
    path = search.log_dir / "results.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    search.session(max_evals=3)
    assert path.read_bytes() == whole
    assert [p.name for p in search.log_dir.glob("results*")] == ["results.csv"]
    assert search.notices == []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(",finished,", ",checked,", 1),
        lambda text: "my notes\r\n" + text,
        lambda text: text + "another row\r\n",
        lambda text: text.replace("\r\n", "\n"),
        lambda text: text.splitlines(keepends=True)[0] + text.splitlines(keepends=True)[2],
        lambda text: "\udcff\udcfe\r\n",
    ],
)
def test_results_that_a_user_changed_are_set_aside(
    search: VirtualSearch, change: Callable[[str], str]
) -> None:
    search.session(max_evals=3)
    path = search.log_dir / "results.csv"
    text = path.read_bytes().decode()
    theirs = change(text).encode("utf-8", "surrogateescape")
    for times in (1, 2):  # twice in a second
        path.write_bytes(theirs)
        search.session(max_evals=3)
        assert path.read_bytes().decode() == text
        aside = list(search.log_dir.glob("results-*.csv"))
        assert len(aside) == times
        assert all(p.read_bytes() == theirs for p in aside)
        assert "results.csv was changed since the search wrote it; it is now" in search.notices[0]


def test_results_deleted_while_the_search_runs_are_written_again(search: VirtualSearch) -> None:
    search.time.at(2.5, (search.log_dir / "results.csv").unlink)
    result = search.session(max_evals=5)
    assert [row["id"] for row in rows(search.log_dir)] == [e.job.id for e in result.evaluations]


def test_results_replaced_while_the_search_runs_are_set_aside(search: VirtualSearch) -> None:
    def replace() -> None:
        (search.log_dir / "mine.csv").write_text("mine\n")
        (search.log_dir / "mine.csv").rename(search.log_dir / "results.csv")

    search.time.at(2.5, replace)
    search.session(max_evals=5)
    assert len(rows(search.log_dir)) == 5
    assert [p.read_text() for p in search.log_dir.glob("results-*.csv")] == ["mine\n"]


def test_results_that_are_a_folder_are_refused(search: VirtualSearch) -> None:
    search.session(max_evals=1)
    (search.log_dir / "results.csv").unlink()
    (search.log_dir / "results.csv").mkdir()
    with pytest.raises(ResultsError, match=r"results.csv' is not a regular file; move it away"):
        search.session(max_evals=2)


def test_results_of_another_tool_are_not_overwritten(search: VirtualSearch) -> None:
    search.log_dir.mkdir()
    (search.log_dir / "results.csv").write_text("mine\n")
    with pytest.raises(ResultsError, match=r"results.csv' exists already; search in another"):
        search.session(max_evals=1, resume=False)
    assert [p.name for p in search.log_dir.iterdir()] == ["results.csv"]


def test_texts_without_utf8_do_not_end_a_search(search: VirtualSearch) -> None:
    broken = Failure("exception", "no file 'a\udcffb'", "\udcff")
    search.run = lambda job: broken if job.id == "0" else 1.0
    assert search.session(max_evals=2).num_evaluations == 2
    assert "a\\udcffb" in rows(search.log_dir)[0]["failure"]
    assert search.session(max_evals=3).num_evaluations == 3
    assert search.notices == []


# Warm start.


def warm(search: VirtualSearch, old: Path, problem: HpProblem) -> VirtualSearch:
    new = VirtualSearch(search.log_dir.parent / "new", problem, make_optimizer=Remembering)
    new.run = lambda job: 9.0
    new.session(max_evals=2, warm_start=old / "results.csv")
    return new


def test_a_warm_start_learns_old_results(search: VirtualSearch) -> None:
    search.run = lambda job: Failure("nan", "NaN") if job.id == "1" else float(job.id)
    search.session(max_evals=3)
    new = warm(search, search.log_dir, line_problem())
    assert Remembering.last.told_before_asked == [0.0, None, 2.0]
    assert len(rows(new.log_dir)) == 2  # its own
    assert new.notices[0] == "warm start: 3 of 3 results fit the space"


def test_a_warm_started_search_resumes_with_what_it_had_learnt(search: VirtualSearch) -> None:
    search.session(max_evals=3)
    new = warm(search, search.log_dir, line_problem())
    (search.log_dir / "results.csv").unlink()
    new.session(max_evals=3)
    told = Remembering.last.told_before_asked
    assert told is not None
    assert len(told) == 3 + 2


def test_a_warm_start_does_not_evaluate_known_points_again(search: VirtualSearch) -> None:
    search.problem = finite_problem(5)
    search.session(max_evals=3)
    known = {int(row["n"]) for row in rows(search.log_dir)}
    new = VirtualSearch(search.log_dir.parent / "new", finite_problem(5))
    result = new.session(max_evals=10, warm_start=search.log_dir / "results.csv")
    assert result.reason == "exhausted"
    assert {e.job.point["n"] for e in result.evaluations} == {1, 2, 3, 4, 5} - known


def test_a_warm_start_takes_the_points_that_fit_a_changed_space(search: VirtualSearch) -> None:
    search.problem = finite_problem(10)
    search.session(max_evals=10)
    new = warm(search, search.log_dir, finite_problem(4))
    (bad, *_) = [int(row["n"]) for row in rows(search.log_dir) if int(row["n"]) > 4]
    line = 2 + [int(row["n"]) for row in rows(search.log_dir)].index(bad)
    assert new.notices[0] == (
        f"warm start: 4 of 10 results fit the space; 6 left out (line {line}: n is {bad}, above 4)"
    )
    assert sorted(p["n"] for p, _ in read_journal(new.log_dir).known) == [1, 2, 3, 4]


def test_a_warm_start_from_another_space_takes_nothing(search: VirtualSearch) -> None:
    search.session(max_evals=3)
    new = warm(search, search.log_dir, finite_problem(4))
    assert new.notices[0] == (
        "warm start: 0 of 3 results fit the space; "
        "3 left out (line 2: it has no hyperparameter of the space); "
        "not in the space and ignored: 'x'"
    )


def test_a_warm_start_keeps_types(search: VirtualSearch) -> None:
    values = [None, True, "1", "None", "", " a", 'q"', "é\n", "1_000", "nan"]
    search.problem = HpProblem()
    search.problem.add_hyperparameter(values, "c")
    search.run = lambda job: 1.0
    search.session(max_evals=len(values))
    new = VirtualSearch(search.log_dir.parent / "new", search.problem, run=search.run)
    assert new.session(warm_start=search.log_dir / "results.csv").reason == "exhausted"
    known = [point["c"] for point, _ in read_journal(new.log_dir).known]
    assert sorted(map(repr, known)) == sorted(map(repr, values))


def test_a_missing_warm_start_is_refused_before_anything_is_written(search: VirtualSearch) -> None:
    with pytest.raises(ResultsError, match=r"there is no file .*nowhere.csv"):
        search.session(max_evals=1, warm_start="nowhere.csv")
    assert not search.log_dir.exists()


def test_a_warm_start_passes_over_what_was_stopped(search: VirtualSearch, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("x,objective,status\n0.1,1.0,finished\n0.2,,stopped\n0.3,,failed\n")
    search.make_optimizer = Remembering
    search.session(max_evals=1, warm_start=old)
    assert Remembering.last.told_before_asked == [1.0, None]
