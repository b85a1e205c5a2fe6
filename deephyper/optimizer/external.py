"""Anyone's own optimizer behind our interface."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from deephyper.errors import ProblemError
from deephyper.optimizer.encoding import Key
from deephyper.optimizer.optimizer import Optimizer
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.problem import HpProblem


_log = logging.getLogger("deephyper.search")


class AskTell(Protocol):
    """What a foreign optimizer must offer; it maximises."""

    def ask(self) -> Any:
        """One point: a mapping by name, or a sequence in the problem's order of names."""

    def tell(self, x: Any, y: float) -> Any:
        """The objective of a point, in the form in which it was asked for."""


class ForeignOptimizer(Optimizer):
    """Drives an object with `ask()` and `tell(x, y)`; the bookkeeping is ours.

    A proposal that isn't valid or was seen is replaced by a random unseen point. Points it didn't
    propose (starting points, replacements, a warm start) are told to it as mappings, or as
    sequences if that is what it proposes. Failures are told only if `failure_objective` is given.

    Args:
        problem: the space to search and its starting points.
        optimizer: the object that proposes.
        seed: makes our own replacements reproducible.
        failure_objective: the objective that stands for a failed evaluation.
    """

    def __init__(
        self,
        problem: HpProblem,
        optimizer: AskTell,
        seed: int | None = None,
        failure_objective: float | None = None,
    ) -> None:
        super().__init__(problem, seed)
        for name in ("ask", "tell"):
            if not callable(getattr(optimizer, name, None)):
                raise TypeError(f"{optimizer!r} has no method '{name}'; it needs ask() and tell()")
        self.optimizer = optimizer
        self._failure_objective = failure_objective
        self._names = list(problem.hyperparameter_names)
        self._proposed: dict[Key, Any] = {}
        self._as_sequence = False
        self._n_invalid = 0

    def _propose(self, n: int, strategy: str | None) -> Sequence[Point]:
        points = []
        for _ in range(n):
            proposal = self.optimizer.ask()
            point = self._named(proposal)
            try:
                point = self.problem.validate(self._active_part(point))
            except ProblemError as error:
                if self._n_invalid == 0:
                    _log.warning(
                        "the optimizer proposed %s, which isn't valid: %s; this and further "
                        "invalid proposals are replaced by random points",
                        point,
                        error,
                    )
                self._n_invalid += 1
                continue  # replaced by the caller
            self._proposed[self._encoding.key(point)] = proposal
            points.append(point)
        return points

    def _learn(self, points: Sequence[Point], objectives: Sequence[float]) -> None:
        for point, objective in zip(points, objectives, strict=True):
            proposal = self._proposed.pop(self._encoding.key(point), None)
            if math.isnan(objective):
                if self._failure_objective is None:
                    continue
                objective = self._failure_objective
            if proposal is None:
                proposal = self._completed(point) if self._as_sequence else dict(point)
            self.optimizer.tell(proposal, objective)

    def _named(self, proposal: Any) -> Point:
        if isinstance(proposal, Mapping):
            return dict(proposal)
        if hasattr(proposal, "tolist"):
            proposal = proposal.tolist()
        if not isinstance(proposal, Sequence) or isinstance(proposal, str):
            raise TypeError(
                f"ask() of {type(self.optimizer).__name__} gave {proposal!r}; it must give a dict "
                "by name or a list in the problem's order of names"
            )
        if len(proposal) != len(self._names):
            raise ValueError(
                f"ask() of {type(self.optimizer).__name__} gave {len(proposal)} values, but the "
                f"problem has {len(self._names)} hyperparameters: {', '.join(self._names)}"
            )
        self._as_sequence = True
        return dict(zip(self._names, proposal, strict=True))

    def _active_part(self, point: Point) -> Point:
        """The point without the values of inactive hyperparameters, if it can be told."""
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
        return [point.get(name, self.space[name].default_value) for name in self._names]
