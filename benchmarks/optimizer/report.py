"""Tables and plots of results files."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from deephyper.optimizer.arrays import Array

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


def _interval(values: Array) -> tuple[float, float, float]:
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
    budgets = [n for n in arguments.at if n <= longest]
    for count in workers:
        for budget in budgets:
            part = [
                row
                for row in rows
                if row["workers"] == count and len(row["regrets"]) * _EVERY >= budget
            ]
            lines += _table(part, count, budget, arguments.reference)
    if arguments.groups:
        for budget in budgets:
            lines += _groups(rows, workers, budget, arguments.reference)
    if arguments.each:
        lines += _each(rows, workers, budgets[-1])
    if arguments.plots:
        _plot(rows, workers, arguments.plots)
    return "\n".join(lines)


def _paired(own: Array, others: Array) -> tuple[str, str]:
    """Wins, ties and losses of the first, and p of Wilcoxon's test on log regrets."""
    from scipy.stats import wilcoxon

    difference = np.log10(np.maximum(own, _TIE)) - np.log10(np.maximum(others, _TIE))
    wins = int((difference < 0).sum())
    losses = int((difference > 0).sum())
    record = f"{wins}-{len(own) - wins - losses}-{losses}"
    if not wins + losses:
        return record, "1"
    return record, f"{wilcoxon(difference, zero_method='zsplit').pvalue:.1e}"


def _table(rows: list[dict[str, Any]], workers: int, budget: int, reference: str) -> list[str]:
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
    for case in complete.values():
        rounded = {peer: max(value, _TIE) for peer, value in case.items()}
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
            record, p = _paired(np.array([case[reference] for case in complete.values()]), values)
        cost = [row["seconds"] / row["evaluations"] * 1e3 for row in rows if row["peer"] == peer]
        lines.append(
            f"| {peer} | {np.mean(ranks[peer]):.2f} | {mean:.3f} ({low:.3f}-{high:.3f}) | "
            f"{np.median(values):.4f} | {record} | {p} | {np.mean(cost):.1f} |"
        )
    return lines


def _groups(
    rows: list[dict[str, Any]], workers: list[int], budget: int, reference: str
) -> list[str]:
    """Every peer against the reference, group by group, over all searches that the two share."""
    groups = ["all", *sorted({row["group"] for row in rows})]
    lines = [
        "",
        f"### Wins-ties-losses of {reference} (p) at {budget} evaluations",
        "",
        "| peer | workers | " + " | ".join(groups) + " |",
        "| --- " * (len(groups) + 2) + "|",
    ]
    found = {
        (row["peer"], row["workers"], row["task"], row["seed"]): (
            row["group"],
            _regret(row, budget),
        )
        for row in rows
        if len(row["regrets"]) * _EVERY >= budget
    }
    for peer in sorted({row["peer"] for row in rows} - {reference}):
        for count in workers:
            pairs = [
                (group, found[reference, count, task, seed][1], regret)
                for (name, n, task, seed), (group, regret) in found.items()
                if (name, n) == (peer, count) and (reference, count, task, seed) in found
            ]
            if not pairs:
                continue
            cells = []
            for group in groups:
                part = np.array([pair[1:] for pair in pairs if group in ("all", pair[0])])
                record, p = _paired(part[:, 0], part[:, 1]) if len(part) else ("", "")
                cells.append(f"{record} ({p})" if record else "")
            lines.append(f"| {peer} | {count} | " + " | ".join(cells) + " |")
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


def _plot(rows: list[dict[str, Any]], workers: list[int], directory: Path) -> None:
    """regret.png: all tasks by workers; groups.png: the same for each group."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    directory.mkdir(parents=True, exist_ok=True)
    groups = sorted({row["group"] for row in rows})
    peers = sorted({row["peer"] for row in rows})
    colours = {peer: f"C{i}" for i, peer in enumerate(peers)}
    shared = {count: _shared([row for row in rows if row["workers"] == count]) for count in workers}
    for name, parts in (("regret", [None]), ("groups", groups)):
        size = (max(3.4 * len(parts), 6.0), 2.8 * len(workers))
        if name == "regret":
            size = (3.6 * len(workers), 3.4)
        shape = (1, len(workers)) if name == "regret" else (len(workers), len(parts))
        figure, axes = plt.subplots(*shape, figsize=size, squeeze=False, sharey=name == "regret")
        for k, axis in enumerate(axes.flat):
            count = workers[k if name == "regret" else k // len(parts)]
            group = None if name == "regret" else parts[k % len(parts)]
            for peer in peers:
                curve = _curve(shared[count], peer, group)
                if len(curve):
                    evaluations = _EVERY * np.arange(1, len(curve) + 1)
                    axis.plot(evaluations, curve, label=peer, color=colours[peer])
            axis.set_yscale("log")
            title = f"{count} workers" if count > 1 else "1 worker"
            axis.set_title(f"{group}, {title}" if group else title)
            axis.grid(alpha=0.3)
        axes[-1][0].set_xlabel("evaluations")
        axes[0][0].set_ylabel("normalized regret, geometric mean")
        legend = {
            text: line
            for axis in axes.flat
            for line, text in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(legend.values(), legend.keys(), loc="lower center", ncol=len(legend))
        figure.tight_layout(rect=(0, 0.25 / size[1], 1, 1))
        figure.savefig(directory / f"{name}.png", dpi=110)
        plt.close(figure)


def _shared(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The searches of tasks and seeds that all peers have."""
    peers = {row["peer"] for row in rows}
    by_case: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_case[row["task"], row["seed"]].append(row)
    return [row for part in by_case.values() if len(part) == len(peers) for row in part]


def _curve(rows: list[dict[str, Any]], peer: str, group: str | None) -> Array:
    """Geometric mean of the regrets after every tenth evaluation."""
    curves = [
        np.maximum(np.nan_to_num(np.array(row["regrets"], dtype=float), nan=1.0), _TIE)
        for row in rows
        if row["peer"] == peer and group in (None, row["group"])
    ]
    if not curves:
        return np.empty(0)
    length = min(len(curve) for curve in curves)
    mean: Array = np.exp(np.mean([np.log(curve[:length]) for curve in curves], axis=0))
    return mean
