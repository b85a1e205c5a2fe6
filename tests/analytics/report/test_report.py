"""The content of reports, and the files that they are saved in."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from deephyper import HpProblem, RandomSearch
from deephyper.analytics import save_report
from deephyper.analytics.report.arrays import Arrays
from deephyper.analytics.report.page import MARK, as_json
from deephyper.analytics.report.saving import follow_search
from deephyper.claim import Claim
from deephyper.errors import ResultsError, SettingsError
from deephyper.search.results import read_results
from tests.analytics.report.searches import (
    HOSTILE_NAMES,
    HOSTILE_TEXTS,
    SCRIPT,
    all_failed,
    array_at,
    column,
    hostile,
    in_two_sessions,
    many,
    searched,
    values_in,
    write_rows,
)


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return searched(tmp_path_factory.mktemp("searched") / "search", 40)


def reported(results: Path, tmp_path: Path) -> dict[str, Any]:
    save_report(results, tmp_path / "report.html", force=True)
    return values_in(tmp_path / "report.html")


def test_every_value_of_the_results_is_there(log_dir: Path, tmp_path: Path) -> None:
    values = reported(log_dir, tmp_path)
    rows = read_results(log_dir)
    assert values["numRows"] == len(rows) == 40
    assert column(values, "objective") == [row.objective for row in rows]
    assert column(values, "status") == [row.status for row in rows]
    assert column(values, "id") == [row.columns["id"] for row in rows]
    for name in ("x", "model", "depth", "rate"):
        assert column(values, name) == [row.point.get(name) for row in rows]
    assert {row.status for row in rows} >= {"finished", "failed"}


def test_the_head_says_how_the_search_stands(log_dir: Path, tmp_path: Path) -> None:
    values = reported(log_dir, tmp_path)
    rows = read_results(log_dir)
    best = max((row for row in rows if row.is_finished), key=lambda row: row.objective or -math.inf)
    assert json.loads(values["best"]["point"]) == best.point
    assert rows[values["best"]["row"]] == best
    assert values["stateText"] == "ended (the evaluation budget is used up)"
    assert values["status"]["maxEvals"] == 40
    assert 0.0 < values["time"]["utilization"] <= 1.0
    assert values["time"]["peak"] <= 3
    settings = dict(values["run"]["settings"])
    assert settings["search"] == "ambs"
    assert settings["stopper.name"] == "median"
    assert "Gaussian process" in settings["optimizer in use"]


def test_the_breaks_between_sessions_are_no_time_of_the_workers(tmp_path: Path) -> None:
    in_two_sessions(tmp_path / "search")
    time = reported(tmp_path / "search", tmp_path)["time"]
    # 6 trainings of 10 s in 30 s, then 5 of 9.5 s and 3 of 3.5 s in 32 s, by 2 workers.
    assert time["utilization"] == pytest.approx((60.0 + 47.5 + 10.5) / (2 * 62.0))
    assert (time["workers"], time["peak"]) == (None, 2)


def test_the_workers_of_each_session_count_where_the_journal_tells_them(tmp_path: Path) -> None:
    directory = tmp_path / "search"
    in_two_sessions(directory)
    journal = directory / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    numbers = iter((2, 4))
    for event in lines:
        if event["event"] in ("search", "resumed"):
            options = {"--num-workers": str(next(numbers))}
            event["command"] = {"directory": "", "options": options}
    # The second session was killed: its time is up to its last event.
    del lines[-1]
    last = lines[-1]["time"]
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    time = reported(directory, tmp_path)["time"]
    second = last - next(e["time"] for e in lines if e["event"] == "resumed")
    assert time["utilization"] == pytest.approx(118.0 / (2 * 30.0 + 4 * second))
    assert time["workers"] == [2, 4]


def test_a_results_file_alone_has_the_utilization_of_its_rows(tmp_path: Path) -> None:
    header = ["x", "objective", "start", "end"]
    rows = [[1, 1, 100, 110], [2, 2, 100, 105]]
    time = reported(write_rows(tmp_path / "results.csv", header, rows), tmp_path)["time"]
    assert (time["utilization"], time["workers"], time["peak"]) == (0.75, None, 2)


def test_failures_are_grouped_and_tell_their_texts(log_dir: Path, tmp_path: Path) -> None:
    values = reported(log_dir, tmp_path)
    failed = [row for row in read_results(log_dir) if row.status == "failed"]
    (group,) = values["failures"]
    assert group["size"] == len(failed) > 1
    assert "x is too large" in group["title"]
    example = group["examples"][0]
    assert "raise ValueError" in example["text"]
    assert column(values, "failure") == [
        row.columns.get("failure") for row in read_results(log_dir)
    ]


def test_a_log_directory_that_was_moved_tells_its_outputs(tmp_path: Path) -> None:
    directory = tmp_path / "search"
    directory.mkdir()
    (directory / "output").mkdir()
    (directory / "output" / "0.1.log").write_text("one\nthe last words\n")
    secret = tmp_path / "secret.log"
    secret.write_text("of somebody else\n")
    events = [
        {
            "event": "search", "time": 0.0, "version": 2, "max_evals": 2, "timeout": None,
            "settings": {"search": "ambs"},
            "space": {"hyperparameters": {}, "conditions": [], "forbiddens": []},
        },
    ]  # fmt: skip
    for i, output in enumerate(("/gone/output/0.1.log", str(secret))):
        events += [
            {"event": "submitted", "time": 1.0, "id": str(i), "attempt": 1, "point": {}},
            {
                "event": "failed", "time": 2.0, "id": str(i), "attempt": 1, "worker": "0",
                "start": 1.0, "end": 2.0, "output": output, "kind": "exception",
                "message": f"kind {'ab'[i]}", "text": "",
            },
        ]  # fmt: skip
    (directory / "journal.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in events))
    header = ["x", "objective", "id", "status", "failure"]
    write_rows(
        directory / "results.csv",
        header,
        [[1, "", i, "failed", f"exception: kind {'ab'[i]}"] for i in range(2)],
    )
    first, second = reported(directory, tmp_path)["failures"]
    assert first["examples"][0]["output"] == "one\nthe last words"
    assert second["examples"][0]["output"] == ""


def test_curves_are_those_that_were_reported(log_dir: Path, tmp_path: Path) -> None:
    values = reported(log_dir, tmp_path)
    finished = [row for row in read_results(log_dir) if row.is_finished]
    curves = {curve["id"]: curve for curve in values["curves"]}
    for row in finished:
        curve = curves[str(row.columns["id"])]
        assert curve["steps"] == [1, 2, 3, 4, 5]
        assert curve["objectives"][-1] == row.objective
        assert curve["ended"] == "finished"


def test_conditional_hyperparameters_say_when_they_are_active(
    log_dir: Path, tmp_path: Path
) -> None:
    described = {each["name"]: each for each in reported(log_dir, tmp_path)["hyperparameters"]}
    assert described["depth"]["condition"] == "model = tree"
    assert described["depth"]["conditional"] is True
    assert described["x"]["condition"] == ""
    assert described["rate"]["log"] is True


def test_a_search_that_minimizes_has_its_smallest_as_the_best(tmp_path: Path) -> None:
    directory = searched(tmp_path / "search", 12, direction="minimize")
    values = reported(directory, tmp_path)
    finished = [row.objective for row in read_results(directory) if row.is_finished]
    assert values["direction"] == "minimize"
    assert values["best"]["objective"] == min(each for each in finished if each is not None)


@pytest.mark.parametrize("number", [1, 5])
def test_few_evaluations_say_that_there_is_too_little_to_tell(tmp_path: Path, number: int) -> None:
    path = write_rows(tmp_path / "results.csv", ["x", "objective"], [[i, i] for i in range(number)])
    values = reported(path, tmp_path)
    assert values["findings"] == []
    assert "too little to tell" in " ".join(values["importanceText"]) or number == 1
    assert values["best"]["row"] == number - 1
    assert values["stateText"] == "from a results file"


def test_a_search_of_which_all_failed_has_a_report(tmp_path: Path) -> None:
    directory = all_failed(tmp_path / "search")
    values = reported(directory, tmp_path)
    assert values["best"] is None
    assert values["importance"] is None
    assert [group["size"] for group in values["failures"]] == [8]
    assert [finding["kind"] for finding in values["findings"]] == ["failures"]


def test_a_search_without_an_evaluation_has_a_report(tmp_path: Path) -> None:
    directory = tmp_path / "search"
    began = {
        "event": "search", "time": 0.0, "seconds": 0.0, "version": 2, "max_evals": 10,
        "timeout": None, "settings": {"search": "ambs", "direction": "minimize"},
        "space": {
            "hyperparameters": {
                "x": {"type": "uniform_float", "name": "x", "lower": 0, "upper": 1, "log": False}
            },
            "conditions": [], "forbiddens": [],
        },
    }  # fmt: skip
    directory.mkdir()
    (directory / "journal.jsonl").write_text(json.dumps(began) + "\n")
    values = reported(directory, tmp_path)
    assert (values["numRows"], values["best"], values["columns"]) == (0, None, [])
    assert values["direction"] == "minimize"
    header = ["x", "objective", "id", "elapsed_sec", "status"]
    path = write_rows(tmp_path / "results.csv", header, [])
    assert reported(path, tmp_path)["numRows"] == 0


class _Scripts(HTMLParser):
    """Counts the elements of a page as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


