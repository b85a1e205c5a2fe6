"""A log directory in which somebody else has put links, pipes, devices and files of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deephyper.errors import ResultsError
from deephyper.safe_files import open_partial, open_to_others
from tests.search.virtual_search import VirtualSearch

FILES = ("journal.jsonl", "results.csv", "deephyper.log")
SECRET = b"alias ls='ls --color'\n"


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    """End a test that waits on a pipe, wherever it waits."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "startup"
    path.write_bytes(SECRET)
    return path


def symlink(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def dangling(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("not there"))


def hard_link(path: Path, victim: Path) -> None:
    os.link(victim, path)


def fifo(path: Path, victim: Path) -> None:
    os.mkfifo(path)


def device(path: Path, victim: Path) -> None:
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # as /dev/zero
    except OSError:
        pytest.skip("devices can't be made here")


def directory(path: Path, victim: Path) -> None:
    path.mkdir()


def of_another(path: Path, victim: Path) -> None:
    path.touch()
    try:
        os.chown(path, 12345, 12345)
    except OSError:
        pytest.skip("files can't be given away here")


PLANTED = (symlink, dangling, hard_link, fifo, device, directory, of_another)
Plant = Callable[[Path, Path], None]


@pytest.mark.parametrize("plant", PLANTED)
@pytest.mark.parametrize("name", FILES)
def test_a_new_search_refuses_what_was_planted(
    name: str, plant: Plant, tmp_path: Path, victim: Path
) -> None:
    log_dir = tmp_path / "log"
    log_dir.mkdir()
    plant(log_dir / name, victim)
    with pytest.raises(ResultsError):
        VirtualSearch(log_dir).session(max_evals=3)
    assert victim.read_bytes() == SECRET
    assert not victim.with_name("not there").exists()
    assert not [path for path in log_dir.iterdir() if path.name.startswith((".", "running-"))]


@pytest.mark.parametrize("plant", PLANTED)
@pytest.mark.parametrize("name", FILES)
def test_a_resumed_search_refuses_what_was_planted(
    name: str, plant: Plant, tmp_path: Path, victim: Path
) -> None:
    search = VirtualSearch(tmp_path / "log")
    search.session(max_evals=3)
    (search.log_dir / name).unlink()
    plant(search.log_dir / name, victim)
    journal = search.log_dir / "journal.jsonl"
    before = journal.read_bytes() if name != "journal.jsonl" else b""
    if (name, plant) == ("results.csv", hard_link):
        search.session(max_evals=5)  # it is set aside, not written
        assert len(list(search.log_dir.glob("results-*.csv"))) == 1
    else:
        with pytest.raises(ResultsError):
            search.session(max_evals=5)
        assert name == "journal.jsonl" or journal.read_bytes().startswith(before)
    assert victim.read_bytes() == SECRET
    assert not victim.with_name("not there").exists()


@pytest.mark.parametrize("plant", PLANTED)
def test_what_stands_where_results_are_drafted_is_not_touched(
    plant: Plant, tmp_path: Path, victim: Path
) -> None:
    log_dir = tmp_path / "log"
    log_dir.mkdir()
    for name in ("results.csv.partial", ".results.csv.partial"):
        plant(log_dir / name, victim)
    VirtualSearch(log_dir).session(max_evals=3)
    assert victim.read_bytes() == SECRET
    assert not victim.with_name("not there").exists()
    assert not (log_dir / "results.csv").is_symlink()


@pytest.mark.parametrize("plant", [symlink, dangling, fifo, device, directory])
def test_what_stands_where_a_claim_would_be_is_named(
    plant: Plant, tmp_path: Path, victim: Path
) -> None:
    log_dir = tmp_path / "log"
    log_dir.mkdir()
    plant(log_dir / "running-1.json", victim)
    with pytest.raises(ResultsError, match=r"running-1\.json' is not a regular file"):
        VirtualSearch(log_dir).session(max_evals=3)
    assert victim.read_bytes() == SECRET


def test_drafts_have_names_that_nobody_can_guess(tmp_path: Path) -> None:
    names = set()
    for _ in range(20):
        fd, path = open_partial(tmp_path / "results.csv")
        os.close(fd)
        names.add(path)
    assert len(names) == 20


def test_drafts_of_a_search_that_died_are_removed(tmp_path: Path) -> None:
    draft = tmp_path / f"results.csv.{'0' * 32}.partial"
    draft.touch()
    VirtualSearch(tmp_path).session(max_evals=1)
    assert not draft.exists()


@pytest.mark.parametrize("name", ["output", "evaluations"])
def test_directories_that_are_links_are_refused(name: str, tmp_path: Path) -> None:
    log_dir, elsewhere = tmp_path / "log", tmp_path / "elsewhere"
    log_dir.mkdir()
    elsewhere.mkdir()
    (log_dir / name).symlink_to(elsewhere)
    with pytest.raises(ResultsError, match="is a symbolic link"):
        VirtualSearch(log_dir).session(max_evals=3)


def test_a_log_directory_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "log").symlink_to(tmp_path / "scratch")
    VirtualSearch(tmp_path / "log").session(max_evals=3)
    assert (tmp_path / "scratch" / "results.csv").is_file()


def test_a_directory_of_another_user_is_used_with_all_that_is_theirs(tmp_path: Path) -> None:
    """As in a container whose user is root."""
    search = VirtualSearch(tmp_path / "log")
    search.session(max_evals=3)
    try:
        for path in (search.log_dir, *search.log_dir.iterdir()):
            os.chown(path, 12345, 12345)
    except OSError:
        pytest.skip("files can't be given away here")
    assert search.session(max_evals=5).num_evaluations == 5


@pytest.mark.parametrize(("mode", "warned"), [(0o755, False), (0o775, False), (0o777, True)])
def test_a_directory_that_anybody_may_write_is_warned_of(
    mode: int, warned: bool, tmp_path: Path
) -> None:
    search = VirtualSearch(tmp_path / "log")
    search.log_dir.mkdir()
    search.log_dir.chmod(mode)
    search.session(max_evals=1)
    assert any("every user of this machine may write" in line for line in search.notices) == warned


def test_a_group_counts_where_it_is_asked_for(tmp_path: Path) -> None:
    tmp_path.chmod(0o775)
    try:
        os.chown(tmp_path, -1, 54321)
    except OSError:
        pytest.skip("files can't be given away here")
    assert not open_to_others(tmp_path)
    assert open_to_others(tmp_path, group=True)
    tmp_path.chmod(0o755)
    assert not open_to_others(tmp_path, group=True)


@pytest.mark.parametrize("how", ["cut", "emptied", "extended"])
def test_results_changed_in_place_are_whole_again(how: str, tmp_path: Path) -> None:
    """As by an editor that writes into the file, or by ``> results.csv``."""
    search = VirtualSearch(tmp_path / "log", num_workers=1)
    results = search.log_dir / "results.csv"

    def change() -> None:
        size = {"cut": results.stat().st_size // 2, "emptied": 0}.get(how)
        if size is not None:
            os.truncate(results, size)
        else:
            with results.open("ab") as file:
                file.write(b"a note of mine\n")

    search.time.at(5.5, change)
    search.session(max_evals=10)
    rows = results.read_text().splitlines()
    assert len(rows) == 11
    aside = list(search.log_dir.glob("results-*.csv"))
    assert len(aside) == (1 if how == "extended" else 0)
    assert all(b"a note of mine" in path.read_bytes() for path in aside)
