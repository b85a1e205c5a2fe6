"""The settings of each rule that ends evaluations early, and their defaults.

Another package adds a rule by a subclass of `StopperSettings` and an entry point that names it::

    [project.entry-points."deephyper.stoppers"]
    toy = "toy.stopper:ToySettings"
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from deephyper.checks import real, whole
from deephyper.errors import SettingsError
from deephyper.option import Option
from deephyper.stopper.stopper import Stopper

_MIN_STEPS = Option(
    "min_steps",
    "Steps that every evaluation is given before it may be ended early.",
    kind="integer",
    at_least=1,
    metavar="N",
)


@dataclass(frozen=True)
class StopperSettings(ABC):
    """The settings of a rule; every field has a default, and a value that a journal can hold.

    Attributes:
        name: the rule's name in the registry.
        options: the fields that the command line offers.
    """

    name: ClassVar[str]
    options: ClassVar[tuple[Option, ...]] = ()

    @abstractmethod
    def create(self) -> Stopper | None:
        """Return the rule, which knows of no evaluation yet; None for none."""


@dataclass(frozen=True)
class NoSettings(StopperSettings):
    """No evaluation is ended early."""

    name: ClassVar[str] = "none"

    def create(self) -> None:
        return None


_STARTUP_EVALS = Option(
    "startup_evals",
    "Evaluations that have to end by themselves before one is ended early.",
    kind="integer",
    at_least=1,
    metavar="N",
)


@dataclass(frozen=True)
class CurveSettings(StopperSettings):
    """Settings of the rule that predicts learning curves, see :mod:`deephyper.stopper.curve`.

    Attributes:
        min_chance: an evaluation is paused that has a smaller chance to become the best.
        min_steps: step of the first prediction.
        startup_evals: evaluations that have to end by themselves before ends are predicted. Until
            then the worse half of what many have reported is paused.

    Raises:
        SettingsError: if one of them isn't a number, or isn't in its range.
    """

    name: ClassVar[str] = "curve"
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            "min_chance",
            "An evaluation is paused that has a smaller chance to become the best.",
            kind="number",
            at_least=0,
            metavar="NUMBER",
        ),
        _MIN_STEPS,
        _STARTUP_EVALS,
    )

    min_chance: float = 0.01
    min_steps: int = 1
    startup_evals: int = 3

    def __post_init__(self) -> None:
        chance = real("min_chance", self.min_chance, finite=True)
        if not chance < 1:
            raise SettingsError(f"min_chance is {chance:g}; give a number from 0 to below 1")
        object.__setattr__(self, "min_chance", chance)
        for name in ("min_steps", "startup_evals"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))

    def create(self) -> Stopper:
        from deephyper.stopper.curve import CurveRule

        return CurveRule(self)


@dataclass(frozen=True)
class AshaSettings(StopperSettings):
    """Settings of asynchronous successive halving, see :mod:`deephyper.stopper.asha`.

    Attributes:
        min_steps: step of the first comparison.
        reduction_factor: of those that are compared at a step the best one in so many continues;
            the next comparison is after as many times the steps.

    Raises:
        SettingsError: if one of them isn't a number, or isn't in its range.
    """

    name: ClassVar[str] = "asha"
    options: ClassVar[tuple[Option, ...]] = (
        _MIN_STEPS,
        Option(
            "reduction_factor",
            "Of the evaluations at a step one in so many continues.",
            kind="number",
            at_least=1,
            metavar="NUMBER",
        ),
    )

    min_steps: int = 1
    reduction_factor: float = 4.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "min_steps", whole("min_steps", self.min_steps, 1))
        factor = real("reduction_factor", self.reduction_factor, finite=True)
        if factor <= 1:
            raise SettingsError(f"reduction_factor is {factor:g}; give a number of more than 1")
        object.__setattr__(self, "reduction_factor", factor)

    def create(self) -> Stopper:
        from deephyper.stopper.asha import Asha

        return Asha(self)


@dataclass(frozen=True)
class MedianSettings(StopperSettings):
    """Settings of the median rule, see :mod:`deephyper.stopper.median`.

    Attributes:
        min_steps: step of the first comparison.
        startup_evals: evaluations that have to end by themselves before one is ended early.

    Raises:
        SettingsError: if one of them isn't a whole number of at least 1.
    """

    name: ClassVar[str] = "median"
    options: ClassVar[tuple[Option, ...]] = (
        _MIN_STEPS,
        _STARTUP_EVALS,
    )

    min_steps: int = 1
    startup_evals: int = 5

    def __post_init__(self) -> None:
        for name in ("min_steps", "startup_evals"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))

    def create(self) -> Stopper:
        from deephyper.stopper.median import MedianRule

        return MedianRule(self)
