"""The journal: what is written is read back, whatever becomes of its last line."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import ConfigSpace
import pytest

from deephyper.claim import Claim
from deephyper.clock import Clock
from deephyper.errors import ResultsError
from deephyper.job import Failure, Job, Outcome, Reported, Started
from deephyper.problem import HpProblem
from deephyper.search import events
from deephyper.search.journal import Journal
from deephyper.search.log_dir import LogDir
from deephyper.search.record import Evaluation, Record
from deephyper.search.replay import read_events, read_journal
from deephyper.search.results import read_results
from tests.search.opened_journals import SPACE, opened
from tests.search.virtual_search import EPOCH, VirtualSearch

POINT = {"x": 0.1, "n": 3, "s": 'a "b"\n\u2028é', "b": True, "none": None}


def write_all_events(log_dir: Path) -> list[bytes]:
    """A journal with every kind of event; its lines."""
    with opened(log_dir) as journal:
        _write_all_events(journal)
    return (log_dir / "journal.jsonl").read_bytes().splitlines(keepends=True)


def _write_all_events(journal: Journal) -> None:
    journal.begin(Record(space=SPACE, settings={"seed": 1}, max_evals=9))
    journal.known(POINT, 2.5)
    journal.known(POINT, Failure("reported", "known"))
    jobs = [Job(str(i), POINT | {"n": i}) for i in range(4)]
    journal.submitted(Evaluation(jobs[0], predicted=(1.5, 0.25)))
    for job in jobs[1:]:
        journal.submitted(Evaluation(job))
    journal.started(Started(jobs[0], "0", EPOCH))
    journal.outcome(Outcome(jobs[0], "finished", -0.1, None, EPOCH, EPOCH + 1.5, "0", "a"))
    failure = Failure("exception", "ValueError: é", "Traceback\n  ...\n")
    journal.outcome(Outcome(jobs[1], "failed", None, failure, EPOCH, EPOCH + 2, "1"))
    died = Failure("worker_died", "it died")
    journal.outcome(Outcome(jobs[2], "failed", None, died, None, EPOCH, "1"), retry=True)
    journal.outcome(Outcome(jobs[3], "stopped", None, None, EPOCH, EPOCH + 1, "1"))
    journal.ended("interrupted")
    journal.begin(Record(resumed=True, settings={"seed": 2}, max_evals=9, timeout=60.0))


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_reads_back_what_was_written(log_dir: Path) -> None:
    write_all_events(log_dir)
    record = read_journal(log_dir)
    assert record.space == SPACE
    assert (record.settings, record.max_evals, record.timeout) == ({"seed": 2}, 9, 60.0)
    assert record.known == [(POINT, 2.5), (POINT, Failure("reported", "known"))]
    assert list(record.evaluations) == ["0", "1", "2", "3"]
    assert [e.job.id for e in record.unfinished] == ["2", "3"]
    first, second = record.ended
    assert first.job == Job("0", POINT | {"n": 0})
    assert first.predicted == (1.5, 0.25)
    assert first.outcome == Outcome(first.job, "finished", -0.1, None, EPOCH, EPOCH + 1.5, "0", "a")
    assert second.outcome is not None
    assert second.outcome.failure == Failure("exception", "ValueError: é", "Traceback\n  ...\n")
    assert second.predicted is None


def test_is_one_json_object_a_line_with_event_and_time(log_dir: Path) -> None:
    for line in write_all_events(log_dir):
        event = json.loads(line)
        assert isinstance(event["event"], str)
        assert isinstance(event["time"], float)
        assert isinstance(event["seconds"], float)


def test_a_clock_that_is_set_or_a_computer_that_sleeps_takes_no_time(log_dir: Path) -> None:
    ticks = iter([10.0, 10.0, 12.5, 14.0])
    times = iter([1000.0, 9_000_000.0, 500.0])
    clock = Clock(now=lambda: next(times), monotonic=lambda: next(ticks))
    with opened(log_dir, clock) as journal:
        journal.begin(Record(space=SPACE, max_evals=5))
        journal.submitted(Evaluation(Job("0", {"x": 1})))
        journal.submitted(Evaluation(Job("1", {"x": 2})))
    assert read_journal(log_dir).seconds == 4.0


@pytest.mark.parametrize("number", range(14))
def test_a_last_line_cut_at_any_byte_costs_no_other(
    log_dir: Path, tmp_path: Path, number: int
) -> None:
    lines = write_all_events(log_dir)
    assert len(lines) == 14
    path, before, last = log_dir / "journal.jsonl", b"".join(lines[:number]), lines[number]

    def read() -> Record | None:
        return read_journal(log_dir) if LogDir(log_dir).holds_search else None

    path.write_bytes(before)
    without = read()
    path.write_bytes(before + last)
    whole = read()
    for cut in range(len(last)):
        path.write_bytes(before + last[:cut])
        expected = whole if cut == len(last) - 1 else without
        assert read() == expected
        if cut % 5 == 0 or cut == len(last) - 1:
            with opened(log_dir) as journal:  # must not glue its line to a torn one
                if expected is None:
                    journal.begin(Record(space=SPACE, max_evals=5))
                else:
                    journal.begin(expected)
                journal.ended("max_evals")
            after = read()
            assert after is not None
            if expected is not None:
                assert after.evaluations == expected.evaluations
            assert path.read_bytes().endswith(b'"reason": "max_evals"}\n')


def test_a_search_resumes_from_a_last_line_cut_at_every_byte(log_dir: Path) -> None:
    search = VirtualSearch(log_dir, num_workers=2)
    search.session(max_evals=6)
    path = log_dir / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    cut_off = max(i for i, line in enumerate(lines) if b'"finished"' in line)
    before, last = b"".join(lines[:cut_off]), lines[cut_off]
    kept = {e.job.id for e in read_journal(log_dir).ended}
    lost = json.loads(last)["id"]
    for cut in range(len(last)):
        path.write_bytes(before + last[:cut])
        result = search.session()
        assert search.ids == ([] if cut == len(last) - 1 else [lost])
        assert {e.job.id for e in result.evaluations} == kept
        assert result.num_evaluations == 6


def test_zeros_that_a_power_cut_left_at_the_end_are_dropped(log_dir: Path) -> None:
    search = VirtualSearch(log_dir)
    search.session(max_evals=3)
    with (log_dir / "journal.jsonl").open("ab") as file:
        file.write(b"\0" * 5000)
    assert search.session(max_evals=5).num_evaluations == 5


def test_another_version_is_refused(log_dir: Path) -> None:
    lines = write_all_events(log_dir)
    lines[0] = lines[0].replace(b'"version": 2', b'"version": 3')
    (log_dir / "journal.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(
        ResultsError, match="version 3, and this deephyper reads 1 and 2; use the dee"
    ):
        read_journal(log_dir)


# Beginnings.


@pytest.mark.parametrize("text", ["", '{"event": "sea'])
def test_a_search_that_died_before_its_first_line_is_begun_anew(log_dir: Path, text: str) -> None:
    log_dir.mkdir()
    (log_dir / "journal.jsonl").write_text(text)
    with pytest.raises(ResultsError, match="start it again without resume"):
        VirtualSearch(log_dir).session(max_evals=2, resume=True)
    assert VirtualSearch(log_dir).session(max_evals=2, resume=False).num_evaluations == 2


def test_a_folder_without_a_journal_is_not_resumed(log_dir: Path) -> None:
    for _ in range(2):
        with pytest.raises(ResultsError, match="there is no search to resume"):
            VirtualSearch(log_dir).session(max_evals=2, resume=True)
        log_dir.mkdir(exist_ok=True)
    assert list(log_dir.iterdir()) == []


def test_a_journal_that_is_a_folder_is_refused(log_dir: Path) -> None:
    (log_dir / "journal.jsonl").mkdir(parents=True)
    for resume in (True, False):
        with pytest.raises(ResultsError, match=r"journal.jsonl"):
            VirtualSearch(log_dir).session(max_evals=2, resume=resume)


def test_a_second_search_in_its_directory_is_refused(log_dir: Path) -> None:
    VirtualSearch(log_dir).session(max_evals=2)
    before = (log_dir / "journal.jsonl").read_bytes()
    with pytest.raises(
        ResultsError, match=r"holds a search already; .*resume=True, .*log_dir='.*-2'"
    ):
        VirtualSearch(log_dir).session(max_evals=2, resume=False)
    assert (log_dir / "journal.jsonl").read_bytes() == before


# Writing.


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("below", ["", "sub", "sub/sub"])
def test_a_log_directory_that_is_a_file_or_below_one_is_told_so(
    log_dir: Path, resume: bool, below: str
) -> None:
    log_dir.touch()
    with pytest.raises(ResultsError, match="is a file" if resume else "is not a directory"):
        VirtualSearch(log_dir / below).session(max_evals=1, resume=resume)


def test_a_directory_in_use_is_told_so_before_its_search_is_seen(log_dir: Path) -> None:
    search = VirtualSearch(log_dir)
    search.session(max_evals=1)
    for resume in (False, True):
        with Claim(log_dir), pytest.raises(ResultsError, match="a search is running in"):
            search.session(max_evals=2, resume=resume)


def test_a_point_that_was_changed_by_hand_is_told_with_its_journal(log_dir: Path) -> None:
    search = VirtualSearch(log_dir)
    search.session(max_evals=1)
    path = log_dir / "journal.jsonl"
    path.write_text(path.read_text().replace('"point": {"x": 0', '"point": {"x": 70'))
    with pytest.raises(ResultsError, match=r"journal\.jsonl' was changed .*'x'"):
        search.session(max_evals=2)


def test_a_deleted_journal_ends_the_search(log_dir: Path) -> None:
    search = VirtualSearch(log_dir)
    search.time.at(2.5, (log_dir / "journal.jsonl").unlink)
    with pytest.raises(ResultsError, match=r"journal.jsonl' was deleted .*warm_start"):
        search.session(max_evals=10)
    result = VirtualSearch(tmp := log_dir.parent / "new").session(
        max_evals=1, warm_start=log_dir / "results.csv"
    )
    assert result.num_evaluations == 1
    assert len(read_journal(tmp).known) == 2


def test_a_directory_that_is_deleted_from_the_claim_on_was_deleted(
    log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks between the two files is told of the directory, not of another search."""
    search, check = VirtualSearch(log_dir), Claim.check

    def deleted_meanwhile(claim: Claim) -> None:
        if search.time.monotonic() > 2.5:
            shutil.rmtree(log_dir, ignore_errors=True)
        check(claim)

    monkeypatch.setattr(Claim, "check", deleted_meanwhile)
    with pytest.raises(ResultsError, match=r"journal.jsonl' was deleted .*warm_start"):
        search.session(max_evals=10)


