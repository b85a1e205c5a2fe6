"""The journals of searches that pause evaluations: what they tell, and what is refused."""

from __future__ import annotations

import random
import re
import signal
import zlib
from pathlib import Path
from typing import Any

import pytest

from deephyper.errors import ResultsError
from deephyper.job import Failure, Proposal
from deephyper.search.replay import read_journal
from tests.search.paused_trainings import (
    STEPS,
    Pausing,
    Trainings,
    at_the_end,
    rows,
)
from tests.search.virtual_search import raise_signal_at


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    return Trainings(tmp_path / "search")


def journal_of_pauses(log_dir: Path) -> list[str]:
    trainings = Trainings(log_dir)
    raise_signal_at(trainings.clock, (8.0, signal.SIGINT))
    trainings.session(3, stopper=Pausing())
    trainings.session(3, stopper=Pausing(take_up=lambda p, ids: "1" if "1" in ids else None))
    lines = (log_dir / "journal.jsonl").read_text().splitlines(keepends=True)
    return pruned_at_the_end(lines, "0", "2")


def pruned_at_the_end(lines: list[str], *ids: str) -> list[str]:
    """Return a journal as it once was, when all that was paused was pruned at the end."""
    paused = [lines[place(lines, "paused", id_)] for id_ in ids]
    pruned = [line.replace('"event": "paused"', '"event": "pruned"') for line in paused]
    return [*lines[:-1], *pruned, lines[-1]]


def place(lines: list[str], kind: str, id_: str, after: int = -1) -> int:
    found = (f'"event": "{kind}"', f'"id": "{id_}"')
    return next(i for i in range(after + 1, len(lines)) if all(f in lines[i] for f in found))


def changed(lines: list[str], kind: str, id_: str, changes: dict[str, str]) -> list[str]:
    """Return the lines with one of them changed."""
    at = place(lines, kind, id_)
    for old, new in changes.items():
        assert re.search(old, lines[at])
        lines[at] = re.sub(old, new, lines[at])
    return lines


def twice(lines: list[str], kind: str, id_: str) -> list[str]:
    at = place(lines, kind, id_)
    return [*lines[: at + 1], *lines[at:]]


def without(lines: list[str], kind: str, id_: str, attempt: int = 1) -> list[str]:
    at = place(lines, kind, id_)
    if attempt == 2:
        at = place(lines, kind, id_, at)
    return lines[:at] + lines[at + 1 :]


def again(lines: list[str], kind: str, id_: str, behind: tuple[str, str]) -> list[str]:
    """Return the lines with one of them again behind another."""
    at = place(lines, *behind)
    return [*lines[: at + 1], lines[place(lines, kind, id_)], *lines[at + 1 :]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda ls: twice(ls, "paused", "0"), "0 is not running"),
        (lambda ls: without(ls, "submitted", "0"), "0 was never submitted"),
        (lambda ls: without(ls, "submitted", "1", 2), "1 is not running"),
        (lambda ls: without(ls, "paused", "1"), "1 is at attempt 1, not 2"),
        (lambda ls: again(ls, "submitted", "0", ("paused", "0")), "0 is at attempt 2, not 1"),
        (lambda ls: again(ls, "reported", "0", ("paused", "0")), "0 is not running"),
        (lambda ls: again(ls, "finished", "1", ("paused", "0")), "1 was never submitted"),
        (lambda ls: again(ls, "paused", "1", ("finished", "1")), "1 has ended before"),
        (lambda ls: again(ls, "paused", "0", ("pruned", "0")), "0 has ended before"),
        (lambda ls: changed(ls, "paused", "0", {'"step": 4': '"step": 5'}), "another result"),
        (lambda ls: changed(ls, "pruned", "0", {'"step": 4': '"step": 5'}), "another result"),
        (lambda ls: changed(ls, "pruned", "0", {'"objective": ': '"objective": 1'}), "another re"),
        (lambda ls: changed(ls, "pruned", "0", {'"attempt": 1': '"attempt": 2'}), "at attempt 1"),
        (lambda ls: changed(ls, "paused", "0", {'"step": 4': '"step": null'}), "its step"),
        (lambda ls: changed(ls, "paused", "0", {', "step": 4': ""}), "step"),
    ],
)
def test_a_story_that_no_search_writes_is_refused(tmp_path: Path, change: Any, reason: str) -> None:
    lines = journal_of_pauses(tmp_path / "search")
    (tmp_path / "search" / "journal.jsonl").write_text("".join(lines))
    read_journal(tmp_path / "search")
    (tmp_path / "search" / "journal.jsonl").write_text("".join(change(lines)))
    with pytest.raises(ResultsError, match=rf"damaged at line \d+: .*{reason}"):
        read_journal(tmp_path / "search")


