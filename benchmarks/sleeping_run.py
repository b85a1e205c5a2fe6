"""The run function of the evaluators' benchmark: it takes time and no core."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SleepingRun:
    """Sleeps, then returns a parabola.

    Attributes:
        seconds: how long it sleeps.
    """

    seconds: float

    def __call__(self, point: dict[str, Any]) -> float:
        time.sleep(self.seconds)
        return -float((point["x"] - 0.3) ** 2 + (point["y"] - 0.7) ** 2)
