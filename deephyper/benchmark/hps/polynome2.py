"""Classic path of :mod:`deephyper.benchmark.polynome2`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deephyper.benchmark.polynome2 import __getattr__, load_data, run

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

    Problem: HpProblem

__all__ = ["Problem", "__getattr__", "load_data", "run"]
