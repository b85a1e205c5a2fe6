"""Evaluations as a matrix: what a journal says of the space, and what columns alone say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import EqualsCondition

from deephyper import HpProblem, RandomSearch
from deephyper.analytics.points import Column, read_points
from deephyper.errors import ResultsError
from tests.analytics.known_functions import write_results


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    problem = HpProblem()
    kind = problem.add_hyperparameter(["sgd", "adam", None, True], "kind")
    problem.add_hyperparameter((1e-4, 1.0, "log-uniform"), "lr")
    momentum = problem.add_hyperparameter((0.0, 1.0), "momentum")
    problem.add_hyperparameter((1, 5), "layers")
    problem.add_hyperparameter([16, 32, 64], "batch")
    problem.add_hyperparameter([7], "fixed")
    problem.add_condition(EqualsCondition(momentum, kind, "sgd"))

    def run(point: dict[str, object]) -> float | str:
        return "F_odd" if point["layers"] == 3 else 1.0

    RandomSearch(problem, run, log_dir=tmp_path / "log", seed=1).search(max_evals=40)
    return tmp_path / "log"


def by_name(columns: tuple[Column, ...]) -> dict[str, Column]:
    return {column.name: column for column in columns}


@pytest.mark.parametrize("name", ["", "results.csv"])
def test_the_journal_says_what_the_space_is(log_dir: Path, name: str) -> None:
    points = read_points(log_dir / name)
    columns = by_name(points.columns)
    assert points.from_journal
    assert points.constants == ("fixed",)
    assert columns["lr"] == Column("lr", "float", 1e-4, 1.0, log=True)
    assert columns["layers"] == Column("layers", "int", 1.0, 5.0)
    assert columns["batch"] == Column("batch", "ordered", values=(16, 32, 64))
    assert columns["kind"] == Column("kind", "category", values=("sgd", "adam", None, True))
    assert columns["momentum"] == Column("momentum", "float", 0.0, 1.0, conditional=True)


def test_a_value_is_where_it_is_in_its_range(log_dir: Path) -> None:
    points = read_points(log_dir)
    rows = (log_dir / "results.csv").read_text().splitlines()
    header = rows[0].split(",")
    finished = [row.split(",") for row in rows[1:] if "finished" in row]
    assert points.places.shape == (len(finished), len(points.columns))
    names = [column.name for column in points.columns]
    lr = [(math.log10(float(row[header.index("lr")])) + 4) / 4 for row in finished]
    np.testing.assert_allclose(points.places[:, names.index("lr")], lr)
    sgd = [row[header.index("kind")] == "sgd" for row in finished]
    np.testing.assert_array_equal(~np.isnan(points.places[:, names.index("momentum")]), sgd)
    assert points.left_out == {"failed": len(rows) - 1 - len(finished)}


def test_without_a_journal_columns_tell_of_the_space(log_dir: Path) -> None:
    (log_dir / "journal.jsonl").unlink()
    points = read_points(log_dir)
    columns = by_name(points.columns)
    assert not points.from_journal
    assert points.constants == ("fixed",)
    assert (columns["lr"].kind, columns["lr"].log) == ("float", True)
    assert columns["momentum"].conditional
    assert not columns["momentum"].log
    assert columns["layers"] == Column("layers", "ordered", values=(1, 2, 4, 5))
    assert columns["batch"].values == (16, 32, 64)
    assert {*columns["kind"].values} == {"sgd", "adam", None, True}


def test_a_range_of_numbers_from_near_0_is_not_logarithmic(tmp_path: Path) -> None:
    rows = [({"x": n / 400}, 1.0) for n in range(1, 401)]
    (column,) = read_points(write_results(tmp_path / "r.csv", rows)).columns
    assert column == Column("x", "float", 1 / 400, 1.0)


def test_a_journal_of_another_space_is_not_that_of_the_results(log_dir: Path) -> None:
    write_results(log_dir / "results.csv", [({"z": n / 9}, 1.0) for n in range(40)])
    notices: list[str] = []
    points = read_points(log_dir, on_notice=notices.append)
    assert [column.name for column in points.columns] == ["z"]
    assert notices == [
        "the space is inferred from the columns, because the journal is of another one"
    ]


def test_a_damaged_journal_is_said(log_dir: Path) -> None:
    (log_dir / "journal.jsonl").write_text('{"event": "search"}\n')
    notices: list[str] = []
    points = read_points(log_dir, on_notice=notices.append)
    assert not points.from_journal
    assert len(notices) == 1
    assert "damaged at line 1" in notices[0]


def test_rows_outside_the_space_are_counted(log_dir: Path) -> None:
    path = log_dir / "results.csv"
    lines = path.read_text().splitlines()
    at = lines[0].split(",").index("lr")
    line = next(i for i, text in enumerate(lines) if ",finished," in text)
    cells = lines[line].split(",")
    cells[at] = "17.0"
    lines[line] = ",".join(cells)
    before = read_points(path)
    path.write_text("\n".join(lines) + "\n")
    notices: list[str] = []
    points = read_points(path, on_notice=notices.append)
    assert len(points.objectives) == len(before.objectives) - 1
    assert points.left_out["not in the space"] == 1
    assert notices == [f"1 rows are not in the space of the search, the first in line {line + 1}"]


def test_a_column_of_many_texts_is_no_hyperparameter(tmp_path: Path) -> None:
    rows = [({"note": f"run {n}", "x": n / 60}, 1.0) for n in range(60)]
    notices: list[str] = []
    points = read_points(write_results(tmp_path / "r.csv", rows), on_notice=notices.append)
    assert [column.name for column in points.columns] == ["x"]
    assert notices == ["the column 'note' is left out, because it has 60 different texts"]


@pytest.mark.parametrize("log", [False, True])
def test_whole_numbers_share_their_scale(log: bool) -> None:
    column = Column("n", "int", 1.0, 16.0, log=log)
    places, masses = np.array(column.places()).T
    assert masses.sum() == pytest.approx(1)
    # Each is in the middle of its share of the scale, but for the curvature of a logarithm.
    np.testing.assert_allclose(places, np.cumsum(masses) - masses / 2, atol=0.05)
    assert masses[0] / masses[-1] == pytest.approx(
        math.log(3) / math.log(16.5 / 15.5) if log else 1
    )


def test_some_rows_of_many_are_the_same_for_a_seed(tmp_path: Path) -> None:
    path = write_results(tmp_path / "r.csv", [({"x": n / 300}, float(n)) for n in range(300)])
    some, again, other = (read_points(path, most=50, seed=seed) for seed in (1, 1, 2))
    assert (some.num_read, some.total, len(some.objectives)) == (50, 300, 50)
    np.testing.assert_array_equal(some.objectives, again.objectives)
    assert {*some.objectives} != {*other.objectives}


def test_no_finished_evaluation_is_an_error(tmp_path: Path) -> None:
    path = write_results(tmp_path / "r.csv", [({"x": 0.5}, "failed")])
    with pytest.raises(ResultsError, match="no finished evaluation"):
        read_points(path)


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), True, "a"])
def test_what_is_no_number_of_a_range_has_no_place(value: object) -> None:
    assert math.isnan(Column("x", "float", 0.0, 1.0).place(value))


def test_true_is_not_the_choice_1() -> None:
    column = Column("c", "category", values=(1, True, None, "None", 0.5))
    assert [column.place(value) for value in (1.0, True, None, "None", 0.5)] == [0, 1, 2, 3, 4]
    assert math.isnan(column.place(False))
