"""The fit of one process, with which another one proposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fitted:
    """The fit of an engine to results, for another one of the same space and settings.

    Attributes:
        n_results: how many results the first one knew.
        values: what it found, as JSON can hold it.
    """

    n_results: int
    values: Mapping[str, Any]
