"""Where the objective of a program is found."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from deephyper.command.source import read_output, source_of
from deephyper.errors import SettingsError


def found(source: str, *lines: str, directory: Path = Path()) -> Any:
    reader = source_of(source).reader(lambda name: directory / name)
    reader.take(lines)
    return reader.result()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["0.5"], 0.5),
        (["loss 1.25, accuracy: 0.9"], 0.9),
        (["accuracy=93.5%"], 93.5),
        (["-1e-3", "done"], -1e-3),
        (["epoch 3/10", "score .5."], 0.5),
        (["took 12s, model_v2 at v1.2.3 of 7th"], None),
        (["1.5e+3"], 1500.0),
        ([], None),
        (["inf"], math.inf),
    ],
)
def test_the_last_number(lines: list[str], expected: float | None) -> None:
    assert found("last", *lines) == expected


def test_a_last_number_that_is_none_is_not_passed_over() -> None:
    assert math.isnan(found("last", "0.5", "loss: nan"))


def test_a_pattern() -> None:
    lines = ("loss: 0.5 at 1", "loss: 0.25 at 2", "done 9")
    assert found("regex:loss: ([0-9.]+)", *lines) == 0.25
    named = r"regex:loss: (?P<objective>[\d.]+) at (?P<epoch>\d+)"
    assert found(named, *lines) == {"objective": 0.25, "metrics": {"epoch": 2.0}}
    assert found("regex:nothing (x)", *lines) is None
    assert found("regex:(loss)", *lines) == "F_the program gave 'loss', which is not a number"


@pytest.mark.parametrize(
    ("source", "content", "expected"),
    [
        ("json:out.json", 0.5, 0.5),
        ("json:out.json:val.acc", {"val": {"acc": 0.25}}, 0.25),
        ("json:out.json:history.-1", {"history": [1, 2, 3]}, 3),
        ("json:out.json", {"objective": 1, "time": 2}, {"objective": 1, "time": 2}),
        ("json:out.json:val.loss", {"val": {"acc": 1}}, "has no val.loss"),
        ("json:out.json:a.b", {"a": 1}, "has no a.b"),
        ("json:out.json:9", [1], "has no 9"),
    ],
)
def test_a_json_file(tmp_path: Path, source: str, content: Any, expected: Any) -> None:
    reader = source_of(source).reader(lambda name: tmp_path / name)
    (tmp_path / "out.json").write_text(json.dumps(content))
    result = reader.result()
    if isinstance(expected, str):
        assert expected in result
        assert result.startswith("F_")
    else:
        assert result == expected


def test_a_json_file_of_before_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("1.0")
    assert "didn't write" in found("json:out.json", directory=tmp_path)
    assert "wrote no file" in found("json:other.json", directory=tmp_path)
    reader = source_of("json:out.json").reader(lambda name: tmp_path / name)
    (tmp_path / "out.json").write_text("{")
    assert "can't be read as JSON" in reader.result()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DH-OUTPUT: 0.5", 0.5),
        ("  DH-OUTPUT:1e3", 1000.0),
        ("DH-OUTPUT: 0.5 acc=0.25 time=3", {"objective": 0.5, "metrics": {"acc": 0.25, "time": 3}}),
        ("DH-OUTPUT: F_no memory", "F_no memory"),
        ("DH-OUTPUT: F", "F"),
        ("DH-OUTPUT:", "F_the program printed DH-OUTPUT: without a value"),
        ("DH-OUTPUT: x", "F_the program gave 'x', which is not a number"),
        ("DH-OUTPUT: 1 a=b", "F_the program gave 'b', which is not a number"),
        ("see DH-OUTPUT: 1", None),
    ],
)
def test_an_output_line(line: str, expected: Any) -> None:
    assert read_output(line) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("best", "--objective is 'best'; give last, regex:PATTERN, or json:FILE"),
        ("json:", "--objective is 'json:'; give last"),
        ("regex:", "--objective is 'regex:'; give last"),
        ("regex:(", r"is no regular expression \(missing \)"),
        ("regex:loss", "has no group; put the number into parentheses"),
    ],
)
def test_a_bad_source(source: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        source_of(source)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    reader = source_of("json:out.json").reader(lambda name: tmp_path / name)
    os.mkfifo(tmp_path / "out.json")
    assert "is not a file that can be read" in reader.result()