def test_a_journal_that_is_replaced_or_moved_ends_the_search(log_dir: Path) -> None:
    for number, change in enumerate(
        (
            lambda path: path.with_name("copy").replace(path),
            lambda path: path.rename(path.with_name("moved")),
        )
    ):
        search = VirtualSearch(log_dir / str(number))

        def happen(path: Path = search.log_dir / "journal.jsonl", change: Any = change) -> None:
            shutil.copy(path, path.with_name("copy"))
            change(path)

        search.time.at(2.5, happen)
        with pytest.raises(ResultsError, match=r"journal.jsonl' was .* while the search ran"):
            search.session(max_evals=10)


def test_a_search_continues_in_a_directory_that_is_renamed(log_dir: Path) -> None:
    search = VirtualSearch(log_dir)
    moved = log_dir.with_name("moved")

    def move() -> None:
        log_dir.rename(moved)

    search.time.at(2.5, move)
    search.session(max_evals=5)
    assert len(read_journal(moved).ended) == len(read_results(moved)) == 5


def test_every_event_is_on_file_before_the_next_happens(log_dir: Path) -> None:
    seen: list[int] = []

    def run(job: Job) -> float:
        seen.append(len((log_dir / "journal.jsonl").read_text().splitlines()))
        return 0.5

    VirtualSearch(log_dir, run=run).session(max_evals=3)
    # search; then submitted, started before each run, and finished after it
    assert seen == [3, 6, 9]


