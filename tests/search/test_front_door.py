"""A first search from Python: a problem, a function, a few lines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from deephyper import AMBS, Evaluator, HpProblem, RandomSearch, RandomSettings, SkoptSettings
from deephyper.clock import Clock
from deephyper.errors import ResultsError, RunFunctionError, SettingsError
from deephyper.search.log_dir import LogDir


@pytest.fixture
def problem() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((-5.0, 5.0), "x")
    return problem


def bowl(point: dict[str, Any]) -> float:
    return -float(point["x"] ** 2)


def test_a_plain_function_is_searched(problem: HpProblem, tmp_path: Path) -> None:
    result = AMBS(problem, bowl, log_dir=tmp_path, seed=1).search(max_evals=6)
    assert result.num_evaluations == 6
    assert result.best_point is not None
    assert (tmp_path / "results.csv").is_file()


def test_a_search_in_memory_writes_nothing(
    problem: HpProblem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = AMBS(problem, lambda point: bowl(point), log_dir=None).search(max_evals=4)
    assert result.num_evaluations == 4
    assert (result.log_dir, result.results_path) == (None, None)
    assert list(result.to_dataframe()["id"]) == [0, 1, 2, 3]
    assert list(tmp_path.iterdir()) == []


def test_a_search_in_memory_continues_with_a_larger_budget(problem: HpProblem) -> None:
    with Evaluator.create(bowl, "thread") as evaluator:
        search = RandomSearch(problem, evaluator, log_dir=None, seed=3)
        first = search.search(max_evals=3)
        second = search.search(max_evals=5)
    assert second.num_evaluations == 5
    assert second.evaluations[:3] == first.evaluations
    assert second.seconds >= first.seconds
    assert len({e.job.point["x"] for e in second.evaluations}) == 5


def test_several_workers_for_a_function(problem: HpProblem) -> None:
    result = RandomSearch(problem, bowl, num_workers=2, log_dir=None).search(max_evals=6)
    assert {outcome.worker for outcome in result.outcomes} <= {"0", "1"}
    assert result.num_evaluations == 6


@pytest.mark.parametrize("timeout", [1.5, "1.5s", "1.5"])
def test_a_time_limit_is_seconds_or_a_text_with_a_unit(
    problem: HpProblem, timeout: float | str
) -> None:
    seconds = iter(range(10**6))
    clock = Clock(monotonic=lambda: float(next(seconds)))
    with Evaluator.create(bowl, "thread") as evaluator:
        search = RandomSearch(problem, evaluator, log_dir=None, clock=clock)
        assert search.search(timeout=timeout).reason == "timeout"


@pytest.mark.parametrize("timeout", [math.inf, "30d"])
def test_a_time_limit_may_be_longer_than_the_system_waits(
    problem: HpProblem, timeout: float | str
) -> None:
    result = RandomSearch(problem, bowl, log_dir=None).search(max_evals=1, timeout=timeout)
    assert result.reason == "max_evals"


@pytest.mark.parametrize("budget", [{"timeout": math.inf}, {"max_evals": 10**15}])
def test_a_search_of_the_largest_budget_can_be_resumed(
    budget: dict[str, Any], tmp_path: Path
) -> None:
    problem = HpProblem()
    problem.add_hyperparameter([1, 2, 3], "x")
    RandomSearch(problem, lambda point: 1.0, log_dir=tmp_path).search(**budget)
    resumed = RandomSearch(problem, lambda point: 1.0, log_dir=tmp_path, resume=True)
    assert resumed.search().reason == "exhausted"


def test_a_budget_that_no_journal_holds_is_refused(problem: HpProblem) -> None:
    with pytest.raises(SettingsError, match="from 1 to 1000000000000000"):
        RandomSearch(problem, bowl, log_dir=None).search(max_evals=10**15 + 1)


@pytest.mark.parametrize(
    "optimizer", ["random", "skopt", RandomSettings(), SkoptSettings("DUMMY"), None]
)
def test_an_optimizer_by_name_or_by_settings(problem: HpProblem, optimizer: Any) -> None:
    with Evaluator.create(bowl, "thread") as evaluator:
        assert AMBS(problem, evaluator, optimizer, log_dir=None).search(2).num_evaluations == 2


def test_what_cannot_be_meant_is_refused_in_python_s_words(
    problem: HpProblem, tmp_path: Path
) -> None:
    with pytest.raises(RunFunctionError, match="type int, which can't be called"):
        AMBS(problem, 3)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="num_workers is 0; give a whole number of at least 1"):
        AMBS(problem, bowl, num_workers=0)
    with Evaluator.create(bowl, "thread") as evaluator:
        with pytest.raises(SettingsError, match="leave out num_workers"):
            AMBS(problem, evaluator, num_workers=2)
        with pytest.raises(SettingsError, match="unknown optimizer 'tpe'; choose one of bayesian"):
            AMBS(problem, evaluator, "tpe")
        with pytest.raises(SettingsError, match="kept in memory can't be resumed; give its log_di"):
            AMBS(problem, evaluator, log_dir=None, resume=True)
        RandomSearch(problem, evaluator, log_dir=tmp_path).search(2)
        with pytest.raises(Exception, match=r"resume it with resume=True, or start a new one"):
            RandomSearch(problem, evaluator, log_dir=tmp_path).search(2)


def test_the_root_of_the_file_system_is_looked_at_like_any_directory(problem: HpProblem) -> None:
    assert LogDir("/").inspect(problem, resume=False).resumed is False


@pytest.mark.parametrize("resume", [False, True])
def test_a_path_that_is_too_long_is_refused(
    resume: bool, problem: HpProblem, tmp_path: Path
) -> None:
    search = RandomSearch(problem, bowl, log_dir=tmp_path / ("x" * 300), resume=resume)
    with pytest.raises(ResultsError, match="File name too long"):
        search.search(max_evals=1)


def test_paths_may_begin_with_the_home_directory(
    problem: HpProblem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for directory in (home, elsewhere):
        directory.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(elsewhere)
    with Evaluator.create(bowl, "thread") as evaluator:
        first = RandomSearch(problem, evaluator, log_dir="~/runs", seed=1).search(3)
        assert first.log_dir == home / "runs"
        again = RandomSearch(problem, evaluator, log_dir="~/runs", resume=True).search(4)
        assert again.num_evaluations == 4
        notices: list[str] = []
        warm = RandomSearch(
            problem,
            evaluator,
            log_dir=Path("~/warm"),
            warm_start="~/runs",
            on_notice=notices.append,
        )
        warm.search(1)
    assert notices[0] == "warm start: 4 of 4 results fit the space"
    assert sorted(path.name for path in home.iterdir()) == ["runs", "warm"]
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("value", ["", "-", "~nobody-of-this-name", 3])
@pytest.mark.parametrize("argument", ["log_dir", "warm_start"])
def test_what_is_not_a_path_is_refused(problem: HpProblem, argument: str, value: Any) -> None:
    paths: dict[str, Any] = {"log_dir": None, argument: value}
    with pytest.raises(SettingsError, match=f"^{argument} is {value!r}"):
        RandomSearch(problem, bowl, **paths)
