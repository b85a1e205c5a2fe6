"""Forms in which what is ranked is shown and saved: YAML, JSON and CSV, the best first."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deephyper.cell import format_cell
from deephyper.checks import user_path
from deephyper.printable import printable
from deephyper.safe_files import new_file, save_whole

Ranked = dict[str, Any]
"""A row by its titles. A dictionary among the values holds several under one title: the
hyperparameters under "point", the metrics under "metrics"."""

POINT, METRICS = "point", "metrics"
METRIC_PREFIX = "m:"
"""What the titles of metrics begin with in a CSV file, where they stand beside hyperparameters."""
COLUMNS = (
    "mean",
    "standard_error",
    "num_finished",
    "num_failed",
    "objective",
    METRICS,
    "id",
    "elapsed_sec",
)
"""Titles of what isn't a hyperparameter, in the order of their columns."""
_ENCODING = "utf-8"
_LONG = 100_000
"""Characters of a text that takes PyYAML's own emitter a noticeable time."""


def as_yaml(rows: Sequence[Ranked], encoding: str = _ENCODING) -> str:
    """Return the rows under their ranks, '0' being the best.

    Characters that are invisible, or that the encoding doesn't have, are escaped.
    """
    text = _yaml(_by_rank(rows), allow_unicode=True)
    if _is_plain(text, encoding):
        return text
    return _yaml(_by_rank(rows), allow_unicode=False)


def as_json(rows: Sequence[Ranked]) -> str:
    """Return the same as JSON."""
    text = json.dumps(_by_rank(rows), indent=4, ensure_ascii=False)
    if not _is_plain(text, _ENCODING):
        text = json.dumps(_by_rank(rows), indent=4)
    return f"{text}\n"


def as_json_list(rows: Sequence[Ranked]) -> str:
    """Return the rows as a list in JSON, in ASCII, best first."""
    return f"{json.dumps(list(rows), indent=4)}\n"


def as_csv(rows: Sequence[Ranked]) -> str:
    """Return the same as a results file; an inactive hyperparameter is an empty cell."""
    flat = [_flat(row) for row in rows]
    metrics = list(dict.fromkeys(n for row in rows for n in _flat({METRICS: _metrics(row)})))
    columns = [title for name in COLUMNS for title in (metrics if name == METRICS else [name])]
    names = sorted({name for row in flat for name in row} - {*columns})
    header = [*names, *(name for name in columns if any(name in row for row in flat))]
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(header)
    for row in flat:
        table.writerow([format_cell(row[name]) if name in row else "" for name in header])
    return text.getvalue()


FORMATS = {".json": as_json, ".yaml": as_yaml, ".yml": as_yaml, ".csv": as_csv}


def check_target(path: str | Path, *, force: bool = False) -> None:
    """Check that a file can be saved in, as far as that can be known before.

    Args:
        path: ends in .json, .yaml, .yml or .csv.
        force: write over a file that is there.

    Raises:
        ResultsError: if the ending is another, the file exists, or its directory doesn't.
        SettingsError: if it isn't a path.
    """
    new_file(path, [*FORMATS], named=".json, .yaml or .csv", force=force)


def save(rows: Sequence[Ranked], path: str | Path, *, force: bool = False) -> None:
    """Write the rows in the form that the name of the file asks for; all of them or nothing.

    Args:
        rows: the best first.
        path: ends in .json, .yaml, .yml or .csv.
        force: write over a file that is there.

    Raises:
        ResultsError: if the ending is another, the file exists, or it can't be written.
        SettingsError: if it isn't a path.
    """
    path = user_path("the file to save in", path)
    check_target(path, force=force)
    data = FORMATS[path.suffix.lower()](rows).encode()
    save_whole(path, data, force=force)


def _yaml(ranked: dict[str, Ranked], *, allow_unicode: bool) -> str:
    import yaml

    dumpers = [yaml.SafeDumper]
    texts = (each for row in ranked.values() for each in row.values())
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
                sort_keys=False,
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


def _by_rank(rows: Sequence[Ranked]) -> dict[str, Ranked]:
    return {str(number): row for number, row in enumerate(rows)}


def _metrics(row: Ranked) -> dict[str, Any]:
    found = row.get(METRICS)
    return found if isinstance(found, dict) else {}


def _flat(row: Ranked) -> Ranked:
    """Return a row with a title of its own for each value."""
    flat: Ranked = {}
    for title, value in row.items():
        if not isinstance(value, dict):
            flat[title] = value
        elif title == POINT:
            flat |= {f"p:{n}" if n in COLUMNS else n: each for n, each in value.items()}
        else:
            flat |= {f"{METRIC_PREFIX}{name}": each for name, each in value.items()}
    return flat