def test_a_journal_tells_of_interrupted_sessions(log_dir: Path) -> None:
    search = VirtualSearch(log_dir)
    search.time.at(1.5, lambda: signal.raise_signal(signal.SIGINT))
    search.session(max_evals=3)
    search.session()
    events = [json.loads(line) for line in (log_dir / "journal.jsonl").read_text().splitlines()]
    assert [e["reason"] for e in events if e["event"] == "ended"] == ["interrupted", "max_evals"]
    assert [e["event"] for e in events if "settings" in e] == ["search", "resumed"]


def test_half_a_line_that_a_full_disk_took_is_taken_back(
    log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(log_dir) as journal:
        journal.begin(Record(space=SPACE, max_evals=5))
        write = os.write
        monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:10]))
        with pytest.raises(ResultsError, match="No space left"):
            journal.submitted(Evaluation(Job("0", {"x": 1})))
        monkeypatch.undo()
        journal.submitted(Evaluation(Job("1", {"x": 2})))  # there is room again
    assert [e.job.id for e in read_journal(log_dir).unfinished] == ["1"]


def test_an_evaluation_that_was_to_run_again_has_its_attempt_counted(log_dir: Path) -> None:
    with opened(log_dir) as journal:
        journal.begin(Record(space=SPACE, max_evals=5))
        job = Job("0", {"x": 1})
        journal.submitted(Evaluation(job))
        failure = Failure("worker_died", "gone", "")
        journal.outcome(Outcome(job, "failed", None, failure, 1.0, 2.0, "0"), retry=True)
    (evaluation,) = read_journal(log_dir).unfinished
    assert evaluation.job == Job("0", {"x": 1}, 2)


