"""Tables and plots of results files."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

_EVERY = 10
"""Regrets are kept after every tenth evaluation."""
_TIE = 1e-4
"""Regrets closer than this are a tie."""


def _read(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    for path in arguments.files:
        rows += [json.loads(line) for line in Path(path).read_text().splitlines()]
    return [
        row
        for row in rows
        if arguments.half in (None, row["half"])
        and arguments.group in (None, row["group"])
        and (not arguments.peers or row["peer"] in arguments.peers)
    ]


def _regret(row: dict[str, Any], evaluations: int) -> float:
    i = evaluations // _EVERY - 1
    value = row["regrets"][i] if i < len(row["regrets"]) else float("nan")
    # a search without a result so far is as good as a typical random point
    return 1.0 if value is None or value != value else float(value)


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and a 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, size=(1000, len(values))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def report(arguments: argparse.Namespace) -> str:
    """The tables as Markdown."""
    rows = _read(arguments)
    lines: list[str] = []
    workers = sorted({row["workers"] for row in rows})
    longest = max(len(row["regrets"]) for row in rows) * _EVERY
    budgets = [n for n in (50, 100, 200) if n <= longest]
    for count in workers:
        for budget in budgets:
            part = [
                row
                for row in rows
                if row["workers"] == count and len(row["regrets"]) * _EVERY >= budget
            ]
            lines += _table(part, count, budget, arguments.reference)
    if arguments.each:
        lines += _each(rows, workers, budgets[-1])
    if arguments.plots:
        _plot(rows, workers, arguments.plots)
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]], workers: int, budget: int, reference: str) -> list[str]:
    from scipy.stats import wilcoxon

    peers = sorted({row["peer"] for row in rows})
    by_case: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for row in rows:
        by_case[row["task"], row["seed"]][row["peer"]] = _regret(row, budget)
    complete = {case: v for case, v in by_case.items() if len(v) == len(peers)}
    lines = [
        "",
        f"### {workers} worker{'s' if workers > 1 else ''}, {budget} evaluations "
        f"({len({t for t, _ in complete})} tasks, {len(complete)} searches each)",
        "",
        "| peer | mean rank | regret (95 % interval) | median | wins-ties-losses of "
        f"{reference} | p | ms/evaluation |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    ranks: dict[str, list[float]] = defaultdict(list)
    for values in complete.values():
        rounded = {peer: max(value, _TIE) for peer, value in values.items()}
        for peer, value in rounded.items():
            below = sum(other < value for other in rounded.values())
            equal = sum(other == value for other in rounded.values())
            ranks[peer].append(below + (equal + 1) / 2)
    for peer in sorted(peers, key=lambda peer: np.mean(ranks[peer] or [0])):
        values = np.array([case[peer] for case in complete.values()])
        if not len(values):
            continue
        mean, low, high = _interval(values)
        record, p = "", ""
        if peer != reference and reference in peers:
            own = np.array([case[reference] for case in complete.values()])
            difference = np.log10(np.maximum(own, _TIE)) - np.log10(np.maximum(values, _TIE))
            wins = int((difference < 0).sum())
            losses = int((difference > 0).sum())
            record = f"{wins}-{len(values) - wins - losses}-{losses}"
            p = f"{wilcoxon(difference, zero_method='zsplit').pvalue:.1e}" if wins + losses else "1"
        cost = [row["seconds"] / row["evaluations"] * 1e3 for row in rows if row["peer"] == peer]
        lines.append(
            f"| {peer} | {np.mean(ranks[peer]):.2f} | {mean:.3f} ({low:.3f}-{high:.3f}) | "
            f"{np.median(values):.4f} | {record} | {p} | {np.mean(cost):.1f} |"
        )
    return lines


def _each(rows: list[dict[str, Any]], workers: list[int], budget: int) -> list[str]:
    peers = sorted({row["peer"] for row in rows})
    lines = ["", f"### Mean regret of every task at {budget} evaluations", ""]
    lines += ["| task | workers | " + " | ".join(peers) + " |", "| --- " * (len(peers) + 2) + "|"]
    for task in sorted({row["task"] for row in rows}):
        for count in workers:
            cells = []
            for peer in peers:
                values = [
                    _regret(row, budget)
                    for row in rows
                    if (row["task"], row["workers"], row["peer"]) == (task, count, peer)
                ]
                cells.append(f"{np.mean(values):.4f}" if values else "")
            lines.append(f"| {task} | {count} | " + " | ".join(cells) + " |")
    return lines


def _plot(rows: list[dict[str, Any]], workers: list[int], folder: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    groups = sorted({row["group"] for row in rows})
    figure, axes = plt.subplots(
        len(workers), len(groups), figsize=(3.4 * len(groups), 2.8 * len(workers)), squeeze=False
    )
    for i, count in enumerate(workers):
        for j, group in enumerate(groups):
            axis = axes[i][j]
            for peer in sorted({row["peer"] for row in rows}):
                curves = [
                    np.maximum(np.nan_to_num(np.array(row["regrets"], dtype=float), nan=1.0), _TIE)
                    for row in rows
                    if (row["workers"], row["group"], row["peer"]) == (count, group, peer)
                ]
                if curves:
                    length = min(len(c) for c in curves)
                    mean = np.exp(np.mean([np.log(c[:length]) for c in curves], axis=0))
                    axis.plot(_EVERY * np.arange(1, length + 1), mean, label=peer)
            axis.set_yscale("log")
            axis.set_title(f"{group}, {count} workers" if count > 1 else f"{group}, 1 worker")
            axis.grid(alpha=0.3)
    axes[-1][0].set_xlabel("evaluations")
    axes[0][0].set_ylabel("geometric mean of normalised regret")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=len(labels))
    figure.tight_layout(rect=(0, 0.04, 1, 1))
    figure.savefig(folder / "regret.png", dpi=110)
    plt.close(figure)
