"""A search as a Parquet file."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deephyper.analytics.export.targets import file_to_fill
from deephyper.errors import MissingExtra
from deephyper.search.results import read_table
from deephyper.sheet import left_out_phrase

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger("deephyper.analytics")


def to_parquet(
    results: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    on_notice: Callable[[str], None] = _log.warning,
) -> None:
    """Write a search as a Parquet file with the columns of its results file, and their types.

    A column of whole numbers is of int64, one of other numbers of double, one of true and false of
    bool, any other of texts. What is missing is null.

    Args:
        results: a ``results.csv``, or the log directory that holds it.
        path: of the new file, which ends in .parquet.
        force: replace a file that is there.
        on_notice: called with one line for what is left out.

    Raises:
        ResultsError: if the results can't be read, or the file can't be written or is there.
        MissingExtra: if pyarrow isn't installed.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingExtra("pyarrow", "parquet") from error
    import pandas as pd

    with file_to_fill(path, (".parquet",), named=".parquet", force=force) as partial:
        table = read_table(os.fspath(results))
        if table.left_out:
            on_notice(
                f"of the {table.total} rows of '{results}', {left_out_phrase(table.left_out)}"
            )
        rows = [row for row in table.rows if row.status != "unreadable"]
        values = [{**row.point, **row.columns, "objective": row.objective} for row in rows]
        names = [name for name in table.header if name]
        frame = pd.DataFrame({name: _series([each.get(name) for each in values]) for name in names})
        frame.to_parquet(partial, index=False)


def _series(values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    if kinds == {int} and all(v is None or -(2**63) <= v < 2**63 for v in values):
        return pd.Series(values, dtype="Int64")
    if kinds and kinds <= {int, float}:
        return pd.Series([None if v is None else float(v) for v in values], dtype="Float64")
    return pd.Series([None if v is None else str(v) for v in values], dtype="string")
