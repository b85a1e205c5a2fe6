"""The run function of the overhead's benchmark: all that an evaluation takes is overhead."""

from __future__ import annotations

from typing import Any


def run(point: dict[str, Any]) -> float:
    """Return an objective at once."""
    return 0.0
