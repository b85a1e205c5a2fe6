"""Tables as spreadsheets save them are read where they are unambiguous."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deephyper.errors import ResultsError
from deephyper.printable import printable
from deephyper.search.results import read_table
from deephyper.sheet import quoted, read_sheet


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "results.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


TABLE = [["x", "objective"], ["1.5", "2.25"], ["2.5", "-0.125"]]
COMMAS = [[cell.replace(".", ",") for cell in row] for row in TABLE]


def text_of(table: list[list[str]], delimiter: str) -> str:
    return "".join(delimiter.join(row) + "\r\n" for row in table)


@pytest.mark.parametrize(
    "data",
    [
        text_of(TABLE, ",").encode(),
        text_of(TABLE, ",").encode("utf-8-sig"),
        text_of(TABLE, ",").encode("utf-16"),
        text_of(TABLE, ";").encode(),
        text_of(TABLE, "\t").encode("utf-16"),
        text_of(COMMAS, ";").encode(),
        text_of(COMMAS, "\t").encode(),
        b"sep=,\r\n" + text_of(TABLE, ",").encode(),
        b"\xef\xbb\xbfsep=;\n" + text_of(COMMAS, ";").encode(),
        b"sep=|\n" + text_of(TABLE, "|").encode(),
        text_of(TABLE, ",").replace("\r\n", "\r").encode(),
        text_of(TABLE, " , ").encode(),
    ],
)
def test_the_dialects_of_spreadsheets_are_read(tmp_path: Path, data: bytes) -> None:
    table = read_table(write(tmp_path, data))
    assert [(row.point, row.objective) for row in table.rows] == [
        ({"x": 1.5}, 2.25),
        ({"x": 2.5}, -0.125),
    ]
    assert table.left_out == []


@pytest.mark.parametrize(
    ("text", "objectives"),
    [
        ("x;objective\n1;1,234\n", [1.234]),  # only where commas are decimal are there semicolons
        ("x\tobjective\n1\t1,234\n2\t0,5\n", [1.234, 0.5]),
        ("x\tobjective\n1\t1,234\n", [None]),
        ("x;objective\n0.5;1,234\n", [None]),
        ("x;objective\n0.5;0,97\n", [0.97]),
        ("x;objective\n0,5;1.234\n", [None]),
        ("x;objective\n1;1.234,5\n", [None]),
        ('x,objective\n1,"0,97"\n', [None]),
    ],
)
def test_a_decimal_comma_is_read_where_it_can_be_nothing_else(
    tmp_path: Path, text: str, objectives: list[float | None]
) -> None:
    table = read_table(write(tmp_path, text))
    assert [row.objective if row.is_finished else None for row in table.rows] == objectives
    assert len(table.left_out) == objectives.count(None)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32", "cp500"])
def test_other_encodings_are_refused_in_one_line(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, text_of(TABLE, ",").encode(encoding))
    with pytest.raises(ResultsError) as refused:
        read_table(path)
    assert len(str(refused.value).splitlines()) == 1


def test_empty_lines_and_empty_cells_too_many_are_nothing(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "x,objective,,\n\n1,2.0,,,,\n,,,\n \n2,3.0,,\n"))
    assert [(row.point, row.line) for row in table.rows] == [({"x": 1}, 3), ({"x": 2}, 6)]
    assert table.left_out == []


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("My search\nx,objective\n1,2.0\n", "its header seems to be line 2"),
        ("sep=;\n\n# note\nx;objective\n1;2.0\n", "its header seems to be line 4"),
        ("params,,results\nx,y,objective\n1,2,3\n", "its header seems to be line 2"),
        ("x,Objective\n1,2.0\n", "its header has 'Objective': rename that"),
        ("x|objective\n1|2.0\n", "separate its cells with commas, semicolons or tabs"),
        ("x,score\n1,2.0\n", "give the results.csv of a search"),
        ("objective,x,objective\n1,2.0,3\n", "the column 'objective' twice; remove or rename"),
    ],
)
def test_a_header_that_is_not_one_is_told_what_to_do(
    tmp_path: Path, text: str, remedy: str
) -> None:
    with pytest.raises(ResultsError, match=re.escape(remedy)):
        read_sheet(write(tmp_path, text), "objective")


def test_a_byte_that_is_not_utf_8_is_shown_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=re.escape("(line 2 has the byte 0xe9)")):
        read_table(write(tmp_path, "x,objective\nCaf\u00e9,1\n".encode("latin-1")))


@pytest.mark.parametrize("above", ["\n", "\r\n \r\n", "sep=,\n\n"])
def test_lines_are_counted_with_blank_ones_above_the_header(tmp_path: Path, above: str) -> None:
    (row,) = read_table(write(tmp_path, f"{above}x,objective\n1,2.0\n")).rows
    assert (row.objective, row.line) == (2.0, above.count("\n") + 2)


@given(
    st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1), max_size=5),
    st.sampled_from(",;\t"),
)
def test_every_row_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([["x", "objective", "y"], *rows])
    sheet = read_sheet(write(tmp_path_factory.getbasetemp(), text.getvalue()), "objective")
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    assert len(sheet.records) + len(sheet.broken) == len(filled)
    assert sheet.unfinished is None


@given(st.text())
def test_a_cell_in_a_message_is_one_short_line(text: str) -> None:
    shown = quoted(text)
    assert len(shown.splitlines()) == 1
    assert len(shown) <= 62
    assert printable(shown) == shown
