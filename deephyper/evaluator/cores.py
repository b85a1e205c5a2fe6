"""The processor cores of this machine, and how many workers they bear."""

from __future__ import annotations

import os

from deephyper.errors import EvaluatorError

_WORKERS_OF_A_CORE = 32
"""Evaluations that wait, for a license or another machine, want many workers to a core. Beyond
this, processes alone take more memory and time than a machine has."""


def num_cpus() -> int:
    """Return the number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_bearable(num_workers: int, at_first: int) -> None:
    """Check that this machine bears so many workers, where there were others at first.

    Args:
        num_workers: wanted.
        at_first: those that the evaluator was made with, which are never too many.

    Raises:
        EvaluatorError: if it doesn't.
    """
    cores = num_cpus()
    most = max(_WORKERS_OF_A_CORE * cores, at_first)
    if num_workers > most:
        raise EvaluatorError(
            f"{num_workers} workers are more than this machine bears; ask for at most {most} "
            f"({_WORKERS_OF_A_CORE} for each core, or as many as the search began with)"
        )
