"""The results file of a resumed search: taken over as it is where that is known to be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.claim import Claim
from deephyper.job import Job, Outcome
from deephyper.search.record import Evaluation, Record
from deephyper.search.replay import read_journal
from deephyper.search.results import read_results, read_table
from deephyper.search.results_file import Columns, ResultsWriter
from tests.search.paused_trainings import Pausing, Trainings, at_the_end
from tests.search.virtual_search import VirtualSearch


@pytest.fixture
def search(tmp_path: Path) -> VirtualSearch:
    return VirtualSearch(tmp_path / "search", options={"seed": 1})


def results(search: VirtualSearch) -> bytes:
    return (search.log_dir / "results.csv").read_bytes()


def test_rows_of_earlier_sessions_are_not_made_again(
    search: VirtualSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    search.session(5)
    before = results(search)
    monkeypatch.setattr(Columns, "write", None)
    search.session(8)
    assert results(search).startswith(before)
    assert len(read_results(search.log_dir)) == 8
    search.session(9)
    assert len(read_results(search.log_dir)) == 9


def test_a_file_that_was_changed_is_set_aside_and_made_again(search: VirtualSearch) -> None:
    search.session(5)
    before = results(search)
    changed = before.replace(b"finished", b"FINISHED", 1)
    (search.log_dir / "results.csv").write_bytes(changed)
    search.session(6)
    assert results(search).startswith(before)
    (aside,) = search.log_dir.glob("results-*.csv")
    assert aside.read_bytes() == changed


@pytest.mark.parametrize("damage", ["delete", "cut"])
def test_a_file_that_is_gone_or_cut_is_made_again(search: VirtualSearch, damage: str) -> None:
    search.session(5)
    before, path = results(search), search.log_dir / "results.csv"
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(before[:-30])
    search.session(6)
    assert results(search).startswith(before)
    assert not list(search.log_dir.glob("results-*.csv"))


def test_a_session_without_an_end_says_nothing_of_its_file(search: VirtualSearch) -> None:
    search.session(5)
    search.session(7)
    before, journal = results(search), search.log_dir / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert b'"ended"' in lines[-1]
    journal.write_bytes(b"".join(lines[:-1]))  # as if it had been killed
    (search.log_dir / "results.csv").write_bytes(before[: len(before) // 2])
    assert read_journal(search.log_dir).results is None
    search.session(8)
    assert results(search).startswith(before)


def test_a_file_with_other_columns_is_made_again(search: VirtualSearch) -> None:
    search.session(5)
    path, journal = search.log_dir / "results.csv", search.log_dir / "journal.jsonl"
    record = read_journal(search.log_dir)
    assert record.results is not None
    # As a version with one column less would have left it, digest and all.
    old = b"\r\n".join(line.rpartition(b",")[0] for line in path.read_bytes().split(b"\r\n"))
    path.write_bytes(old)
    from hashlib import blake2b

    text = journal.read_text()
    text = text.replace(record.results.digest, blake2b(old, digest_size=16).hexdigest())
    journal.write_text(text.replace(f'"size": {record.results.size}', f'"size": {len(old)}'))
    search.session(6)
    rows = path.read_text().splitlines()
    assert len(rows) == 7
    assert len({row.count(",") for row in rows}) == 1


# What is paused when a session ends has a row until the next session begins.


@pytest.fixture
def trainings(tmp_path: Path) -> Trainings:
    """A search with a finished evaluation and two that are paused."""
    trainings = Trainings(tmp_path / "search")
    rule = Pausing()
    rule._ended_early.add("1")
    trainings.session(3, stopper=rule)
    assert statuses(trainings) == {"1": "finished", "0": "pruned", "2": "pruned"}
    return trainings


def statuses(trainings: Trainings) -> dict[str, str]:
    rows = read_results(trainings.log_dir)
    found = {row.cells["id"]: row.cells["status"] for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("dies", ["before it has written", "in its middle", "at its end"])
def test_a_session_that_dies_leaves_no_file_that_looks_changed(
    trainings: Trainings, dies: str
) -> None:
    files = [trainings.log_dir / name for name in ("journal.jsonl", "results.csv")]
    first, middle = [file.read_bytes() for file in files], list[bytes]()

    def keep(outcome: Outcome) -> None:
        middle[:] = middle or [file.read_bytes() for file in files]

    trainings.session(5, stopper=Pausing(at_most=-1.0), on_outcome=keep)
    assert [*statuses(trainings).values()] == ["finished"] * 3 + ["pruned"] * 2
    last = [file.read_bytes() for file in files]
    resumed = last[0][len(first[0]) :].partition(b"\n")[0] + b"\n"
    journal, results = {
        "before it has written": (first[0] + resumed, first[1]),
        "in its middle": (middle[0], middle[1]),
        "at its end": (last[0].rpartition(b'{"event": "ended"')[0], last[1]),
    }[dies]
    files[0].write_bytes(journal)
    files[1].write_bytes(results)
    result = trainings.session(5, stopper=Pausing(take_up=at_the_end, at_most=-1.0))
    assert statuses(trainings) == {str(i): "finished" for i in range(5)}
    assert result.num_evaluations == 5
    assert trainings.notices == []
    assert not list(trainings.log_dir.glob("results-*.csv"))


def test_a_file_with_paused_ones_that_was_changed_is_set_aside(trainings: Trainings) -> None:
    path = trainings.log_dir / "results.csv"
    changed = path.read_bytes().replace(b"pruned", b"better", 1)
    path.write_bytes(changed)
    trainings.session(3, stopper=Pausing(take_up=at_the_end))
    assert statuses(trainings) == {str(i): "finished" for i in range(3)}
    (aside,) = trainings.log_dir.glob("results-*.csv")
    assert aside.read_bytes() == changed


def test_a_file_that_is_deleted_before_the_end_is_made_again(trainings: Trainings) -> None:
    path = trainings.log_dir / "results.csv"
    trainings.session(3, stopper=Pausing(), on_outcome=lambda o: path.unlink(missing_ok=True))
    assert statuses(trainings) == {"1": "finished", "0": "pruned", "2": "pruned"}


def test_a_running_search_has_no_rows_of_what_is_paused(trainings: Trainings) -> None:
    seen: list[dict[str, str]] = []
    rule = Pausing(at_most=-1.0)
    trainings.session(4, stopper=rule, on_outcome=lambda o: seen.append(statuses(trainings)))
    assert seen[0] == {"1": "finished", "3": "finished"}
    assert len(statuses(trainings)) == 4


def test_the_metrics_of_what_is_paused_have_columns(tmp_path: Path) -> None:
    record = Record()
    jobs = [Job(str(number), {"x": number}) for number in range(2)]
    for job in jobs:
        record.add(Evaluation(job))
    record.end(Outcome(jobs[0], "finished", 1.0, None, 1.0, 2.0, "0"))
    paused = Outcome(jobs[1], "pruned", 0.5, None, 1.0, 2.0, "0", step=4, metrics={"loss": 0.25})
    record.pause(paused)
    aside: list[Path] = []
    with Claim(tmp_path) as claim:
        for _ in range(2):
            writer = ResultsWriter(claim, ["x"], record, aside.append)
            assert [row.columns["id"] for row in read_results(tmp_path)] == [0]
            writer.add_paused()
            writer.close()
    rows = read_table(tmp_path).rows
    assert [row.columns.get("step") for row in rows] == [None, 4]
    assert [row.columns.get("loss") for row in rows] == [None, 0.25]
    assert aside == []
