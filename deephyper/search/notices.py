"""The lines that a search shows its user while it runs."""

from __future__ import annotations

import signal
from pathlib import Path

from deephyper.job import Outcome
from deephyper.search.budget import Reason


def warm_start(known: int, total: int) -> str:
    return f"warm start: {known} of {total} results fit the space"


def set_aside(path: Path) -> str:
    return f"results.csv was changed since the search wrote it; it is now {path}"


def runs_again(outcome: Outcome) -> str:
    why = "" if outcome.failure is None else outcome.failure.message
    return f"evaluation {outcome.job.id} runs again: {why}"


def stopped(evaluations: int) -> str:
    return (
        f"{evaluations} running evaluations were stopped; they run again when the search is resumed"
    )


def no_more(reason: Reason, running: int, grace: float, number: int | None) -> str | None:
    """Why no new evaluations begin, where running ones are waited for.

    Args:
        reason: why.
        running: evaluations that are.
        grace: seconds that they get after a timeout or SIGTERM.
        number: the signal that came.
    """
    if not running:
        return None
    if reason == "timeout":
        return (
            f"the time limit was reached; the {running} running evaluations have {grace:g} s to end"
        )
    if reason != "interrupted":
        return None
    if number == signal.SIGINT:
        return (
            f"no new evaluations; waiting for the {running} running ones "
            "(press Ctrl-C again to leave at once)"
        )
    name = signal.Signals(number or 0).name
    then = f"have {grace:g} s to end" if grace else "are stopped"
    return f"{name}: no new evaluations; the {running} running ones {then}"
