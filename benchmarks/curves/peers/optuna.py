"""Optuna by its ask, report, should_prune and tell."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from benchmarks.curves.method import Method
from benchmarks.curves.space import Point
from deephyper.problem import HpProblem


class Optuna(Method):
    """One of Optuna's samplers, "tpe" or "gp", with one of its pruners."""

    def __init__(
        self, problem: HpProblem, seed: int, sampler: str, pruner: Callable[[Any], Any]
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        self._pruned = optuna.trial.TrialState.PRUNED
        self._problem = problem
        self._study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.GPSampler(seed=seed)
            if sampler == "gp"
            else optuna.samplers.TPESampler(
                seed=seed, multivariate=True, group=True, constant_liar=True
            ),
            pruner=pruner(optuna.pruners),
        )
        self._trials: dict[str, Any] = {}

    def ask(self, id: str) -> Point:
        from benchmarks.optimizer.peers import suggest

        self._trials[id] = self._study.ask()
        return suggest(self._problem, self._trials[id])

    def report(self, id: str, step: int, value: float) -> bool:
        self._trials[id].report(value, step)
        return bool(self._trials[id].should_prune())

    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        trial = self._trials.pop(id)
        if pruned:
            self._study.tell(trial, state=self._pruned)
        else:
            self._study.tell(trial, value)
