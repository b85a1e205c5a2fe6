"""Cells of results.csv read back as the values that were written."""

from __future__ import annotations

import csv
import io
import math
import tempfile
from pathlib import Path
from typing import Any

import ConfigSpace
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deephyper.cell import format_cell, parse_cell
from deephyper.claim import Claim
from deephyper.errors import ResultsError
from deephyper.job import Job, Outcome
from deephyper.problem import HpProblem
from deephyper.search.record import Evaluation, Record
from deephyper.search.results import read_results, read_table
from deephyper.search.results_file import COLUMNS, Columns, ResultsWriter
from deephyper.search.search_result import SearchResult
from tests.search.test_log import Expecting
from tests.search.virtual_search import VirtualSearch

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["None", "True", "1", "1.0", "1e3", "nan", "inf", "1_0", '"', '""', " ", ""]),
)


@given(VALUES)
def test_a_cell_reads_back_as_its_value(value: object) -> None:
    cell = format_cell(value)
    assert cell != ""  # which is an inactive hyperparameter
    text = io.StringIO(newline="")
    csv.writer(text).writerow([cell, "next"])
    text.seek(0)
    (read,) = csv.reader(text)
    parsed = parse_cell(read[0])
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize("word", ["relu", "a b", "x,y", "é", "-", "0x10", "1 2", "adam_w"])
def test_plain_words_stay_plain(word: str) -> None:
    assert format_cell(word) == word


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "results.csv"
    path.write_bytes(text.encode())
    return path


def test_a_row_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "x,objective,id\r\n1,2.0,0\r\n1,2")
    assert [row.point for row in read_results(path)] == [{"x": 1}]


@pytest.mark.parametrize(
    "row",
    [
        "1,F_oom,,",
        "1,F,,",
        "1,F_oom,finished,",
        "1,,failed,",
        "1,much,failed,",
        "1,0.5,failed,",
        "1,,,nan: run returned NaN",
        "1,nan,,nan: run returned NaN",
        "1,,Failed ,",
    ],
)
def test_a_row_that_says_so_is_a_failure(tmp_path: Path, row: str) -> None:
    table = read_table(write(tmp_path, f"x,objective,status,failure\n{row}\n"))
    assert [row.status for row in table.rows] == ["failed"]
    assert table.left_out == []


OBJECTIVES = [
    "nan",
    "inf",
    "-inf",
    "much",
    "True",
    "None",
    "95%",
    "0.96*",
    "0,97",
    "1,234.5",
    "1_0",
]


@pytest.mark.parametrize("objective", [*OBJECTIVES, '""0.97""', "1e999", "\u22120.5", "=1+1"])
@pytest.mark.parametrize("status", ["", "finished", "pruned"])
def test_what_is_not_a_number_is_left_out(tmp_path: Path, objective: str, status: str) -> None:
    text = f'x,objective,status\n1,2.0,finished\n1,"{objective}",{status}\n'
    table = read_table(write(tmp_path, text))
    row = table.rows[1]
    assert (row.objective, row.status, row.is_finished) == (None, "unreadable", False)
    (left_out,) = table.left_out
    assert left_out.line == 3
    shown = objective.replace('""', '"')
    assert left_out.reason == f"its objective is '{shown}', not a finite number"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,,,", "its objective is empty, and nothing says that it failed"),
        ("1", "its objective is empty, and nothing says that it failed"),
        ("1,,finished,", "its objective is empty, and its status is finished"),
        ("1,,pruned,", "its objective is empty, and its status is pruned"),
        ("1,2.0,done,", "its status is 'done'"),
        ("1,2.0,finished,oops", "it has an objective and a failure"),
        ("1,2.0", "it ends before its status"),
        ("1,2.0,,", "its status is empty"),
        (",2.0,finished,", "it has no hyperparameters"),
        ("1,2.0,finished,,5", "it has 5 cells, the header has 4"),
        ('1,2.0,"finished"x,', "a quotation mark is out of place"),
    ],
)
def test_a_row_that_does_not_say_what_came_of_it_is_left_out(
    tmp_path: Path, row: str, reason: str
) -> None:
    text = f"x,objective,status,failure\n1,1.0,finished,\n{row}\n1,3.0,finished,\n"
    table = read_table(write(tmp_path, text))
    assert [(each.line, each.reason) for each in table.left_out] == [(3, reason)]
    assert [row.objective for row in table.rows if row.is_finished] == [1.0, 3.0]
    assert table.total == 3


