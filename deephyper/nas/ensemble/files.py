"""The files of an ensemble."""

from __future__ import annotations

from pathlib import Path

from deephyper.errors import ResultsError, argument

ENSEMBLE = "ensemble"
"""The directory of an ensemble, in that of the search."""
MODEL, DESCRIPTION, PREDICTIONS = "ensemble.keras", "ensemble.json", "predictions.csv"


def check_directory(path: Path, *, force: bool = False) -> None:
    """Check that an ensemble can be written to a directory.

    Args:
        path: it need not exist.
        force: write over an ensemble that is there.

    Raises:
        ResultsError: there is one already, or something else is in its place.
    """
    if path.exists() and not path.is_dir():
        raise ResultsError(f"'{path}' is not a directory; choose another")
    there = [name for name in (MODEL, DESCRIPTION, PREDICTIONS) if (path / name).exists()]
    if there and not force:
        raise ResultsError(
            f"'{path / there[0]}' exists already; choose another directory, or replace it with "
            f"{argument('force', 'True')}"
        )
