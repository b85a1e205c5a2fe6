"""The settings of each engine and their defaults.

The command line, the Python classes and the documentation read them from here. Nothing heavy is
imported, so that asking for help stays quick.

Another package adds an engine by a subclass of `Settings` and an entry point that names it::

    [project.entry-points."deephyper.optimizers"]
    toy = "toy.optimizer:ToySettings"
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from deephyper.checks import real, whole, whole_or_none
from deephyper.errors import SettingsError
from deephyper.option import Option

if TYPE_CHECKING:
    from deephyper.optimizer.optimizer import Optimizer
    from deephyper.problem import BaseProblem

SURROGATE_MODELS = ("RF", "ET", "GP", "GBRT", "DUMMY")
ACQ_FUNCS = ("LCB", "EI", "PI", "gp_hedge")
LIAR_STRATEGIES = ("cl_min", "cl_mean", "cl_max")


@dataclass(frozen=True)
class Settings(ABC):
    """The settings of an engine; every field has a default, and a value that a journal can hold.

    Attributes:
        name: the engine's name in the registry.
        default_stopper: the rule that ends evaluations early where none is asked for.
        options: the fields that the command line offers.
    """

    name: ClassVar[str]
    default_stopper: ClassVar[str] = "none"
    options: ClassVar[tuple[Option, ...]] = ()

    @property
    def predicts(self) -> bool:
        """False where proposals never have a prediction, because there is no model."""
        return True

    @abstractmethod
    def create(self, problem: BaseProblem, seed: int | None = None) -> Optimizer:
        """Return the engine for a problem; its module is imported only here.

        Raises:
            ProblemError: if the engine can't search the space.
        """


@dataclass(frozen=True)
class BayesianSettings(Settings):
    """Settings of deephyper's own Gaussian process, the default.

    Attributes:
        n_initial_points: results that are known before the model is used; None leaves it to the
            engine.

    Raises:
        SettingsError: if it isn't a whole number of at least 1.
    """

    name: ClassVar[str] = "bayesian"
    # The benchmark of early stopping has not seen it lose the end of a search.
    default_stopper: ClassVar[str] = "curve"

    n_initial_points: int | None = None

    def __post_init__(self) -> None:
        _set(self, "n_initial_points", whole_or_none("n_initial_points", self.n_initial_points, 1))

    def create(self, problem: BaseProblem, seed: int | None = None) -> Optimizer:
        from deephyper.optimizer.bayesian.optimizer import BayesianOptimizer

        return BayesianOptimizer(problem, self, seed=seed)


@dataclass(frozen=True)
class SkoptSettings(Settings):
    """Settings of scikit-optimize.

    Attributes:
        surrogate_model: one of :data:`SURROGATE_MODELS`; DUMMY is none, and draws at random.
        acq_func: acquisition function, one of :data:`ACQ_FUNCS`.
        liar_strategy: the objective that is assumed for pending points, one of
            :data:`LIAR_STRATEGIES`; stated for the objective that scikit-optimize minimizes, the
            negative of ours.
        kappa: weight of the standard deviation in LCB; larger explores more.
        xi: improvement that EI and PI ask for, in units of the objective.
        n_jobs: threads that fit a surrogate; -1 is all cores.
        n_initial_points: results that are known before the model is used; None leaves it to
            scikit-optimize.

    Raises:
        SettingsError: if one of them is none of its values, or of a wrong type.
    """

    name: ClassVar[str] = "skopt"
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            "surrogate_model",
            "Model of scikit-optimize; given alone, it chooses --optimizer skopt.",
            kind="choice",
            choices=SURROGATE_MODELS,
        ),
        Option(
            "acq_func",
            "Acquisition function of scikit-optimize.",
            kind="choice",
            choices=ACQ_FUNCS,
        ),
        Option(
            "liar_strategy",
            "The objective that scikit-optimize assumes for points being evaluated.",
            kind="choice",
            choices=LIAR_STRATEGIES,
        ),
        Option(
            "kappa",
            "Weight of the standard deviation in LCB; larger explores more.",
            kind="number",
            at_least=0,
            metavar="NUMBER",
        ),
        Option(
            "xi",
            "Improvement that EI and PI ask for.",
            kind="number",
            at_least=0,
            metavar="NUMBER",
        ),
        Option(
            "n_jobs",
            "Threads that fit scikit-optimize's model; -1 is all cores.",
            kind="integer",
            at_least=-1,
            metavar="N",
        ),
    )

    surrogate_model: str = "RF"
    acq_func: str = "gp_hedge"
    liar_strategy: str = "cl_min"
    kappa: float = 1.96
    xi: float = 0.001
    n_jobs: int = 1
    n_initial_points: int | None = None

    def __post_init__(self) -> None:
        _check_choice("surrogate model", self.surrogate_model, SURROGATE_MODELS)
        _check_choice("acquisition function", self.acq_func, ACQ_FUNCS)
        _check_choice("liar strategy", self.liar_strategy, LIAR_STRATEGIES)
        _set(self, "kappa", real("kappa", self.kappa, finite=True))
        _set(self, "xi", real("xi", self.xi, finite=True))
        _set(self, "n_jobs", _n_jobs(self.n_jobs))
        _set(self, "n_initial_points", whole_or_none("n_initial_points", self.n_initial_points, 1))

    @property
    def predicts(self) -> bool:
        return self.surrogate_model != "DUMMY"

    def create(self, problem: BaseProblem, seed: int | None = None) -> Optimizer:
        from deephyper.optimizer.skopt.optimizer import SkoptOptimizer

        return SkoptOptimizer(problem, self, seed=seed)


@dataclass(frozen=True)
class RandomSettings(Settings):
    """Settings of random search: none."""

    name: ClassVar[str] = "random"

    @property
    def predicts(self) -> bool:
        return False

    def create(self, problem: BaseProblem, seed: int | None = None) -> Optimizer:
        from deephyper.optimizer.random import RandomOptimizer

        return RandomOptimizer(problem, seed=seed)


@dataclass(frozen=True)
class EvolutionSettings(Settings):
    """Settings of regularized evolution.

    Attributes:
        population_size: points that live; the oldest dies when another is told.
        sample_size: points of them, drawn at random, the best of which is changed.

    Raises:
        SettingsError: if one of them isn't a whole number of at least 1.
    """

    name: ClassVar[str] = "evolution"
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            "population_size",
            "Latest points that new ones are made of.",
            kind="integer",
            at_least=1,
            metavar="N",
        ),
        Option(
            "sample_size",
            "Points of the population, the best of which is changed.",
            kind="integer",
            at_least=1,
            metavar="N",
        ),
    )

    population_size: int = 50
    sample_size: int = 20

    def __post_init__(self) -> None:
        for name in ("population_size", "sample_size"):
            _set(self, name, whole(name, getattr(self, name), 1))

    @property
    def predicts(self) -> bool:
        return False

    def create(self, problem: BaseProblem, seed: int | None = None) -> Optimizer:
        from deephyper.optimizer.evolution import EvolutionOptimizer

        return EvolutionOptimizer(problem, self, seed=seed)


def _set(settings: Settings, name: str, value: Any) -> None:
    """Set a field to its checked, plain value, while the settings are being made."""
    object.__setattr__(settings, name, value)


def _n_jobs(value: Any) -> int:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if whole and (value == -1 or value >= 1):
        return int(value)
    raise SettingsError(f"n_jobs is {value!r}; give 1 or more, or -1 for all cores")


def _check_choice(what: str, value: Any, known: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in known:
        raise SettingsError(f"unknown {what} {value!r}; choose one of {', '.join(known)}")
