"""A search space as it was read, with what its file says besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deephyper.objective import Direction
from deephyper.problem.problem import HpProblem


@dataclass(frozen=True)
class SpaceFile:
    """A search space that was read.

    Attributes:
        problem: the space, with its starting points.
        form: whose form the file has: deephyper, configspace, wandb, hydra or optuna.
        direction: the direction of the search, if the file says it.
        metric: name of the objective, if the file says it.
        program: what a W&B sweep runs, as its file names it.
        command: the words of the command line by which it does.
        no_command: why there is none, although the file has one.
        early_terminate: its rule for ending runs early.
        notices: what could not be kept exactly, one line each.
    """

    problem: HpProblem
    form: str = "deephyper"
    direction: Direction | None = None
    metric: str | None = None
    program: str | None = None
    command: tuple[str, ...] | None = None
    no_command: str = ""
    early_terminate: Mapping[str, Any] | None = None
    notices: tuple[str, ...] = ()
