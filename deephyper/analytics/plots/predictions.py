"""Expectations of the optimizer's model when it proposed a point, against what was found."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deephyper.analytics.plots.figure import BLUE, MANY, QUIET, new_figure, size_of
from deephyper.errors import ResultsError
from deephyper.search.results import read_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_FEWEST = 5
"""Points below which a correlation says nothing."""


def predicted(results: str | os.PathLike[str]) -> Figure:
    """Plot what was expected of each finished evaluation when its point was proposed.

    The bars are one standard deviation of the model's mean to either side: the noise of the
    objective is not in them. The rank correlation in the title is Spearman's.

    Args:
        results: a ``results.csv``, or the log directory that holds it.

    Raises:
        ResultsError: if the file can't be read, or nothing in it was predicted.
        MissingExtra: if matplotlib isn't installed.
    """
    found, expected, deviation = [], [], []
    for row in read_table(Path(results)).rows:
        mean, std = row.columns.get("predicted"), row.columns.get("predicted_std")
        if row.is_finished and isinstance(mean, (int, float)) and math.isfinite(mean):
            found.append(row.objective)
            expected.append(mean)
            deviation.append(std if isinstance(std, (int, float)) else math.nan)
    if not found:
        raise ResultsError(
            f"nothing in '{results}' was predicted: points of the design, or of a search without a "
            "model, aren't; look at one with more evaluations"
        )
    x = np.array(expected, dtype=np.float64)
    y = np.array(found, dtype=np.float64)
    std = np.array(deviation, dtype=np.float64)
    figure, axes = new_figure(5.6, 4.8)
    many = len(x) > MANY
    if not many:
        axes.errorbar(x, y, xerr=np.nan_to_num(std), fmt="none", color=BLUE, alpha=0.25, lw=0.8)
    axes.scatter(x, y, s=size_of(len(x)), color=BLUE, alpha=0.7, linewidths=0, rasterized=many)
    # Of what is far off the most extreme hundredth is left out of sight.
    low, high = np.quantile(np.concatenate([x, y]), (0.01, 0.99))
    margin = 0.08 * (high - low) or abs(high) * 0.05 or 1.0
    ends = (low - margin, high + margin)
    axes.plot(ends, ends, color="black", linewidth=1.0, linestyle="--")
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_xlabel("predicted objective")
    axes.set_ylabel("objective")
    if len(found) >= _FEWEST and len({*found}) > 1 and len({*expected}) > 1:
        from scipy.stats import spearmanr

        rank = float(spearmanr(x, y).statistic)
        axes.set_title(f"rank correlation {rank:.2f}", **QUIET)
    return figure
