from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest

from deephyper.clock import VirtualClock
from deephyper.evaluator import VirtualEvaluator
from deephyper.job import Failure, Job, Outcome
from deephyper.progress.frame import live_line
from deephyper.progress.progress import Progress
from deephyper.progress.state import Standing, State
from deephyper.progress.text import format_point


def outcome(number: int, objective: float | None, output: str | None = None) -> Outcome:
    failure = None
    if objective is None:
        text = "".join(f"line {n}\n" for n in range(100)) + "ValueError: no"
        failure = Failure("exception", "ValueError: no", text)
    return Outcome(
        job=Job(str(number), {"x": number, "name": "a"}),
        status="failed" if failure else "finished",
        objective=objective,
        failure=failure,
        start=10.0,
        end=11.5,
        worker="w",
        output=output,
    )


def lasted(seconds: float) -> Outcome:
    return dataclasses.replace(outcome(0, 1.0), start=0.0, end=seconds)


def shown_at(max_evals: int | None, **options: Any) -> tuple[Progress, VirtualClock]:
    clock = VirtualClock()
    progress = Progress(max_evals, stream=io.StringIO(), now=clock.monotonic, **options)
    return progress, clock


def shown(*outcomes: Outcome, max_evals: int | None = 10) -> list[str]:
    stream = io.StringIO()
    with Progress(max_evals, stream=stream) as progress:
        for one in outcomes:
            progress.show(one)
    return stream.getvalue().splitlines()


def test_each_evaluation_is_one_line_with_the_best_so_far() -> None:
    lines = shown(outcome(0, 1.0), outcome(1, 0.5), outcome(2, 2.0))
    assert len(lines) == 3
    assert [line.split()[1].rstrip("]") for line in lines] == ["1/10", "2/10", "3/10"]
    assert [line.rpartition("best ")[2] for line in lines] == ["1", "1", "2"]
    assert "objective 0.5 (1.5 s)" in lines[1]


def pruned(number: int, objective: float) -> Outcome:
    return dataclasses.replace(outcome(number, objective), status="pruned", step=4)


def test_a_pruned_evaluation_is_counted_and_never_the_best() -> None:
    lines = shown(outcome(0, 1.0), pruned(1, 2.0))
    assert "pruned at step 4, objective 2 (1.5 s)  best 1" in lines[1]
    progress, _ = shown_at(max_evals=10)
    for one in (outcome(0, 1.0), pruned(1, 2.0), outcome(2, None)):
        progress.show(one)
    state = progress.state
    assert (state.ended, state.failed, state.pruned, state.best) == (3, 1, 1, 1.0)
    assert "1 failed  1 ended early" in live_line(state, 100)


def test_the_counts_are_those_of_all_sessions_and_what_is_paused_counts_once() -> None:
    progress, _ = shown_at(max_evals=120, num_before=90, failed_before=6, pruned_before=2)
    standing = Standing(120, num_paused=2)
    progress.follow(VirtualEvaluator(lambda point: 1.0), lambda: standing)
    progress.show(outcome(90, None))
    assert "91/120  no result yet  7 failed  2 ended early  2 paused" in plain(progress)
    for one in (pruned(91, 1.0), pruned(92, 2.0)):  # at the end, what is paused is told of
        progress.show(one)
    standing = Standing(120, num_paused=2, has_ended=True)
    assert "93/120  no result yet  7 failed  2 ended early  2 paused" in plain(progress)


def plain(progress: Progress) -> str:
    return live_line(progress.state, 1000, "")


def test_each_line_has_the_number_of_evaluations_that_there_may_be_now() -> None:
    stream = io.StringIO()
    standing = Standing(6)
    with Progress(6, stream=stream) as progress:
        progress.follow(VirtualEvaluator(lambda point: 1.0), lambda: standing)
        progress.show(outcome(0, 1.0))
        standing = Standing(9)
        progress.show(outcome(1, 1.0))
        standing = Standing(1)  # a budget that has been exceeded says nothing any more
        progress.show(outcome(2, 1.0))
    counts = [line.partition("]")[0] for line in stream.getvalue().splitlines()]
    assert counts == ["[1/6", "[2/9", "[3/3"]


def test_on_hold_the_end_is_unknown_but_for_the_time_limit() -> None:
    progress, clock = shown_at(max_evals=11, num_workers=2)
    standing = Standing(11)
    progress.follow(VirtualEvaluator(lambda point: 1.0, 2), lambda: standing)
    progress.show(lasted(100.0))
    standing = Standing(11, is_held=True)
    assert progress.state.seconds_left is None
    clock.seconds = 1000.0
    assert "left" not in plain(progress)
    standing = Standing(11)
    assert progress.state.seconds_left == 500.0
    progress, clock = shown_at(max_evals=10, seconds_left=300.0)
    progress.follow(VirtualEvaluator(lambda point: 1.0), lambda: Standing(10, is_held=True))
    progress.show(lasted(1.0))
    assert progress.state.seconds_left == 300.0


def test_without_a_limit_only_the_count_is_shown() -> None:
    assert shown(outcome(0, 1.0), max_evals=None)[0].startswith("[1] ")


def test_a_first_failure_is_shown_with_its_last_lines_its_point_and_its_output() -> None:
    lines = shown(outcome(0, None, output="out/0.1.log"), outcome(1, 1.0))
    text = "\n".join(lines)
    assert lines[0] == "The first evaluation failed: ValueError: no"
    assert "point: x=0 name=a" in text
    assert "| line 99" in text
    assert "| line 10\n" not in text
    assert "its output: out/0.1.log" in text
    assert "Ctrl-C" in text


