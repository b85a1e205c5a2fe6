"""Syne Tune by the interface of its schedulers.

Version 0.16 has ASHA, ASHACQR and BOHB that stop trials; the last one with MOBSTER and DyHPO as
documented is 0.13.
"""

from __future__ import annotations

import datetime
import logging
import warnings
from collections.abc import Iterable
from typing import Any, cast

from benchmarks.curves.method import Method
from benchmarks.curves.space import Point
from deephyper.problem import HpProblem
from deephyper.problem.translation import translate

_LEVEL = "steps_to_make"
"""The entry of a configuration by which a scheduler of Syne Tune 0.13 says how far it runs."""

GAUSSIAN_PROCESS = {
    "opt_nstarts": 1,
    "opt_maxiter": 20,
    "opt_skip_init_length": 30,
    "opt_skip_period": 10,
    "skip_local_optimization": True,
    "initial_scoring": "acq_func",
}
"""Search options of MOBSTER and DyHPO: their Gaussian process is fitted less often, and what it
proposes is the best of the candidates. With their defaults a search takes an hour and more."""


def _lists(problem: HpProblem) -> dict[str, Any]:
    """Return the space as lists of values."""
    from syne_tune import config_space

    return {
        name: config_space.choice(list(hp.choices))
        if hasattr(hp, "choices")
        else config_space.ordinal(
            list(hp.sequence), kind="nn" if min(hp.sequence) <= 0 else "nn-log"
        )
        for name, hp in cast("Iterable[tuple[str, Any]]", problem.space.items())
    }


def _active(problem: HpProblem, config: Point) -> Point:
    """Return a configuration without what is inactive, of which Syne Tune knows nothing."""
    conditions = {c.child.name: translate(c) for c in problem.space.conditions}
    point: Point = {}
    for name in problem.space:
        if name not in conditions or conditions[name].satisfied_by(point):
            point[name] = config[name]
    return point


def _quiet() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


class SyneTune(Method):
    """A scheduler of Syne Tune 0.16 that stops trials."""

    def __init__(self, problem: HpProblem, seed: int, steps: int, scheduler: str) -> None:
        from syne_tune.optimizer import baselines

        _quiet()
        self._problem = problem
        self._scheduler = getattr(baselines, scheduler)(
            _lists(problem),
            metric="objective",
            time_attr="step",
            max_t=steps,
            do_minimize=False,
            random_seed=seed,
        )
        self._trials: dict[str, Any] = {}

    def ask(self, id: str) -> Point:
        from syne_tune.backend.trial_status import Trial

        suggestion = self._scheduler.suggest()
        trial = Trial(int(id), suggestion.config, datetime.datetime.now(tz=datetime.UTC))
        self._trials[id] = trial
        self._scheduler.on_trial_add(trial)
        return _active(self._problem, suggestion.config)

    def report(self, id: str, step: int, value: float) -> bool:
        from syne_tune.optimizer.scheduler import SchedulerDecision

        result = {"objective": value, "step": step}
        decision = self._scheduler.on_trial_result(self._trials[id], result)
        return bool(decision == SchedulerDecision.STOP)

    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        trial, result = self._trials.pop(id), {"objective": value, "step": step}
        if pruned:
            self._scheduler.on_trial_remove(trial)
        else:
            self._scheduler.on_trial_complete(trial, result)


class SyneTunePromotion(Method):
    """A scheduler of Syne Tune 0.13 that pauses trials and promotes them."""

    def __init__(
        self,
        problem: HpProblem,
        seed: int,
        steps: int,
        scheduler: str,
        options: dict[str, Any],
    ) -> None:
        from syne_tune.optimizer import baselines

        _quiet()
        self._problem = problem
        self._scheduler = getattr(baselines, scheduler)(
            {**_lists(problem), _LEVEL: steps},
            metric="objective",
            mode="max",
            resource_attr="step",
            max_resource_attr=_LEVEL,
            random_seed=seed,
            **options,
        )
        self._trials: dict[str, Any] = {}
        self._made: dict[str, int] = {}
        self._next: Any = None

    def next_steps(self) -> int:
        suggestion = self._suggestion()
        made = 0
        if not suggestion.spawn_new_trial_id:
            made = self._made[str(suggestion.checkpoint_trial_id)]
        return int(suggestion.config[_LEVEL]) - made

    def take_up(self, may_begin: bool) -> str | None:
        suggestion = self._suggestion()
        if suggestion.spawn_new_trial_id:
            return None
        self._next = None
        return str(suggestion.checkpoint_trial_id)

    def ask(self, id: str) -> Point:
        from syne_tune.backend.trial_status import Trial

        config = self._suggestion().config
        self._next = None
        self._trials[id] = Trial(int(id), config, datetime.datetime.now(tz=datetime.UTC))
        self._scheduler.on_trial_add(self._trials[id])
        return _active(self._problem, config)

    def report(self, id: str, step: int, value: float) -> bool:
        from syne_tune.optimizer.scheduler import SchedulerDecision

        self._made[id] = step
        result = {"objective": value, "step": step}
        decision = self._scheduler.on_trial_result(self._trials[id], result)
        return bool(decision != SchedulerDecision.CONTINUE)

    def tell(self, id: str, value: float, step: int, pruned: bool) -> None:
        if pruned:
            self._scheduler.on_trial_remove(self._trials[id])
        else:
            result = {"objective": value, "step": step}
            self._scheduler.on_trial_complete(self._trials[id], result)

    def _suggestion(self) -> Any:
        if self._next is None:
            self._next = self._scheduler.suggest(len(self._trials))
        return self._next
