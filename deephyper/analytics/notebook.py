"""A Jupyter notebook that looks at the results of a search."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from deephyper.analytics.fanova.importance import FEWEST
from deephyper.checks import user_path
from deephyper.errors import ResultsError
from deephyper.safe_files import new_file, save_whole
from deephyper.search.log_dir import search_beside
from deephyper.search.results import Table, read_table

_VERSION = (4, 5)
Kind = Literal["markdown", "code"]


def write_notebook(
    results: str | os.PathLike[str], path: str | os.PathLike[str], *, force: bool = False
) -> None:
    """Write a Jupyter notebook on a search: its table, its best points, plots, what matters.

    It reads the results each time that it runs, from where they are seen from the notebook's
    directory, so that it may be run again while a search goes on.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        path: of the new notebook, which ends in .ipynb.
        force: replace a file that is there.

    Raises:
        ResultsError: if the results can't be read, or the notebook can't be written or is there.
        SettingsError: if one isn't a path.
    """
    target = new_file(path, (".ipynb",), named=".ipynb", force=force)
    source = user_path("the results file", results)
    table = read_table(source)
    if not table.rows:
        raise ResultsError(f"'{results}' has no evaluation yet; wait for one")
    where = os.path.relpath(source, target.absolute().parent)
    cells = [_cell(i, kind, text) for i, (kind, text) in enumerate(_texts(source, where, table))]
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": _VERSION[0],
        "nbformat_minor": _VERSION[1],
    }
    save_whole(target, f"{json.dumps(notebook, indent=1)}\n".encode(), force=force)


def _cell(number: int, kind: Kind, text: str) -> dict[str, Any]:
    more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    lines = text.strip("\n").splitlines(keepends=True)
    return {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": lines, **more}


def _texts(source: Path, where: str, table: Table) -> Iterator[tuple[Kind, str]]:
    """Yield the cells: what is of no use for these results is left out."""
    statuses = [row.status for row in table.rows]
    finished = statuses.count("finished")
    title = Path(os.path.abspath(source)).name
    yield "markdown", f"# {title}\n\nRun all cells again to see what a running search has found."
    yield (
        "code",
        "import pandas as pd\n\n"
        "from deephyper.analytics import best_evaluations, importance, plots\n"
        "from deephyper.analytics.insight import insight\n\n"
        f"results = {where!r}",
    )
    yield "markdown", "## Evaluations"
    file = "results" if not os.path.isdir(source) else "f'{results}/results.csv'"
    yield "code", f"table = pd.read_csv({file})\ntable"
    yield "code", "table['status'].value_counts()" if "status" in table.header else "len(table)"
    if finished:
        yield "markdown", "## The best"
        yield "code", "pd.DataFrame(best_evaluations(results, k=10))"
        yield "code", "figure = plots.history(results)\nfigure"
    if finished >= FEWEST:
        yield "markdown", "## What a search says in words"
        yield "code", "for finding in insight(results):\n    print(finding.text)"
        yield "markdown", "## Which hyperparameters matter"
        yield (
            "code",
            "found = importance(results)\n"
            "pd.DataFrame(found.to_dict()['hyperparameters']).set_index('name')",
        )
        yield "code", "pd.DataFrame(found.to_dict()['pairs'])"
        yield "markdown", "## How the objective depends on them"
        yield "code", "plots.slices(results)"
        yield "code", "plots.dependence(results)"
        yield "code", "plots.parallel(results)"
    log_dir = search_beside(source)
    if log_dir is not None and _has_reports(log_dir.path):
        yield "markdown", "## Learning curves"
        yield "code", "plots.curves(results)"
    if finished and {"start", "end"} <= {*table.header}:
        yield "markdown", "## Workers"
        yield "code", "plots.timeline(results)"
    if "failed" in statuses and "failure" in table.header:
        yield "markdown", "## Failures"
        yield (
            "code",
            "failures = table.loc[table['status'] == 'failed', 'failure']\n"
            "failures.value_counts().to_frame()",
        )


def _has_reports(path: Path) -> bool:
    from deephyper.search import events
    from deephyper.search.replay import read_events

    return any(isinstance(event, events.Reported) for event in read_events(path))
