"""Tables of results files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.curves.simulate import SHARES
from benchmarks.curves.task import Array

FLOOR = 0.003
"""Regrets below it count as this: in a finite space some are zero."""

Row = dict[str, Any]


def report(arguments: argparse.Namespace) -> str:
    """The tables as Markdown."""
    # A search that is in several files counts once, or pairs would seem more than they are.
    searches: dict[tuple[Any, ...], Row] = {}
    for path in arguments.files:
        for line in Path(path).read_text().splitlines():
            row = json.loads(line)
            searches[row["method"], *_case(row)] = row
    rows = [row for row in searches.values() if arguments.half in (None, row["half"])]
    reference = arguments.reference
    methods = sorted({row["method"] for row in rows} - {reference})
    if arguments.methods:
        methods = [name for name in methods if name in arguments.methods]
    lines: list[str] = []
    for workers in sorted({row["workers"] for row in rows}):
        part = [row for row in rows if row["workers"] == workers]
        title = f"{workers} worker{'s' if workers > 1 else ''}"
        lines += _table(part, methods, reference, title)
        if arguments.each:
            for task in sorted({row["task"] for row in part}):
                of_task = [row for row in part if row["task"] == task]
                lines += _table(of_task, methods, reference, f"{title}, {task}")
    return "\n".join(lines)


def _table(rows: list[Row], methods: list[str], reference: str, title: str) -> list[str]:
    lines = [
        "",
        f"### {title}",
        "",
        "| method | searches | "
        + " | ".join(f"{share:.0%}" for share in SHARES)
        + " | whole | pruned | best stopped | s/search |",
        "| --- " * (len(SHARES) + 6) + "|",
    ]
    found = {(row["method"], *_case(row)): row for row in rows}
    own = [row for row in rows if row["method"] == reference]
    for method in [reference, *methods]:
        pairs = [(row, found[method, *_case(row)]) for row in own if (method, *_case(row)) in found]
        if not pairs:
            continue
        others = [other for _, other in pairs]
        theirs = np.array([other["regrets"] for other in others], dtype=float)
        ours = np.array([row["regrets"] for row, _ in pairs], dtype=float)
        cells = [
            f"{_mean(theirs[:, i]):.3f}"
            if method == reference
            else _ratio(theirs[:, i], ours[:, i])
            for i in range(len(SHARES))
        ]
        lines.append(
            f"| {method} | {len(pairs)} | "
            + " | ".join(cells)
            + f" | {np.mean([row['whole'] for row in others]):.0f}"
            + f" | {np.mean([row['pruned'] for row in others]):.0f}"
            + f" | {np.mean([row['best_stopped'] for row in others]):.0%}"
            + f" | {np.mean([row['seconds'] for row in others]):.1f} |"
        )
    return lines


def _case(row: Row) -> tuple[Any, ...]:
    return row["task"], row["seed"], row["workers"], row["budget"]


def _mean(regrets: Array) -> float:
    return float(np.exp(np.log(np.maximum(regrets, FLOOR)).mean()))


def _ratio(theirs: Array, ours: Array) -> str:
    """Return the geometric mean of the ratios, and p of Wilcoxon's test on their logarithms."""
    from scipy.stats import wilcoxon

    logs = np.log(np.maximum(theirs, FLOOR)) - np.log(np.maximum(ours, FLOOR))
    ratio = f"{np.exp(logs.mean()):.2f}"
    if not logs.any():
        return ratio
    return f"{ratio} ({wilcoxon(logs, zero_method='zsplit').pvalue:.1g})"
