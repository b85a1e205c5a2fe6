"""The optimizers that are compared, each by its own public ask and tell, with its defaults.

A peer is made for a problem, a seed and a number of workers, is asked for one point at a time, and
maximizes. Every point that a peer proposes is evaluated, repeats included. Only a point that the
problem forbids is told as failed at once and replaced by the next one, since peers that know no
forbidden clauses would be lost otherwise.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ConfigSpace.hyperparameters import FloatHyperparameter, IntegerHyperparameter

from benchmarks.optimizer.remote import ENVIRONMENTS, Environment, Remote
from benchmarks.optimizer.task import Point
from deephyper.errors import ProblemError
from deephyper.optimizer import Optimizer
from deephyper.problem import HpProblem


class Peer(Protocol):
    def ask(self) -> Point: ...

    def tell(self, point: Point, objective: float | str) -> None: ...


class Ours:
    """One of our own optimizers."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    def ask(self) -> Point:
        return self._optimizer.ask().point

    def tell(self, point: Point, objective: float | str) -> None:
        self._optimizer.tell(point, objective)


def ours(problem: HpProblem, seed: int, workers: int) -> Peer:
    from deephyper.optimizer import BayesianOptimizer

    return Ours(BayesianOptimizer(problem, seed=seed))


def random(problem: HpProblem, seed: int, workers: int) -> Peer:
    from deephyper.optimizer import RandomOptimizer

    return Ours(RandomOptimizer(problem, seed=seed))


def evolution(problem: HpProblem, seed: int, workers: int) -> Peer:
    from deephyper.optimizer import EvolutionOptimizer

    return Ours(EvolutionOptimizer(problem, seed=seed))


def evolution_published(problem: HpProblem, seed: int, workers: int) -> Peer:
    """Regularized evolution with the population and the sample of its paper."""
    from deephyper.optimizer import EvolutionOptimizer, EvolutionSettings

    return Ours(EvolutionOptimizer(problem, EvolutionSettings(100, 25), seed=seed))


def skopt(problem: HpProblem, seed: int, workers: int) -> Peer:
    """scikit-optimize with a random forest, LCB and the constant liar's minimum."""
    from deephyper.optimizer import SkoptOptimizer, SkoptSettings

    settings = SkoptSettings(surrogate_model="RF", acq_func="LCB", liar_strategy="cl_min")
    return Ours(SkoptOptimizer(problem, settings, seed=seed))


class Optuna:
    """Optuna's samplers through study.ask and study.tell, the space defined by running."""

    def __init__(self, problem: HpProblem, make_sampler: Callable[[], Any]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._problem = problem
        self._study = optuna.create_study(direction="maximize", sampler=make_sampler())
        self._trials: dict[str, list[Any]] = {}

    def ask(self) -> Point:
        for _ in range(1000):
            trial = self._study.ask()
            point = suggest(self._problem, trial)
            try:
                self._problem.check_configuration(point)
            except ProblemError:
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
                continue
            self._trials.setdefault(repr(point), []).append(trial)
            return point
        raise RuntimeError("no valid proposal in 1000")

    def tell(self, point: Point, objective: float | str) -> None:
        trial = self._trials[repr(point)].pop(0)
        if isinstance(objective, str):
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, objective)


def suggest(problem: HpProblem, trial: Any) -> Point:
    """Have a trial of Optuna's propose a point."""
    from deephyper.problem.translation import translate

    space = problem.space
    conditions = {c.child.name: translate(c) for c in space.conditions}
    point: Point = {}
    for name, hp in space.items():
        if name in conditions and not conditions[name].satisfied_by(point):
            continue
        if hasattr(hp, "choices"):
            point[name] = trial.suggest_categorical(name, list(hp.choices))
        elif hasattr(hp, "sequence"):
            i = trial.suggest_int(name, 0, len(hp.sequence) - 1)
            point[name] = hp.sequence[i]
        elif isinstance(hp, IntegerHyperparameter):
            point[name] = trial.suggest_int(name, hp.lower, hp.upper, log=hp.log)
        elif isinstance(hp, FloatHyperparameter):
            point[name] = trial.suggest_float(name, hp.lower, hp.upper, log=hp.log)
    return point


