"""The run function of the evaluators' benchmark: it takes time and no core."""

from __future__ import annotations

import time
from typing import Any

SECONDS = 0.2


def run(point: dict[str, Any]) -> float:
    """Sleep, then return a parabola."""
    time.sleep(SECONDS)
    return -float((point["x"] - 0.3) ** 2 + (point["y"] - 0.7) ** 2)
