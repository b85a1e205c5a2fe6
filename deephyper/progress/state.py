"""A search at one moment, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deephyper.objective import Objective


@dataclass(frozen=True)
class Standing:
    """The parts of a running search that only the search knows.

    Attributes:
        max_evals: how many evaluations there may be, or have begun where these are more; None for
            no limit. It can be changed.
        num_paused: evaluations that its rule for early stopping has paused.
        is_held: whether its user has it begin no new evaluations for now.
        has_ended: whether the outcomes of the paused evaluations were told of, as pruned.
    """

    max_evals: int | None
    num_paused: int = 0
    is_held: bool = False
    has_ended: bool = False


@dataclass(frozen=True)
class Row:
    """An evaluation that runs.

    Attributes:
        id: of the evaluation.
        worker: name of its worker.
        seconds: since it was begun.
        step: the last that it has reported; None for none.
        objective: what it reported then.
        point: its hyperparameters.
    """

    id: str
    worker: str
    seconds: float
    step: int | None
    objective: Objective | None
    point: dict[str, Any]


@dataclass(frozen=True)
class State:
    """A search at one moment.

    Attributes:
        ended: evaluations that have ended.
        max_evals: how many there may be; None for no limit.
        failed: how many of them failed.
        best: the best objective; None for none yet.
        seconds: since this session began.
        seconds_left: until the expected end; None if unknown.
        pruned: how many evaluations were ended early for good.
        paused: evaluations that are paused, and may continue.
        running: evaluations that run.
        workers: those that there are, with busy ones that leave after their evaluations; 0 if
            unknown.
        utilization: the share of the workers' time that evaluations took; None if unknown.
        best_point: the hyperparameters of the best evaluation.
        since_best: seconds since the last improvement of this session; None without one.
        is_held: whether no new evaluations begin for now.
        rows: some of those that run, the oldest first.
    """

    ended: int
    max_evals: int | None
    failed: int
    best: float | None
    seconds: float
    seconds_left: float | None
    pruned: int = 0
    paused: int = 0
    running: int = 0
    workers: int = 0
    utilization: float | None = None
    best_point: dict[str, Any] | None = None
    since_best: float | None = None
    is_held: bool = False
    rows: tuple[Row, ...] = field(default=())
