"""The best evaluations of a search, to look at or to save."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deephyper.cell import format_cell
from deephyper.checks import user_path, whole
from deephyper.errors import ResultsError, argument
from deephyper.objective import best_few
from deephyper.printable import printable
from deephyper.safe_files import open_partial
from deephyper.search.results import read_table
from deephyper.sheet import left_out_phrase

Best = dict[str, Any]
"""The active hyperparameters, and objective, id and elapsed_sec where the file has them."""

KEPT_COLUMNS = ("objective", "id", "elapsed_sec")
_log = logging.getLogger("deephyper.analytics")
_ENCODING = "utf-8"
_LONG = 100_000
"""Characters of a text that takes PyYAML's own emitter a noticeable time."""


def best_evaluations(
    results: str | Path, k: int = 1, on_notice: Callable[[str], None] = _log.warning
) -> list[Best]:
    """Return the k evaluations with the best objective, best first; of equals the earlier first.

    Args:
        results: a ``results.csv``.
        k: how many; all that have finished if these are fewer.
        on_notice: called with one line where rows had to be left out that say nothing of their
            evaluation; by default it is logged.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
        SettingsError: if k is below 1.
    """
    k = whole("k", k, 1)
    table = read_table(results, best=k)
    left_out = left_out_phrase(table.left_out) if table.left_out else ""
    rows = (row for row in table.rows if row.is_finished)
    finished = best_few(k, rows, lambda row: row.objective, table.direction)
    if not finished:
        also = f"; {left_out}" if left_out else ""
        raise ResultsError(
            f"'{results}' has no finished evaluation; wait for one, or look at its column "
            f"'failure'{also}"
        )
    if left_out:
        on_notice(f"of the {table.total} rows of '{results}', {left_out}")
    return [
        {
            **row.point,
            "objective": row.objective,
            **{name: row.columns[name] for name in KEPT_COLUMNS if name in row.columns},
        }
        for row in finished
    ]


def best_points(
    results: str | Path, k: int = 1, on_notice: Callable[[str], None] = _log.warning
) -> list[dict[str, Any]]:
    """Return the hyperparameters alone of the k best evaluations; see :func:`best_evaluations`.

    Each is a point as ``run`` was given it.
    """
    return [
        {name: value for name, value in evaluation.items() if name not in KEPT_COLUMNS}
        for evaluation in best_evaluations(results, k, on_notice)
    ]


def best_point(results: str | Path) -> dict[str, Any]:
    """Return the hyperparameters of the best evaluation, as ``run`` was given them.

    Args:
        results: a ``results.csv``.

    Raises:
        ResultsError: if the file can't be read or no evaluation in it has finished.
    """
    return best_points(results)[0]


def as_yaml(evaluations: Sequence[Best], encoding: str = _ENCODING) -> str:
    """Return the evaluations under their ranks, '0' being the best, with their keys in order.

    Characters that are invisible, or that the encoding doesn't have, are escaped.
    """
    text = _yaml(_ranked(evaluations), allow_unicode=True)
    if _is_plain(text, encoding):
        return text
    return _yaml(_ranked(evaluations), allow_unicode=False)


def as_json(evaluations: Sequence[Best]) -> str:
    """Return the same as JSON."""
    ranked = _ranked(evaluations)
    text = json.dumps(ranked, indent=4, sort_keys=True, ensure_ascii=False)
    if not _is_plain(text, _ENCODING):
        text = json.dumps(ranked, indent=4, sort_keys=True)
    return f"{text}\n"


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
    """Write the evaluations in the form that the name of the file asks for; all of them or nothing.

    Args:
        evaluations: as from :func:`best_evaluations`.
        path: ends in .json, .yaml, .yml or .csv.
        force: write over a file that is there.

    Raises:
        ResultsError: if the ending is another, the file exists, or it can't be written.
        SettingsError: if it isn't a path.
    """
    path = user_path("the file to save in", path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise ResultsError(f"'{path}' should be a name that ends in .json, .yaml or .csv")
    data = form(evaluations).encode()
    exists = ResultsError(
        f"'{path}' exists already; choose another name, or replace it with "
        f"{argument('force', 'True')}"
    )
    if not force and os.path.lexists(path):
        raise exists
    try:
        _write(Path(os.path.realpath(path)), data, force)
    except FileExistsError:
        raise exists from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(f"'{path}' can't be written ({reason}); choose another place") from error


def _write(path: Path, data: bytes, force: bool) -> None:
    """Write all of a file or nothing.

    Raises:
        FileExistsError: if it is there and ``force`` isn't given.
        OSError: if it can't be written.
    """
    if force and path.exists() and not path.is_file():
        path.write_bytes(data)  # a pipe or a device, which must stay one
        return
    fd, partial = open_partial(path)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        _move(partial, path, force)
    finally:
        partial.unlink(missing_ok=True)


def _move(path: Path, target: Path, force: bool) -> None:
    if not force:
        try:
            os.link(path, target)
            return
        except FileExistsError:
            raise
        except OSError as error:  # a file system without links
            if target.exists():
                raise FileExistsError(target) from error
    path.replace(target)


def _yaml(ranked: dict[str, Best], *, allow_unicode: bool) -> str:
    import yaml

    dumpers = [yaml.SafeDumper]
    texts = (each for evaluation in ranked.values() for each in evaluation.values())
    if any(isinstance(text, str) and len(text) > _LONG for text in texts):
        # libyaml's emitter, where PyYAML was built with it, is a hundred times as fast; but it
        # takes no lone surrogates and escapes emoji.
        dumpers.insert(0, getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    for dumper in dumpers:
        with contextlib.suppress(UnicodeEncodeError):
            return yaml.dump(
                ranked,
                Dumper=dumper,
                allow_unicode=allow_unicode,
                indent=4,
                width=10_000,
                default_flow_style=False,
            )
    raise AssertionError("SafeDumper encodes nothing")


def _is_plain(text: str, encoding: str) -> bool:
    """Return whether text has nothing invisible in it, and nothing that an encoding can't hold."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return printable(text, lines=True) == text


def _ranked(evaluations: Sequence[Best]) -> dict[str, Best]:
    return {str(number): evaluation for number, evaluation in enumerate(evaluations)}
