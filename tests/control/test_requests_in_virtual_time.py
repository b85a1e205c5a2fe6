"""Requests to a search, and what it makes of them: whole searches in virtual time."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from deephyper.control.requests import DIRECTORY, Request, encode, new_id
from deephyper.evaluator.virtual import Reports
from deephyper.holder import session_of
from deephyper.job import Job
from deephyper.search.replay import read_journal
from tests.search.virtual_search import VirtualSearch, finite_problem


@pytest.fixture
def search(tmp_path: Path) -> VirtualSearch:
    return VirtualSearch(tmp_path / "log", num_workers=2, duration=lambda job: 10.0)


def put(log_dir: Path, request: Request, *, mode: int = 0o600) -> str:
    """Make a request to the session that runs; return its id."""
    id_ = new_id()
    request = msgspec_copy(request, session_of(log_dir) or "an earlier one")
    path = log_dir / DIRECTORY / f"{id_}.request"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(encode(request))
    path.chmod(mode)
    return id_


def msgspec_copy(request: Request, session: str) -> Request:
    fields = {name: getattr(request, name) for name in request.__struct_fields__}
    return Request(**fields | {"session": request.session or session})


def ask_at(search: VirtualSearch, seconds: float, **fields: Any) -> list[str]:
    """Plan a request; its id is in the list then."""
    ids: list[str] = []
    search.time.at(seconds, lambda: ids.append(put(search.log_dir, Request(**fields))))
    return ids


def answer_at_the_end(search: VirtualSearch, ids: list[str]) -> dict[str, Any]:
    path = search.log_dir / DIRECTORY / f"{ids[0]}.answer"
    answer: dict[str, Any] = json.loads(path.read_text())
    return answer


def begins(search: VirtualSearch) -> list[float]:
    """Return the seconds at which evaluations were submitted in the last session."""
    events = [json.loads(line) for line in (search.log_dir / "journal.jsonl").open()]
    return [e["time"] - search.time.EPOCH for e in events if e["event"] == "submitted"]


def test_a_paused_search_begins_nothing_and_lets_what_runs_end(search: VirtualSearch) -> None:
    ids = ask_at(search, 15.0, action="pause")
    ask_at(search, 100.0, action="resume")
    result = search.session(max_evals=8)
    assert result.num_evaluations == 8
    assert answer_at_the_end(search, ids) == {
        "done": True,
        "text": "no new evaluations begin; the 2 running ones go on",
    }
    assert not [seconds for seconds in begins(search) if 16.0 < seconds < 100.0]
    assert max(begins(search)) < 120.0


def test_a_second_pause_says_that_it_is_paused_already(search: VirtualSearch) -> None:
    search.num_workers = 1
    first = ask_at(search, 3.0, action="pause")
    second = ask_at(search, 5.0, action="pause")
    ask_at(search, 100.0, action="resume")
    ended_at_once = ask_at(search, 103.0, action="stop-evaluation", evaluation="1", grace=0.0)
    search.session(max_evals=2)
    assert answer_at_the_end(search, first)["text"] == (
        "no new evaluations begin; the one that runs goes on"
    )
    assert answer_at_the_end(search, second)["text"] == "it is paused already"
    assert answer_at_the_end(search, ended_at_once)["text"] == "evaluation 1 is ended at once"


def test_a_paused_search_with_nothing_to_run_ends_by_its_time_limit(search: VirtualSearch) -> None:
    ask_at(search, 5.0, action="pause")
    result = search.session(timeout=200.0)
    assert (result.reason, result.num_evaluations) == ("timeout", 2)
    assert search.time.seconds == pytest.approx(200.0, abs=1.0)


def test_a_paused_search_waits_for_its_user_where_its_evaluations_are_made(
    search: VirtualSearch,
) -> None:
    ask_at(search, 5.0, action="pause")
    ask_at(search, 50.0, action="max-evals", number=6)
    ask_at(search, 60.0, action="resume")
    result = search.session(max_evals=2)
    assert (result.reason, result.num_evaluations) == ("max_evals", 6)


def test_more_evaluations_are_made_and_a_resume_keeps_to_it(search: VirtualSearch) -> None:
    ids = ask_at(search, 12.0, action="max-evals", number=9)
    ask_at(search, 22.0, action="stop")
    first = search.session(max_evals=4)
    assert answer_at_the_end(search, ids)["text"] == "the search makes 9 evaluations in place of 4"
    assert first.reason == "interrupted"
    assert read_journal(search.log_dir).max_evals == 9
    assert search.session().num_evaluations == 9


def test_fewer_evaluations_end_a_search_early(search: VirtualSearch) -> None:
    ids = ask_at(search, 35.0, action="max-evals", number=3)
    result = search.session(max_evals=100)
    assert (result.reason, result.num_evaluations) == ("max_evals", 8)
    assert "8 have begun, so no new ones do" in answer_at_the_end(search, ids)["text"]


def test_the_lines_have_a_number_that_was_changed(
    search: VirtualSearch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_at(search, 5.0, action="max-evals", number=6)
    ask_at(search, 35.0, action="max-evals", number=1)
    search.session(max_evals=4, progress=True)
    shown = [line.split()[0] for line in capsys.readouterr().err.splitlines()]
    counts = [word for word in shown if word.startswith("[")]
    assert counts == ["[0/4]", *(f"[{n}/6]" for n in range(1, 7))]


def test_the_lines_of_a_budget_that_was_exceeded_have_what_has_begun(
    search: VirtualSearch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_at(search, 15.0, action="max-evals", number=1)
    search.session(max_evals=100, progress=True)
    shown = [line.split()[0] for line in capsys.readouterr().err.splitlines()]
    assert [word for word in shown if word.startswith("[")][-2:] == ["[3/4]", "[4/4]"]


def test_prepared_points_do_not_exceed_a_smaller_budget(search: VirtualSearch) -> None:
    search.num_workers = 128
    search.duration = lambda job: 10.0 + int(job.id) / 100
    ask_at(search, 5.0, action="max-evals", number=130)
    result = search.session(max_evals=1000)
    assert result.num_evaluations == 130
    assert read_journal(search.log_dir).max_evals == 130


def test_an_enqueued_point_comes_before_those_of_the_optimizer(search: VirtualSearch) -> None:
    ask_at(search, 11.0, action="enqueue", point={"x": 0.25})
    ask_at(search, 12.0, action="enqueue", point={"x": 0.75})
    result = search.session(max_evals=8)
    assert result.num_evaluations == 8
    points = [evaluation.job.point["x"] for evaluation in result.evaluations]
    assert [points.index(0.25), points.index(0.75)] == [4, 5]
    assert read_journal(search.log_dir).asked.points == []


def test_a_point_of_another_space_is_refused(search: VirtualSearch) -> None:
    ids = ask_at(search, 11.0, action="enqueue", point={"x": 7.0})
    result = search.session(max_evals=4)
    answer = answer_at_the_end(search, ids)
    assert answer["done"] is False
    assert "give a float from 0.0 to 1.0" in answer["text"]
    assert result.num_evaluations == 4
    assert any("deephyper ctl enqueue, not done" in notice for notice in search.notices)


def test_a_point_beyond_the_budget_is_refused(search: VirtualSearch) -> None:
    ids = ask_at(search, 11.0, action="enqueue", point={"x": 0.5})
    assert search.session(max_evals=4).num_evaluations == 4
    assert "max-evals N" in answer_at_the_end(search, ids)["text"]


def test_a_resume_evaluates_what_was_enqueued_and_had_not_begun(search: VirtualSearch) -> None:
    ask_at(search, 11.0, action="enqueue", point={"x": 0.125})
    ask_at(search, 12.0, action="stop")
    search.session(max_evals=8)
    assert read_journal(search.log_dir).asked.points == [{"x": 0.125}]
    result = search.session()
    points = [evaluation.job.point["x"] for evaluation in result.evaluations]
    assert points.index(0.125) == 4
    assert result.num_evaluations == 8


def test_an_enqueued_point_is_evaluated_where_the_space_is_exhausted(tmp_path: Path) -> None:
    search = VirtualSearch(tmp_path / "log", finite_problem(3), duration=lambda job: 10.0)
    ask_at(search, 25.0, action="enqueue", point={"n": 2})
    result = search.session(max_evals=10)
    assert [evaluation.job.point["n"] for evaluation in result.evaluations].count(2) == 2


def test_more_workers_begin_at_once_and_fewer_end_with_their_evaluations(
    search: VirtualSearch,
) -> None:
    ids = ask_at(search, 5.0, action="workers", number=6)
    fewer = ask_at(search, 15.0, action="workers", number=1)
    search.session(max_evals=14)
    at_once = [seconds for seconds in begins(search) if seconds < 10.0]
    assert len(at_once) == 6
    later = [seconds for seconds in begins(search) if seconds > 22.0]
    assert all(after - before >= 10.0 for before, after in itertools.pairwise(later))
    assert answer_at_the_end(search, ids)["text"] == "6 workers in place of 2"
    assert answer_at_the_end(search, fewer)["text"] == (
        "1 worker in place of 6; those that are too many end with their evaluations"
    )


def reports(job: Job) -> Reports:
    return [(float(step), step, 0.1 * step) for step in range(1, 100)] if job.id == "1" else []


def test_a_stopped_evaluation_that_has_reported_is_pruned_for_good(search: VirtualSearch) -> None:
    search.reports = reports
    search.duration = lambda job: 100.0
    ids = ask_at(search, 5.5, action="stop-evaluation", evaluation="1")
    result = search.session(max_evals=2, stopper="curve")
    outcomes = {outcome.job.id: outcome for outcome in result.outcomes}
    assert (outcomes["1"].status, outcomes["1"].step) == ("pruned", 6)
    assert outcomes["0"].status == "finished"
    assert answer_at_the_end(search, ids)["text"] == (
        "evaluation 1 is asked to end, and is killed if it still runs after 30 s"
    )
    assert search.session(max_evals=2).num_evaluations == 2
    assert not read_journal(search.log_dir).paused


def test_a_stopped_evaluation_without_a_report_has_failed(search: VirtualSearch) -> None:
    search.duration = lambda job: 1000.0 if job.id == "0" else 10.0
    ask_at(search, 5.0, action="stop-evaluation", evaluation="0", grace=20.0)
    result = search.session(max_evals=6, max_failures=1)
    failed = next(outcome for outcome in result.outcomes if outcome.failure is not None)
    assert (failed.job.id, failed.failure and failed.failure.kind) == ("0", "stopped")
    assert failed.failure is not None
    assert failed.failure.message == "stopped by its user"
    assert failed.end - search.time.EPOCH == pytest.approx(25.0, abs=1.5)
    assert result.reason == "max_evals"  # it is no failure that says anything of the code
    kept = read_journal(search.log_dir).evaluations["0"].outcome
    assert kept is not None
    assert kept.failure == failed.failure


def test_an_evaluation_that_does_not_run_cannot_be_stopped(search: VirtualSearch) -> None:
    ids = ask_at(search, 15.0, action="stop-evaluation", evaluation="0")
    search.session(max_evals=4)
    answer = answer_at_the_end(search, ids)
    assert answer == {"done": False, "text": "evaluation 0 does not run; those that do: 2, 3"}


def test_a_stopped_search_waits_for_what_runs_and_one_that_ends_at_once_does_not(
    search: VirtualSearch,
) -> None:
    ask_at(search, 15.0, action="stop")
    result = search.session(max_evals=20)
    assert (result.reason, result.num_evaluations, search.time.seconds) == ("interrupted", 4, 20.0)
    ask_at(search, 25.0, action="stop", at_once=True)
    result = search.session(max_evals=20)
    assert (result.reason, result.num_evaluations) == ("interrupted", 4)
    assert search.time.seconds < 27.0
    assert search.session(max_evals=20).num_evaluations == 20


def test_a_request_is_carried_out_once(search: VirtualSearch) -> None:
    """A search may be killed after it has written a request, and before it has answered."""
    ids: list[str] = []

    def ask() -> None:
        ids.append(put(search.log_dir, Request(action="enqueue", point={"x": 0.5})))

    search.time.at(11.0, ask)
    search.session(max_evals=6)
    left = search.log_dir / DIRECTORY / f"{ids[0]}.request"
    left.write_bytes(encode(Request(action="enqueue", point={"x": 0.5})))
    search.session(max_evals=9)
    points = [evaluation.job.point["x"] for evaluation in read_journal(search.log_dir).ended]
    assert points.count(0.5) == 1
    assert answer_at_the_end(search, ids)["text"] == "this was done before"


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({"action": "enqueue", "point": {"x": 0.5}}, True),
        ({"action": "max-evals", "number": 5}, True),
        ({"action": "stop"}, False),
        ({"action": "pause"}, False),
        ({"action": "workers", "number": 1}, False),
        ({"action": "stop-evaluation", "evaluation": "0"}, False),
    ],
)
def test_the_next_session_takes_what_was_left_or_says_that_it_does_not(
    search: VirtualSearch, fields: dict[str, Any], taken: bool
) -> None:
    search.session(max_evals=2)
    id_ = put(search.log_dir, Request(**fields))
    result = search.session(max_evals=4)
    answer = answer_at_the_end(search, [id_])
    assert answer["done"] is taken
    assert any(f"deephyper ctl {fields['action']}" in notice for notice in search.notices)
    if not taken:
        assert result.num_evaluations == 4
        assert answer["text"] == "this was asked of a session that has ended; ask again"


DAMAGED = {
    "nothing": b"",
    "half": b'{"action": "pau',
    "another type": b'{"action": 5}',
    "unknown": b'{"action": "format"}',
    "more": b'{"action": "pause", "and": 1}',
    "nan": b'{"action": "max-evals", "number": NaN}',
    "negative": b'{"action": "max-evals", "number": -1}',
    "missing": b'{"action": "max-evals", "session": "%s"}',
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "long": b'{"action": "' + b"x" * (2 << 20) + b'"}',
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_request_is_refused_with_a_line(search: VirtualSearch, name: str) -> None:
    ids: list[str] = []

    def damage() -> None:
        ids.append(put(search.log_dir, Request(action="pause")))
        data = DAMAGED[name]
        if b"%s" in data:
            data = data % str(session_of(search.log_dir)).encode()
        (search.log_dir / DIRECTORY / f"{ids[0]}.request").write_bytes(data)

    search.time.at(11.0, damage)
    assert search.session(max_evals=6).num_evaluations == 6
    assert answer_at_the_end(search, ids)["done"] is False
    assert len([n for n in search.notices if "refused" in n or "not done" in n]) == 1
    assert "\n" not in "".join(search.notices)


def test_a_planted_request_is_not_followed(search: VirtualSearch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(encode(Request(action="stop")))

    def plant() -> None:
        directory = search.log_dir / DIRECTORY
        directory.mkdir(mode=0o700)
        os.symlink(secret, directory / f"{new_id()}.request")
        os.mkfifo(directory / f"{new_id()}.request")
        (directory / f"{new_id()}.request").mkdir()

    search.time.at(11.0, plant)
    assert search.session(max_evals=6).num_evaluations == 6
    assert secret.exists()


def test_a_directory_that_others_can_write_to_is_not_looked_into(search: VirtualSearch) -> None:
    def ask() -> None:
        put(search.log_dir, Request(action="stop"))
        (search.log_dir / DIRECTORY).chmod(0o777)

    search.time.at(11.0, ask)
    assert search.session(max_evals=6).num_evaluations == 6


def test_a_request_is_refused_where_others_can_write_to_the_log_directory(
    search: VirtualSearch,
) -> None:
    ids = ask_at(search, 11.0, action="stop")
    search.time.at(10.5, lambda: search.log_dir.chmod(0o777))
    assert search.session(max_evals=6).num_evaluations == 6
    assert "others may write to" in answer_at_the_end(search, ids)["text"]


def test_a_search_leaves_no_directory_behind(search: VirtualSearch) -> None:
    ids = ask_at(search, 5.0, action="pause")
    ask_at(search, 15.0, action="resume")

    def fetch() -> None:
        for answer in (search.log_dir / DIRECTORY).iterdir():
            answer.unlink()

    search.time.at(18.0, fetch)
    search.session(max_evals=4)
    assert len(ids) == 1
    assert not (search.log_dir / DIRECTORY).exists()


def test_what_comes_after_the_end_is_answered_with_that(search: VirtualSearch) -> None:
    ids = ask_at(search, 20.0, action="pause")
    ask_at(search, 20.0, action="stop")
    search.session(max_evals=4)
    assert answer_at_the_end(search, ids) is not None
    assert not list((search.log_dir / DIRECTORY).glob("*.request"))
