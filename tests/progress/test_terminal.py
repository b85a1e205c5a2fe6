"""The picture on real pseudo-terminals of several sizes."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deephyper.evaluator import Job, VirtualEvaluator
from deephyper.job import Failure, Outcome
from deephyper.progress.progress import Progress
from deephyper.progress.state import Standing
from tests.progress.screen import Screen
from tests.progress.terminals import LONG, pseudo_terminal
from tests.search.virtual_search import RAISED, VirtualSearch

POINT = {"learning_rate": 0.0125, "layers": 3, "activation": "relu"}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def busy() -> Iterator[VirtualEvaluator]:
    """Sixty-two workers, all of them busy; every second one has reported."""
    evaluator = VirtualEvaluator(
        lambda point: 1.0,
        62,
        duration=lambda job: 1e9,
        reports=lambda job: [(1.0, 20, 0.907265)] if int(job.id) % 2 else [],
    )
    evaluator.output_dir = Path("output")  # so that a table is not in the way of what is printed
    evaluator.submit([Job(str(n), POINT) for n in range(62)])
    evaluator.gather(timeout=0.0)
    evaluator.clock.seconds = 65.0
    while evaluator.gather(timeout=0.0):
        pass
    with evaluator:
        yield evaluator


def outcome(number: int, objective: float | None = 1.0, message: str = "no") -> Outcome:
    failure = Failure("exception", message) if objective is None else None
    status = "finished" if failure is None else "failed"
    return Outcome(Job(str(number), POINT), status, objective, failure, 0.0, 1.0, "0")  # type: ignore[arg-type]


def is_in(word: str, lines: list[str]) -> bool:
    return any(word in line for line in lines)


def test_a_wide_terminal_shows_all_of_it(busy: VirtualEvaluator) -> None:
    with pseudo_terminal(200, 24) as terminal:
        with Progress(100, stream=terminal.stream, num_workers=62) as progress:
            progress.follow(busy, lambda: Standing(100, num_paused=4))
            progress.show(outcome(100, 0.5))
            progress.show(outcome(101, None))
            text = terminal.until(lambda text: any("more" in line for line in text))
        assert any("new best 0.5" in line for line in text)
        picture = text[[line.startswith("evaluations") for line in text].index(True) :]
        for part in ("2/100", "best 0.5", "1 failed", "4 paused", "62 running", "left"):
            assert part in picture[0]
        assert "62 of 62 workers busy" in picture[1]
        assert "last improvement 0:00:00 ago" in picture[1]
        assert picture[2] == "best point: learning_rate=0.0125 layers=3 activation=relu"
        assert picture[3].split() == [
            *("id", "0", "worker", "0", "1:05"),
            *("learning_rate=0.0125", "layers=3", "activation=relu"),
        ]
        assert "id 1   worker 1   1:05  step 20  0.907265" in picture[4]
        rows = [line for line in picture if line.startswith("  id ")]
        assert picture[-1] == f"  … and {62 - len(rows)} more"
        assert len(rows) == 24 - 8 - 1


@pytest.mark.parametrize("columns", [12, 40, 80, 200])
@pytest.mark.parametrize("lines", [3, 10, 24, 60])
def test_nothing_wraps_and_nothing_of_a_picture_is_left(
    busy: VirtualEvaluator, columns: int, lines: int
) -> None:
    with pseudo_terminal(columns, lines) as terminal:
        with Progress(100, stream=terminal.stream) as progress:
            progress.follow(busy, lambda: Standing(100))
            for number in range(3):
                progress.show(outcome(100 + number, float(number)))
                count = f"{number + 1}/100"
                terminal.until(partial(is_in, count))
            terminal.until(lambda text: any("3/100" in line for line in text[-lines:]))
        terminal.until(lambda text: text[-1] == "")
        # Messages may wrap; pictures don't, and only the last of them is there.
        rest = [line for line in terminal.screen.text if "3/100" in line and "[" not in line]
        assert len(rest) == 1
        assert not [line for line in terminal.screen.text if "id 0" in line]
    assert terminal.screen.text[-2] == rest[0]


def test_a_narrow_terminal_has_no_line_that_is_too_long(busy: VirtualEvaluator) -> None:
    with pseudo_terminal(40, 24) as terminal:
        with Progress(100, stream=terminal.stream) as progress:
            progress.follow(busy, lambda: Standing(100))
            terminal.until(lambda text: any("more" in line for line in text))
        assert terminal.screen.wrapped == 0
        assert max(map(len, terminal.screen.text)) < 40


def test_a_terminal_may_become_smaller_and_larger(busy: VirtualEvaluator) -> None:
    with pseudo_terminal(120, 30) as terminal:
        with Progress(100, stream=terminal.stream) as progress:
            progress.follow(busy, lambda: Standing(100))
            progress.notice("above it")
            terminal.until(lambda text: any("more" in line for line in text))
            terminal.resize(60, 30)
            terminal.until(lambda text: max(map(len, text)) < 60)
            terminal.resize(160, 40)
            text = terminal.until(lambda text: max(map(len, text)) > 60)
        assert text[0] == "above it"
        assert sum("… and" in line for line in text) == 1
        assert terminal.screen.wrapped == 0


def test_what_somebody_else_prints_is_not_overwritten() -> None:
    with pseudo_terminal(80, 24) as terminal:
        with Progress(5, stream=terminal.stream) as progress:
            terminal.until(lambda text: any("0/5" in line for line in text))
            terminal.stream.write("\nof somebody else\n")
            terminal.stream.flush()
            for number in range(3):
                progress.show(outcome(number, float(number)))
            terminal.until(lambda text: any("3/5" in line for line in text))
        assert "of somebody else" in terminal.screen.text
        assert [line for line in terminal.screen.text if "new best 2" in line]


class Typed(io.StringIO):
    """A terminal whose user presses Ctrl-C after each picture, which it shows at its cursor."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__()
        self.screen = Screen(columns, lines)
        self.pictures = 0

    def write(self, text: str) -> int:
        self.screen.write(text)
        self.screen.write("^C^C")
        self.pictures += 1
        return len(text)