def test_a_first_failure_without_further_lines_has_none() -> None:
    failed = dataclasses.replace(outcome(0, None), failure=Failure("reported", "no number"))
    assert not [line for line in shown(failed) if "|" in line]


def test_a_later_failure_is_one_line() -> None:
    lines = shown(outcome(0, 1.0), outcome(1, None))
    assert len(lines) == 2
    assert "failed: ValueError: no" in lines[1]


def test_the_expected_end_is_that_of_the_evaluations_that_are_left_on_these_workers() -> None:
    progress, clock = shown_at(max_evals=10, num_workers=2)
    assert progress.state.seconds_left is None
    clock.seconds = 100.0
    progress.show(lasted(100.0))
    assert progress.state.seconds_left == 450.0
    clock.seconds = 160.0
    assert progress.state.seconds_left == 390.0
    progress.show(lasted(160.0))
    assert progress.state.seconds_left == 4 * 130.0


def test_of_few_evaluations_that_are_left_none_is_shared_by_two_workers() -> None:
    progress, _ = shown_at(max_evals=3, num_workers=8)
    progress.show(lasted(60.0))
    progress.show(lasted(60.0))
    assert progress.state.seconds_left == 60.0


def test_a_resumed_search_expects_its_end_at_once() -> None:
    progress, _ = shown_at(max_evals=6, num_before=2, seconds_before=80.0)
    assert progress.state.seconds_left == 160.0


def test_the_time_that_is_left_is_shown_without_a_number_of_evaluations() -> None:
    progress, clock = shown_at(max_evals=None, seconds_left=100.0)
    clock.seconds = 30.0
    assert progress.state.seconds_left == 70.0
    clock.seconds = 130.0
    assert progress.state.seconds_left == 0.0


def test_what_comes_first_ends_a_search() -> None:
    progress, _ = shown_at(max_evals=10, seconds_left=100.0)
    progress.show(lasted(5.0))
    assert progress.state.seconds_left == 45.0
    progress.show(lasted(60.0))
    assert progress.state.seconds_left == 100.0


def test_busy_workers_that_are_too_many_count_until_they_leave() -> None:
    with VirtualEvaluator(lambda point: 1.0, 6, duration=lambda job: 10.0) as evaluator:
        progress = Progress(20, stream=io.StringIO(), now=evaluator.clock.monotonic, num_workers=6)
        progress.follow(evaluator, lambda: None)
        evaluator.submit([{"x": n} for n in range(8)])
        evaluator.gather(timeout=0.0)
        evaluator.resize(1)
        assert (progress.state.running, progress.state.workers) == (6, 6)
        evaluator.clock.seconds = 5.0
        assert progress.state.utilization == 1.0
        evaluator.gather_outcomes(at_least=6)
        assert (progress.state.running, progress.state.workers) == (1, 1)


STATE = State(7, 50, 2, -0.123456, seconds=75.0, seconds_left=3723.0)


def test_the_live_line_says_everything_where_there_is_room() -> None:
    assert live_line(STATE, 120) == (
        f"evaluations  ━━━{' ' * 21}  7/50  best -0.123456  2 failed  1:02:03 left  0:01:15 elapsed"
    )


@pytest.mark.parametrize("width", range(4, 121))
def test_the_count_stays_however_narrow_the_terminal_is(width: int) -> None:
    line = live_line(STATE, width)
    assert len(line) <= width
    assert "7/50" in line
    assert width < 40 or ("best -0.123456" in line and "left" in line)


def test_a_live_line_without_a_limit_counts() -> None:
    assert live_line(State(7, None, 0, None, 5.0, None), 80) == (
        "evaluations  7  no result yet  0:00:05 elapsed"
    )


def test_a_terminal_shows_why_evaluations_failed() -> None:
    stream = io.StringIO()
    with Progress(10, stream=stream, live=True) as progress:
        progress.show(outcome(0, 1.0))
        progress.show(outcome(1, None))
    assert "[ 2/10]  failed: ValueError: no" in stream.getvalue()


def test_the_picture_that_stays_has_the_time_that_was_needed_and_none_that_is_left() -> None:
    stream = io.StringIO()
    with Progress(10, stream=stream, live=True) as progress:
        progress.show(outcome(0, 1.0))
    last = stream.getvalue().splitlines()[-1]
    assert "1/10  best 1  0:" in last
    assert "elapsed" in last
    assert "left" not in last


@pytest.mark.parametrize("live", [False, True])
def test_nothing_from_outside_reaches_the_terminal_as_it_is(live: bool) -> None:
    hostile = "\x1b]0;title\x07\x9b2J\u202e\udcff\r\x08"
    failure = Failure("reported", f"F{hostile}", f"line{hostile}\nanother{hostile}")
    job = Job("0", {f"x{hostile}": hostile})
    stream = io.StringIO()
    with Progress(3, stream=stream, live=live) as progress:
        for each in (
            Outcome(job, "failed", None, failure, 0.0, 1.0, "w", output=f"out{hostile}"),
            Outcome(job, "finished", 1.0, None, 0.0, 1.0, "w"),
        ):
            progress.show(each)
        progress.notice(f"notice{hostile}")
    shown = stream.getvalue()
    assert "\x1b]" not in shown
    assert not set("\x07\x9b\u202e\udcff\x08") & set(shown)
    assert "\\x1b]0;title\\x07\\x9b2J\\u202e\\udcff" in shown


def test_a_long_value_is_cut() -> None:
    assert len(format_point({"x": "y" * 50_000_000})) < 300


def test_a_point_is_one_line_whatever_is_in_it() -> None:
    assert format_point({"a": 0.1234567891, "b": "x\ny", "c": None}) == "a=0.123457 b=x y c=None"