def test_the_nothing_of_other_tools_is_no_failure(tmp_path: Path) -> None:
    text = "x,objective,status,failure\n1,1.0,finished,NA\n2,NA,failed,worker_died: x\n"
    rows = read_table(write(tmp_path, text)).rows
    assert [row.status for row in rows] == ["finished", "failed"]


def test_rows_that_a_quotation_mark_makes_one_are_all_counted(tmp_path: Path) -> None:
    rows = [f"{i},{i}.5,finished,\n" for i in range(8)]
    rows[2] = '"2,2.5,finished,\n'
    for closing, first in (('5,5.5,"finished",\n', 4), ('5"",5.5,finished,\n', 4), ("", 4)):
        damaged = [*rows]
        if closing:
            damaged[5] = closing
        table = read_table(write(tmp_path, "x,objective,status,failure\n" + "".join(damaged)))
        assert table.total == 8
        assert min(each.line for each in table.left_out) == first
        read = {row.columns["status"]: row for row in table.rows}
        assert set(read) == {"finished"}
        lost = sum(each.lines for each in table.left_out)
        assert len([row for row in table.rows if row.is_finished]) + lost == 8


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_cells_that_are_missing_at_the_end_are_empty(tmp_path: Path, end: str) -> None:
    lines = [
        "x,objective,status,failure,predicted",
        "1,2.0,finished",
        "2,,failed,oops",
        "3,4.0,failed",
    ]
    table = read_table(write(tmp_path, end.join([*lines, ""])))
    assert [(row.point, row.objective, row.status) for row in table.rows] == [
        ({"x": 1}, 2.0, "finished"),
        ({"x": 2}, None, "failed"),
        ({"x": 3}, 4.0, "failed"),
    ]
    assert table.left_out == []


@given(st.data())
def test_a_search_that_is_running_is_read_up_to_its_last_whole_row(data: st.DataObject) -> None:
    evaluations = [evaluation(i, worker="é", objective=float(i)) for i in range(4)]
    text = io.StringIO(newline="")
    Columns.of(["x"], evaluations).write(text, evaluations)
    whole = text.getvalue().encode()
    begun = whole[: data.draw(st.integers(whole.index(b"\n"), len(whole)))]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "results.csv")
        path.write_bytes(begun)
        table = read_table(path)
    ended = begun.count(b"\n") - 1
    assert [row.point["x"] for row in table.rows if row.is_finished][:ended] == [*range(ended)]
    assert all(row.objective == row.point["x"] for row in table.rows if row.is_finished)
    half = begun.rpartition(b"\n")[2].decode(errors="ignore")
    # What came of it could be read already: then it is said.
    assert len(table.left_out) == (half.count(",") in range(4, len(table.header) - 1))


def test_the_last_row_needs_no_end_of_line(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "x,objective\n1,2.0\n2,3.0"))
    assert [row.objective for row in table.rows] == [2.0, 3.0]


def test_a_shifted_row_of_a_file_without_statuses_is_left_out(tmp_path: Path) -> None:
    text = "p:x,p:y,objective,job_id,m:end\n0.1,0.2,0.5,7,1.5\n0.3-0.4,0.6,8,1.5\n0.1,0.2,0.7\n"
    table = read_table(write(tmp_path, text))
    assert [(each.line, each.reason) for each in table.left_out] == [
        (3, "it has too few cells, and its 'p:x' is '0.3-0.4'")
    ]
    assert [row.objective for row in table.rows if row.is_finished] == [0.5, 0.7]


