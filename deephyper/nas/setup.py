"""The setup of a search for networks: the data, the space, and how networks are trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from deephyper.errors import ProblemError
from deephyper.nas.calls import Call
from deephyper.nas.objective import Objective
from deephyper.nas.space import ArchitectureSpace
from deephyper.problem.domain import Domain
from deephyper.problem.point import Point, plain, show
from deephyper.suggest import did_you_mean

T = TypeVar("T")

DEFAULTS: Point = {
    "batch_size": 32,
    "learning_rate": None,
    "optimizer": "adam",
    "num_epochs": 10,
}
"""Values that a problem doesn't give; a learning rate of None is the usual one of the optimizer."""
_WHOLE = ("batch_size", "num_epochs")


@dataclass
class Setup:
    """Everything that a :class:`.NaProblem` knows beside its hyperparameters.

    Attributes:
        load_data: loads the data; None if it isn't given, as with all others.
        preprocessing: makes other data of them.
        search_space: makes the space.
        space: what it has made.
        fixed: values of the training that aren't searched, and the defaults of those that are.
        searched: names of the hyperparameters of the training.
        named_callbacks: arguments that aren't searched, by names of classes of ``keras.callbacks``.
        made_callbacks: functions that return a callback.
        loss: as it was given.
        metrics: as they were given; None if they weren't.
        objective: the objective.
    """

    load_data: Call | None = None
    preprocessing: Call | None = None
    search_space: Call | None = None
    space: ArchitectureSpace | None = None
    fixed: Point = field(default_factory=lambda: dict(DEFAULTS))
    searched: list[str] = field(default_factory=list)
    named_callbacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    made_callbacks: list[Callable[[], object]] = field(default_factory=list)
    loss: Any = None
    metrics: Any = None
    objective: Objective | None = None

    def complete(self) -> CompleteSetup:
        """Return the setup with everything that a search needs.

        Raises:
            ProblemError: something is missing, or the objective is not among the metrics.
        """
        metrics = [] if self.metrics is None else self.metrics
        load_data = _needed(self.load_data, "load_data")
        space = _needed(self.space, "search_space")
        loss = _needed(self.loss, "loss")
        objective = _needed(self.objective, "objective")
        self.check_objective(metrics)
        return CompleteSetup(self, space, objective, load_data, loss, metrics)

    def check_objective(self, metrics: Any) -> None:
        """Check that the objective is a metric, where that is known.

        Args:
            metrics: None while they are unknown.

        Raises:
            ProblemError: it isn't.
        """
        if self.objective is None or self.space is None or isinstance(metrics, Mapping):
            return
        if metrics is None or self.space.output_structure is not tuple:
            return  # the names have those of outputs before them
        names = ["loss"]
        for metric in metrics:
            name = metric if isinstance(metric, str) else getattr(metric, "name", None)
            name = name or getattr(metric, "__name__", None)
            if not isinstance(name, str):
                return
            names.append(name)
        self.objective.check([*names, *(f"val_{name}" for name in names)])

    def shown(self, domains: Mapping[str, Domain]) -> str:
        """Return the setup for people.

        Args:
            domains: of the hyperparameters.
        """

        def of(given: object) -> str:
            return "not given" if given is None else str(given)

        size = "" if self.space is None else f", {self.space.size:,} architectures"
        lines = [
            "Problem is:",
            f"    - search space   : {of(self.search_space)}{size}",
            f"    - data loading   : {of(self.load_data)}",
            f"    - preprocessing  : {of(self.preprocessing)}",
            "    - hyperparameters:",
        ]
        for name, value in self.fixed.items():
            if name in self.searched:
                lines.append(f"        * {name}: {domains[name]}")
            elif value is not None:
                lines.append(f"        * {name}: {name_of(value)}")
        for name, arguments in self.named_callbacks.items():
            words = [f"{key}={show(value)}" for key, value in arguments.items()]
            words += [
                f"{each.partition('.')[2]}={domains[each]}"
                for each in self.searched
                if each.startswith(f"{name}.")
            ]
            lines.append(f"        * {name}({', '.join(words)})")
        lines += [f"        * {name_of(each)}()" for each in self.made_callbacks]
        lines.append(f"    - loss           : {name_of(self.loss)}")
        lines.append("    - metrics        :")
        lines += [f"        * {name_of(each)}" for each in self.metrics or ()]
        lines.append(f"    - objective      : {of(self.objective)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class CompleteSetup:
    """A setup by which networks can be trained.

    Attributes:
        given: what the problem was given.
        space: of the networks.
        objective: the objective.
        load_data: loads the data.
        loss: as it was given.
        metrics: as they were given.
    """

    given: Setup
    space: ArchitectureSpace
    objective: Objective
    load_data: Call
    loss: Any
    metrics: Any

    def data(self) -> Any:
        """Load the data and preprocess them."""
        loaded, preprocessing = self.load_data(), self.given.preprocessing
        return loaded if preprocessing is None else preprocessing(loaded)

    def training(self, point: Mapping[str, Any]) -> Point:
        """Return how the network of a point is trained: values for all of :data:`DEFAULTS`.

        Args:
            point: name -> value; a value in it has priority over a fixed one.
        """
        given = {name: checked_value(name, point[name]) for name in DEFAULTS if name in point}
        return {name: given.get(name, self.given.fixed[name]) for name in DEFAULTS}

    def check(self, point: Mapping[str, Any]) -> None:
        """Check that the network of a point can be trained, as far as it is known without Keras.

        Args:
            point: name -> value.

        Raises:
            ProblemError: a value of the training can't be used, or nothing uses a value.
            ArchitectureError: the choices aren't those of a network.
        """
        self.check_names(point)
        self.training(point)
        self.space.validate(point)

    def check_names(self, names: Iterable[str]) -> None:
        """Check that each of these is a choice of the network or a value of the training.

        Raises:
            ProblemError: nothing uses one.
        """
        known = [*(choice.name for choice in self.space.choices), *DEFAULTS]
        for name in names:
            callback, _, argument = name.partition(".")
            if name not in known and not (argument and callback in self.given.named_callbacks):
                raise ProblemError(
                    f"no training uses {name!r}: {did_you_mean(name, known)}, or give a run"
                    " function of your own, which does"
                )

    def named_callbacks(self, point: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the arguments of callbacks, by names of classes of ``keras.callbacks``.

        Args:
            point: name -> value, those of the callbacks among them.
        """
        found = {name: dict(fixed) for name, fixed in self.given.named_callbacks.items()}
        for key, value in point.items():
            name, _, argument = key.partition(".")
            if argument and name in found:
                found[name][argument] = value
        return found


def checked_value(name: str, value: object) -> Any:
    """Return a value of the training.

    Args:
        name: as in :data:`DEFAULTS`; others are taken as they are.
        value: that a user gives.

    Raises:
        ProblemError: it can't be used.
    """
    value = plain(value)
    if name in _WHOLE and (type(value) is not int or value < 1):
        raise ProblemError(f"{name} has {show(value)}: give whole numbers from 1")
    if name == "learning_rate":
        number = type(value) in (int, float) and isinstance(value, (int, float))
        if not number or not 0 < value < float("inf"):  # type: ignore[operator]
            raise ProblemError(f"learning_rate has {show(value)}: give numbers above 0")
    if name == "optimizer" and not isinstance(value, str) and not callable(value):
        raise ProblemError(
            f"optimizer has {show(value)}: give names, as 'adam', or a function of the"
            " learning rate"
        )
    return value


def name_of(given: object) -> str:
    """Return what a user gave, in a few words."""
    if given is None:
        return "not given"
    if isinstance(given, (str, list, dict, int, float)):
        return str(given)
    name = getattr(given, "__name__", None)
    return name if isinstance(name, str) else type(given).__name__


def _needed(value: T | None, what: str) -> T:
    if value is None:
        raise ProblemError(f"the problem has no {what}: call Problem.{what}(...)")
    return value
