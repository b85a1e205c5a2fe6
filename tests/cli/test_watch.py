from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deephyper import AMBS, HpProblem
from deephyper.core.cli import main
from deephyper.evaluator import Evaluator

LONG = 60.0
"""Seconds that are waited for what has to come, however busy the machine is."""


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    problem = HpProblem()
    problem.add_hyperparameter((0.0, 1.0), "x")
    log_dir = tmp_path_factory.mktemp("searched") / "search"
    with Evaluator.create(lambda point: 1.0 / (point["x"] > 0.1), "thread", 2) as evaluator:
        AMBS(problem, evaluator, log_dir=log_dir, seed=1).search(max_evals=12)
    return log_dir


def test_once_prints_the_overview(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["watch", str(searched), "--once"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("ended (the evaluation budget is used up): 12 of 12 evaluations")
    assert "Best:" in shown
    assert max(map(len, shown)) <= 80


def test_without_a_terminal_it_is_printed_once(
    searched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["watch", str(searched)]) == 0
    printed = capsys.readouterr().out
    assert main.main(["watch", str(searched), "--once"]) == 0
    assert "Best:" in printed
    assert capsys.readouterr().out.split("Best:")[0] == printed.split("Best:")[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "not there"),
        ([], "Missing argument"),
        (["{}", "--interval", "0"], "duration"),
        (["{}", "--interval", "soon"], "duration"),
        (["empty"], "no search"),
    ],
)
def test_bad_command_lines(
    searched: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main.main(["watch", *(word.format(searched) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, command: list[str], **env: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", **env},
        )
        self.seen = ""

    def waits_for(self, text: str) -> bool:
        """Return whether a text comes; what comes before it is read."""
        until = time.monotonic() + LONG
        self.seen = ""
        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen):
            ready, _, _ = select.select([self._master], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return False
            try:
                self.seen += os.read(self._master, 1 << 16).decode(errors="replace")
            except OSError:
                return False
        return True

    def press(self, key: str) -> None:
        os.write(self._master, key.encode())

    def ends(self) -> int:
        return self.process.wait(LONG)

    @property
    def is_as_before(self) -> bool:
        return termios.tcgetattr(self._slave) == self.before

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
        os.close(self._slave)


PROGRAM = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from deephyper.core.cli.main import main
sys.exit(main())
"""


@contextlib.contextmanager
def terminal(*words: str, **env: str) -> Iterator[Terminal]:
    made = Terminal([sys.executable, "-c", PROGRAM, "watch", *words], **env)
    try:
        yield made
    finally:
        made.close()


def test_keys_choose_the_view(searched: Path) -> None:
    with terminal(str(searched), "--interval", "30s") as shown:
        assert shown.waits_for("q quit")
        assert "Best:" in shown.seen
        shown.press("f")
        assert shown.waits_for("ZeroDivisionError")
        shown.press("b")
        assert shown.waits_for("id ")
        shown.press("\x1b[A")  # an arrow is no key of ours, and doesn't end it
        shown.press("r")
        assert shown.waits_for("nothing runs")
        shown.press("q")
        assert shown.ends() == 0
        assert shown.is_as_before


def test_ctrl_c_leaves_the_terminal_as_it_was(searched: Path) -> None:
    with terminal(str(searched), "--interval", "30s") as shown:
        assert shown.waits_for("q quit")
        shown.press("\x03")
        assert shown.ends() == 130
        assert shown.is_as_before


def test_what_comes_is_shown(searched: Path, tmp_path: Path) -> None:
    whole = (searched / "journal.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    (tmp_path / "journal.jsonl").write_bytes(b"".join(lines[:8]))
    with terminal(str(tmp_path), "--interval", "0.05s") as shown:
        assert shown.waits_for("q quit")
        with (tmp_path / "journal.jsonl").open("ab") as file:
            file.write(b"".join(lines[8:]))
        assert shown.waits_for("12 of 12 evaluations")
        shown.press("q")
        assert shown.ends() == 0


def test_a_terminal_that_can_do_nothing_gets_it_once(searched: Path) -> None:
    with terminal(str(searched), TERM="dumb") as shown:
        assert shown.waits_for("Best:")
        assert shown.ends() == 0
        assert "\x1b" not in shown.seen