def test_two_files_in_one_are_read_or_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    same = write(tmp_path / "a", "x,objective\n1,2.0\nx,objective\n2,3.0\n")
    assert [row.objective for row in read_results(same)] == [2.0, 3.0]
    other = write(tmp_path, "x,objective\n1,2.0\nobjective,y\n2,3.0\n")
    with pytest.raises(ResultsError, match="another header in line 3; split it"):
        read_results(other)


def test_results_of_a_spreadsheet_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffobjective,x\n2.5,1\n")
    (row,) = read_results(path)
    assert (row.objective, row.point) == (2.5, {"x": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'objective'"),
        ("x,y\n1,2\n", "has no column 'objective'"),
        ("x,x,objective\n1,2,3\n", "has the column 'x' twice"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ResultsError, match=message):
        read_results(write(tmp_path, text))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes(b"objective\n\xff\xfe\n")
    with pytest.raises(ResultsError, match="is not a CSV file"):
        read_results(path)


def test_no_cell_is_ever_evaluated(tmp_path: Path) -> None:
    cell = "__import__('os').system('touch escaped')"
    (row,) = read_results(write(tmp_path, f'x,objective\n"{cell}",1\n'))
    assert row.point == {"x": cell}


def test_a_dataframe_keeps_the_types_of_values(tmp_path: Path) -> None:
    problem = HpProblem()
    for name, values in {"text": ["1", "NA"], "any": [None, "None"], "yes": [True, False]}.items():
        problem.add_hyperparameter(values, name)
    problem.add_hyperparameter((1, 3), "n")
    problem.add_starting_point(text="1", any=None, yes=True, n=1)
    problem.add_starting_point(text="NA", any="None", yes=False, n=2)
    result = VirtualSearch(tmp_path, problem, lambda job: float(job.point["n"])).session(2)
    frame = result.to_dataframe()
    assert list(frame.columns) == ["any", "n", "text", "yes", *COLUMNS]
    assert list(frame["text"]) == ["1", "NA"]
    assert list(frame["any"]) == [None, "None"]
    assert [frame[c].dtype.kind for c in ("n", "yes", "objective", "text")] == ["i", "b", "f", "O"]


def test_a_dataframe_has_nan_where_a_hyperparameter_is_inactive(tmp_path: Path) -> None:
    problem = HpProblem()
    problem.add_hyperparameter(["rbf", "poly"], "kernel")
    conditional: dict[str, Any] = {
        "degree": (2, 5),
        "shift": (0.0, 1.0),
        "fit": [True, False],
        "mode": [None, "a"],
    }
    for name, values in conditional.items():
        problem.add_hyperparameter(values, name)
        problem.add_condition(
            ConfigSpace.EqualsCondition(problem.space[name], problem.space["kernel"], "poly")
        )
    problem.add_starting_point(kernel="rbf")
    problem.add_starting_point(kernel="poly", degree=3, shift=0.5, fit=True, mode=None)
    frame = VirtualSearch(tmp_path, problem, lambda job: 1.0).session(2).to_dataframe()
    first, second = (list(frame[[*conditional]].loc[row]) for row in (0, 1))
    assert all(isinstance(cell, float) and math.isnan(cell) for cell in first)
    assert second == [3.0, 0.5, True, None]  # a None that was chosen is not missing
    assert [frame[name].dtype.kind for name in conditional] == ["f", "f", "O", "O"]
    assert list(frame["kernel"]) == ["rbf", "poly"]


def test_a_log_directory_stands_for_its_results(tmp_path: Path) -> None:
    write(tmp_path, "objective,x\n2.5,1\n")
    assert [row.point for row in read_results(tmp_path)] == [{"x": 1}]


def test_cells_may_be_long_and_numbers_large(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(f"x,objective,failure\n{'y' * 200_000},1.0,\nz,{'9' * 400},\n")
    first, second = read_results(path)
    assert first.point == {"x": "y" * 200_000}
    assert first.objective == 1.0
    assert second.objective is None


def test_what_the_model_expected_is_in_the_results(tmp_path: Path) -> None:
    search = VirtualSearch(tmp_path, make_optimizer=Expecting)
    search.session(max_evals=2)
    rows = read_results(tmp_path)
    assert [(r.columns["predicted"], r.columns["predicted_std"]) for r in rows] == [
        (0.25, 0.125)
    ] * 2


def evaluation(number: int, **fields: Any) -> Evaluation:
    job = Job(str(number), {"x": number})
    known: dict[str, Any] = {
        "status": "finished",
        "objective": 1.0,
        "failure": None,
        "worker": "0",
    }
    return Evaluation(job, Outcome(job, start=1.0, end=2.0, **(known | fields)))


def add_to(record: Record, evaluations: list[Evaluation]) -> None:
    for each in evaluations:
        assert each.outcome is not None
        record.add(Evaluation(each.job))
        record.end(each.outcome)


def test_a_new_metric_or_step_gets_a_column(tmp_path: Path) -> None:
    record = Record()
    add_to(record, [evaluation(0)])
    later = [
        [evaluation(1, metrics={"loss": 0.5, "x": 7})],
        [evaluation(2), evaluation(3, status="pruned", step=4)],
        [evaluation(4, metrics={"loss": 0.25})],
    ]
    aside: list[Path] = []
    with Claim(tmp_path) as claim:
        writer = ResultsWriter(claim, ["x"], record, aside.append)
        for batch in later:
            add_to(record, batch)
            writer.extend(batch)
        writer.close()
        ResultsWriter(claim, ["x"], record, aside.append).close()
    table = read_table(tmp_path)
    header, rows = table.header, table.rows
    assert header == ["x", *COLUMNS, "step", "loss", "m:x"]
    assert [row.columns["id"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row.columns.get("loss") for row in rows] == [None, 0.5, None, None, 0.25]
    assert [row.columns.get("step") for row in rows] == [None, None, None, 4, None]
    assert rows[1].columns["m:x"] == 7
    assert aside == []


@pytest.mark.parametrize("text", ["relu", "a,b", 'say "hi"', "two\nlines", "\r", " a", "", "1"])
def test_a_results_file_is_written_as_csv(text: str) -> None:
    job = Job("7", {"x": text, "y": 0.1})
    one = Evaluation(job, Outcome(job, "finished", -1e-300, None, 1.0, 2.0, text))
    columns = Columns.of(["x", "y"], [one])
    written, expected = io.StringIO(newline=""), io.StringIO(newline="")
    columns.write(written, [one])
    csv.writer(expected).writerows([columns.header, columns.cells(one)])
    assert written.getvalue() == expected.getvalue()


def test_a_pruned_evaluation_is_never_the_best(tmp_path: Path) -> None:
    result = SearchResult(
        "max_evals",
        [evaluation(0), evaluation(1, status="pruned", step=4, objective=9.0)],
        ("x",),
    )
    assert result.best_point == {"x": 0}
    assert result.best_objective == 1.0


def test_a_result_prints_as_a_summary_and_as_a_table(tmp_path: Path) -> None:
    result = VirtualSearch(tmp_path, options={"seed": 1}).session(max_evals=3)
    assert result.best is not None
    assert repr(result).splitlines()[0] == (
        "SearchResult: 3 evaluations; the evaluation budget is used up"
    )
    assert f"x: {result.best.job.point['x']}" in repr(result)
    one = SearchResult("timeout", [evaluation(0)], ("x",))
    assert repr(one).startswith("SearchResult: 1 evaluation; the time limit was reached\n")
    table = result._repr_html_()
    assert table.count("<tr>") == 1 + 3
    assert "<th>objective</th><th>x</th>" in table


def test_a_dataframe_has_the_workers_as_the_results_file_has_them(tmp_path: Path) -> None:
    frame = VirtualSearch(tmp_path).session(max_evals=2).to_dataframe()
    assert (
        list(frame["worker"]) == [row.columns["worker"] for row in read_results(tmp_path)] == [0, 0]
    )
    assert frame["worker"].dtype.kind == "i"
