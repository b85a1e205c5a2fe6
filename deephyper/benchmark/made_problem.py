"""Modules whose ``Problem`` is made when it is asked for.

A worker imports the module for ``run`` alone, and does without the time that ConfigSpace takes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

NAME = "Problem"


def made_problem(
    module: str, make: Callable[[], HpProblem]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a module whose problem is made once.

    Args:
        module: its ``__name__``.
        make: returns the problem.
    """
    made = cache(make)

    def getattr_(name: str) -> Any:
        if name != NAME:
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        return made()

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[module]), NAME})

    return getattr_, dir_
