"""Plots of characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BLOCKS = "▁▂▃▄▅▆▇█"
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of the dots of a braille character, four rows of two."""
_BRAILLE = 0x2800
_SIDE = 10
"""Characters of the labels beside a plot, and what parts them from it."""


def plot(
    points: NDArray[np.float64],
    line: NDArray[np.float64],
    width: int,
    height: int,
    *,
    minimize: bool = False,
    unicode: bool = True,
) -> list[str]:
    """Return a plot of values in their order, and of a line through as many.

    Values that are far worse than the better half are out of sight.

    Args:
        points: the values, shape (n,); NaN where there is none.
        line: of the line, shape (n,); NaN where there is none.
        width, height: of the plot in characters, with its labels.
        minimize: whether lower values are better.
        unicode: draw with braille, which has eight dots to a character.
    """
    columns, rows = max(width - _SIDE, 8), max(height - 1, 2)
    x_dots, y_dots = (2 * columns, 4 * rows) if unicode else (columns, rows)
    shown = points[~np.isnan(points)]
    if not len(shown):
        return ["no result yet"]
    low, high = _range(shown, minimize)
    dots = np.zeros((y_dots, x_dots), dtype=bool)
    lines = np.zeros_like(dots)
    with np.errstate(invalid="ignore"):
        visible = np.flatnonzero((points >= low) & (points <= high))
    x = visible * (x_dots - 1) // max(len(points) - 1, 1)
    dots[_row(points[visible], low, high, y_dots), x] = True
    _draw_line(lines, line, low, high)
    drawn = _braille(dots | lines) if unicode else _ascii(dots, lines)
    labels = {0: f"{high:.3g}", rows - 1: f"{low:.3g}"}
    side = _SIDE - 1
    out = [f"{labels.get(i, '')[:side]:>{side}} {text}" for i, text in enumerate(drawn)]
    last = f"{len(points)}"
    out.append(f"{'':{_SIDE}}1{last:>{columns - 1}}")
    return out


def spark(values: Sequence[float], low: float, high: float, width: int) -> str:
    """Return a curve as one line of blocks, of at most so many characters.

    Args:
        values: of the curve, at least one.
        low, high: what the lowest and the highest block stand for.
        width: in characters.
    """
    if len(values) > width:
        values = [values[i] for i in np.linspace(0, len(values) - 1, width).astype(int)]
    span = (high - low) or 1.0
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[min(top, max(0, int((v - low) / span * len(_BLOCKS))))] for v in values)


def _range(values: NDArray[np.float64], minimize: bool) -> tuple[float, float]:
    """Return the lowest and the highest value that are in sight."""
    sign = -1.0 if minimize else 1.0
    scores = sign * values
    top, middle = float(scores.max()), float(np.median(scores))
    worst = max(float(scores.min()), top - 3.0 * (top - middle))
    low, high = sorted((sign * worst, sign * top))
    if low == high:
        margin = 0.5 * abs(low) or 1.0
        return low - margin, high + margin
    return low, high


def _row(values: NDArray[np.float64], low: float, high: float, number: int) -> NDArray[np.int64]:
    """Return the rows of dots that values lie in, counted from the top."""
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    rows: NDArray[np.int64] = ((1.0 - share) * (number - 1)).round().astype(np.int64)
    return rows


def _draw_line(dots: NDArray[np.bool_], line: NDArray[np.float64], low: float, high: float) -> None:
    """Draw a line with a step at each change."""
    number, width = dots.shape
    # At each column the value of the last point that lies in it or before it.
    columns = np.arange(1, width + 1)
    index = np.clip((columns * len(line) + width - 1) // width - 1, 0, len(line) - 1)
    before = None
    for x, value in enumerate(line[index]):
        if np.isnan(value):
            continue
        row = int(_row(np.array([value]), low, high, number)[0])
        first, last = (row, row) if before is None else sorted((before, row))
        dots[first : last + 1, x] = True
        before = row


def _braille(dots: NDArray[np.bool_]) -> list[str]:
    rows, columns = dots.shape[0] // 4, dots.shape[1] // 2
    cells = dots.reshape(rows, 4, columns, 2)
    codes = _BRAILLE + (cells * _DOTS[None, :, None, :]).sum(axis=(1, 3))
    return ["".join(map(chr, row)) for row in codes]


def _ascii(dots: NDArray[np.bool_], lines: NDArray[np.bool_]) -> list[str]:
    marks = np.where(lines, "-", np.where(dots, ".", " "))
    return ["".join(row) for row in marks]
