"""All that a report shows, as plain values: the page gets them as JSON, and arrays beside it."""

from __future__ import annotations

import dataclasses
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deephyper.analytics.curves import Curves, spread
from deephyper.analytics.fanova.importance import MOST_ROWS, Importance, importance_of
from deephyper.analytics.fanova.table import story
from deephyper.analytics.insight import TOO_LITTLE, findings_of
from deephyper.analytics.points import Column, Points, columns_of, points_of
from deephyper.analytics.report.arrays import Arrays
from deephyper.analytics.report.columns import FailureGroups, columns_of_table, first_time
from deephyper.analytics.report.journal import SearchJournal
from deephyper.analytics.report.settings import command_text, described, setting_rows
from deephyper.analytics.report.times import times_of
from deephyper.ask_tell.status import state_text
from deephyper.checks import user_path
from deephyper.clock import Clock
from deephyper.errors import ResultsError
from deephyper.objective import best_of
from deephyper.safe_files import open_to_read
from deephyper.search.log_dir import LogDir, search_beside
from deephyper.search.results import Table, read_table
from deephyper.search.results_file import FILE_NAME
from deephyper.sheet import Sheet, left_out_phrase
from deephyper.version import __version__

_MOST_CURVES = 1_000
_MOST_REPORTS = 200
"""Points of a curve that are shown."""
_MOST_RUNNING = 1_000
_MOST_GROUPS = 100
_FIRST_BYTES = 4096


@dataclass(frozen=True)
class Content:
    """The content of a report.

    Attributes:
        values: for the page, as JSON holds them.
        arrays: the numbers that they refer to.
        is_running: whether there is more to come.
    """

    values: dict[str, Any]
    arrays: Arrays
    is_running: bool


def read_content(results: str | os.PathLike[str], clock: Clock | None = None) -> Content:
    """Read a search for a report.

    Args:
        results: its log directory, or a results file. What a journal tells is shown where one is in
            the directory, or beside a file of the name that a search gives it.
        clock: what the time is read from.

    Raises:
        ResultsError: if there is neither a results file nor a search, or one can't be read.
        SettingsError: if it isn't a path.
    """
    path = user_path("the results file", results)
    clock = clock or Clock()
    notices: list[str] = []
    journal = _journal(path, clock, notices)
    table = _table(path, journal)
    if table.left_out:
        notices.append(f"of the {table.total} rows, {left_out_phrase(table.left_out)}")
    finished = [row for row in table.rows if row.is_finished]
    told = finished or [row for row in table.rows if row.point]
    columns, _ = columns_of(table, path, told, notices.append) if told else ([], False)
    points = points_of(table, path, lambda _: None) if finished else None
    effects, said = _importance(table, path, points)
    findings = findings_of(table, path, points, effects)
    arrays, groups = Arrays(), FailureGroups()
    space = None if journal is None or journal.began is None else journal.began.space
    hyperparameters = described(columns, space)
    values = {
        "version": __version__,
        "made": round(clock.now(), 3),
        "name": path.resolve().name if path.name != FILE_NAME else path.resolve().parent.name,
        "source": str(path),
        "direction": table.direction,
        "state": "unknown" if journal is None else journal.status.state,
        "stateText": _state_text(journal),
        "status": _status(journal),
        "best": _best(table),
        "time": times_of(table, None if journal is None else journal.times),
        "notices": notices,
        "columns": columns_of_table(
            table, _names(columns, table), _orders(columns), groups, arrays
        ),
        "numRows": len(table.rows),
        "firstTime": first_time(table),
        "hyperparameters": hyperparameters,
        "importance": None if effects is None else effects.to_dict(),
        "importanceText": [*said, *([] if effects is None else story(effects))],
        "findings": [
            {"kind": each.kind, "text": each.text, "hyperparameter": each.hyperparameter}
            for each in findings
        ],
        "tooLittle": TOO_LITTLE,
        "failures": _failures(groups, journal),
        "curves": [] if journal is None else _curves(journal.curves, arrays),
        "numCurves": 0 if journal is None else len(journal.curves.reports),
        "running": [] if journal is None else _running(journal),
        "run": _how_it_was_run(journal, path),
    }
    return Content(values, arrays, journal is not None and journal.status.state in _LIVE)


_LIVE = ("running", "open")


def _journal(path: Path, clock: Clock, notices: list[str]) -> SearchJournal | None:
    """Return the journal in a directory or beside a results file, if there is one."""
    directory = search_beside(path)
    if directory is None:
        return None
    try:
        return SearchJournal(directory, clock)
    except ResultsError as error:
        if not os.path.exists(directory.results):
            raise
        notices.append(f"this is from the results file alone, because {error}")
        return None


def _table(path: Path, journal: SearchJournal | None) -> Table:
    """Return the results; those of a search that has none yet are empty."""
    if journal is not None and os.path.isdir(path) and not os.path.lexists(path / FILE_NAME):
        names = [] if journal.began is None else [*journal.began.space["hyperparameters"]]
        header = [*names, "objective"]
        return Table(header, [], [], Sheet(header, [], [], None, "point"), journal.status.direction)
    table = read_table(path)
    if journal is not None and not table.rows:
        return dataclasses.replace(table, direction=journal.status.direction)
    return table


