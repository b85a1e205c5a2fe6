"""Progress of a running search: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from deephyper.batch import cancel_command
from deephyper.core.cli.live_line import LiveLine, State
from deephyper.objective import Direction, format_objective, is_better
from deephyper.printable import one_printable_line, printable
from deephyper.standard_streams import Output

if TYPE_CHECKING:
    from deephyper.job import Outcome

_LINES_OF_FIRST_FAILURE = 15
_LONGEST_VALUE = 200
"""Characters of a value that are shown to people."""


class Progress:
    """Shows each outcome of a search as it comes. A context manager.

    Args:
        max_evals: evaluations that the search may make, where there is a limit.
        num_before: evaluations of earlier sessions, which are counted too.
        best_before: their best objective.
        seconds_before: the seconds that they took together.
        num_workers: concurrent evaluations.
        seconds_left: seconds until the search's time limit, where there is one.
        direction: says which objectives are better.
        stream: where to write; standard error if None.
        live: draw one line again and again; None does so if the stream is a terminal.
        now: gives the time, in seconds.
    """

    def __init__(
        self,
        max_evals: int | None,
        num_before: int = 0,
        best_before: float | None = None,
        *,
        seconds_before: float = 0.0,
        num_workers: int = 1,
        seconds_left: float | None = None,
        direction: Direction = "maximize",
        stream: TextIO | None = None,
        live: bool | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_evals = max_evals
        self.num_outcomes = num_before
        self.num_failures = 0
        self.num_pruned = 0
        self.best = best_before
        self._now = now
        self._begin = self._last = now()
        self._num_workers = num_workers
        self._direction: Direction = direction
        self._durations = num_before, seconds_before
        self._until = None if seconds_left is None else self._begin + seconds_left
        self._output = Output(sys.stderr if stream is None else stream, own=True)
        live = self._output.isatty() if live is None else live
        self._line = LiveLine(self._output, lambda: self.state) if live else None

    def __enter__(self) -> Self:
        if self._line is not None:
            self._line.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._line is not None:
            self._line.stop()

    @property
    def state(self) -> State:
        """The search as it is now."""
        return State(
            self.num_outcomes,
            self.max_evals,
            self.num_failures,
            self.best,
            self._now() - self._begin,
            self._seconds_left,
            self.num_pruned,
        )

    def begin(self, text: str) -> None:
        """Show what is about to be searched."""
        self._print(f"{self._count()}  {text}")

    def show(self, outcome: Outcome) -> None:
        """Take one outcome; a failure that comes before any success is shown whole."""
        if outcome.status == "stopped":
            return
        self.num_outcomes += 1
        self._last = self._now()
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
            self.best, is_best = outcome.objective, True
        if self._line is None:
            self._print(self._plain_line(outcome))
        elif outcome.failure is not None:
            self._print(f"{self._count()}  {_failed(outcome)}")
        elif is_best:
            best, point = format_objective(self.best), format_point(outcome.job.point)
            self._print(f"{self._count()}  new best {best}  {point}")

    def notice(self, text: str) -> None:
        """Show a line from the search itself."""
        self._print(text)

    @property
    def _seconds_left(self) -> float | None:
        """Seconds until the search ends, by its time limit or, probably, by its evaluations."""
        now = self._now()
        ends = [] if self._until is None else [self._until - now]
        number, seconds = self._durations
        if self.max_evals is not None and number:
            left = max(0, self.max_evals - self.num_outcomes)
            rounds = left / max(1, min(self._num_workers, left))
            ends.append(rounds * seconds / number - (now - self._last))
        return max(0.0, min(ends)) if ends else None

    def _plain_line(self, outcome: Outcome) -> str:
        if outcome.objective is not None:
            pruned = "" if outcome.step is None else f"pruned at step {outcome.step}, "
            result = f"{pruned}objective {format_objective(outcome.objective)}"
        else:
            result = _failed(outcome)
        best = "" if self.best is None else f"  best {format_objective(self.best)}"
        since = self._now() - self._begin
        return f"{self._count()}  {since:7.1f} s  {result} ({outcome.elapsed_sec:.1f} s){best}"

    def _count(self) -> str:
        if self.max_evals is None:
            return f"[{self.num_outcomes}]"
        return f"[{self.num_outcomes:{len(str(self.max_evals))}}/{self.max_evals}]"

    def _show_first_failure(self, outcome: Outcome) -> None:
        assert outcome.failure is not None
        self._print(f"The first evaluation failed: {one_printable_line(outcome.failure.message)}")
        self._print(f"  point: {format_point(outcome.job.point)}")
        for line in outcome.failure.text.rstrip().splitlines()[-_LINES_OF_FIRST_FAILURE:]:
            self._print(f"  | {line}")
        if outcome.output is not None:
            self._print(f"  its output: {outcome.output}")
        self._print(f"  The search continues; {cancel_command() or 'Ctrl-C'} ends it.")

    def _print(self, line: str) -> None:
        line = printable(line, lines=True)
        if self._line is not None:
            self._line.print(line)
        else:
            self._output.print(line)


def format_point(point: dict[str, Any]) -> str:
    """A point in one line: ``units=10 lr=0.01``."""
    return " ".join(f"{printable(name)}={format_value(value)}" for name, value in point.items())


def format_value(value: Any) -> str:
    """A hyperparameter or objective for people: six digits, no quotes, one line, not too long."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return one_printable_line(text, _LONGEST_VALUE)


def _failed(outcome: Outcome) -> str:
    assert outcome.failure is not None
    return f"failed: {one_printable_line(outcome.failure.message)}"
