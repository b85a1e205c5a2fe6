"""The first and the last lines of a search, and its exit status."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from deephyper.core.cli.exit_status import DONE, GAVE_UP
from deephyper.loading import current_directory
from deephyper.objective import format_objective
from deephyper.printable import one_printable_line, printable, shell_word
from deephyper.progress.text import format_value
from deephyper.standard_streams import open_apart

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.search.budget import Budget
    from deephyper.search.search_result import SearchResult

_NAMES_SHOWN = 8


class Place:
    """The current directory at the start, whatever a run function in a thread makes of it."""

    def __init__(self) -> None:
        self._start = current_directory()

    def found(self, path: Path | None) -> Path | None:
        """Return a path of the command line as it is found now."""
        if path is None or self._start is None or current_directory() == self._start:
            return path
        return Path(self._start, path)

    def short(self, path: str | Path) -> str:
        """Return a path from the directory of the start, where it is inside."""
        if self._start is None:
            return str(path)
        relative = os.path.relpath(path, self._start)
        # In a command, what begins with a dash would be an option, and ~ a home directory.
        outside = relative == os.pardir or relative.startswith(f"{os.pardir}{os.sep}")
        return str(path) if outside or relative.startswith(("-", "~")) else relative


class HeldDirectory:
    """Finds a directory again that was renamed, as a context manager."""

    def __init__(self) -> None:
        self._fd: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._fd is not None:
            os.close(self._fd)

    def hold(self, path: Path) -> None:
        """Take the directory, which is there."""
        with contextlib.suppress(OSError):
            self._fd = open_apart(path, os.O_RDONLY)

    def path(self, path: Path) -> Path | None:
        """Return where it is now; None if it is gone.

        Args:
            path: where it was.
        """
        if self._fd is None:
            return path if path.exists() else None
        held = os.fstat(self._fd)
        with contextlib.suppress(OSError):
            if os.path.samestat(held, os.stat(path)):
                return path
        with contextlib.suppress(OSError):  # as Linux tells it
            renamed = Path(os.readlink(f"/proc/self/fd/{self._fd}"))
            if os.path.samestat(held, os.stat(renamed)):
                return renamed
        return None


def start_line(
    what: str,
    names: Sequence[str],
    run: str,
    optimizer: str,
    evaluator: Evaluator,
    budget: Budget,
    log_dir: str,
) -> str:
    """Return what is searched, with what, for how long, and where the results are.

    Args:
        what: "starting" or "resuming".
        names: the hyperparameters.
        run: the run function, as the command line names it.
        optimizer: its description.
        evaluator: where ``run`` is called.
        budget: of the search.
        log_dir: where its files are.
    """
    some = ", ".join([*names[:_NAMES_SHOWN], *(["..."] if len(names) > _NAMES_SHOWN else [])])
    limits = [] if budget.max_evals is None else [_counted(budget.max_evals, "evaluation")]
    limits += [] if budget.max_steps is None else [_counted(budget.max_steps, "step")]
    limits += [] if budget.timeout is None else [f"{budget.timeout:g} s"]
    workers = _counted(evaluator.num_workers, f"{evaluator.method} worker")
    return one_printable_line(
        f"{what} a search of {_counted(len(names), 'hyperparameter')} ({some}) of {run} by "
        f"{optimizer}: {workers}, up to {' or '.join(limits)}, files in {log_dir}"
    )


def summary(
    result: SearchResult, resume_command: str, place: Place, log_dir: Path | None
) -> list[str]:
    """Return lines for the user: why the search ended, the best point, the files, what to do next.

    Args:
        result: of the search.
        resume_command: how to resume it, with ``{}`` where the log directory belongs.
        place: where it was started.
        log_dir: where the log directory is now; None if it is gone.
    """
    from deephyper.search.log_dir import LogDir
    from deephyper.search.search_result import REASONS

    lines = [f"The search has ended: {REASONS[result.reason]} ({_counts(result)})."]
    if result.best is not None:
        lines.append(f"Best objective: {format_objective(result.best.objective)}")
        point = result.best.job.point
        lines += [f"    {printable(name)}: {format_value(value)}" for name, value in point.items()]
    else:
        lines.append("No evaluation has succeeded.")
        lines += _last_failure(result, place)
    lines.append(_files(result, place, log_dir))
    if log_dir is None:
        return lines
    if result.best is not None:
        results = place.short(LogDir(log_dir).results)
        lines.append(f"Look at the best with: deephyper-analytics topk {shell_word(results)}")
    if result.reason in ("timeout", "interrupted", "max_failures"):
        where = shell_word(place.short(log_dir))
        lines.append(f"Resume with: {resume_command.format(where)}")
    return lines


def json_summary(
    result: SearchResult, resume_command: str, place: Place, log_dir: Path | None
) -> str:
    """Return the same as one JSON object on a line; the arguments are those of :func:`summary`."""
    best = result.best
    failed = next((o for o in reversed(result.outcomes) if o.failure is not None), None)
    found = {
        "reason": result.reason,
        "signal": result.signal,
        "exit_status": exit_status(result),
        "direction": result.direction,
        "num_evaluations": result.num_evaluations,
        "num_failed": result.num_failures,
        "num_pruned": result.num_pruned,
        "seconds": round(result.seconds, 3),
        "best": None
        if best is None
        else {
            "id": best.job.id,
            "objective": best.objective,
            "point": best.job.point,
            "metrics": dict(best.metrics),
        },
        "last_failure": None
        if failed is None or failed.failure is None
        else {
            "id": failed.job.id,
            "kind": failed.failure.kind,
            "message": failed.failure.message,
            "output": failed.output,
        },
        "log_dir": None if log_dir is None else str(log_dir),
        "resume": None
        if log_dir is None
        else resume_command.format(shell_word(place.short(log_dir))),
    }
    return json.dumps(found)


def confirmation_summary(
    result: SearchResult, repeats: int, resume_command: str, place: Place, log_dir: Path | None
) -> list[str]:
    """Return lines for the user: why the confirmation ended, its files, and what to do next.

    Args:
        result: of it.
        repeats: how often each point was to be evaluated.
        resume_command: see :func:`summary`, as for what follows.
        place: where it was started.
        log_dir: where its log directory is now.
    """
    from deephyper.search.search_result import REASONS

    times = "once" if repeats == 1 else f"{repeats} times"
    done = result.reason == "max_evals"
    reason = f"each point was evaluated {times}" if done else REASONS[result.reason]
    lines = [f"The confirmation has ended: {reason} ({_counts(result)})."]
    if result.best is None:
        lines += ["No evaluation has succeeded.", *_last_failure(result, place)]
    lines.append(_files(result, place, log_dir))
    if not done and log_dir is not None:
        lines.append(f"Resume with: {resume_command.format(shell_word(place.short(log_dir)))}")
    return lines


def exit_status(result: SearchResult) -> int:
    """0 where something was found, 1 where nothing was, or 128 + the signal that ended it."""
    if result.signal is not None:
        return 128 + result.signal
    return GAVE_UP if result.reason == "max_failures" or result.best is None else DONE


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _counts(result: SearchResult) -> str:
    """Return how many evaluations there were, and how many of them did not come to their end."""
    count, failed, pruned = result.num_evaluations, result.num_failures, result.num_pruned
    parts = [f"{failed} of them failed"] if failed else []
    parts += [f"{pruned} {'' if failed else 'of them '}ended early"] if pruned else []
    return ", ".join([_counted(count, "evaluation"), *parts])


def _files(result: SearchResult, place: Place, log_dir: Path | None) -> str:
    from deephyper.search.log_dir import LogDir

    if log_dir is None:
        gone = printable(str(result.log_dir))
        return f"Files: they were in {gone}, which was moved or deleted meanwhile"
    results = place.short(LogDir(log_dir).results)
    return f"Files: {printable(results)}, and deephyper.log beside it"


def _last_failure(result: SearchResult, place: Place) -> list[str]:
    for outcome in reversed(result.outcomes):
        if outcome.failure is not None:
            line = f"The last one failed: {one_printable_line(outcome.failure.message)}"
            output = outcome.output
            return [line if output is None else f"{line} (its output: {place.short(output)})"]
    return []