def test_the_journal_tells_what_the_search_knew(trainings: Trainings) -> None:
    raise_signal_at(trainings.clock, (8.0, signal.SIGINT))
    trainings.session(4, stopper=Pausing())
    record = read_journal(trainings.log_dir)
    paused = trainings.events("paused")
    assert [(o.objective, o.step, o.elapsed_sec) for o in record.paused.values()] == [
        (e["objective"], e["step"], 3.5) for e in paused
    ]
    assert record.busy == 0.0
    assert len(record.evaluations) == 3


def test_what_older_journals_prune_at_the_end_is_over_for_good(tmp_path: Path) -> None:
    lines = journal_of_pauses(tmp_path / "search")
    (tmp_path / "search" / "journal.jsonl").write_text("".join(lines))
    record = read_journal(tmp_path / "search")
    assert not record.paused
    assert [(o.job.id, o.status, o.step) for o in record.outcomes] == [
        ("1", "finished", None), ("0", "pruned", 4), ("2", "pruned", 4),
    ]  # fmt: skip
    trainings = Trainings(tmp_path / "search")
    result = trainings.session(4, stopper=Pausing(take_up=at_the_end))
    assert {job.id for job in trainings.submitted} == {"3"}
    assert [o.status for o in result.outcomes] == ["finished", "pruned", "pruned", "finished"]


# Any order of events.


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_paused_and_interrupted_each_evaluation_ends_once(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    at = chance.randint(1, STEPS - 2)
    trainings = Trainings(tmp_path / "search", chance.randint(1, 5), at)
    trainings.fails = lambda job: (
        Failure("worker_died", "it died") if zlib.crc32(job.id.encode()) % 5 == 0 else None
    )
    for_a_new_one, at_the_end_of_all = chance.random(), chance.random()

    def take_up(proposal: Proposal | None, paused: list[str]) -> str | None:
        likely = at_the_end_of_all if proposal is None else for_a_new_one
        return chance.choice(paused) if paused and chance.random() < likely else None

    options: dict[str, Any] = {"retries": chance.randint(0, 1)}
    max_steps = chance.choice([None, chance.randint(30, 150)])
    std = chance.choice([None, 0.5])
    for _ in range(3):
        now = trainings.clock.seconds
        for seconds in sorted(chance.uniform(0.1, 40.0) for _ in range(2)):
            raise_signal_at(trainings.clock, (now + seconds, signal.SIGINT))
        rule = Pausing(at, take_up, std, at_most=0.7)
        trainings.session(15, max_steps=max_steps, **options, stopper=rule)
    trainings.clock._planned.clear()
    rule = Pausing(at, at_the_end, std, at_most=0.7)
    result = trainings.session(15, max_steps=10_000, **options, stopper=rule)
    assert (result.reason, result.num_evaluations) == ("max_evals", 15)
    assert len(rows(trainings.log_dir)) == 15
    record = read_journal(trainings.log_dir)
    assert (record.unfinished, record.paused) == ([], {})
    assert record.reports.steps == steps_made(trainings)
    for outcome in record.outcomes:
        ends = [e for e in trainings.events(*ENDS) if e["id"] == outcome.job.id]
        *parts, last = ends
        # What comes of one that is still paused at the end is what it was paused with.
        if outcome.status == "pruned":
            assert parts.pop()["step"] == last["step"] == outcome.step
        assert {e["event"] for e in parts} <= {"paused", "failed"}
        assert outcome.job.attempt == 1 + len(parts)
        assert last["event"] == outcome.status
        times = [e["end"] - e["start"] for e in [*parts, last] if e["event"] != "failed"]
        if outcome.status != "failed":
            assert outcome.elapsed_sec == pytest.approx(sum(times))


ENDS = ("finished", "failed", "pruned", "paused")


def steps_made(trainings: Trainings) -> int:
    """Count the steps in the journal that were made, each as often as it was."""
    made, last, told = 0, dict[str, int](), dict[str, set[int]]()
    for event in trainings.events("submitted", "reported"):
        id_, step = event["id"], event.get("step")
        steps = told.setdefault(id_, {0})
        if step is None:
            last.pop(id_, None)
            continue
        before = last.get(id_, max(s for s in steps if s < step))
        made += step - before
        last[id_] = step
        told[id_] = {s for s in steps if s < step} | {step}
    return made
