"""Results of another search that a new one starts with."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.errors import ProblemError
from deephyper.objective import Failure, Objective
from deephyper.search import results

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem


def known_results(
    path: Path, problem: BaseProblem
) -> tuple[list[tuple[dict[str, Any], Objective | Failure]], int]:
    """Return results to learn from.

    Returns:
        Points of a results file that fit the space, each with what came of it; and how many results
        the file has.

    Raises:
        ResultsError: if the file can't be read.
    """
    rows = results.read_results(path)
    known: list[tuple[dict[str, Any], Objective | Failure]] = []
    for row in rows:
        if row.columns.get("status", "finished") == "stopped":
            continue
        with contextlib.suppress(ProblemError):
            point = problem.validate(row.point)
            failed = Failure("reported", "known")
            known.append((point, failed if row.objective is None else row.objective))
    return known, len(rows)
