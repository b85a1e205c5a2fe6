"""Hyperparameters along the axes of plots, and the range of objectives that is in sight."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deephyper.analytics.plots.figure import label
from deephyper.analytics.points import Column, Points, read_points
from deephyper.errors import ResultsError

_MOST_LABELS = 8


def read_varied(
    results: str | os.PathLike[str],
    on_notice: Callable[[str], None],
    *,
    most: int | None = None,
    seed: int = 0,
) -> Points:
    """Read evaluations of which at least one hyperparameter varies; see ``read_points``.

    Raises:
        ResultsError: if there is none, or the results can't be read.
    """
    points = read_points(Path(results), most=most, seed=seed, on_notice=on_notice)
    if not points.columns or not len(points.objectives):
        raise ResultsError(
            f"no hyperparameter of '{results}' varies; there is nothing to plot the objective "
            "against"
        )
    return points


def share(column: Column, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places from 0 to 1, also of categories."""
    if column.kind != "category":
        return places
    return (places + 0.5) / len(column.values)


def ticks(column: Column) -> tuple[list[float], list[str]]:
    """Return where a hyperparameter is labeled, from 0 to 1, and the labels."""
    if column.values:
        step = max(1, math.ceil(len(column.values) / _MOST_LABELS))
        values = column.values[::step]
        places = share(column, np.array([column.place(each) for each in values], dtype=float))
        return places.tolist(), [label(_short(each)) for each in values]
    numbers: list[float] = [column.value_at(place) for place in (0.0, 0.5, 1.0)]
    if column.kind == "int" and column.size <= _MOST_LABELS:
        numbers = [*range(int(column.lower), int(column.upper) + 1)]
    return [column.place(each) for each in numbers], [_short(each) for each in numbers]


def _short(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 14 else f"{text[:11]}..."


def are_long(texts: list[str]) -> bool:
    """Return whether labels side by side would run into one another."""
    return sum(map(len, texts)) > 26


def sight(points: Points, share: float = 0.5) -> tuple[float, float]:
    """Return the range of objectives that is in sight: what diverged isn't.

    Args:
        points: the evaluations.
        share: of the evaluations that are in sight at least, the better ones, with some margin.
    """
    sign = -1.0 if points.direction == "minimize" else 1.0
    scores = sign * points.objectives
    top, middle = float(scores.max()), float(np.quantile(scores, 1.0 - share))
    low = max(float(scores.min()), top - 4.0 * (top - middle))
    margin = 0.05 * (top - low) or abs(top) * 0.05 or 1.0
    ends = sorted([sign * (low - margin), sign * (top + margin)])
    return ends[0], ends[1]
