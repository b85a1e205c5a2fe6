"""The last lines of a search, and its exit status."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from deephyper.core.cli.exit_status import DONE, GAVE_UP
from deephyper.core.cli.progress import format_value
from deephyper.objective import format_objective

if TYPE_CHECKING:
    from deephyper.search.search_result import SearchResult


def summary(result: SearchResult, resume_command: str) -> list[str]:
    """Return lines for the user: why the search ended, the best point, the files, what to do next.

    Args:
        result: of the search.
        resume_command: how to resume it, with ``{}`` where the log directory belongs.
    """
    from deephyper.search.search_result import REASONS

    assert result.log_dir is not None
    assert result.results_path is not None
    log_dir = _short(result.log_dir)
    failed = f", {result.num_failures} of them failed" if result.num_failures else ""
    counted = (
        "1 evaluation" if result.num_evaluations == 1 else f"{result.num_evaluations} evaluations"
    )
    lines = [f"The search has ended: {REASONS[result.reason]} ({counted}{failed})."]
    if result.best is not None:
        lines.append(f"Best objective: {format_objective(result.best.objective)}")
        point = result.best.job.point
        lines += [f"    {name}: {format_value(value)}" for name, value in point.items()]
    else:
        lines.append("No evaluation has succeeded.")
        lines += _last_failure(result)
    lines.append(f"Files: {_short(result.results_path)}, and deephyper.log beside it")
    if result.best is not None:
        lines.append(
            "Look at the best with: deephyper-analytics topk "
            f"{shlex.quote(_short(result.results_path))}"
        )
    if result.reason in ("timeout", "interrupted", "max_failures"):
        lines.append(f"Resume with: {resume_command.format(shlex.quote(log_dir))}")
    return lines


def exit_status(result: SearchResult) -> int:
    """0 where something was found, 1 where nothing was, or 128 + the signal that ended it."""
    if result.signal is not None:
        return 128 + result.signal
    return GAVE_UP if result.reason == "max_failures" or result.best is None else DONE


def _last_failure(result: SearchResult) -> list[str]:
    for outcome in reversed(result.outcomes):
        if outcome.failure is not None:
            output = "" if outcome.output is None else f" (its output: {_short(outcome.output)})"
            return [f"The last one failed: {outcome.failure.message}{output}"]
    return []


def _short(path: str | Path) -> str:
    """The path from the current directory, where it is inside."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.pardir) else relative