def _quiet(make: Callable[[], Any]) -> Callable[[], Any]:
    def quietly() -> Any:
        warnings.simplefilter("ignore")
        return make()

    return quietly


def tpe(problem: HpProblem, seed: int, workers: int) -> Peer:
    import optuna

    return Optuna(problem, _quiet(lambda: optuna.samplers.TPESampler(seed=seed)))


def tpe_multivariate(problem: HpProblem, seed: int, workers: int) -> Peer:
    import optuna

    return Optuna(
        problem,
        _quiet(
            lambda: optuna.samplers.TPESampler(
                seed=seed, multivariate=True, group=True, constant_liar=True
            )
        ),
    )


def optuna_gp(problem: HpProblem, seed: int, workers: int) -> Peer:
    import optuna

    return Optuna(problem, _quiet(lambda: optuna.samplers.GPSampler(seed=seed)))


class Smac:
    """SMAC3's facade for hyperparameter optimization through its ask and tell."""

    def __init__(self, problem: HpProblem, seed: int, n_trials: int) -> None:
        import logging
        import tempfile

        from smac import HyperparameterOptimizationFacade, Scenario

        logging.disable(logging.CRITICAL)
        self._problem = problem
        self._directory = tempfile.TemporaryDirectory()
        scenario = Scenario(
            problem.space,
            deterministic=True,
            n_trials=n_trials,
            seed=seed,
            output_directory=Path(self._directory.name),
        )
        self._smac = HyperparameterOptimizationFacade(
            scenario,
            lambda config, seed=0: 0.0,
            intensifier=HyperparameterOptimizationFacade.get_intensifier(
                scenario, max_config_calls=1
            ),
            overwrite=True,
            logging_level=False,
        )
        self._asked: dict[str, list[Any]] = {}

    def ask(self) -> Point:
        info = self._smac.ask()
        point = self._problem.point(info.config)
        self._asked.setdefault(repr(point), []).append(info)
        return point

    def tell(self, point: Point, objective: float | str) -> None:
        from smac.runhistory import StatusType, TrialValue

        info = self._asked[repr(point)].pop(0)
        failed = isinstance(objective, str)
        self._smac.tell(
            info,
            TrialValue(
                cost=1e9 if failed else -float(objective),
                status=StatusType.CRASHED if failed else StatusType.SUCCESS,
            ),
            save=False,
        )


def smac(problem: HpProblem, seed: int, workers: int) -> Peer:
    return Smac(problem, seed, n_trials=200 + workers)


def smac_300(problem: HpProblem, seed: int, workers: int) -> Peer:
    """SMAC3 for searches of 300 evaluations: its design depends on how many there are to be."""
    return Smac(problem, seed, n_trials=300 + workers)


def _remote(environment: Environment) -> Callable[[HpProblem, int, int], Peer]:
    def make(problem: HpProblem, seed: int, workers: int) -> Peer:
        return Remote(problem, seed, environment)

    return make


PEERS: dict[str, Callable[[HpProblem, int, int], Peer]] = {
    "deephyper": ours,
    "random": random,
    "skopt": skopt,
    "evolution": evolution,
    "evolution-published": evolution_published,
    "tpe": tpe,
    "tpe-multivariate": tpe_multivariate,
    "optuna-gp": optuna_gp,
    "smac": smac,
    "smac-300": smac_300,
    **{environment.name: _remote(environment) for environment in ENVIRONMENTS},
}


def known(name: str) -> Callable[[HpProblem, int, int], Peer]:
    if name not in PEERS:
        sys.exit(f"unknown peer {name}; choose from {', '.join(PEERS)}")
    return PEERS[name]
