"""What is printed of very many evaluations, where there is no terminal."""

from __future__ import annotations

import io

import pytest

from deephyper.clock import VirtualClock
from deephyper.job import Failure, Job, Outcome
from deephyper.progress.flow import Failures, Flow, Pace
from deephyper.progress.progress import Detail, Progress


def outcome(number: int, objective: float | None) -> Outcome:
    failure = Failure("exception", f"ValueError: {number}") if objective is None else None
    status = "finished" if failure is None else "failed"
    return Outcome(Job(str(number), {"x": number}), status, objective, failure, 0.0, 1.0, "0")  # type: ignore[arg-type]


def lines_of(
    number: int,
    per_second: float,
    *,
    detail: Detail = "usual",
    failing: bool = False,
) -> list[str]:
    """Return what is printed of evaluations that come at a steady pace."""
    clock, stream = VirtualClock(), io.StringIO()
    progress = Progress(number, stream=stream, now=clock.monotonic, detail=detail)
    with progress:
        progress.show(outcome(0, 1.0))
        for i in range(1, number):
            clock.seconds = i / per_second
            progress.show(outcome(i, None if failing else 0.5))
            if int(clock.seconds) != int((i - 1) / per_second):
                progress.look()
    return stream.getvalue().splitlines()


def test_evaluations_that_are_rare_are_a_line_each_for_ever() -> None:
    assert len(lines_of(3000, per_second=0.9)) == 3000


def test_a_short_search_is_a_line_an_evaluation_however_fast_it_is() -> None:
    assert len(lines_of(200, per_second=1e6)) == 200


def test_a_hundred_thousand_fast_evaluations_are_some_hundred_lines() -> None:
    lines = lines_of(100_000, per_second=30.0)
    assert 200 < len(lines) < 350
    summary = lines[-1]
    assert "a second" in summary
    assert "/100000" in summary
    assert "best 1" in summary


def test_verbose_shows_each_with_its_point() -> None:
    lines = lines_of(5000, per_second=1000.0, detail="verbose")
    assert len(lines) == 5000
    assert lines[-1].endswith("x=4999")


def test_quiet_shows_nothing() -> None:
    assert lines_of(50, per_second=10.0, detail="quiet", failing=True) == []


def test_failures_of_one_kind_are_some_lines_and_a_count() -> None:
    lines = lines_of(30_000, per_second=30.0, failing=True)
    assert len(lines) < 350
    assert any("more like it before" in line for line in lines)
    assert lines[-1].endswith("further failures like these are in the results, and not shown")


def test_failures_of_another_kind_are_shown_at_once() -> None:
    failures = Failures()
    taken = [failures.take(Failure("exception", f"at step {n}"), 0.0) for n in range(10)]
    assert taken == [0] * 5 + [None] * 5
    assert failures.take(Failure("timeout", "at step 3"), 0.0) == 0
    assert failures.take(Failure("exception", "at step 11"), 61.0) == 5
    assert failures.left_out == 0


def test_a_search_that_becomes_slow_is_a_line_an_evaluation_again() -> None:
    flow = Flow()
    assert not [flow.take(0.0) for _ in range(1000)][-1]
    assert flow.take(200.0)


@pytest.mark.parametrize(("busy", "first"), [(True, 10.0), (False, 600.0)])
def test_a_summary_is_due_after_a_silence(busy: bool, first: float) -> None:
    pace = Pace(0.0)
    assert not pace.is_due(first - 1.0, busy=busy)
    assert pace.is_due(first, busy=busy)
    assert not pace.is_due(first + 1.0, busy=busy)
    pace.printed(5000.0)
    assert not pace.is_due(5000.0 + first - 1.0, busy=busy)


def test_colors_without_a_terminal_are_those_that_are_forced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert lines_of(2, 1.0, failing=True)[1].startswith("\x1b[31m")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in lines_of(2, 1.0, failing=True)[1]