@pytest.mark.parametrize("lines", [3, 24])
@pytest.mark.parametrize("columns", [40, 50, 60, 80])
def test_ctrl_c_leaves_no_line_behind(
    lines: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    evaluator = VirtualEvaluator(lambda point: 1.0, 2, duration=lambda job: 1e9)
    evaluator.output_dir = Path("output")
    evaluator.submit([Job(str(n), {f"name_{i}": i for i in range(20)}) for n in range(2)])
    terminal, drawn = Typed(columns, lines), threading.Event()

    def standing() -> Standing:
        if terminal.pictures > 3:
            drawn.set()
        return Standing(20)

    with (
        evaluator,
        Progress(20, 2, 0.9, seconds_before=9.0, stream=terminal, live=True) as progress,
    ):
        progress.follow(evaluator, standing)
        progress.notice("no new evaluations; waiting")
        assert drawn.wait(LONG)
        progress.show(outcome(2, 0.5))
    assert "no new evaluations; waiting" in terminal.screen.text[0]
    assert terminal.screen.wrapped == 0
    assert sum("/20" in line for line in terminal.screen.text) == 1


def test_a_resumed_search_counts_what_failed_and_ended_early_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = VirtualSearch(tmp_path / "log", run=lambda job: RAISED if job.id < "2" else 1.0)
    search.duration = lambda job: 10.0
    search.reports = lambda job: [(1.0, 1, 0.5)] if job.id == "2" else []
    search.time.at(21.5, partial(stop_evaluation, search, "2"))
    search.session(max_evals=4, max_failures=None)
    with pseudo_terminal(200, 24) as terminal:
        monkeypatch.setattr(sys, "stderr", terminal.stream)
        search.session(max_evals=5, progress=True)
        monkeypatch.undo()
        terminal.until(partial(is_in, "5/5  best 1  2 failed  1 ended early"))


def stop_evaluation(search: VirtualSearch, id_: str) -> None:
    search.evaluator.request_stop([id_], 0.0)


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with pseudo_terminal(80, 24) as terminal:
        with Progress(5, stream=terminal.stream) as progress:
            progress.show(outcome(0))
        terminal.until(lambda text: text[-1] == "" and len(text) > 1)
        assert terminal.screen.text[0].startswith("[1/5] ")
        assert not terminal.screen.colored


def test_continuous_integration_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pseudo_terminal(80, 24) as terminal:
        with Progress(5, stream=terminal.stream) as progress:
            progress.show(outcome(0))
        terminal.until(lambda text: text[-1] == "" and len(text) > 1)
        assert terminal.screen.text[0].startswith("[1/5] ")


@pytest.mark.parametrize(
    ("name", "value", "colored"),
    [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("FORCE_COLOR", "1", True)],
)
def test_colors_can_be_declined(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, colored: bool
) -> None:
    monkeypatch.setenv(name, value)
    with pseudo_terminal(80, 24) as terminal:
        with Progress(5, stream=terminal.stream) as progress:
            progress.show(outcome(0))
            terminal.until(lambda text: any("1/5" in line for line in text))
        assert terminal.screen.colored is colored