def test_nothing_in_names_and_values_is_part_of_the_page(tmp_path: Path) -> None:
    values = reported(hostile(tmp_path / "results.csv"), tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    parser = _Scripts()
    parser.feed(page)
    assert parser.found.count("script") == page.count("<script") == 5
    assert "img" not in parser.found
    assert "taken over'</script>" not in page
    titles = [each["title"] for each in values["columns"]]
    assert {*HOSTILE_NAMES, SCRIPT.upper()} <= {*titles}
    assert {*column(values, HOSTILE_NAMES[0])} == {*HOSTILE_TEXTS}
    assert f"exception: {SCRIPT} 3" in column(values, "failure")


def test_the_name_of_a_directory_is_not_part_of_the_page_either(tmp_path: Path) -> None:
    directory = tmp_path / "<b onload=x>"
    directory.mkdir()
    path = write_rows(directory / "results.csv", ["x", "objective"], [[1, 2], [2, 3]])
    save_report(path, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b onload" not in page
    assert values_in(tmp_path / "report.html")["name"] == "<b onload=x>"


def test_numbers_that_are_not_finite_are_kept(tmp_path: Path) -> None:
    values = reported(hostile(tmp_path / "results.csv"), tmp_path)
    loss = column(values, "loss")
    assert loss[:2] == [math.inf, -math.inf]
    assert isinstance(loss[2], float)
    assert math.isnan(loss[2])
    assert loss[4] is None


def test_the_page_loads_nothing(log_dir: Path, tmp_path: Path) -> None:
    save_report(log_dir, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    head = page[: page.index("<body>")]
    assert "default-src 'none'" in head
    assert "http:" not in head
    assert "https:" not in head
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page[: len(head) + 9000])
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert head.count("sha256-") == len(scripts) == 3


def test_fifty_thousand_evaluations_stay_small(tmp_path: Path) -> None:
    path = many(tmp_path / "results.csv", 50_000)
    values = reported(path, tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 10_000_000
    assert values["numRows"] == 50_000
    assert [group["size"] for group in values["failures"]] == [1000]
    assert len(next(c for c in values["columns"] if c["title"] == "failure")["texts"]) <= 2000


def test_arrays_take_as_few_bytes_as_they_need_and_lose_nothing() -> None:
    arrays = Arrays()
    given = [
        [1.0, -2.0],
        [300.0],
        [70_000.0],
        [1e300, math.pi],
        [],
        [math.inf],
        [-0.0],
        [2.0**40],
    ]
    places = [arrays.add(each) for each in given]
    import base64
    import zlib

    block = zlib.decompress(base64.b64decode(arrays.text()))
    assert [array_at(block, place) for place in places] == given
    assert [place["type"] for place in places] == ["i1", "i2", "i4", "f8", "i1", "f8", "f8", "f8"]
    assert math.copysign(1.0, array_at(block, places[6])[0]) == -1.0


def test_json_in_a_page_ends_no_element() -> None:
    text = as_json({"a": "</script><!--&\u2028"})
    assert not {*"<>&\u2028"} & {*text}
    assert json.loads(text) == {"a": "</script><!--&\u2028"}


def test_a_damaged_journal_leaves_the_results(log_dir: Path, tmp_path: Path) -> None:
    copied = tmp_path / "search"
    shutil.copytree(log_dir, copied)
    (copied / "journal.jsonl").write_text('{"event": "nothing"}\n{}\n')
    values = reported(copied, tmp_path)
    assert values["numRows"] == 40
    assert any("results file alone" in notice for notice in values["notices"])


# -- the file --------------------------------------------------------------------------------------


def test_a_file_is_kept_unless_it_is_to_be_replaced(log_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(ResultsError, match="exists already"):
        save_report(log_dir, path)
    assert path.read_text() == "mine"
    save_report(log_dir, path, force=True)
    assert path.read_bytes().startswith(MARK)
    assert [*tmp_path.iterdir()] == [path]


def test_the_name_of_the_file_ends_in_html(log_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"\.html"):
        save_report(log_dir, tmp_path / "report.pdf")


def test_nothing_to_report_on_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResultsError):
        save_report(tmp_path, tmp_path / "report.html")
    assert [*tmp_path.iterdir()] == []


# -- following -------------------------------------------------------------------------------------


def test_following_ends_with_the_search(log_dir: Path, tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "report.html"
    follow_search(log_dir, path, on_saved=said.append)
    assert values_in(path)["follow"] is None
    assert said == [f"Saved the report in {path}; the search is not running."]


def test_a_report_follows_a_search_until_it_ends(tmp_path: Path) -> None:
    directory = tmp_path / "search"
    path = tmp_path / "report.html"
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    seen: list[tuple[str, float | None, int]] = []

    def look(_: float) -> None:
        values = values_in(path)
        seen.append((values["state"], values["follow"], values["numRows"]))
        assert len(seen) < 100
        if len(seen) == 2:
            release()

    RandomSearch(problem, lambda p: p["x"], log_dir=directory, seed=1).search(max_evals=5)
    claim = Claim(directory)
    claim.__enter__()
    released: list[bool] = []

    def release() -> None:
        claim.__exit__(None, None, None)
        released.append(True)
        journal = directory / "journal.jsonl"
        os.utime(journal, (0, 0))

    try:
        follow_search(directory, path, seconds=3.0, wait=look)
    finally:
        if not released:
            release()
    assert len(seen) >= 2
    assert all(state == "running" and follow is not None for state, follow, _ in seen)
    assert all((follow or 0.0) >= 3.0 for _, follow, _ in seen)
    assert values_in(path)["follow"] is None
    assert values_in(path)["state"] == "ended"


def test_following_replaces_nothing_but_its_report(tmp_path: Path) -> None:
    directory = tmp_path / "search"
    path = tmp_path / "report.html"
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    RandomSearch(problem, lambda p: p["x"], log_dir=directory, seed=1).search(max_evals=3)

    def replace(_: float) -> None:
        path.write_text("mine")
        os.utime(directory / "journal.jsonl", (0, 0))

    with Claim(directory), pytest.raises(ResultsError, match="is not a report any more"):
        follow_search(directory, path, wait=replace)
    assert path.read_text() == "mine"
    with pytest.raises(ResultsError, match="exists already"):
        follow_search(directory, path)


def test_only_a_search_is_followed(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "results.csv", ["x", "objective"], [[1, 2]])
    with pytest.raises(ResultsError, match="log directory"):
        follow_search(path, tmp_path / "report.html")
    with pytest.raises(SettingsError):
        follow_search(tmp_path, tmp_path / "report.html", seconds=0.0)
