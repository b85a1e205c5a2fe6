"""Directories of evaluations: there for each, and no empty one is left."""

from __future__ import annotations

import os
from pathlib import Path

from deephyper.command.directories import Directories


def test_an_empty_directory_becomes_the_next_one(tmp_path: Path) -> None:
    directories = Directories()
    first = directories.make(str(tmp_path / "a" / "0"))
    number = os.stat(first).st_ino
    directories.leave(first, is_used=False)
    second = directories.make(str(tmp_path / "a" / "1"))
    assert os.stat(second).st_ino == number
    assert os.listdir(tmp_path / "a") == ["1"]
    directories.leave(second, is_used=False)
    directories.close()
    assert os.listdir(tmp_path / "a") == []


def test_one_with_something_in_it_stays_though_it_came_late(tmp_path: Path) -> None:
    directories = Directories()
    first = directories.make(str(tmp_path / "0"))
    directories.leave(first, is_used=False)
    Path(first, "late").touch()
    second = directories.make(str(tmp_path / "1"))
    assert os.listdir(second) == []
    directories.leave(second, is_used=False)
    directories.close()
    assert os.listdir(tmp_path) == ["0"]
    assert os.listdir(first) == ["late"]


def test_the_same_evaluation_again_has_its_own(tmp_path: Path) -> None:
    directories = Directories()
    for _ in range(2):
        path = directories.make(str(tmp_path / "0"))
        directories.leave(path, is_used=False)
    path = directories.make(str(tmp_path / "0"))
    assert directories.make(str(tmp_path / "1")) != path
    assert sorted(os.listdir(tmp_path)) == ["0", "1"]


def test_one_that_processes_may_be_in_is_no_other_evaluations(tmp_path: Path) -> None:
    directories = Directories()
    path = directories.make(str(tmp_path / "0"))
    directories.leave(path, is_used=True)
    assert os.listdir(tmp_path) == []


def test_a_temporary_one_goes_with_what_is_in_it() -> None:
    directories = Directories()
    path = directories.make(None)
    Path(path, "file").touch()
    directories.leave(path, is_used=False)
    assert not os.path.exists(path)


def test_directories_elsewhere_and_those_that_were_removed(tmp_path: Path) -> None:
    directories = Directories()
    gone = directories.make(str(tmp_path / "0"))
    directories.leave(gone, is_used=False)
    os.rmdir(gone)
    assert os.path.isdir(directories.make(str(tmp_path / "b" / "1")))
