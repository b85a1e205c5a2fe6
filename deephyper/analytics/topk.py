"""The best evaluations of a search, to look at or to save."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deephyper.analytics.ranked import METRIC_PREFIX, METRICS
from deephyper.checks import whole
from deephyper.errors import ResultsError
from deephyper.objective import best_few
from deephyper.search.results import Row, Table, read_table
from deephyper.sheet import left_out_phrase

Best = dict[str, Any]
"""The active hyperparameters, objective, id and elapsed_sec where the file has them, and under
"metrics" the metrics by name, where there are some."""

KEPT_COLUMNS = ("objective", "id", "elapsed_sec")
_log = logging.getLogger("deephyper.analytics")


def best_rows(
    results: str | Path, k: int | None, on_notice: Callable[[str], None] = _log.warning
) -> tuple[list[Row], Table]:
    """Return the k best rows of a results file, best first; of equals the earlier first.

    Rows of evaluations that failed, or were ended early, are left out.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        k: how many, at least 1; all that have finished if these are fewer, or for None.
        on_notice: called with one line where rows had to be left out that say nothing of their
            evaluation; by default it is logged.

    Returns:
        The rows, and the table that they are from.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
    """
    table = read_table(results, best=k)
    left_out = left_out_phrase(table.left_out) if table.left_out else ""
    finished = [row for row in table.rows if row.is_finished]
    best = best_few(k or len(finished), finished, lambda row: row.objective, table.direction)
    if not best:
        also = f"; {left_out}" if left_out else ""
        raise ResultsError(
            f"'{results}' has no finished evaluation; wait for one, or look at its column "
            f"'failure'{also}"
        )
    if left_out:
        on_notice(f"of the {table.total} rows of '{results}', {left_out}")
    return best, table


def best_evaluations(
    results: str | Path, k: int = 1, on_notice: Callable[[str], None] = _log.warning
) -> list[Best]:
    """Return the k evaluations with the best objective, best first; of equals the earlier first.

    Those that failed, or were ended early, are left out.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        k: how many; all that have finished if these are fewer.
        on_notice: called with one line where rows had to be left out that say nothing of their
            evaluation; by default it is logged.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
        SettingsError: if k is below 1.
    """
    rows, _ = best_rows(results, whole("k", k, 1), on_notice)
    return [_evaluation(row) for row in rows]


def best_points(
    results: str | Path, k: int = 1, on_notice: Callable[[str], None] = _log.warning
) -> list[dict[str, Any]]:
    """Return the hyperparameters alone of the k best evaluations; see :func:`best_evaluations`.

    Each is a point as ``run`` was given it.
    """
    rows, _ = best_rows(results, whole("k", k, 1), on_notice)
    return [dict(sorted(row.point.items())) for row in rows]


def best_point(results: str | Path) -> dict[str, Any]:
    """Return the hyperparameters of the best evaluation, as ``run`` was given them.

    Args:
        results: a ``results.csv``, or the log directory that holds it.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
    """
    return best_points(results)[0]


def _evaluation(row: Row) -> Best:
    """Return a row as it is shown: in the order of the names, and the metrics at the end."""
    kept = {name: row.columns[name] for name in KEPT_COLUMNS if name in row.columns}
    shown = dict(sorted({**row.point, "objective": row.objective, **kept}.items()))
    if row.metrics:
        shown[METRIC_PREFIX + METRICS if METRICS in shown else METRICS] = row.metrics
    return shown
