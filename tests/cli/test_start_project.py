from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.command_line import Run


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def in_environment(
    environment: dict[str, str], folder: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)


def can_import(environment: dict[str, str], name: str) -> bool:
    program = ("python", "-c", f"import {name}")
    return in_environment(environment, Path("/"), *program).returncode == 0


def test_makes_and_installs_what_can_then_be_imported(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = in_environment(environment, tmp_path, "deephyper", "start-project", "installed_one")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert files_in(tmp_path) == [
        "installed_one/installed_one/__init__.py",
        "installed_one/setup.py",
    ]
    (tmp_path / "installed_one/installed_one/later.py").touch()
    assert can_import(environment, "installed_one.later")


def test_an_installed_project_is_editable_to_pip_and_can_be_uninstalled(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert not in_environment(
        environment, tmp_path, "deephyper", "start-project", "installed_two"
    ).returncode
    listed = in_environment(environment, tmp_path, "pip", "list", "--editable").stdout
    row = ["installed_two", "0.1.0", str(tmp_path / "installed_two")]
    assert row in [line.split() for line in listed.splitlines()]
    again = in_environment(environment, tmp_path, "deephyper", "start-project", "installed_two")
    assert again.returncode == 2
    pip = in_environment(environment, tmp_path, "pip", "uninstall", "-y", "installed_two")
    assert pip.returncode == 0, pip.stderr
    assert not can_import(environment, "installed_two")
    assert (tmp_path / "installed_two/setup.py").is_file()


def test_refuses_the_name_of_an_installed_project_in_another_folder(
    environment: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    command = ("deephyper", "start-project", "installed_three")
    assert in_environment(environment, tmp_path, *command).returncode == 0
    again = in_environment(environment, other, *command)
    assert again.returncode == 2
    assert "would hide the installed package 'installed_three'" in again.stderr
    assert files_in(other) == []


def test_the_setup_py_that_it_writes_can_be_installed_by_pip(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = in_environment(
        environment, tmp_path, "deephyper", "start-project", "by_hand", "--no-install"
    )
    assert done.returncode == 0
    assert not can_import(environment, "by_hand")
    shown = in_environment(environment, tmp_path / "by_hand", "python", "setup.py", "--name")
    assert shown.stdout.strip() == "by_hand", shown.stderr


def test_a_failure_of_pip_is_told_and_the_folder_stays(
    environment: dict[str, str], tmp_path: Path
) -> None:
    broken = environment | {"PIP_CERT": "", "PIP_PLATFORM": "nowhere"}
    done = in_environment(broken, tmp_path, "deephyper", "start-project", "unlucky")
    assert done.returncode == 2
    assert "pip could not install 'unlucky'" in done.stderr
    assert "install it with: pip install -e unlucky" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "unlucky/setup.py").is_file()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("json", "standard library"),
        ("numpy", "installed package 'numpy'"),
        ("class", "keyword"),
        ("match", "keyword"),
        ("../up", "can't be the name"),
        ("/tmp/absolute", "can't be the name"),
        (".", "can't be the name"),
        ("", "can't be the name"),
        ("with-dash", "can't be the name"),
        ("1st", "can't be the name"),
        ("_hidden", "can't be the name"),
        ("naïve", "can't be the name"),
        ("a b", "can't be the name"),
        ("a\nb", "can't be the name"),
        ("a;id", "can't be the name"),
        ("$(id)", "can't be the name"),
        ("x" * 300, "can't be the name"),
        ("taken", "exists already"),
        ("dangling", "exists already"),
    ],
)
def test_refuses_names_that_can_not_be_a_package_here(
    deephyper: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.parent.rglob("*"))
    ended = deephyper("start-project", "--no-install", "--", name)
    assert ended.status == 2
    assert ended.err.startswith("deephyper: error: ")
    assert reason in ended.err
    assert len(ended.err.splitlines()) == 1
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_an_unwritable_place_is_told(deephyper: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/proc")
    ended = deephyper("start-project", "--no-install", "unwritable")
    assert ended.status == 2
    assert "can't make 'unwritable'" in ended.err