# Earlier versions.


def test_a_search_of_version_1_is_resumed(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).with_name("version_1"), tmp_path / "old")
    search = VirtualSearch(tmp_path / "old", version_1_problem(), lambda job: 1.0, num_workers=3)
    before = read_journal(search.log_dir)
    assert (len(before.ended), len(before.known), len(before.unfinished)) == (19, 2, 2)
    result = search.session(max_evals=30)
    assert search.ids[:2] == [evaluation.job.id for evaluation in before.unfinished]
    assert result.num_evaluations == 30
    assert result.evaluations[:19] == before.ended
    assert search.notices == []  # results.csv is what the search of version 1 wrote
    assert len(read_results(search.log_dir)) == 30


def version_1_problem() -> HpProblem:
    problem = HpProblem()
    problem.add_hyperparameter((1, 100), "units")
    problem.add_hyperparameter((1e-4, 1.0, "log-uniform"), "lr")
    problem.add_hyperparameter(["relu", "tanh"], "activation")
    problem.add_hyperparameter([16, 32, 64], "batch")
    problem.add_hyperparameter((0.0, 0.9), "momentum")
    problem.add_condition(
        ConfigSpace.EqualsCondition(problem.space["momentum"], problem.space["activation"], "tanh")
    )
    return problem


# Reports and early endings.


def test_reports_and_pruned_evaluations_are_kept(log_dir: Path) -> None:
    jobs = [Job(str(number), {"x": number}) for number in range(2)]
    pruned = Outcome(jobs[0], "pruned", 0.5, None, EPOCH, EPOCH + 1, "0", step=3)
    finished = Outcome(
        jobs[1], "finished", 0.75, None, EPOCH, EPOCH + 1, "0", metrics={"loss": 1.0}
    )
    with opened(log_dir) as journal:
        journal.begin(Record(space=SPACE, max_evals=5))
        for job in jobs:
            journal.submitted(Evaluation(job))
        journal.reported(Reported(jobs[0], 3, 0.5, EPOCH, {"loss": 2.0}))
        journal.outcome(pruned)
        journal.outcome(finished)
    assert [e.outcome for e in read_journal(log_dir).ended] == [pruned, finished]
    (report,) = [e for e in read_events(log_dir) if isinstance(e, events.Reported)]
    assert (report.id, report.step, report.objective) == ("0", 3, 0.5)
    assert report.metrics == {"loss": 2.0}
