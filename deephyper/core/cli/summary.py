"""The last lines of a search, and its exit status."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from deephyper.core.cli.exit_status import DONE, GAVE_UP
from deephyper.core.cli.progress import format_value
from deephyper.objective import format_objective
from deephyper.printable import one_printable_line, printable, shell_word

if TYPE_CHECKING:
    from deephyper.search.search_result import SearchResult


class Place:
    """Where a search was started, and where its log directory is at its end.

    Args:
        log_dir: the log directory, absolute; it need not exist yet.
    """

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        try:
            self._start = os.getcwd()
        except OSError:  # it is gone
            self._start = os.sep

    def short(self, path: str | Path) -> str:
        """Return a path from the directory of the start, where it is inside."""
        relative = os.path.relpath(path, self._start)
        return str(path) if relative.startswith(os.pardir) else relative


def summary(result: SearchResult, resume_command: str, place: Place) -> list[str]:
    """Return lines for the user: why the search ended, the best point, the files, what to do next.

    Args:
        result: of the search.
        resume_command: how to resume it, with ``{}`` where the log directory belongs.
        place: where it was started.
    """
    from deephyper.search.search_result import REASONS

    assert result.log_dir is not None
    assert result.results_path is not None
    failed = f", {result.num_failures} of them failed" if result.num_failures else ""
    counted = (
        "1 evaluation" if result.num_evaluations == 1 else f"{result.num_evaluations} evaluations"
    )
    lines = [f"The search has ended: {REASONS[result.reason]} ({counted}{failed})."]
    if result.best is not None:
        lines.append(f"Best objective: {format_objective(result.best.objective)}")
        point = result.best.job.point
        lines += [f"    {printable(name)}: {format_value(value)}" for name, value in point.items()]
    else:
        lines.append("No evaluation has succeeded.")
        lines += _last_failure(result, place)
    if not result.results_path.exists():
        lines.append(f"Files: they were in {result.log_dir}, which was moved or deleted meanwhile")
        return lines
    results = place.short(result.results_path)
    lines.append(f"Files: {results}, and deephyper.log beside it")
    if result.best is not None:
        lines.append(f"Look at the best with: deephyper-analytics topk {shell_word(results)}")
    if result.reason in ("timeout", "interrupted", "max_failures"):
        log_dir = shell_word(place.short(result.log_dir))
        lines.append(f"Resume with: {resume_command.format(log_dir)}")
    return lines


def exit_status(result: SearchResult) -> int:
    """0 where something was found, 1 where nothing was, or 128 + the signal that ended it."""
    if result.signal is not None:
        return 128 + result.signal
    return GAVE_UP if result.reason == "max_failures" or result.best is None else DONE


def _last_failure(result: SearchResult, place: Place) -> list[str]:
    for outcome in reversed(result.outcomes):
        if outcome.failure is not None:
            output = "" if outcome.output is None else f" (its output: {place.short(outcome.output)})"
            message = one_printable_line(outcome.failure.message)
            return [f"The last one failed: {message}{output}"]
    return []
