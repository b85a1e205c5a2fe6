"""What a search learns from the results of another, and what it says of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ConfigSpace
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deephyper.objective import Failure
from deephyper.problem import HpProblem
from deephyper.search.log import warm_start_notice
from deephyper.search.warm_start import Known, WarmStartReport, known_results


def space(**hyperparameters: Any) -> HpProblem:
    problem = HpProblem()
    for name, value in hyperparameters.items():
        problem.add_hyperparameter(value, name)
    return problem


def learn(tmp_path: Path, text: str, problem: HpProblem) -> tuple[Known, WarmStartReport, str]:
    path = tmp_path / "old.csv"
    path.write_bytes(text.encode())
    known, report = known_results(path, problem)
    notice = warm_start_notice(report)
    assert len(notice.splitlines()) == 1
    return known, report, notice


def test_results_that_fit_are_all_that_is_said(tmp_path: Path) -> None:
    known, report, notice = learn(
        tmp_path, "lr,objective,status\n0.5,1.0,finished\n0.25,,failed\n", space(lr=(0.0, 1.0))
    )
    assert known == [({"lr": 0.5}, 1.0), ({"lr": 0.25}, Failure("reported", "known"))]
    assert report == WarmStartReport(2, 2)
    assert notice == "warm start: 2 of 2 results fit the space"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2.0,3,relu,1.0,finished", "lr is 2.0, above 1.0"),
        ("-2,3,relu,1.0,finished", "lr is -2, below 0.0"),
        ("fast,3,relu,1.0,finished", "lr is 'fast', not a float from 0.0 to 1.0"),
        ("nan,3,relu,1.0,finished", "lr is nan, not a float from 0.0 to 1.0"),
        ("0.5,3.5,relu,1.0,finished", "units is 3.5, not an int from 1 to 9"),
        ("0.5,3,Relu,1.0,finished", "act is 'Relu', not one of 'relu', 'tanh'"),
        ("0.5,,relu,1.0,finished", "its units is empty"),
        ("0.5,3,relu,95%,finished", "its objective is '95%', not a finite number"),
        ("0.5,3,relu,,finished", "its objective is empty, and its status is finished"),
        ("0.5,3,relu,,stopped", "it was stopped"),
        ("0.5,3,relu,0,97,finished", "it has 6 cells, the header has 5"),
        ("0.5,3,relu,1.0", "it ends before its status"),
    ],
)
def test_the_first_reason_is_said_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    problem = space(lr=(0.0, 1.0), units=(1, 9), act=["relu", "tanh"])
    text = f"lr,units,act,objective,status\n0.5,3,tanh,1.0,finished\n{row}\n5,,,7,finished\n"
    known, report, notice = learn(tmp_path, text, problem)
    assert known == [({"act": "tanh", "lr": 0.5, "units": 3}, 1.0)]
    assert notice == f"warm start: 1 of 3 results fit the space; 2 left out (line 3: {reason})"
    assert [each.line for each in report.left_out] == [3, 4]


def test_an_added_hyperparameter_has_its_default_and_a_removed_one_is_ignored(
    tmp_path: Path,
) -> None:
    problem = space(lr=(0.0, 1.0), depth=[4, 2])
    known, report, notice = learn(tmp_path, "lr,units,objective\n0.5,3,1.0\n", problem)
    assert known == [({"depth": 4, "lr": 0.5}, 1.0)]
    assert (report.filled, report.ignored) == ({"depth": 4}, ["units"])
    assert notice == (
        "warm start: 1 of 1 results fit the space; not in the file and so at the default: "
        "depth = 4; not in the space and ignored: 'units'"
    )


def test_an_added_hyperparameter_is_filled_only_where_it_is_active(tmp_path: Path) -> None:
    problem = space(kernel=["rbf", "poly"], degree=(1, 5))
    problem.add_condition(
        ConfigSpace.EqualsCondition(problem.space["degree"], problem.space["kernel"], "poly")
    )
    known, *_ = learn(tmp_path, "kernel,objective\nrbf,1.0\npoly,2.0\n", problem)
    assert known == [({"kernel": "rbf"}, 1.0), ({"kernel": "poly", "degree": 3}, 2.0)]


@pytest.mark.parametrize("nothing", ["NA", "nan", "NULL", "None", "#N/A", "<NA>"])
def test_what_other_tools_write_for_nothing_is_inactive(tmp_path: Path, nothing: str) -> None:
    problem = space(kernel=["rbf", "poly"], degree=(1, 5))
    problem.add_condition(
        ConfigSpace.EqualsCondition(problem.space["degree"], problem.space["kernel"], "poly")
    )
    text = f"kernel,degree,objective\nrbf,{nothing},1.0\npoly,{nothing},2.0\n"
    known, _, notice = learn(tmp_path, text, problem)
    assert known == [({"kernel": "rbf"}, 1.0)]
    assert "1 left out (line 3: degree is " in notice


@pytest.mark.parametrize(("true", "false"), [("WAHR", "FALSCH"), ("VRAI", "FAUX"), ("T", "F")])
def test_booleans_in_the_language_of_a_spreadsheet(tmp_path: Path, true: str, false: str) -> None:
    known, *_ = learn(
        tmp_path, f"bias;objective\n{true};1,5\n{false};0,5\n", space(bias=[True, False])
    )
    assert known == [({"bias": True}, 1.5), ({"bias": False}, 0.5)]


def test_a_value_of_what_is_inactive_does_not_fit(tmp_path: Path) -> None:
    problem = space(kernel=["rbf", "poly"], degree=(1, 5))
    problem.add_condition(
        ConfigSpace.EqualsCondition(problem.space["degree"], problem.space["kernel"], "poly")
    )
    known, _, notice = learn(tmp_path, "degree,objective\n2,1.0\n", problem)
    assert known == []
    assert "1 left out (line 2: 'degree' is given (2) but inactive" in notice


@pytest.mark.parametrize("column", ["comment", "Unnamed: 0", "", "m:loss", "job_id"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_other_column_keeps_results_from_being_used(
    tmp_path: Path, column: str, place: int
) -> None:
    rows = [["lr", "objective"], ["0.5", "1.0"], ["0.25", "2.0"]]
    cells = [column, "good, or so", "7"]
    for row, cell in zip(rows, cells, strict=True):
        row.insert(place, f'"{cell}"')
    text = "".join(",".join(row) + "\n" for row in rows)
    known, *_ = learn(tmp_path, text, space(lr=(0.0, 1.0)))
    assert known == [({"lr": 0.5}, 1.0), ({"lr": 0.25}, 2.0)]


def test_the_columns_of_other_versions_of_deephyper_are_understood(tmp_path: Path) -> None:
    text = (
        "p:act,p:lr,objective,job_id,job_status,m:timestamp_submit,m:timestamp_gather\n"
        "relu,0.5,1.0,0,DONE,0.1,0.2\n"
        "tanh,0.25,F_error,1,DONE,0.1,0.2\n"
    )
    known, _, notice = learn(tmp_path, text, space(lr=(0.0, 1.0), act=["relu", "tanh"]))
    assert known == [
        ({"act": "relu", "lr": 0.5}, 1.0),
        ({"act": "tanh", "lr": 0.25}, Failure("reported", "known")),
    ]
    assert notice == "warm start: 2 of 2 results fit the space"


def test_a_hyperparameter_may_itself_begin_with_that_prefix(tmp_path: Path) -> None:
    known, *_ = learn(tmp_path, "p:lr,objective\n0.5,1.0\n", space(**{"p:lr": (0.0, 1.0)}))
    assert known == [({"p:lr": 0.5}, 1.0)]


@pytest.mark.parametrize(
    ("cell", "values", "value"),
    [
        ("TRUE", [True, False], True),
        ("false", [True, False], False),
        ("1.0", [False, True], True),
        ("0", [False, True, None], False),
        ("TRUE", ["TRUE", True], "TRUE"),
        ("3.0", (1, 9), 3),
        ("3", (1.0, 9.0), 3.0),
        ("3.0", [1, 3], 3),
        ("1", ["1", "2"], "1"),
        ("1", ["1", 1.5], "1"),
        ('"""1"""', ["1", 1.5], "1"),
        ("", [None, "a"], None),
        ("", [None, "None"], None),
        ("nan", [None, "a"], None),
        ("None", [None, "None"], None),
        ("NA", [None, "NA"], "NA"),
        (" relu ", ["relu", "tanh"], "relu"),
    ],
)
def test_what_spreadsheets_and_pandas_make_of_a_value_is_understood(
    tmp_path: Path, cell: str, values: Any, value: Any
) -> None:
    known, _, notice = learn(tmp_path, f"c,objective,n\n{cell},1.0,1\n", space(c=values))
    assert [point["c"] for point, _ in known] == [value], notice
    assert type(known[0][0]["c"]) is type(value)


def test_an_empty_cell_that_may_be_one_of_two_values_does_not_fit(tmp_path: Path) -> None:
    known, _, notice = learn(tmp_path, "c,objective,n\n,1.0,1\n", space(c=[None, "NA"]))
    assert known == []
    assert notice.startswith(
        "warm start: 0 of 1 results fit the space; 1 left out (line 2: its c is empty)"
    )


def test_words_that_are_no_booleans_are_not_taken_for_none(tmp_path: Path) -> None:
    known, _, notice = learn(tmp_path, "c,objective\nmaybe,1.0\n", space(c=[None, True, False]))
    assert known == []
    assert "c is 'maybe', not one of None, True, False" in notice


PROBLEM = space(
    act=["relu", "tanh", "1", "x, y"],
    any=[None, 1, "a", "None"],
    yes=[True, False],
    lr=(0.0, 1.0),
    units=(1, 100),
)
POINTS = st.fixed_dictionaries(
    {
        "act": st.sampled_from(["relu", "tanh", "1", "x, y"]),
        "any": st.sampled_from([None, 1, "a", "None"]),
        "lr": st.floats(0.0, 1.0).map(lambda x: round(x, 13)),
        "units": st.integers(1, 100),
        "yes": st.booleans(),
    }
)


@given(st.lists(st.tuples(POINTS, st.none() | st.floats(-9, 9)), min_size=1, max_size=5))
def test_pandas_may_have_read_and_written_the_results(
    tmp_path_factory: pytest.TempPathFactory, results: list[tuple[dict[str, Any], float | None]]
) -> None:
    from deephyper.cell import format_cell

    directory = tmp_path_factory.getbasetemp()
    table = [
        {name: format_cell(value) for name, value in point.items()}
        | {
            "objective": "" if objective is None else repr(objective),
            "status": "failed" if objective is None else "finished",
        }
        for point, objective in results
    ]
    old = directory / "old.csv"
    pd.DataFrame(table).to_csv(old, index=False)
    pd.read_csv(old).to_csv(directory / "new.csv")
    known, report = known_results(directory / "new.csv", PROBLEM)
    assert warm_start_notice(report) == (
        f"warm start: {len(results)} of {len(results)} results fit the space"
    )
    for (point, observed), (expected, objective) in zip(known, results, strict=True):
        # Some versions of pandas read the last digit otherwise.
        assert point == expected | {"lr": pytest.approx(expected["lr"])}
        if objective is None:
            assert isinstance(observed, Failure)
        else:
            assert observed == pytest.approx(objective)
