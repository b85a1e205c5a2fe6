"""What is compared: each proposes points, and may end their evaluations by what they report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from benchmarks.curves.method import Method
from benchmarks.curves.peers.dehb import Dehb
from benchmarks.curves.peers.optuna import Optuna
from benchmarks.curves.peers.smac import Smac
from benchmarks.curves.peers.syne_tune import GAUSSIAN_PROCESS, SyneTune, SyneTunePromotion
from benchmarks.curves.space import Point
from deephyper.job import Proposal
from deephyper.optimizer import BayesianOptimizer, Optimizer, RandomOptimizer
from deephyper.problem import HpProblem
from deephyper.stopper import AshaSettings, CurveSettings, MedianSettings, Stopper


class Stopping(Method):
    """One of our own optimizers, with one of our own rules or without, as a search uses them."""

    def __init__(self, optimizer: Optimizer, stopper: Stopper | None = None) -> None:
        self._optimizer = optimizer
        self._stopper = stopper
        self._next: Proposal | None = None
        self._points: dict[str, Point] = {}
        self._reported: dict[str, None] = {}

    def take_up(self, may_begin: bool) -> str | None:
        if self._stopper is None or not self._stopper.pauses:
            return None
        return self._stopper.take_up(self._proposal() if may_begin else None)

    def ask(self, id: str) -> Point:
        self._points[id] = self._proposal().point
        self._next = None
        return self._points[id]

    def report(self, id: str, step: int, value: float) -> bool:
        self._reported[id] = None
        return self._stopper is not None and self._stopper.report(id, step, value)

    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        point, stopper = self._points[id], self._stopper
        self._reported.pop(id, None)
        if stopper is None:
            self._optimizer.tell(point, value)
            return
        if pruned and stopper.pauses:
            stopper.pause(id)
        else:
            stopper.end(id, value, pruned)
        estimate = stopper.estimates([id]).get(id) if pruned else None
        if estimate is not None:
            self._optimizer.tell_partial(point, estimate)
        elif not (pruned and stopper.pauses):
            self._optimizer.tell(point, value)

    def _proposal(self) -> Proposal:
        if self._next is None:
            if self._stopper is not None:
                estimates = self._stopper.estimates([*self._reported])
                points = [self._points[id] for id in estimates]
                self._optimizer.tell_partial(points, [*estimates.values()])
                self._reported.clear()
            self._next = self._optimizer.ask()
        return self._next


def _ours(stopper: Callable[[], Stopper | None]) -> Callable[[HpProblem, int, int], Method]:
    return lambda problem, seed, steps: Stopping(BayesianOptimizer(problem, seed=seed), stopper())


def _random(stopper: Callable[[], Stopper | None]) -> Callable[[HpProblem, int, int], Method]:
    return lambda problem, seed, steps: Stopping(RandomOptimizer(problem, seed=seed), stopper())


def _optuna(sampler: str, pruner: str) -> Callable[[HpProblem, int, int], Method]:
    def make(problem: HpProblem, seed: int, steps: int) -> Method:
        return Optuna(problem, seed, sampler, lambda pruners: _PRUNERS[pruner](pruners, steps))

    return make


def _syne_tune(scheduler: str) -> Callable[[HpProblem, int, int], Method]:
    return lambda problem, seed, steps: SyneTune(problem, seed, steps, scheduler)


def _syne_tune_promotion(
    scheduler: str, options: Callable[[int], dict[str, Any]]
) -> Callable[[HpProblem, int, int], Method]:
    return lambda problem, seed, steps: SyneTunePromotion(
        problem, seed, steps, scheduler, options(steps)
    )


def _asha() -> Stopper:
    return AshaSettings(reduction_factor=3).create()


def _median() -> Stopper:
    return MedianSettings().create()


def _curve() -> Stopper:
    return CurveSettings().create()


_PRUNERS: dict[str, Callable[[Any, int], Any]] = {
    "": lambda pruners, steps: pruners.NopPruner(),
    "-hyperband": lambda pruners, steps: pruners.HyperbandPruner(
        min_resource=1, max_resource=steps
    ),
    "-halving": lambda pruners, steps: pruners.SuccessiveHalvingPruner(),
    "-median": lambda pruners, steps: pruners.MedianPruner(),
}
"""Pruners of Optuna, by a function of its module of them and the steps of a whole evaluation."""

METHODS: dict[str, Callable[[HpProblem, int, int], Method]] = {
    "deephyper": _ours(lambda: None),
    "deephyper-curve": _ours(_curve),
    "deephyper-asha": _ours(_asha),
    "deephyper-median": _ours(_median),
    "random": _random(lambda: None),
    "random-curve": _random(_curve),
    "random-asha": _random(_asha),
    **{f"optuna{name}": _optuna("tpe", name) for name in _PRUNERS},
    **{f"optuna-gp{name}": _optuna("gp", name) for name in _PRUNERS},
    "syne-tune-asha": _syne_tune("ASHA"),
    "syne-tune-asha-cqr": _syne_tune("ASHACQR"),
    "syne-tune-bohb": _syne_tune("BOHB"),
    "syne-tune-asha-promotion": _syne_tune_promotion("ASHA", lambda steps: {"type": "promotion"}),
    "syne-tune-mobster": _syne_tune_promotion(
        "MOBSTER", lambda steps: {"type": "promotion", "search_options": GAUSSIAN_PROCESS}
    ),
    "syne-tune-dyhpo": _syne_tune_promotion(
        "DyHPO",
        lambda steps: {
            "rung_increment": max(1, steps // 20),
            "search_options": GAUSSIAN_PROCESS,
        },
    ),
    "smac": Smac,
    "dehb": Dehb,
}
"""Each by a function of the problem, the seed and the steps of a whole evaluation."""


def known(name: str) -> Callable[[HpProblem, int, int], Method]:
    """Return what makes a method; exit if there is none of that name."""
    if name not in METHODS:
        sys.exit(f"unknown method {name}; choose from {', '.join(METHODS)}")
    return METHODS[name]
