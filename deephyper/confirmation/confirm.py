"""Confirming from Python, in one call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.confirmation import DEFAULT_K, DEFAULT_LOG_DIR, DEFAULT_REPEATS
from deephyper.confirmation.candidates import best_candidates
from deephyper.confirmation.confirmation import Confirmation, earlier
from deephyper.confirmation.ranking import Confirmed
from deephyper.search.log_dir import LogDir

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator, RunFunction
    from deephyper.problem import BaseProblem

_log = logging.getLogger("deephyper.confirmation")


def confirm(
    results: str | Path,
    run: Evaluator | Callable[[dict[str, Any]], Any] | RunFunction | str,
    k: int = DEFAULT_K,
    n: int = DEFAULT_REPEATS,
    *,
    fixed: Mapping[str, Any] | None = None,
    problem: BaseProblem | None = None,
    num_workers: int | None = None,
    log_dir: str | Path | None = DEFAULT_LOG_DIR,
    seed: int | None = None,
    retries: int = 0,
    timeout: float | str | None = None,
    on_notice: Callable[[str], None] = _log.warning,
) -> list[Confirmed]:
    """Evaluate the k best points of a search again, n times each, and rank them by their means.

    The best of many noisy results is better by luck than its point is. Evaluations have other
    seeds than in the search, see ``evaluation.seed``.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        run: the run function, where to find it, or an evaluator.
        k: how many points.
        n: how often each of them is evaluated.
        fixed: values of hyperparameters that replace those of the search, or are added.
        problem: the space of the search, where points are to be checked and typed by it.
        num_workers: concurrent evaluations, where ``run`` is no evaluator; None for 1.
        log_dir: directory for its own journal, results.csv and deephyper.log, which may hold no
            search; None keeps them in memory.
        seed: from which those of the evaluations follow.
        retries: how often an evaluation is tried again whose worker died.
        timeout: seconds in all, or a text such as "30s", "10m", "2h".
        on_notice: called with a line for the user; by default it is logged.

    Raises:
        ResultsError: if the results can't be read or have fewer points, or the log directory holds
            a search.
        ProblemError: if a point isn't one of the problem.
        SettingsError: if an argument can't be used.
        RunFunctionError: if the run function can't be loaded.
    """
    candidates, direction = best_candidates(
        results, k, fixed=fixed, problem=problem, on_notice=on_notice
    )
    confirmation = Confirmation(
        candidates,
        run,
        n,
        direction=direction,
        num_workers=num_workers,
        log_dir=log_dir,
        seed=seed,
        retries=retries,
        on_notice=on_notice,
    )
    return confirmation.confirm(timeout)[1]


def resume_confirmation(
    log_dir: str | Path,
    run: Evaluator | Callable[[dict[str, Any]], Any] | RunFunction | str,
    n: int | None = None,
    *,
    num_workers: int | None = None,
    retries: int = 0,
    timeout: float | str | None = None,
    on_notice: Callable[[str], None] = _log.warning,
) -> list[Confirmed]:
    """Continue a confirmation that was interrupted, or evaluate its points more often.

    Args:
        log_dir: of :func:`confirm`.
        run: see :func:`confirm`, as for what isn't explained here.
        n: how often each point is evaluated in all; None for as often as before.
        num_workers: concurrent evaluations.
        retries: how often an evaluation is tried again.
        timeout: seconds in all, earlier sessions included.
        on_notice: called with a line for the user.

    Raises:
        ResultsError: if there is no confirmation in the directory, or it can't be read.
        SettingsError: if an argument can't be used.
        RunFunctionError: if the run function can't be loaded.
    """
    before = earlier(LogDir(log_dir))
    confirmation = Confirmation(
        before.candidates,
        run,
        before.repeats if n is None else n,
        direction=before.direction,
        num_workers=num_workers,
        log_dir=log_dir,
        seed=before.seed,
        resume=True,
        retries=retries,
        on_notice=on_notice,
    )
    return confirmation.confirm(timeout)[1]
