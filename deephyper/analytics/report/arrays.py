"""Numbers of a page as one compressed block of text, which the page makes typed arrays of."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNED = 8
"""Bytes: a typed array begins at a multiple of the size of its numbers."""
_WHOLE = ("<i1", "<i2", "<i4")


class Arrays:
    """Collects the arrays of a page."""

    def __init__(self) -> None:
        self._block = bytearray()

    def add(self, numbers: Sequence[float] | NDArray[Any]) -> dict[str, Any]:
        """Take an array of shape (n,); return where it is, for the page.

        Whole numbers take as few bytes as they need, all others are kept with all their digits.
        """
        array = np.asarray(numbers)
        array = array.astype(_smallest(array))
        self._block += bytes(-len(self._block) % _ALIGNED)
        place = {"type": array.dtype.str[1:], "at": len(self._block), "length": len(array)}
        self._block += array.tobytes()
        return place

    def text(self) -> str:
        """Return all of them: compressed by zlib, in base64."""
        return base64.b64encode(zlib.compress(bytes(self._block), 6)).decode("ascii")


def _smallest(array: NDArray[Any]) -> str:
    """Return the type of the numbers of an array."""
    if not len(array) or array.dtype == bool:
        return "<i1"
    if array.dtype.kind == "f":
        # Minus zero and NaN are no whole numbers.
        if not np.isfinite(array).all() or (array != np.floor(array)).any():
            return "<f8"
        if np.signbit(array[array == 0]).any():
            return "<f8"
    low, high = float(array.min()), float(array.max())
    for kind in _WHOLE:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return kind
    return "<f8"
