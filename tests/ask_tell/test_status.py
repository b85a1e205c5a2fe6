"""``read_status`` and ``deephyper status``: how a search stands, from its files alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deephyper import HpProblem, RandomSearch
from deephyper.ask_tell import Status, read_status
from deephyper.claim import Claim
from deephyper.core.cli.status import duration_text, status_lines
from deephyper.errors import ResultsError
from deephyper.evaluator import Evaluator
from tests.cli.command_line import Run

PAIR = {"event": "submitted", "time": 5.0, "seconds": 1.0, "attempt": 1, "point": {"x": 0.5}}


def problem() -> HpProblem:
    made = HpProblem()
    made.add_hyperparameter((0.0, 1.0), "x")
    return made


def run(point: dict[str, Any]) -> float | str:
    return "F_below" if point["x"] < 0.5 else float(point["x"])


def files(log_dir: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(log_dir)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in log_dir.rglob("*")
        if path.is_file()
    }


def append(log_dir: Path, *lines: dict[str, Any] | str) -> None:
    with open(log_dir / "journal.jsonl", "a", encoding="utf-8") as journal:
        for line in lines:
            journal.write(line if isinstance(line, str) else f"{json.dumps(line)}\n")


def test_says_how_a_search_has_ended_and_writes_nothing(tmp_path: Path) -> None:
    result = RandomSearch(problem(), run, log_dir=tmp_path, seed=1).search(max_evals=20)
    before, listed = files(tmp_path), sorted(os.listdir(tmp_path))
    status = read_status(tmp_path)
    assert files(tmp_path) == before
    assert sorted(os.listdir(tmp_path)) == listed
    assert (status.state, status.reason, status.owner) == ("ended", "max_evals", None)
    assert (status.num_evaluations, status.max_evals) == (20, 20)
    assert (status.num_failed, status.num_unfinished) == (result.num_failures, 0)
    assert status.num_finished + status.num_failed == 20
    assert status.best is not None
    assert result.best is not None
    assert (status.best.id, status.best.objective) == (result.best.job.id, result.best_objective)
    assert status.best.point == result.best_point
    assert status.best.time == result.best.end
    assert status.since_improvement_sec is not None
    failures = [o for o in result.outcomes if o.failure is not None]
    assert status.last_failure is not None
    assert (status.last_failure.id, status.last_failure.message) == (failures[-1].job.id, "below")


def test_says_what_runs_while_a_search_runs(tmp_path: Path) -> None:
    seen: list[Status] = []

    def look(point: dict[str, Any]) -> float:
        seen.append(read_status(tmp_path))
        return 1.0

    evaluator = Evaluator.create(look, method="thread", num_workers=1)
    with evaluator:
        RandomSearch(problem(), evaluator, log_dir=tmp_path).search(max_evals=2)
    assert [status.state for status in seen] == ["running", "running"]
    second = seen[1]
    assert (second.num_evaluations, second.reason) == (1, None)
    assert [each.id for each in second.unfinished] == ["1"]
    assert second.owner is not None
    assert (second.owner.pid, second.owner.alive) == (os.getpid(), True)
    assert second.seconds > 0
    assert read_status(tmp_path).state == "ended"


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    RandomSearch(problem(), run, log_dir=tmp_path).search(max_evals=3)
    whole = read_status(tmp_path)
    append(tmp_path, '{"event": "resu')
    assert read_status(tmp_path).num_evaluations == whole.num_evaluations


def test_an_interrupted_search_says_what_runs_again(tmp_path: Path) -> None:
    RandomSearch(problem(), run, log_dir=tmp_path).search(max_evals=2)
    lines = (tmp_path / "journal.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "journal.jsonl").write_text("".join(lines[:-1]))  # killed before its end
    append(tmp_path, PAIR | {"id": "7"})
    status = read_status(tmp_path)
    assert (status.state, status.reason) == ("interrupted", None)
    assert [each.id for each in status.unfinished] == ["7"]
    assert status.num_running == 0
    first, *others = status_lines(status)
    assert first.startswith("interrupted (its process is gone): 2 of 2 evaluations")
    assert "1 to run again" in first
    assert others[0] == "    evaluation 7 runs again on a resume"


def test_minimizing_the_least_objective_is_the_best(tmp_path: Path) -> None:
    result = RandomSearch(
        problem(), lambda point: float(point["x"]), log_dir=tmp_path, direction="minimize"
    ).search(max_evals=5)
    best = read_status(tmp_path).best
    assert best is not None
    assert best.objective == result.best_objective


def test_an_owner_that_was_killed_is_gone(tmp_path: Path) -> None:
    RandomSearch(problem(), run, log_dir=tmp_path).search(max_evals=1)
    program = (
        "import sys, time; from pathlib import Path; from deephyper.claim import Claim\n"
        "with Claim(Path(sys.argv[1])): print('claimed', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    assert read_status(tmp_path).state == "running"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    status = read_status(tmp_path)
    assert status.owner is not None
    assert (status.owner.pid, status.owner.alive) == (process.pid, False)
    assert status.state == "ended"


def test_an_owner_on_another_host_lives_while_it_gives_signs_of_life(tmp_path: Path) -> None:
    RandomSearch(problem(), run, log_dir=tmp_path).search(max_evals=1)
    elsewhere = {"host": "elsewhere", "pid": 12, "boot": "b", "namespace": None}
    with Claim(tmp_path, this_owner=elsewhere):
        owner = read_status(tmp_path).owner
        assert owner is not None
        assert (owner.host, owner.pid, owner.alive, owner.same_host) == (
            "elsewhere",
            12,
            True,
            False,
        )


def test_an_end_without_a_beginning_is_damage(tmp_path: Path) -> None:
    RandomSearch(problem(), run, log_dir=tmp_path).search(max_evals=1)
    append(
        tmp_path, {"event": "started", "time": 1.0, "seconds": 1, "id": "9", "attempt": 1}
    )  # and without its worker
    with pytest.raises(ResultsError, match="is damaged at line"):
        read_status(tmp_path)
    lines = (tmp_path / "journal.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "journal.jsonl").write_text("".join(lines[:-1]))
    started = {"event": "started", "time": 1.0, "seconds": 1, "id": "9", "attempt": 1}
    append(tmp_path, started | {"worker": "0"})
    with pytest.raises(ResultsError, match="evaluation 9, which was not submitted"):
        read_status(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3725, "1 h 2 min"),
        (86400 * 3 + 7200, "3 d 2 h"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_the_command_prints_one_line_and_details(tmp_path: Path, deephyper: Run) -> None:
    RandomSearch(problem(), run, log_dir=tmp_path, seed=1).search(max_evals=20)
    ended = deephyper("status", tmp_path)
    assert (ended.status, ended.err) == (0, "")
    first, *others = ended.out.splitlines()
    assert first.startswith("ended (the evaluation budget is used up): 20 of 20 evaluations, ")
    assert "best objective 0." in first
    assert all(line.startswith("    ") for line in others)
    assert "reported: below" in others[0]


def test_json_is_one_object_with_the_attributes(tmp_path: Path, deephyper: Run) -> None:
    RandomSearch(problem(), run, log_dir=tmp_path, seed=1).search(max_evals=4)
    ended = deephyper("status", tmp_path, "--json")
    assert (ended.status, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert set(found) == set(Status.__dataclass_fields__)
    assert found["num_evaluations"] == 4
    assert found["best"]["point"].keys() == {"x"}


@pytest.mark.parametrize("make", [None, "file", "directory"])
def test_a_directory_without_a_search_is_refused(
    tmp_path: Path, deephyper: Run, make: str | None
) -> None:
    where = tmp_path / "there"
    if make == "file":
        where.write_text("")
    elif make == "directory":
        where.mkdir()
    ended = deephyper("status", where)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert "log directory of a search" in ended.err
