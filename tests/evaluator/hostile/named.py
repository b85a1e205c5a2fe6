"""The run functions that break what they can reach, each by its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Point = dict[str, Any]
Hostile = Callable[[Point], Any]

ANYWHERE: dict[str, Hostile] = {}
"""Those that a thread survives too."""
IN_A_PROCESS: dict[str, Hostile] = {}
"""Those that need a process of their own."""
ENDLESS: dict[str, Hostile] = {}
"""Those that end at a time limit only."""


def anywhere(function: Hostile) -> Hostile:
    ANYWHERE[function.__name__] = function
    return function


def in_a_process(function: Hostile) -> Hostile:
    IN_A_PROCESS[function.__name__] = function
    return function


def endless(function: Hostile) -> Hostile:
    ENDLESS[function.__name__] = function
    return function


def keep_pid(point: Point, pid: int) -> None:
    with Path(point["pids"]).open("a") as file:
        file.write(f"{pid}\n")


def descriptors() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]
