"""Progress of a running search: a live picture on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO

from deephyper.batch import cancel_command
from deephyper.objective import Direction, format_objective, is_better
from deephyper.printable import one_printable_line, printable
from deephyper.progress.flow import Failures, Flow, Pace
from deephyper.progress.frame import Screen, frame, live_line
from deephyper.progress.state import Row, Standing, State
from deephyper.progress.terminal import Terminal, draws_pictures, wants_color
from deephyper.progress.text import clock_text, format_point
from deephyper.standard_streams import Output

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.job import Outcome
    from deephyper.progress.notebook import Notebook

Detail = Literal["quiet", "usual", "verbose"]
"""quiet: nothing; usual: what is worth a look; verbose: a line for each evaluation, with its
point."""

_LINES_OF_FIRST_FAILURE = 15
_LOOK_SECONDS = 1.0
_BAD, _GOOD, _USUAL = "\x1b[31m", "\x1b[32m", "\x1b[0m"


class Progress:
    """Shows each outcome of a search as it comes. A context manager.

    Args:
        max_evals: evaluations that the search may make, where there is a limit.
        num_before: evaluations of earlier sessions, which are counted too.
        failed_before, pruned_before: those of them that failed, and that were ended early.
        best_before: their best objective.
        best_point_before: its hyperparameters.
        seconds_before: the seconds that they took together.
        num_workers: concurrent evaluations.
        seconds_left: seconds until the search's time limit, where there is one.
        direction: says which objectives are better.
        stream: where to write; standard error if None.
        live: draw a picture again and again; None does so if the stream is a terminal.
        notebook: in place of a stream.
        detail: how much is shown.
        now: gives the time, in seconds.
    """

    def __init__(
        self,
        max_evals: int | None,
        num_before: int = 0,
        best_before: float | None = None,
        *,
        failed_before: int = 0,
        pruned_before: int = 0,
        best_point_before: dict[str, Any] | None = None,
        seconds_before: float = 0.0,
        num_workers: int = 1,
        seconds_left: float | None = None,
        direction: Direction = "maximize",
        stream: TextIO | None = None,
        live: bool | None = None,
        notebook: Notebook | None = None,
        detail: Detail = "usual",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._before_it_runs = Standing(max_evals)
        self.num_outcomes = num_before
        self.num_failures = failed_before
        self.num_pruned = pruned_before
        self.best = best_before
        self._best_point = best_point_before
        self._improved: float | None = None
        self._now = now
        self._begin = self._last = now()
        self._num_workers = self._num_present = num_workers
        self._direction: Direction = direction
        self._durations = num_before, seconds_before
        self._until = None if seconds_left is None else self._begin + seconds_left
        self._detail = detail
        self._evaluator: Evaluator | None = None
        self._standing: Callable[[], Standing | None] | None = None
        self._capacity = 0.0  # seconds of all workers until _measured
        self._measured = self._begin
        self._flow, self._failures, self._pace = Flow(), Failures(), Pace(self._begin)
        self._output = Output(sys.stderr if stream is None else stream, own=True)
        self._color = wants_color(self._output)
        self._lock = threading.Lock()  # of the plain lines
        self._ended = threading.Event()
        self._picture: Terminal | Notebook | None = None
        if detail == "quiet":
            return
        if notebook is not None:
            self._color = False
            self._picture = notebook
            notebook.show_with(self.state_with)
        elif draws_pictures(self._output) if live is None else live:
            self._picture = Terminal(self._output, self._drawn, self._drawn_last)

    def follow(self, evaluator: Evaluator, standing: Callable[[], Standing | None]) -> None:
        """Show what runs from now on.

        Args:
            evaluator: where the evaluations run.
            standing: gives how the search stands, None before it runs; it is called in a thread.
        """
        self._evaluator, self._standing = evaluator, standing

    def __enter__(self) -> Self:
        if self._picture is not None:
            self._picture.start()
        elif self._detail != "quiet":
            threading.Thread(target=self._look_often, name="progress", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._failures.left_out:
            many = self._failures.left_out
            self._print(f"{many} further failures like these are in the results, and not shown")
        if self._picture is not None:
            self._picture.stop()

    @property
    def max_evals(self) -> int | None:
        """Evaluations that the search may make, as it stands now; None for no limit."""
        return self._stands().max_evals

    @property
    def state(self) -> State:
        """The search as it is now."""
        return self.state_with(0)

    def state_with(self, num_rows: int) -> State:
        """Return the search as it is now, with so many of the evaluations that run, at most."""
        now = self._now()
        standing = self._stands()
        if standing.is_held:
            self._last = now  # the expected end is as far away when it goes on
        evaluator = self._evaluator
        running = 0 if evaluator is None else evaluator.num_running
        utilization = None
        if evaluator is not None:
            self._measure(now)
            if self._capacity > 0.0:
                utilization = min(1.0, evaluator.busy_seconds / self._capacity)
        return State(
            self.num_outcomes,
            standing.max_evals,
            self.num_failures,
            self.best,
            now - self._begin,
            self._seconds_left(standing, now),
            self.num_pruned - (standing.num_paused if standing.has_ended else 0),
            standing.num_paused,
            running,
            0 if evaluator is None else self._num_present,
            utilization,
            self._best_point,
            None if self._improved is None else now - self._improved,
            standing.is_held,
            self._rows(num_rows),
        )

    def begin(self, text: str) -> None:
        """Show what is about to be searched."""
        self._print(f"{self._count()}  {text}")

    def show(self, outcome: Outcome) -> None:
        """Take one outcome; a failure that comes before any success is shown whole."""
        if outcome.status == "stopped":
            return
        self.num_outcomes += 1
        self._last = now = self._now()
        number, seconds = self._durations
        self._durations = number + 1, seconds + outcome.elapsed_sec
        is_best = False
        if outcome.objective is None:
            self.num_failures += 1
            if self.num_outcomes == 1:
                self._show_first_failure(outcome)
        elif outcome.status == "pruned":
            self.num_pruned += 1
        elif is_better(outcome.objective, self.best, self._direction):
            self.best, self._best_point = outcome.objective, outcome.job.point
            self._improved, is_best = now, True
        was_fast = self._flow.is_fast
        has_line = self._flow.take(now) and self._picture is None
        if self._detail == "verbose" or has_line:
            self._print(self._plain_line(outcome), outcome.failure is not None, is_best)
            return
        if self._flow.is_fast and not was_fast and self._picture is None:
            self._print(
                "More than one evaluation a second: from here on new bests, failures, and a "
                "summary now and then (--verbose shows each)."
            )
        if outcome.failure is not None:
            before = self._failures.take(outcome.failure, now)
            if before is not None:
                more = f" (and {before} more like it before)" if before else ""
                self._print(f"{self._count()}  {_failed(outcome)}{more}", bad=True)
        elif is_best:
            best, point = format_objective(self.best), format_point(outcome.job.point)
            self._print(f"{self._count()}  new best {best}  {point}", good=True)

    def notice(self, text: str) -> None:
        """Show a line from the search itself."""
        self._print(text)

    def look(self) -> None:
        """Print a summary if it is time for one, where there is no picture."""
        if self._pace.is_due(self._now(), busy=self._flow.is_fast):
            state = self.state
            rate = ""
            if self._flow.is_fast and state.seconds > 0:
                rate = f"  {state.ended / state.seconds:.3g} a second"
            busy = "" if state.utilization is None else f"  utilization {state.utilization:.0%}"
            self._print(f"{clock_text(state.seconds)}  {live_line(state, 1000, '')}{rate}{busy}")

    def _stands(self) -> Standing:
        """Return how the search stands; a smaller budget than what has ended is none."""
        told = (None if self._standing is None else self._standing()) or self._before_it_runs
        if told.max_evals is None or told.max_evals >= self.num_outcomes:
            return told
        return replace(told, max_evals=self.num_outcomes)

    def _seconds_left(self, standing: Standing, now: float) -> float | None:
        """Return the seconds until the search ends, by its time limit or, probably, by its
        evaluations, whose end is open while it is on hold."""
        ends = [] if self._until is None else [self._until - now]
        number, seconds = self._durations
        if standing.max_evals is not None and number and not standing.is_held:
            left = max(0, standing.max_evals - self.num_outcomes)
            rounds = left / max(1, min(self._num_workers, left))
            ends.append(rounds * seconds / number - (now - self._last))
        return max(0.0, min(ends)) if ends else None

    def _measure(self, now: float) -> None:
        """Add the time of the workers that has passed, of which there may be more or fewer now."""
        assert self._evaluator is not None
        self._capacity += self._num_present * max(0.0, now - self._measured)
        self._measured, self._num_workers = now, self._evaluator.num_workers
        self._num_present = self._evaluator.num_present

    def _rows(self, number: int) -> tuple[Row, ...]:
        if self._evaluator is None or number <= 0:
            return ()
        now = self._evaluator.clock.monotonic()
        return tuple(
            Row(
                running.job.id,
                running.worker,
                max(0.0, now - running.began) if running.start is not None else 0.0,
                None if running.report is None else running.report.step,
                None if running.report is None else running.report.objective,
                running.job.point,
            )
            for running in self._evaluator.running(number)
        )

    def _drawn(self, screen: Screen) -> list[str]:
        separate = self._evaluator is not None and self._evaluator.output_dir is not None
        if not separate:  # what evaluations print would come to stand in the table
            screen = Screen(screen.width, 0, screen.unicode, screen.color)
        return frame(self.state_with(screen.num_rows), screen)

    def _drawn_last(self, screen: Screen) -> list[str]:
        ended = replace(self.state, seconds_left=None)
        return frame(ended, Screen(screen.width, 0, screen.unicode, screen.color))

    def _look_often(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self.look()

    def _plain_line(self, outcome: Outcome) -> str:
        if outcome.objective is not None:
            pruned = "" if outcome.step is None else f"pruned at step {outcome.step}, "
            result = f"{pruned}objective {format_objective(outcome.objective)}"
        else:
            result = _failed(outcome)
        best = "" if self.best is None else f"  best {format_objective(self.best)}"
        since = self._now() - self._begin
        point = f"  {format_point(outcome.job.point)}" if self._detail == "verbose" else ""
        took = f"({outcome.elapsed_sec:.1f} s)"
        return f"{self._count()}  {since:7.1f} s  {result} {took}{best}{point}"

    def _count(self) -> str:
        most = self.max_evals
        if most is None:
            return f"[{self.num_outcomes}]"
        return f"[{self.num_outcomes:{len(str(most))}}/{most}]"

    def _show_first_failure(self, outcome: Outcome) -> None:
        assert outcome.failure is not None
        self._print(f"The first evaluation failed: {one_printable_line(outcome.failure.message)}")
        self._print(f"  point: {format_point(outcome.job.point)}")
        for line in outcome.failure.text.rstrip().splitlines()[-_LINES_OF_FIRST_FAILURE:]:
            self._print(f"  | {line}")
        if outcome.output is not None:
            self._print(f"  its output: {outcome.output}")
        self._print(f"  The search continues; {cancel_command() or 'Ctrl-C'} ends it.")

    def _print(self, line: str, bad: bool = False, good: bool = False) -> None:
        if self._detail == "quiet":
            return
        line = printable(line, lines=True)
        if (bad or good) and self._color:
            line = f"{_BAD if bad else _GOOD}{line}{_USUAL}"
        self._pace.printed(self._now())
        if self._picture is not None:
            self._picture.print(line)
            return
        with self._lock:
            with contextlib.suppress(Exception):  # what was printed before comes before
                self._output.stream.flush()
            self._output.write(f"{line}\n")
            self._output.flush()


def _failed(outcome: Outcome) -> str:
    assert outcome.failure is not None
    return f"failed: {one_printable_line(outcome.failure.message)}"
