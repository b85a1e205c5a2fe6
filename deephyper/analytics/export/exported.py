"""A search as other tools see it: its space, and its evaluations with what they have reported."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deephyper.analytics.curves import Curves
from deephyper.analytics.points import Column, columns_of
from deephyper.checks import user_path
from deephyper.errors import ResultsError
from deephyper.objective import Direction
from deephyper.search.log_dir import search_beside
from deephyper.search.replay import read_events
from deephyper.search.results import Row, read_table
from deephyper.sheet import left_out_phrase

Status = Literal["finished", "failed", "pruned"]


@dataclass(frozen=True)
class ExportedEvaluation:
    """An evaluation that has ended.

    Attributes:
        id: its id in the search; the number of its row where the file has no ids.
        point: the active hyperparameters.
        objective: with the user's own sign; None where it failed.
        status: what came of it.
        failure: why it failed; empty otherwise.
        start, end: in seconds since the epoch.
        worker: who evaluated it; empty if the file doesn't say.
        metrics: whatever else it returned.
        steps, objectives: what it has reported, step by step.
    """

    id: str
    point: dict[str, Any]
    objective: float | None
    status: Status
    failure: str
    start: float
    end: float
    worker: str
    metrics: dict[str, Any]
    steps: list[int]
    objectives: list[float]


@dataclass(frozen=True)
class ExportedSearch:
    """A search.

    Attributes:
        name: that of its log directory, unless another was given.
        direction: says which objectives are better.
        columns: the hyperparameters.
        evaluations: in the order in which they ended.
    """

    name: str
    direction: Direction
    columns: list[Column]
    evaluations: list[ExportedEvaluation]


def read_search(
    results: str | os.PathLike[str], name: str | None, on_notice: Callable[[str], None]
) -> ExportedSearch:
    """Read a search.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        name: of the search; None for that of its directory.
        on_notice: called with one line for what is left out or guessed.

    Raises:
        ResultsError: if the file can't be read, or no evaluation in it has ended.
        SettingsError: if it isn't a path.
    """
    path = user_path("the results file", results)
    table = read_table(path)
    rows = [row for row in table.rows if row.status in ("finished", "failed", "pruned")]
    if not rows:
        raise ResultsError(
            f"no evaluation of '{results}' has ended yet; there is nothing to export"
        )
    if table.left_out:
        on_notice(f"of the {table.total} rows of '{results}', {left_out_phrase(table.left_out)}")
    left = Counter(row.status for row in table.rows)["stopped"]
    if left:
        on_notice(f"{left} evaluations that were stopped with the search are left out")
    columns, _ = columns_of(table, path, [r for r in rows if r.is_finished] or rows, on_notice)
    return ExportedSearch(
        name or _name(path),
        table.direction,
        columns,
        _evaluations(rows, _curves(path, rows)),
    )


def _name(path: Path) -> str:
    path = Path(os.path.abspath(path))
    return path.name if os.path.isdir(path) or path.stem != "results" else path.parent.name


def _curves(path: Path, rows: list[Row]) -> Curves:
    curves = Curves()
    log_dir = search_beside(path)
    if log_dir is not None:
        for event in read_events(log_dir.path):
            curves.take(event)
    return curves


def _evaluations(rows: list[Row], curves: Curves) -> list[ExportedEvaluation]:
    now = time.time()
    evaluations = []
    for number, row in enumerate(rows):
        id_ = str(row.columns.get("id", number))
        curve = curves.reports.get(id_)
        steps, objectives = ([], []) if curve is None else curve.by_step()
        end = _seconds(row, "end", now)
        evaluations.append(
            ExportedEvaluation(
                id=id_,
                point=row.point,
                objective=row.objective,
                status=row.status,  # type: ignore[arg-type]  # chosen above
                failure=str(row.columns.get("failure", "")) if row.status == "failed" else "",
                start=min(_seconds(row, "start", end), end),
                end=end,
                worker=str(row.columns.get("worker", "")),
                metrics=row.metrics,
                steps=steps,
                objectives=objectives,
            )
        )
    return evaluations


def _seconds(row: Row, name: str, otherwise: float) -> float:
    value = row.columns.get(name)
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return otherwise
