from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper import AMBS, HpProblem, SearchDirectory, evaluation
from deephyper.errors import ResultsError
from deephyper.evaluator import Evaluator
from deephyper.safe_files import last_lines
from deephyper.search.results import read_results
from deephyper.watch.views import VIEWS, Screen
from deephyper.watch.watched import WatchedSearch


def run(point: dict[str, Any]) -> float:
    """Fail where x is large, and report three steps elsewhere."""
    if point["x"] > 0.8:
        raise ValueError("too large")
    for step in (1, 2, 3):
        evaluation.report(point["x"] * step, step=step)
    return float(point["x"])


def problem() -> HpProblem:
    made = HpProblem()
    made.add_hyperparameter((0.0, 1.0), "x")
    made.add_starting_point(x=0.9)
    return made


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the log directory of a real search with failures."""
    log_dir = tmp_path_factory.mktemp("searched") / "search"
    with Evaluator.create(run, "thread", 3) as evaluator:
        AMBS(problem(), evaluator, log_dir=log_dir, seed=1).search(max_evals=30)
    return log_dir


def summary(search: WatchedSearch) -> dict[str, Any]:
    return {
        "objectives": [str(each) for each in search.objectives],
        "bests": [str(each) for each in search.bests],
        "curves": search.curves,
        "failures": [each.id for each in search.failures],
        "best": search.best(5),
    }


def test_what_is_seen_is_what_the_results_say(searched: Path) -> None:
    search = WatchedSearch(searched)
    status = search.refresh()
    rows = read_results(searched)
    assert status.num_evaluations == len(rows) == len(search.objectives)
    finished = [row.objective for row in rows if row.objective is not None]
    seen = [each for each in search.objectives if not math.isnan(each)]
    assert sorted(seen) == sorted(finished)
    np.testing.assert_array_equal(
        np.array(search.bests), np.fmax.accumulate(np.array(search.objectives))
    )
    best = search.best(3)
    assert [each.objective for each in best] == sorted(finished, reverse=True)[:3]
    assert best[0].point["x"] == best[0].objective
    assert {each.id for each in search.failures} == {
        str(row.columns["id"]) for row in rows if row.status == "failed"
    }
    assert list(search.curves) == [best[0].id]
    step, reported = search.curves[best[0].id][-1]
    assert (step, reported) == (3, 3 * best[0].objective)


def is_end(line: str) -> bool:
    """Return whether a line of a journal is whole, and says that an evaluation has ended."""
    return line.endswith("\n") and json.loads(line)["event"] in ("finished", "failed")


def test_a_journal_that_grows_is_seen_as_one_that_is_whole(searched: Path, tmp_path: Path) -> None:
    whole = (searched / "journal.jsonl").read_bytes()
    journal = tmp_path / "journal.jsonl"
    lines = whole.splitlines(keepends=True)
    journal.write_bytes(lines[0])
    growing = WatchedSearch(tmp_path)
    for size in [*range(len(lines[0]), len(whole), 333), len(whole)]:
        with journal.open("ab") as file:
            file.write(whole[journal.stat().st_size : size])
        status = growing.refresh()
        ended = [line for line in journal.read_text().splitlines(keepends=True) if is_end(line)]
        assert status.num_evaluations == len(ended)
    once = WatchedSearch(searched)
    once.refresh()
    assert summary(growing) == summary(once)


def test_another_journal_is_read_from_its_beginning(searched: Path, tmp_path: Path) -> None:
    whole = (searched / "journal.jsonl").read_bytes()
    (tmp_path / "journal.jsonl").write_bytes(whole)
    search = WatchedSearch(tmp_path)
    search.refresh()
    before = summary(search)
    (tmp_path / "new").write_bytes(whole)
    os.replace(tmp_path / "new", tmp_path / "journal.jsonl")
    search.refresh()
    assert summary(search) == before


def test_the_lowest_is_best_where_a_search_minimizes(tmp_path: Path) -> None:
    directory = SearchDirectory.create(tmp_path, problem(), direction="minimize", seed=1)
    for value in (3.0, 1.0, 2.0):
        (asked,) = directory.ask()
        directory.tell(asked.id, value)
    search = WatchedSearch(tmp_path)
    search.refresh()
    assert list(search.bests) == [3.0, 1.0, 1.0]
    assert [each.objective for each in search.best(2)] == [1.0, 2.0]


def test_what_runs_and_what_it_has_reported_is_seen(searched: Path, tmp_path: Path) -> None:
    lines = (searched / "journal.jsonl").read_text().splitlines(keepends=True)
    end = max(i for i, line in enumerate(lines) if json.loads(line)["event"] == "reported")
    (tmp_path / "journal.jsonl").write_text("".join(lines[: end + 1]))
    search = WatchedSearch(tmp_path)
    status = search.refresh()
    last = json.loads(lines[end])
    assert last["id"] in {each.id for each in status.unfinished}
    assert search.curves[last["id"]][-1] == (last["step"], last["objective"])
    shown = VIEWS["r"][1](search, status, Screen(100, 20, True))
    assert any(f"id {last['id']} " in f"{line} " and "step 3" in line for line in shown)


def test_damage_and_absence_are_errors(searched: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="not there"):
        WatchedSearch(tmp_path / "nowhere")
    with pytest.raises(ResultsError, match="no search"):
        WatchedSearch(tmp_path)
    journal = tmp_path / "journal.jsonl"
    lines = (searched / "journal.jsonl").read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[:3], "{}\n", *lines[3:]]))
    with pytest.raises(ResultsError, match="line 4"):
        WatchedSearch(tmp_path).refresh()
    end = next(line for line in lines if json.loads(line)["event"] == "finished")
    journal.write_text(lines[0] + end)
    with pytest.raises(ResultsError, match="not submitted before"):
        WatchedSearch(tmp_path).refresh()
    search = WatchedSearch(searched)
    journal.write_text(lines[0].replace('"version": 2', '"version": 99'))
    with pytest.raises(ResultsError, match="version 99"):
        WatchedSearch(tmp_path).refresh()
    search.refresh()


@pytest.mark.parametrize("key", list(VIEWS))
@pytest.mark.parametrize(("width", "height"), [(20, 5), (80, 24), (200, 60)])
@pytest.mark.parametrize("unicode", [True, False])
def test_each_view_fits(searched: Path, key: str, width: int, height: int, unicode: bool) -> None:
    search = WatchedSearch(searched)
    status = search.refresh()
    lines = VIEWS[key][1](search, status, Screen(width, height, unicode))
    assert lines
    assert max(map(len, lines)) <= width
    if not unicode:
        assert "".join(lines).isascii()


def test_views_of_a_search_that_has_only_begun(tmp_path: Path) -> None:
    SearchDirectory.create(tmp_path, problem(), seed=1)
    search = WatchedSearch(tmp_path)
    status = search.refresh()
    screen = Screen(80, 24, True)
    assert VIEWS["b"][1](search, status, screen) == ["no result yet"]
    assert VIEWS["r"][1](search, status, screen) == ["nothing runs"]
    assert VIEWS["f"][1](search, status, screen) == ["nothing has failed"]
    assert "no result yet" in VIEWS["o"][1](search, status, screen)


def test_of_many_that_run_the_last_line_says_how_many_more_there_are(tmp_path: Path) -> None:
    directory = SearchDirectory.create(tmp_path, problem(), seed=1)
    for _ in range(23):
        directory.ask()
    search = WatchedSearch(tmp_path)
    status = search.refresh()
    lines = VIEWS["r"][1](search, status, Screen(80, 21, True))
    assert len(lines) == 21
    assert lines[-1] == "and 3 more"
    (last,) = [
        line for line in VIEWS["o"][1](search, status, Screen(80, 21, True)) if "more" in line
    ]
    shown = sum("  id " in line for line in VIEWS["o"][1](search, status, Screen(80, 21, True)))
    assert last == f"  and {23 - shown} more"


def test_names_and_outputs_are_not_instructions_to_a_terminal(tmp_path: Path) -> None:
    made = HpProblem()
    made.add_hyperparameter(["\x1b[31mred", "b"], "kind")
    directory = SearchDirectory.create(tmp_path, made, seed=1)
    for _ in range(2):
        (asked,) = directory.ask()
        directory.tell(asked.id, 1.0)
    search = WatchedSearch(tmp_path)
    status = search.refresh()
    shown = "".join(line for _, view in VIEWS.values() for line in view(search, status, SCREEN))
    assert "red" in shown
    assert "\x1b" not in shown


SCREEN = Screen(100, 30, True)


def test_the_end_of_an_output_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_text("".join(f"line {i}\n" for i in range(100_000)))
    assert last_lines(path, 2) == ["line 99998", "line 99999"]
    assert last_lines(tmp_path / "nowhere", 2) == []
