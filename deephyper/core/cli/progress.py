"""Progress of a running search: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from deephyper.batch import cancel_command
from deephyper.objective import format_objective, is_better

if TYPE_CHECKING:
    from deephyper.job import Outcome

_LINES_OF_FIRST_FAILURE = 15


class Progress:
    """Shows each outcome of a search as it comes. A context manager.

    Args:
        max_evals: evaluations that the search may make, where there is a limit.
        num_before: evaluations of earlier sessions, which are counted too.
        best_before: their best objective.
        stream: where to write.
        live: draw one line again and again; None does so if the stream is a terminal.
    """

    def __init__(
        self,
        max_evals: int | None,
        num_before: int = 0,
        best_before: float | None = None,
        *,
        stream: TextIO | None = None,
        live: bool | None = None,
    ) -> None:
        self.max_evals = max_evals
        self.num_outcomes = num_before
        self.num_failures = 0
        self.best = best_before
        self._stream = sys.stderr if stream is None else stream
        self._begin = time.monotonic()
        self._bar = (
            _LiveBar(max_evals, num_before, self._stream) if _is_live(self._stream, live) else None
        )

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.stop()

    def show(self, outcome: Outcome) -> None:
        """Take one outcome; a failure that comes before any success is shown whole."""
        if outcome.status == "stopped":
            return
        self.num_outcomes += 1
        is_best = False
        if outcome.objective is None:
            self.num_failures += 1
            if self.num_outcomes == 1:
                self._show_first_failure(outcome)
        elif outcome.status == "finished" and is_better(outcome.objective, self.best):
            self.best, is_best = outcome.objective, True
        if self._bar is None:
            self._print(self._line(outcome))
        else:
            if is_best:
                self._print(
                    f"{self._count()}  new best {format_objective(self.best)}  "
                    f"{format_point(outcome.job.point)}"
                )
            self._bar.update(self.num_outcomes, self.num_failures, self.best)

    def notice(self, text: str) -> None:
        """Show a line from the search itself."""
        self._print(text)

    def _line(self, outcome: Outcome) -> str:
        if outcome.objective is not None:
            result = f"objective {format_objective(outcome.objective)}"
        else:
            assert outcome.failure is not None
            result = f"failed: {outcome.failure.message}"
        best = "" if self.best is None else f"  best {format_objective(self.best)}"
        since = time.monotonic() - self._begin
        return f"{self._count()}  {since:7.1f} s  {result} ({outcome.elapsed_sec:.1f} s){best}"

    def _count(self) -> str:
        if self.max_evals is None:
            return f"[{self.num_outcomes}]"
        return f"[{self.num_outcomes:{len(str(self.max_evals))}}/{self.max_evals}]"

    def _show_first_failure(self, outcome: Outcome) -> None:
        assert outcome.failure is not None
        self._print(f"The first evaluation failed: {outcome.failure.message}")
        self._print(f"  point: {format_point(outcome.job.point)}")
        for line in outcome.failure.text.rstrip().splitlines()[-_LINES_OF_FIRST_FAILURE:]:
            self._print(f"  | {line}")
        if outcome.output is not None:
            self._print(f"  its output: {outcome.output}")
        self._print(f"  The search continues; {cancel_command() or 'Ctrl-C'} ends it.")

    def _print(self, line: str) -> None:
        # A terminal that was closed or a reader that has left is no reason to end a search.
        with contextlib.suppress(OSError):
            if self._bar is not None:
                self._bar.print(line)
            else:
                print(line, file=self._stream, flush=True)


def format_point(point: dict[str, Any]) -> str:
    """A point in one line: ``units=10 lr=0.01``."""
    return " ".join(f"{name}={format_value(value)}" for name, value in point.items())


def format_value(value: Any) -> str:
    """A hyperparameter or objective for people: six digits, no quotes, no line breaks."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return " ".join(text.split())


def _is_live(stream: TextIO, live: bool | None) -> bool:
    return stream.isatty() if live is None else live


class _LiveBar:
    """A bar that is drawn with rich, which is imported only for it."""

    def __init__(self, max_evals: int | None, num_before: int, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        self._console = Console(file=stream, highlight=False)
        self._rich = RichProgress(
            TextColumn("evaluations"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            *([TimeRemainingColumn(compact=True)] if max_evals is not None else []),
            console=self._console,
            redirect_stdout=False,
            refresh_per_second=4,
        )
        self._task = self._rich.add_task(
            "", total=max_evals, completed=num_before, state="no result yet"
        )

    def start(self) -> None:
        self._rich.start()

    def stop(self) -> None:
        self._rich.stop()

    def update(self, outcomes: int, failures: int, best: float | None) -> None:
        state = "no result yet" if best is None else f"best {format_objective(best)}"
        if failures:
            state += f"  {failures} failed"
        self._rich.update(self._task, completed=outcomes, state=state)

    def print(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)
