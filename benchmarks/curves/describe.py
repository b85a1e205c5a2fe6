"""How the curves of each task look."""

from __future__ import annotations

import numpy as np

from benchmarks.curves.suite import tasks
from benchmarks.curves.task import Array, Task

_PAIRS = 20_000


def describe(half: str | None) -> str:
    """The tasks of a half as a Markdown table; None for all."""
    lines = [
        "| task | half | metric | hyperparameters | points | steps | best | median | slowest / "
        "fastest step | rank correlation (best tenth) | crossings (best tenth) | best 1 % beaten |",
        "| --- " * 12 + "|",
    ]
    return "\n".join(lines + [_row(task) for task in tasks(half)])


def _row(task: Task) -> str:
    curves = task.curves
    early, late = curves[:, task.steps // 10 - 1], curves[:, -1]
    good = late >= np.quantile(late, 0.9)
    best = late >= np.quantile(late, 0.99)
    seconds = [task.seconds(point) for point in task.space.points()]
    top_third = np.quantile(early, 2 / 3)
    best_value, typical = task.scale
    return " | ".join(
        [
            f"| {task.name}",
            task.half,
            task.metric,
            f"{len(task.space.values)}",
            f"{len(curves)}",
            f"{task.steps}",
            f"{best_value:.4g}",
            f"{typical:.4g}",
            f"{np.quantile(seconds, 0.99) / np.quantile(seconds, 0.01):.0f}",
            f"{correlation(early, late):.2f} ({correlation(early[good], late[good]):.2f})",
            f"{crossings(early, late):.0%} ({crossings(early[good], late[good]):.0%})",
            f"{(early[best] < top_third).mean():.0%} |",
        ]
    )


def correlation(early: Array, late: Array) -> float:
    """Return Spearman's rank correlation."""
    from scipy.stats import spearmanr

    return float(spearmanr(early, late).statistic)


def crossings(early: Array, late: Array) -> float:
    """Return the share of random pairs whose order early isn't that at the end; ties left out."""
    one, other = np.random.default_rng(0).integers(len(early), size=(2, _PAIRS))
    product = np.sign(early[one] - early[other]) * np.sign(late[one] - late[other])
    return float((product < 0).sum() / (product != 0).sum())
