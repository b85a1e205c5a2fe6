"""The results file of a resumed search: taken over as it is where that is known to be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from deephyper.search.replay import read_journal
from deephyper.search.results import read_results
from deephyper.search.results_file import Columns
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
