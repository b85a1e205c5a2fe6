"""Where the output goes, and what a run function in a thread does to it, decides nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from deephyper.core.cli import analytics, main
from tests.cli.command_line import Run

REPOSITORY = Path(__file__).resolve().parents[2]

TASK = """\
import os, shutil, sys, tempfile, threading
from deephyper.problem import HpProblem
Problem = HpProblem()
Problem.add_hyperparameter(["é → \\u202e", "\\x1b]0;x\\x07"], "text")

def run(point):
    return 1.0

def goes_into_a_directory_that_is_removed(point):
    gone = tempfile.mkdtemp()
    os.chdir(gone)
    os.rmdir(gone)
    return 1.0

def removes_the_directory(point):
    shutil.rmtree(os.getcwd())
    return 1.0

def closes_the_streams(point):
    sys.stdout.close()
    sys.stderr.close()
    return 1.0

def closes_the_buffers(point):
    sys.stdout.buffer.close()
    sys.stderr.buffer.close()
    return 1.0

def closes_the_descriptors(point):
    os.close(1)
    os.close(2)
    return 1.0

def redirects_the_descriptors(point):
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    return 1.0

def replaces_the_streams(point):
    sys.stdout = sys.stderr = None
    return 1.0

def breaks_the_streams(point):
    sys.stdout.write = sys.stderr.write = sys.stdout.flush = sys.stderr.flush = None
    return 1.0

def prints_much(point):
    print("é → \\ud800" * 10_000)
    print("é → \\ud800" * 10_000, file=sys.stderr)
    return 1.0

def raises_hostile(point):
    if point["text"].startswith("é"):
        return 1.0
    raise ValueError("\\x1b[31mred\\udc80\\u202e\\r\\x9b2J")

def reports_hostile(point):
    return 1.0 if point["text"].startswith("é") else "F_\\x1b]0;title\\x07\\x9b2J\\u202e\\ud800"
"""
HOSTILE_TO_STREAMS = [
    "goes_into_a_directory_that_is_removed",
    "closes_the_streams",
    "closes_the_buffers",
    "closes_the_descriptors",
    "redirects_the_descriptors",
    "replaces_the_streams",
    "breaks_the_streams",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "task.py").write_text(TASK)
    return tmp_path


def words(folder: Path, run: str = "run") -> list[str]:
    task = ["-p", str(folder / "task.py"), "-r", f"{folder / 'task.py'}::{run}"]
    line = ["hps", "random", *task, "--evaluator", "thread", "--max-evals", "2"]
    return [*line, "--log-dir", str(folder / "log")]


@dataclass
class Started:
    """A program that was started, in this process or in one of its own."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def __call__(
        self,
        line: list[str],
        program: Callable[[list[str]], int] = main.main,
        encoding: str = "utf-8",
        stdout: str = "out",
        stderr: str = "err",
    ) -> int:
        paths = {"stdout": self.folder / stdout, "stderr": self.folder / stderr}
        with ExitStack() as files, self.monkeypatch.context() as patched:
            patched.chdir(self.folder)
            for name, path in paths.items():
                stream = files.enter_context(path.open("w", encoding=encoding))
                patched.setattr(sys, name, stream)
            return program(line)

    def apart(self, line: list[str], directory: Path) -> int:
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            return subprocess.run(
                [sys.executable, "-m", "deephyper.core.cli.main", *line],
                cwd=directory,
                env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
                stdout=out,
                stderr=err,
                timeout=120,
            ).returncode

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()


@pytest.fixture
def started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    return Started(folder, monkeypatch)


@pytest.mark.parametrize("run", HOSTILE_TO_STREAMS)
def test_a_summary_is_printed_whatever_a_thread_does_to_the_streams(
    folder: Path, started: Started, run: str
) -> None:
    line = words(folder, run)
    if "descriptors" in run:
        assert started.apart(line, folder) == 0
    else:
        assert started(line) == 0
    assert "The search has ended: " in started.out
    assert "Files: log/results.csv" in started.out
    assert "[2/2]" in started.err
    assert "Traceback" not in started.err


def test_the_directory_of_the_start_may_be_removed_meanwhile(
    folder: Path, started: Started
) -> None:
    (folder / "start").mkdir()
    assert started.apart(words(folder, "removes_the_directory"), folder / "start") == 0
    assert f"Files: {folder}/log/results.csv" in started.out


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
@pytest.mark.parametrize("run", ["prints_much", "reports_hostile"])
def test_an_encoding_decides_nothing(
    folder: Path, started: Started, encoding: str, run: str
) -> None:
    assert started([*words(folder, run), "--seed", "0"], encoding=encoding) in (0, 1)
    out = (folder / "out").read_text(encoding=encoding)
    assert "The search has ended: " in out
    (folder / "results.csv").write_text("x,objective\né → 🙂,2.0\n")
    assert started(["topk", "results.csv"], analytics.main, encoding) == 0
    found = yaml.safe_load((folder / "out").read_text(encoding=encoding))
    assert found["0"]["x"] == "é → 🙂"


