"""The best evaluations of a search, to look at or to save."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deephyper.checks import whole
from deephyper.errors import ResultsError, argument
from deephyper.objective import rank
from deephyper.search.results import format_cell, read_results

Best = dict[str, Any]
"""The active hyperparameters, and objective, id and elapsed_sec where the file has them."""

KEPT_COLUMNS = ("objective", "id", "elapsed_sec")


def best_evaluations(results: str | Path, k: int = 1) -> list[Best]:
    """Return the k evaluations with the best objective, best first; of equals the earlier first.

    Args:
        results: a ``results.csv``.
        k: how many; all that have finished if these are fewer.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
        SettingsError: if k is below 1.
    """
    k = whole("k", k, 1)
    rows = read_results(Path(results))
    finished = rank((row for row in rows if row.is_finished), lambda row: row.objective)
    if not finished:
        raise ResultsError(
            f"'{results}' has no finished evaluation; wait for one, or look at its column 'failure'"
        )
    return [
        {
            **row.point,
            "objective": row.objective,
            **{name: row.columns[name] for name in KEPT_COLUMNS if name in row.columns},
        }
        for row in finished[:k]
    ]


def as_yaml(evaluations: Sequence[Best]) -> str:
    """Return the evaluations under their ranks, '0' being the best, with their keys in order."""
    import yaml

    return yaml.safe_dump(
        _ranked(evaluations), indent=4, allow_unicode=True, width=10_000, default_flow_style=False
    )


def as_json(evaluations: Sequence[Best]) -> str:
    """Return the same as JSON."""
    return json.dumps(_ranked(evaluations), indent=4, sort_keys=True, ensure_ascii=False) + "\n"


def as_csv(evaluations: Sequence[Best]) -> str:
    """Return the same as a results file; an inactive hyperparameter is an empty cell."""
    names = sorted({name for evaluation in evaluations for name in evaluation} - {*KEPT_COLUMNS})
    header = [*names, *(c for c in KEPT_COLUMNS if any(c in e for e in evaluations))]
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(header)
    for evaluation in evaluations:
        rows.writerow([format_cell(evaluation[n]) if n in evaluation else "" for n in header])
    return text.getvalue()


FORMATS = {".json": as_json, ".yaml": as_yaml, ".yml": as_yaml, ".csv": as_csv}


def save(evaluations: Sequence[Best], path: str | Path, *, force: bool = False) -> None:
    """Write the evaluations in the form that the name of the file asks for.

    Args:
        evaluations: as from :func:`best_evaluations`.
        path: ends in .json, .yaml, .yml or .csv.
        force: write over a file that is there.

    Raises:
        ResultsError: if the ending is another, the file exists, or it can't be written.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise ResultsError(f"'{path}' should be a name that ends in .json, .yaml or .csv")
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="") as file:
            file.write(form(evaluations))
    except FileExistsError as error:
        raise ResultsError(
            f"'{path}' exists already; choose another name, or replace it with "
            f"{argument('force', 'True')}"
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(f"'{path}' can't be written ({reason}); choose another place") from error


def _ranked(evaluations: Sequence[Best]) -> dict[str, Best]:
    return {str(number): evaluation for number, evaluation in enumerate(evaluations)}
