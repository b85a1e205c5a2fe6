"""Anyone's own optimizer behind our interface."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from deephyper.errors import OptimizerError, ProblemError, SettingsError
from deephyper.job import Proposal
from deephyper.objective import Objective
from deephyper.optimizer.encoding import Key
from deephyper.optimizer.optimizer import Optimizer
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem


_log = logging.getLogger("deephyper.search")


class AskTell(Protocol):
    """The methods that an optimizer of your own needs; it maximizes."""

    def ask(self) -> Any:
        """Return a point: a mapping by name, or a sequence in the problem's order of names."""

    def tell(self, x: Any, y: float, /) -> Any:
        """Take in the objective of a point, in the form in which it was proposed."""


def check_ask_tell(optimizer: object) -> None:
    """Check that an object can propose points.

    Raises:
        SettingsError: if it is a class, or lacks one of the methods.
    """
    if isinstance(optimizer, type):
        raise SettingsError(
            f"optimizer is the class {optimizer.__name__}; give an object of it, as in: "
            f"{optimizer.__name__}()"
        )
    for name in ("ask", "tell"):
        if not callable(getattr(optimizer, name, None)):
            raise SettingsError(
                f"the optimizer, of type {type(optimizer).__name__}, has no method '{name}'; give "
                "an object with ask() and tell(point, objective)"
            )


class ExternalOptimizer(Optimizer):
    """Drives an object with `ask()` and `tell(x, y)`; the bookkeeping is ours.

    A proposal that isn't valid or was seen is replaced by a random unseen point. Points it didn't
    propose (starting points, replacements, a warm start) are told to it as mappings, or as
    sequences if that is what it proposes. Failures are told only if `failure_objective` is given.

    Args:
        problem: the space to search and its starting points.
        optimizer: the object that proposes.
        seed: makes our own replacements reproducible.
        failure_objective: the objective that stands for a failed evaluation.

    Raises:
        SettingsError: if the object is a class, or lacks `ask` or `tell`.
        OptimizerError: by `ask`, if what the object proposes is neither a mapping nor a sequence of
            as many values as there are hyperparameters.
    """

    def __init__(
        self,
        problem: BaseProblem,
        optimizer: AskTell,
        seed: int | None = None,
        failure_objective: float | None = None,
    ) -> None:
        check_ask_tell(optimizer)
        super().__init__(problem, seed)
        self.optimizer = optimizer
        self._failure_objective = failure_objective
        self._proposed: dict[Key, Any] = {}
        self._as_sequence = False
        self._n_invalid = 0

    @property
    def description(self) -> str:
        kind = type(self.optimizer)
        return f"{kind.__module__}.{kind.__qualname__}, passed by the caller"

    def _propose(self, n: int) -> Mapping[Key, Proposal]:
        proposals: dict[Key, Proposal] = {}
        for _ in range(n):
            proposed = self.optimizer.ask()
            point = self._named(proposed)
            try:
                point = self.problem.validate(self._active_part(point))
            except ProblemError as error:
                self._warn_once(point, error)
                continue  # replaced by the caller
            key = self._admit(point, proposals)
            if key is not None:
                self._proposed[key] = proposed
                proposals[key] = Proposal(point)
        return proposals

    def _learn(
        self,
        keys: Sequence[Key],
        points: Sequence[Point],
        objectives: Sequence[Objective | None],
    ) -> None:
        for key, point, objective in zip(keys, points, objectives, strict=True):
            proposed = self._proposed.pop(key, None)
            value = self._failure_objective if objective is None else objective
            if value is None:
                continue
            if proposed is None:
                proposed = self._completed(point) if self._as_sequence else dict(point)
            self.optimizer.tell(proposed, value)

    def _warn_once(self, point: Point, error: ProblemError) -> None:
        if self._n_invalid == 0:
            _log.warning(
                "the optimizer proposed %s, which isn't valid: %s; this and further invalid "
                "proposals are replaced by random points",
                point,
                error,
            )
        self._n_invalid += 1

    def _named(self, proposed: Any) -> Point:
        """Return what was proposed as a mapping by name."""
        if isinstance(proposed, Proposal):
            return dict(proposed.point)
        if isinstance(proposed, Mapping):
            return dict(proposed)
        if hasattr(proposed, "tolist"):
            proposed = proposed.tolist()
        if not isinstance(proposed, Sequence) or isinstance(proposed, str):
            raise OptimizerError(
                f"ask() of {type(self.optimizer).__name__} gave {proposed!r}; it must give a dict "
                "by name or a list in the problem's order of names"
            )
        names = self._encoding.names
        if len(proposed) != len(names):
            raise OptimizerError(
                f"ask() of {type(self.optimizer).__name__} gave {len(proposed)} values, but the "
                f"problem has {len(names)} hyperparameters: {', '.join(names)}"
            )
        self._as_sequence = True
        return dict(zip(names, proposed, strict=True))

    def _active_part(self, point: Point) -> Point:
        """Return the point without the values of inactive hyperparameters, if it is one."""
        try:
            vectors = self._encoding.vectors([point])
        except (KeyError, TypeError, ValueError, OverflowError):
            return point
        active = self._encoding.drop_inactive(vectors)[0]
        return {
            name: point[name]
            for name, v in zip(self._encoding.names, active, strict=True)
            if v == v
        }

    def _completed(self, point: Point) -> list[Any]:
        """Return the values of a point in order, defaults for inactive hyperparameters."""
        space = self.problem.space
        return [point.get(name, space[name].default_value) for name in self._encoding.names]