def _importance(
    table: Table, path: Path, points: Points | None
) -> tuple[Importance | None, list[str]]:
    """Return the importance of the hyperparameters, and what there is to say of it."""
    said: list[str] = []
    if points is None:
        return None, ["too little to tell: no evaluation has finished"]
    if len(table.rows) > MOST_ROWS:
        chosen = sorted(random.Random(0).sample(range(len(table.rows)), MOST_ROWS))
        rows = [table.rows[i] for i in chosen]
        passed_over = table.passed_over + len(table.rows) - len(rows)
        sample = dataclasses.replace(table, rows=rows, passed_over=passed_over)
        if not any(row.is_finished for row in rows):
            return None, ["too little to tell: hardly any evaluation has finished"]
        points = points_of(sample, path, lambda _: None)
    return importance_of(points, on_notice=said.append), said


def _names(columns: Sequence[Column], table: Table) -> list[str]:
    """Return the hyperparameters, and whatever else tells of points."""
    names = [column.name for column in columns]
    return [*dict.fromkeys([*names, *(name for row in table.rows for name in row.point)])]


def _orders(columns: Sequence[Column]) -> dict[str, Sequence[Any]]:
    return {column.name: column.values for column in columns}


def _state_text(journal: SearchJournal | None) -> str:
    return "from a results file" if journal is None else state_text(journal.status)


def _status(journal: SearchJournal | None) -> dict[str, Any] | None:
    """Return what a journal tells of the counts, for the head of the page."""
    if journal is None:
        return None
    status = journal.status
    owner = status.owner
    return {
        "ended": status.num_evaluations,
        "finished": status.num_finished,
        "failed": status.num_failed,
        "pruned": status.num_pruned,
        "paused": status.num_paused,
        "running": status.num_running,
        "unfinished": status.num_unfinished,
        "maxEvals": status.max_evals,
        "timeout": status.timeout,
        "seconds": status.seconds,
        "sessions": journal.num_sessions,
        "owner": None if owner is None else {"pid": owner.pid, "host": owner.host},
    }


def _best(table: Table) -> dict[str, Any] | None:
    """Return the best finished row: its number, and its point as JSON."""
    numbered = [(i, row) for i, row in enumerate(table.rows) if row.is_finished]
    best = best_of(numbered, lambda each: each[1].objective, table.direction)
    if best is None:
        return None
    i, row = best
    return {"row": i, "objective": row.objective, "point": json.dumps(row.point, indent=1)}


def _failures(groups: FailureGroups, journal: SearchJournal | None) -> list[dict[str, Any]]:
    """Return the groups of failures, the largest first, with excerpts of some."""
    order = sorted(range(len(groups.titles)), key=lambda i: -groups.sizes[i])
    return [
        {
            "group": i,
            "title": groups.titles[i],
            "size": groups.sizes[i],
            "examples": []
            if journal is None
            else [dataclasses.asdict(each) for each in journal.examples(groups.titles[i])],
        }
        for i in order[:_MOST_GROUPS]
    ]


def _curves(curves: Curves, arrays: Arrays) -> list[dict[str, Any]]:
    """Return curves spread over the search, and that of the best evaluation."""
    ids = spread([*curves.reports], _MOST_CURVES)
    if curves.best in curves.reports and curves.best not in ids:
        ids = [*ids, curves.best]
    found = []
    for each in ids:
        steps, objectives = curves.reports[each].by_step()
        if len(steps) > _MOST_REPORTS:
            kept = [round(i * (len(steps) - 1) / (_MOST_REPORTS - 1)) for i in range(_MOST_REPORTS)]
            steps, objectives = [steps[i] for i in kept], [objectives[i] for i in kept]
        found.append(
            {
                "id": each,
                "ended": curves.ended.get(each, "not ended"),
                "steps": arrays.add([float(step) for step in steps]),
                "objectives": arrays.add(objectives),
            }
        )
    return found


def _running(journal: SearchJournal) -> list[dict[str, Any]]:
    """Return the evaluations without an end, the oldest first."""
    found = []
    for each in journal.status.unfinished[:_MOST_RUNNING]:
        curve = journal.curves.reports.get(each.id)
        found.append(
            {
                "id": each.id,
                "worker": each.worker,
                "age": each.age_sec,
                "step": each.step,
                "value": None if curve is None or each.step is None else curve.objectives[-1],
                "point": json.dumps(each.point),
            }
        )
    return found


def _how_it_was_run(journal: SearchJournal | None, path: Path) -> dict[str, Any]:
    """Return the command, the settings, and what the log tells of the optimizer."""
    rows: list[tuple[str, str]] = []
    command = ""
    if journal is not None and journal.session is not None:
        directory = LogDir(path if os.path.isdir(path) else path.parent)
        command = command_text(journal.session, directory.path)
        rows += setting_rows(journal.session, directory.path)
        told = _optimizer(directory)
        if told:
            rows.append(("optimizer in use", told))
    return {"command": command, "settings": [list(row) for row in rows]}


def _optimizer(directory: LogDir) -> str:
    """Return what the log says of the optimizer; empty if it doesn't."""
    try:
        with os.fdopen(open_to_read(directory.log), "rb") as file:
            lines = file.read(_FIRST_BYTES).decode(errors="replace").splitlines()
    except (OSError, ResultsError):
        return ""
    marked = (line.partition(" optimizer: ")[2] for line in lines)
    return next((text for text in marked if text), "")
