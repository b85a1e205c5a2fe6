from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.stats import mannwhitneyu

from deephyper.analytics.compare import Group, compare
from deephyper.analytics.trajectory import Trajectory, read_trajectory
from deephyper.core.cli import analytics
from deephyper.errors import ResultsError, SettingsError

HEADER = ["x", "objective", "id", "elapsed_sec", "status", "worker", "start", "end", "failure"]


def write(
    path: Path,
    objectives: Sequence[float | None],
    *,
    ends: Sequence[float] | None = None,
    minimize: bool = False,
) -> Path:
    """Write a results file, an evaluation each second; None is a failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        more = ["predicted", "predicted_std", "direction"] if minimize else []
        table.writerow([*HEADER, *more])
        for i, objective in enumerate(objectives):
            end = 100.0 + i + 1 if ends is None else ends[i]
            status = "failed" if objective is None else "finished"
            failure = "nan: run returned NaN" if objective is None else ""
            cell = "" if objective is None else objective
            row = [i, cell, i, 1.0, status, "w0", end - 1.0, end, failure]
            table.writerow([*row, *(["", "", "minimize"] if minimize else [])])
    return path


def way(values: ArrayLike, *, minimize: bool = False) -> Trajectory:
    objectives = np.array(values, dtype=np.float64)
    finished = ~np.isnan(objectives)
    best: NDArray[np.float64] = (np.fmin if minimize else np.fmax).accumulate(objectives)
    seconds = 10.0 * np.arange(1, len(objectives) + 1, dtype=np.float64)
    return Trajectory(
        "a",
        "minimize" if minimize else "maximize",
        objectives,
        finished,
        np.zeros_like(finished),
        best,
        seconds,
    )


def test_a_way_has_every_evaluation_in_the_order_of_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "results.csv", [3.0, None, 1.0, 2.0], ends=[104, 102, 101, 103])
    found = read_trajectory(path)
    np.testing.assert_array_equal(found.best, [1.0, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(found.seconds, [1.0, 2.0, 3.0, 4.0])
    assert found.num_evaluations == 4
    assert found.reaches(2.0) == (3, 3.0)
    assert found.reaches(3.5) is None


def test_a_failure_at_the_beginning_has_no_best(tmp_path: Path) -> None:
    found = read_trajectory(write(tmp_path / "results.csv", [None, 5.0, 7.0], minimize=True))
    assert math.isnan(found.best_after(1))
    assert found.best_after(2) == found.best_after(100) == 5.0
    assert found.reaches(6.0) == (2, 2.0)


def test_the_lowest_is_best_where_a_search_minimizes() -> None:
    found = compare({"a": [way([3, 2, 1, 5], minimize=True)]}, at=[1, 2, 4])
    assert [band.median for band in found.groups[0].best] == [3.0, 2.0, 1.0]
    assert found.target == 1.0
    assert found.groups[0].reached.evaluations == 3


def test_times_that_are_missing_are_none(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text("x,objective\n1,2\n2,5\n")
    found = compare({"a": [read_trajectory(path)]}, target=5.0)
    assert found.groups[0].reached.evaluations == 2
    assert found.groups[0].reached.seconds is None


def test_no_finished_evaluation_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "results.csv", [None, None])
    with pytest.raises(ResultsError, match="no finished evaluation"):
        read_trajectory(path)


def test_medians_and_quartiles_are_of_the_searches() -> None:
    searches = [way([value] * 4) for value in (5, 1, 4, 2, 3)]
    (band,) = compare({"a": searches}, at=[4]).groups[0].best
    assert (band.median, band.low, band.high) == (3.0, 2.0, 4.0)


def test_a_search_that_never_reached_the_target_counts_as_endless() -> None:
    searches = [way([0, 1, 2, 3]), way([0, 0, 0, 3]), way([0, 0, 0, 0])]
    reached = compare({"a": searches}, target=2.0).groups[0].reached
    assert (reached.num_searches, reached.evaluations, reached.seconds) == (2, 4.0, 40.0)
    reached = compare({"a": searches[:1] + searches[2:]}, target=2.0).groups[0].reached
    assert (reached.num_searches, reached.evaluations, reached.seconds) == (1, None, None)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
def test_half_of_the_first_group_reach_the_target_that_is_chosen(number: int) -> None:
    generator = np.random.default_rng(number)
    for minimize in (False, True):
        searches = [way(generator.random(8), minimize=minimize) for _ in range(number)]
        reached = compare({"a": searches}).groups[0].reached
        assert 2 * reached.num_searches >= number
        assert reached.evaluations is not None or number % 2 == 0


def test_the_shares_of_the_shortest_search_are_compared() -> None:
    found = compare({"a": [way(range(40))], "b": [way(range(100))]})
    assert found.at == (10, 20, 40)
    assert found.groups[1].best[-1].median == 39.0


def test_the_first_group_is_what_the_others_are_compared_with() -> None:
    generator = np.random.default_rng(0)
    low = [way(generator.random(10)) for _ in range(6)]
    high = [way(0.5 + generator.random(10)) for _ in range(5)]
    first, second = compare({"low": low, "high": high}, at=[10]).groups
    assert first.difference is None
    a = [each.best_after(10) for each in high]
    b = [each.best_after(10) for each in low]
    assert second.difference is not None
    assert second.difference.p_value == pytest.approx(mannwhitneyu(a, b).pvalue)
    share = np.mean([x > y for x in a for y in b])
    assert second.difference.share_better == pytest.approx(share)


def test_a_search_without_a_finished_evaluation_yet_is_the_worst() -> None:
    late = [way([math.nan, math.nan, 9.0]) for _ in range(4)]
    early = [way([1.0, 1.0, 1.0]) for _ in range(4)]
    found = compare({"early": early, "late": late}, at=[2])
    group: Group = found.groups[1]
    assert group.best[0].median is None
    assert group.difference is not None
    assert group.difference.share_better == 0.0
    assert group.difference.p_value is not None
    assert group.difference.p_value < 0.05


def test_few_searches_can_show_nothing() -> None:
    found = compare({"a": [way([1, 2])], "b": [way([3, 4])]})
    difference = found.groups[1].difference
    assert difference is not None
    assert difference.p_value is None
    assert difference.least_p_value == 1.0
    equal = compare({"a": [way([1, 2])] * 3, "b": [way([1, 2])] * 3}).groups[1].difference
    assert equal is not None
    assert (equal.p_value, equal.share_better) == (1.0, 0.5)


def test_bad_arguments_are_errors() -> None:
    with pytest.raises(SettingsError, match="nothing to compare"):
        compare({})
    with pytest.raises(SettingsError, match="nothing to compare"):
        compare({"a": [way([1])], "b": []})
    with pytest.raises(SettingsError, match="to minimize"):
        compare({"a": [way([1])], "b": [way([1], minimize=True)]})
    with pytest.raises(SettingsError, match="at least 1"):
        compare({"a": [way([1])]}, at=[0])
    with pytest.raises(SettingsError, match="finite"):
        compare({"a": [way([1])]}, target=math.inf)
    with pytest.raises(SettingsError, match="no finished evaluation"):
        compare({"a": [way([math.nan, 1])]}, at=[1])


# -- the command ----------------------------------------------------------------------------------


@pytest.fixture
def searches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(1)
    for seed in range(4):
        write(tmp_path / f"good-{seed}/results.csv", (1 + generator.random(20)).tolist())
        write(tmp_path / f"bad-{seed}/results.csv", generator.random(16).tolist())
    return tmp_path


def test_groups_are_printed(searches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert analytics.main(["compare", "good=good-*", "bad=bad-*"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Best objective (higher is better), median of the searches and quartiles:"
    assert lines[1].split("  ")[-1].strip() == "after 16"
    assert lines[2].split()[0] == "good"
    assert lines[-2].split()[:4] == ["good", "4", "of", "4"] or "3 of 4" in lines[-2]
    assert lines[-1].split() == ["bad", "0", "of", "4", "0", "%", "of", "pairs", "0.029"]


def test_searches_without_a_name_stand_for_themselves(
    searches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert analytics.main(["compare", "good-0", "bad-0/results.csv", "--at", "5"]) == 0
    out = capsys.readouterr().out
    assert "Best objective (higher is better):" in out
    assert [line.split()[0] for line in out.splitlines()[2:4]] == ["good-0", "bad-0"]
    assert "repeat them with other seeds" in out


def test_json_is_printed_or_saved(searches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert analytics.main(["compare", "a=good-0", "a=good-1", "b=bad-0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [group["name"] for group in found["groups"]] == ["a", "b"]
    assert found["groups"][0]["num_searches"] == 2
    assert found["groups"][1]["difference"]["p_value"] is None
    saved = searches / "found.json"
    command = ["compare", "a=good-0", "a=good-1", "b=bad-0", "-o", str(saved)]
    assert analytics.main(command) == 0
    assert json.loads(saved.read_text()) == found
    assert analytics.main(command) == 2
    assert analytics.main([*command, "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere"),
        (["x=no-*"], "nothing is there"),
        (["=good-0"], "NAME=RESULTS"),
        (["x="], "NAME=RESULTS"),
        (["good-0", "good-0/results.csv"], "given twice"),
        (["x=good-0", "x=good-*"], "given twice for 'x'"),
        (["good-0", "--at", "0"], "--at"),
        (["good-0", "--target", "nan"], "finite"),
        (["good-0", "-o", "x.txt"], ".json"),
        (["good-0", "-o", "x.json", "--json"], "--json"),
        ([], "Missing argument"),
    ],
)
def test_bad_command_lines(
    searches: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert analytics.main(["compare", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


def test_rows_that_say_nothing_are_counted(
    searches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (searches / "good-0/results.csv").open("a") as file:
        file.write("1,,5,1.0,odd,w0,1,2,\n")
    assert analytics.main(["compare", "good-0"]) == 0
    assert "of the 21 rows of 'good-0'" in capsys.readouterr().err
