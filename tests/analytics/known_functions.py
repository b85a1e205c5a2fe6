"""Functions of points in the unit cube whose shares of variance are known, and files of them."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deephyper.cell import format_cell

Array = NDArray[np.float64]
Truth = dict[tuple[int, ...], float]


def ishigami(X: Array) -> Array:
    """Ishigami and Homma (1990), with a = 7 and b = 0.1."""
    x = (2 * X - 1) * math.pi
    return np.asarray(
        np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    )


ISHIGAMI: Truth = {
    **{(0,): 0.3139, (1,): 0.4424, (2,): 0.0},
    **{(0, 1): 0.0, (0, 2): 0.2437, (1, 2): 0.0},
}

G_COEFFICIENTS = np.array([0, 1, 4.5, 9, 99, 99])


def g_function(X: Array) -> Array:
    """Sobol's g-function."""
    return np.asarray(np.prod((np.abs(4 * X - 2) + G_COEFFICIENTS) / (1 + G_COEFFICIENTS), axis=1))


def g_truth() -> Truth:
    each = 1 / (3 * (1 + G_COEFFICIENTS) ** 2)
    whole = float(np.prod(1 + each) - 1)
    d = len(each)
    return {
        **{(k,): float(each[k]) / whole for k in range(d)},
        **{(j, k): float(each[j] * each[k]) / whole for j, k in combinations(range(d), 2)},
    }


def write_results(
    path: Path, rows: Iterable[tuple[Mapping[str, Any], float | str]], *more: str
) -> Path:
    """Write points and their objectives, or their statuses in place of these, as a results file."""
    rows = list(rows)
    names = sorted({name for point, _ in rows for name in point})
    header = "objective,id,elapsed_sec,status,worker,start,end,failure,predicted,predicted_std"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*names, *header.split(","), *more[:1]])
        for number, (point, result) in enumerate(rows):
            cells = [format_cell(point[name]) if name in point else "" for name in names]
            objective, status = (
                ("1.0" if result == "pruned" else "", result)
                if isinstance(result, str)
                else (repr(float(result)), "finished")
            )
            rest = [objective, str(number), "1.0", status, "w0", "0", "1", "", "", ""]
            table.writerow([*cells, *rest, *more[1:]])
    return path


def write_function(path: Path, X: Array, y: Sequence[float] | Array) -> Path:
    """Write points of the unit cube, named x0, x1 and so on, as a results file."""
    points = [{f"x{k}": value for k, value in enumerate(row)} for row in X.tolist()]
    return write_results(path, zip(points, map(float, y), strict=True))
