"""What one ask has fitted, the next ones propose with, until it is time to fit again."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from deephyper.ask_tell import SearchDirectory
from tests.ask_tell.test_ask_tell import objective, problem


def ask_and_tell(log_dir: Path, n: int) -> None:
    for _ in range(n):
        (asked,) = SearchDirectory(log_dir).ask()
        SearchDirectory(log_dir).tell(asked.id, objective(asked.point))


def saved(log_dir: Path) -> Any:
    return json.loads((log_dir / "model.json").read_bytes())


def test_it_is_fitted_again_when_there_are_a_fifth_more_results(tmp_path: Path) -> None:
    SearchDirectory.create(tmp_path, problem(), seed=1)
    ask_and_tell(tmp_path, 8)
    assert not (tmp_path / "model.json").exists()
    fitted_on = []
    for _ in range(14):
        ask_and_tell(tmp_path, 1)
        fitted_on.append(saved(tmp_path)["results"])
    assert sorted(set(fitted_on)) == [8, 10, 12, 15, 18]


def spoiled(model: dict[str, Any]) -> dict[str, Any]:
    values = model["values"]
    transform = values["transform"]
    return {
        "nothing": "",
        "text": "{",
        "deep": "[" * 100_000,
        "list": "[]",
        "another engine": json.dumps(model | {"optimizer": "skopt"}),
        "more results": json.dumps(model | {"results": 1000}),
        "no results": json.dumps(model | {"results": 0}),
        "no count": json.dumps(model | {"results": "12"}),
        "no values": json.dumps(model | {"values": None}),
        "other dimensions": json.dumps(model | {"values": values | {"joint": [1.0]}}),
        "negative": json.dumps(model | {"values": values | {"noise": -1.0}}),
        "infinite": json.dumps(model | {"values": values | {"joint": [1e999] * 4}}),
        "not a number": json.dumps(model | {"values": values | {"share": "a"}}),
        "share": json.dumps(model | {"values": values | {"share": 1.0}}),
        "transform": json.dumps(model | {"values": values | {"transform": {}}}),
        "unit": json.dumps(model | {"values": values | {"transform": transform | {"unit": 0}}}),
    }


def test_what_can_not_have_been_fitted_is_fitted_anew(tmp_path: Path) -> None:
    directory = SearchDirectory.create(tmp_path, problem(), seed=1)
    ask_and_tell(tmp_path, 9)
    file = tmp_path / "model.json"
    model = saved(tmp_path)
    for text in spoiled(model).values():
        file.write_text(text)
        directory.ask()
        assert saved(tmp_path)["results"] == 9  # 8 before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    log_dir = tmp_path / "search"
    SearchDirectory.create(log_dir, problem(), seed=1)
    ask_and_tell(log_dir, 9)
    elsewhere = tmp_path / "elsewhere"
    (log_dir / "model.json").rename(elsewhere)
    before = elsewhere.read_bytes()
    os.symlink(elsewhere, log_dir / "model.json")
    SearchDirectory(log_dir).ask()
    assert elsewhere.read_bytes() == before
    assert saved(log_dir)["results"] == 9
