"""What a search begins with: an empty log directory, an earlier session, or another's results."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.errors import EvaluatorError, ProblemError, ResultsError
from deephyper.problem.description import describe_space, differences
from deephyper.search import journal, results
from deephyper.search.journal import Record, holds_search, journal_size, read_journal
from deephyper.search.ownership import refuse_if_file, refuse_if_running

if TYPE_CHECKING:
    from deephyper.evaluator import Evaluator
    from deephyper.problem import HpProblem


def look_into(log_dir: Path, problem: HpProblem, resume: bool) -> Record | None:
    """Look whether a search can begin in a log directory, or go on there, and write nothing.

    Returns:
        The search to go on with.

    Raises:
        ResultsError: if a search is running there, there is none to go on with, or one has been;
            or if a file is in the way.
        ProblemError: if the search to go on with is one of another space.
    """
    refuse_if_running(log_dir)
    if resume:
        return earlier_sessions(log_dir, problem)
    refuse_existing(log_dir)
    refuse_if_file(log_dir)
    return None


def refuse_existing(log_dir: Path) -> None:
    """Refuse to begin a search where one has been.

    Raises:
        ResultsError: if there is a journal of a search, or a results file.
    """
    if holds_search(log_dir):
        raise ResultsError(
            f"'{log_dir / journal.FILE_NAME}' exists already; go on with that search by "
            f"--resume {log_dir}, or choose another --log-dir"
        )
    if (log_dir / results.FILE_NAME).exists():
        raise ResultsError(
            f"'{log_dir / results.FILE_NAME}' exists already; choose another --log-dir, and "
            "learn from it with --warm-start if you like"
        )


def refuse_foreign_work(evaluator: Evaluator) -> None:
    """Refuse an evaluator whose outcomes could be taken for those of the search.

    Raises:
        EvaluatorError: if something was submitted to it that isn't gathered yet.
    """
    if not evaluator.idle:
        raise EvaluatorError(
            "the evaluator has evaluations that no search submitted; gather() or cancel() them "
            "first, or make another evaluator"
        )


def after_claim(log_dir: Path, problem: HpProblem, record: Record, resume: bool) -> Record:
    """The record, read again if another session was there between the first look and the claim.

    Raises:
        ResultsError, ProblemError: as :func:`look_into`.
    """
    if not resume:
        refuse_existing(log_dir)
    elif journal_size(log_dir) != record.size:
        return earlier_sessions(log_dir, problem)
    return record


def earlier_sessions(log_dir: Path, problem: HpProblem) -> Record:
    """The search in a log directory, if it is one of this problem.

    Raises:
        ResultsError: if there is none, or its journal can't be read or has a point that isn't one
            of the space.
        ProblemError: if its space is another; the differences are named.
    """
    record = read_journal(log_dir)
    different = differences(record.space, describe_space(problem))
    if different:
        raise ProblemError(
            f"the search in '{log_dir}' was begun with another space: {'; '.join(different)}; "
            "restore it, or begin a new search with --warm-start "
            f"{log_dir / results.FILE_NAME}"
        )
    try:
        for point in (
            *(point for point, _ in record.known),
            *(evaluation.job.point for evaluation in record.evaluations.values()),
        ):
            problem.check_configuration(point)
    except ProblemError as error:
        raise ResultsError(
            f"'{log_dir / journal.FILE_NAME}' was changed since the search wrote it: {error}; "
            "restore it from a copy, or begin a new search with --warm-start from the results.csv "
            "beside it"
        ) from error
    return record


def known_results(
    path: Path, problem: HpProblem
) -> tuple[list[tuple[dict[str, Any], float | str]], int]:
    """Results to learn from before a search begins.

    Returns:
        Points of a results file that fit the space, each with its objective or "F_known" where it
        failed; and how many results the file has.

    Raises:
        ResultsError: if the file can't be read.
    """
    rows = results.read_results(path)
    known: list[tuple[dict[str, Any], float | str]] = []
    for row in rows:
        if row.columns.get("status", "finished") == "stopped":
            continue
        with contextlib.suppress(ProblemError):
            point = problem.validate(row.point)
            known.append((point, "F_known" if row.objective is None else row.objective))
    return known, len(rows)
