"""The look of all plots, and the files that they are saved in."""

from __future__ import annotations

import functools
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deephyper.errors import MissingExtra
from deephyper.safe_files import new_file, save_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colors, which people tell apart however they see colors.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
GRAY = "#767676"
COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, "#56B4E9", "#000000", "#F0E442")
COLOR_MAP = "viridis"

QUIET: Any = {"color": GRAY, "fontsize": 10}
"""Of titles."""
LEGEND: Any = {"loc": "best", "frameon": True, "framealpha": 0.9, "edgecolor": "none"}

FORMATS = (".png", ".svg", ".pdf")
MANY = 2_000
"""Points from which on they are one picture in a vector graphic, and smaller."""
_DPI = 200
_DPI_SHOWN = 100
_LONGEST_TITLE = 60


def new_figure(width: float = 7.0, height: float = 4.3) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes, in inches.

    Raises:
        MissingExtra: if matplotlib isn't installed.
    """
    figure = blank_figure(width, height)
    return figure, styled(figure.add_subplot())


def blank_figure(width: float, height: float) -> Figure:
    """Return a figure without axes, in inches.

    Raises:
        MissingExtra: if matplotlib isn't installed.
    """
    try:
        from matplotlib.figure import Figure as Base
    except ImportError as error:
        raise MissingExtra("matplotlib", "plot") from error
    return _shown(Base)(figsize=(width, height), layout="constrained")


@functools.cache
def _shown(base: type[Figure]) -> type[Figure]:
    """Return figures that a notebook shows, also where pyplot was never imported."""

    class Shown(base):  # type: ignore[misc, valid-type]  # imported when it is needed
        def _repr_png_(self) -> bytes:
            data = io.BytesIO()
            self.savefig(data, format="png", dpi=_DPI_SHOWN)
            return data.getvalue()

    return Shown


def styled(axes: Axes) -> Axes:
    """Give axes the look of all plots, and return them."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def size_of(number: int) -> float:
    """Return the area of each of so many points, in points squared."""
    return 18.0 if number <= 200 else 8.0 if number <= MANY else 2.0


def label(text: str) -> str:
    """Return a name from a user's code as matplotlib shows it, without mathematics in it."""
    short = text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 3]}..."
    return "".join(c if c.isprintable() else " " for c in short).replace("$", r"\$")


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Return the path of a file that a plot can be saved in, as far as that is known before.

    Args:
        path: ends in .png, .svg or .pdf.
        force: write over a file that is there.

    Raises:
        ResultsError: if the ending is another, the file exists, or its directory doesn't.
        SettingsError: if it isn't a path.
    """
    return new_file(path, FORMATS, named=".png, .svg or .pdf", force=force)


def save(figure: Figure, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a figure in the form that the name of the file asks for; all of it or nothing.

    Args:
        figure: the figure.
        path: ends in .png, .svg or .pdf.
        force: write over a file that is there.

    Raises:
        ResultsError: as :func:`check_target`, or if it can't be written.
    """
    path = check_target(path, force=force)
    data = io.BytesIO()
    figure.savefig(data, format=path.suffix.lower()[1:], dpi=_DPI)
    save_whole(path, data.getvalue(), force=force)