@pytest.mark.parametrize(("stdout", "stderr"), [("/dev/full", "err"), ("out", "/dev/full")])
def test_a_full_disk_for_the_output_decides_nothing(
    folder: Path, started: Started, stdout: str, stderr: str
) -> None:
    assert started(words(folder, "prints_much"), stdout=stdout, stderr=stderr) == 0
    assert (folder / "log" / "results.csv").read_text().count("\n") == 3


def test_what_topk_could_not_print_is_an_error(folder: Path, started: Started) -> None:
    (folder / "results.csv").write_text("x,objective\n1,2.0\n")
    assert started(["topk", "results.csv"], analytics.main, stdout="/dev/full") == 2
    assert started.err == (
        "deephyper: error: standard output can't be written (No space left on device); free some "
        "space, or choose another place\n"
    )


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("--help", 0),
        ("", 0),
        ("hps", 0),
        ("fly", 2),
        ("new-problem hps on_a_full_disk --template sklearn", 0),
    ],
)
@pytest.mark.parametrize(("stdout", "stderr"), [("/dev/full", "err"), ("out", "/dev/full")])
def test_no_command_depends_on_a_full_disk_for_its_output(
    started: Started, line: str, status: int, stdout: str, stderr: str
) -> None:
    assert started(line.split(), stdout=stdout, stderr=stderr) == status


@pytest.mark.parametrize("run", ["raises_hostile", "reports_hostile"])
def test_nothing_from_outside_is_printed_or_logged_raw(
    folder: Path, started: Started, run: str
) -> None:
    started(words(folder, run))
    assert "failed: " in started.err
    for name in ("out", "err", "log/deephyper.log"):
        text = (folder / name).read_text(encoding="utf-8")
        assert not set("\x1b\x07\r\x9b\u202e") & set(text), name


def test_errors_show_what_was_typed_escaped(deephyper: Run) -> None:
    ended = deephyper("hps", "ambs", "-p", "\x1b[31m\udcff\u202e.py", "-r", "x.py")
    assert ended.status == 2
    assert r"\x1b[31m\udcff\u202e.py" in ended.err


def test_a_directory_whose_name_is_not_utf_8_can_be_searched_in(
    folder: Path, started: Started
) -> None:
    line = words(folder)
    line[-1] = os.fsdecode(b"lo\xffg")
    assert started(line) == 0
    assert r"Files: lo\udcffg/results.csv" in started.out
    assert r"topk $'lo\xffg/results.csv'" in started.out


def test_a_log_directory_that_was_renamed_meanwhile_is_named_as_it_is_now(
    folder: Path, started: Started
) -> None:
    (folder / "task.py").write_text(
        f"{TASK}\ndef renames(point):\n"
        f"    os.rename({str(folder / 'log')!r}, {str(folder / 'moved')!r})\n    return 1.0\n"
    )
    line = words(folder, "renames")
    line[line.index("2")] = "1"
    status = started(line)
    assert "Traceback" not in started.err
    assert "log/results.csv" not in started.out
    assert status != 0 or "Files: moved/results.csv" in started.out


def test_a_log_directory_that_was_deleted_meanwhile_is_not_named(
    folder: Path, started: Started
) -> None:
    (folder / "task.py").write_text(
        f"{TASK}\ndef deletes(point):\n    shutil.rmtree({str(folder / 'log')!r})\n    return 1.0\n"
    )
    started(words(folder, "deletes"))
    assert "Traceback" not in started.err
    assert "Files: log" not in started.out


@pytest.mark.parametrize("name", ["-dash", "~home", "..dots", "two\nlines"])
def test_a_log_directory_of_any_name_is_named_on_one_line_as_it_can_be_given_again(
    name: str,
    folder: Path,
    deephyper: Run,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    where = ["-p", "task.py", "-r", "task.py", "--evaluator", "thread"]
    ended = deephyper("hps", "random", *where, "--max-evals", "1", f"--log-dir=./{name}")
    assert ended.status == 0
    *_, files, topk = ended.out.splitlines()
    assert files.startswith("Files: ")
    assert topk.startswith("Look at the best with: ")
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {topk.removeprefix('Look at the best with: ')}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.split("\0")[1:-1]
    assert analytics.main(words) == 0
    assert "text" in capsys.readouterr().out


def test_absolute_paths_are_enough_where_the_current_directory_is_gone(
    folder: Path, deephyper: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    started = deephyper(*words(folder))
    assert (started.status, "The search has ended" in started.out) == (0, True), started.err
    again = deephyper("hps", "random", "--resume", folder / "log", "--max-evals", 3)
    assert again.status == 0, again.err
    monkeypatch.chdir(folder)
