"""Arrays of floats: their types, and one that grows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]


class GrowingArray:
    """A matrix that rows are appended to; appending costs amortized constant time a row.

    Args:
        width: number of columns.
    """

    def __init__(self, width: int) -> None:
        self._buffer = np.empty((64, width))
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, rows: Array) -> None:
        """Append rows, shape (n, width)."""
        n = self._n + len(rows)
        if n > len(self._buffer):
            grown = np.empty((max(n, 2 * len(self._buffer)), self._buffer.shape[1]))
            grown[: self._n] = self._buffer[: self._n]
            self._buffer = grown
        self._buffer[self._n : n] = rows
        self._n = n

    @property
    def array(self) -> Array:
        """All rows, shape (len(self), width); a view that the next append may invalidate."""
        return self._buffer[: self._n]
