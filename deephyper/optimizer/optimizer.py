"""What every optimizer shares: the ask/tell bookkeeping.

An engine only proposes and learns (`_propose`, `_learn` and, if it cares about pending points,
`_pend` and `_forget`). That starting points come first, that every point is valid, that none is
evaluated twice while unseen ones remain, and that a finite space runs out are decided here, once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from deephyper.errors import ProblemError, SpaceExhausted
from deephyper.optimizer.encoding import Array, Key, SpaceEncoding
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

    from deephyper.problem import HpProblem

FAILURE = "F_"
"""How the objective of a failed evaluation begins; what follows is the reason."""

_ENUMERABLE = 20_000
"""Finite spaces up to this many points are listed, so that what is left is known exactly."""
_TRIES = 6
"""Rounds of sampling for an unseen point before the space is walked through systematically."""


@dataclass(frozen=True)
class Prediction:
    """What an engine expects of a point.

    Attributes:
        mean: expected objective, in the user's units.
        std: standard deviation of it.
        acquisition: value of the acquisition function; the larger, the sooner it is proposed.
    """

    mean: float
    std: float
    acquisition: float


class Optimizer(ABC):
    """Proposes points to evaluate and learns from their objectives, which it maximises.

    Args:
        problem: the space to search and its starting points.
        seed: makes the proposals reproducible.
    """

    def __init__(self, problem: HpProblem, seed: int | None = None) -> None:
        self.problem = problem
        self.space = problem.space
        self.Xi: list[Point] = []
        self.yi: list[float | str] = []
        self._encoding = SpaceEncoding(problem.space)
        self._rng = np.random.default_rng(seed)
        self._starting: deque[Point] = deque(problem.starting_points)
        self._told: set[Key] = set()
        self._pending: dict[Key, Point] = {}
        self._predictions: dict[Key, Prediction] = {}
        """What was expected of pending points when they were proposed; engines fill it."""
        self._listed: Array | None = None
        if self._encoding.finite:
            self._listed = self._encoding.enumerate(_ENUMERABLE)
        if self._listed is not None:
            self._row_of = {row.tobytes(): i for i, row in enumerate(self._listed)}
            self._unseen = np.ones(len(self._listed), dtype=bool)

    # -- ask and tell -----------------------------------------------------------------------------

    @property
    def pending(self) -> list[Point]:
        """Points that were asked for and not yet told, oldest first."""
        return [dict(point) for point in self._pending.values()]

    @overload
    def ask(self, n_points: None = None, strategy: str | None = None) -> Point: ...

    @overload
    def ask(self, n_points: int, strategy: str | None = None) -> list[Point]: ...

    def ask(self, n_points: int | None = None, strategy: str | None = None) -> Point | list[Point]:
        """Propose what to evaluate next; it is pending until it is told or forgotten.

        Args:
            n_points: how many points; None for a single one, not in a list.
            strategy: the liar strategy of engines that have one.

        Returns:
            A point, or a list of `n_points` distinct ones; fewer when the space runs out.

        Raises:
            SpaceExhausted: when not one unseen point is left.
        """
        wanted = 1 if n_points is None else int(n_points)
        if wanted < 1:
            raise ValueError(f"n_points is {n_points}; ask for at least 1 point")
        asked: list[Point] = []
        while self._starting and len(asked) < wanted:
            self._accept(self._starting.popleft(), asked)
        missing = min(wanted - len(asked), self.n_unseen)
        if missing > 0:
            for point in self._propose(int(missing), strategy):
                if len(asked) < wanted and self._is_valid(point):
                    self._accept(point, asked)
                else:
                    self._predictions.pop(self._encoding.key(point), None)
            missing = min(wanted - len(asked), self.n_unseen)
            if missing > 0:
                for point in self._draw_unseen(int(missing)):
                    if self._is_valid(point):
                        self._accept(point, asked)
        if not asked:
            raise SpaceExhausted(
                f"every distinct point of the search space has been proposed ({self.n_seen} in "
                "all); there is nothing left to search"
            )
        return asked[0] if n_points is None else asked

    def tell(self, x: Point | Sequence[Point], y: float | str | Sequence[float | str]) -> None:
        """Learn the objective of one or several points, asked for or not.

        Args:
            x: a point, or several.
            y: its objective, to be maximised, or "F_reason" for a failed evaluation; as many as
                there are points. What isn't a finite number counts as failed.

        Raises:
            ProblemError: for a point that isn't of this space.
            ValueError: when there aren't as many objectives as points.
            TypeError: for an objective that is neither a number nor a string.
        """
        points: Sequence[Point] = [x] if isinstance(x, Mapping) else x
        y = y.tolist() if hasattr(y, "tolist") else y  # of numpy or pandas
        objectives = [y] if isinstance(y, str) or not isinstance(y, Sequence) else y
        if len(points) != len(objectives):
            raise ValueError(
                f"{len(points)} points but {len(objectives)} objectives; give one for each"
            )
        told = [_objective(value) for value in objectives]
        known = [self._checked(point) for point in points]
        for (key, point), value in zip(known, told, strict=True):
            self._pending.pop(key, None)
            self._predictions.pop(key, None)
            self._mark(point, unseen=False)
            self._told.add(key)
            self.Xi.append(point)
            self.yi.append(value)
        if known:
            self._learn(
                [point for _, point in known],
                [math.nan if isinstance(value, str) else value for value in told],
            )

    def tell_pending(self, points: Point | Sequence[Point]) -> None:
        """Say that points are being evaluated that weren't asked for, as on a resume.

        Raises:
            ProblemError: for a point that isn't of this space.
        """
        points = [points] if isinstance(points, Mapping) else points
        added: list[Point] = []
        for key, point in [self._checked(point) for point in points]:
            if key not in self._pending:
                self._pending[key] = point
                self._mark(point, unseen=False)
                added.append(point)
        if added:
            self._pend(added)

    def forget(self, points: Point | Sequence[Point]) -> None:
        """Say that pending points won't be told after all; they may be proposed again.

        Raises:
            ProblemError: for a point that isn't of this space.
        """
        points = [points] if isinstance(points, Mapping) else points
        gone: list[Point] = []
        for key, point in [self._checked(point) for point in points]:
            self._predictions.pop(key, None)
            if self._pending.pop(key, None) is not None:
                if key not in self._told:
                    self._mark(point, unseen=True)
                gone.append(dict(point))
        if gone:
            self._forget(gone)

    def get_result(self) -> OptimizeResult:
        """The search so far, in scipy's form: x, fun (the best point and its objective, None
        before the first one that didn't fail), x_iters, func_vals (NaN where failed)."""
        from scipy.optimize import OptimizeResult

        values = np.array([np.nan if isinstance(v, str) else v for v in self.yi], dtype=float)
        best = None if not np.isfinite(values).any() else int(np.nanargmax(values))
        return OptimizeResult(
            x=None if best is None else dict(self.Xi[best]),
            fun=None if best is None else float(values[best]),
            x_iters=[dict(point) for point in self.Xi],
            func_vals=values,
            space=self.space,
        )

    def explain(self, point: Point) -> Prediction | None:
        """What the model expects of a point, or None when there is no model (yet).

        Of a point that it proposed and that is pending still, what it expected then.

        Raises:
            ProblemError: for a point that isn't of this space.
        """
        key, point = self._checked(point)
        if key in self._predictions:
            return self._predictions[key]
        return self._predict(key, point)

    # -- what is left -----------------------------------------------------------------------------

    @property
    def n_seen(self) -> int:
        """Distinct points told or pending."""
        return len(self._told | self._pending.keys())

    @property
    def n_unseen(self) -> float:
        """Distinct points left; infinity where they can't be counted."""
        return math.inf if self._listed is None else int(self._unseen.sum())

    def _is_seen(self, key: Key) -> bool:
        return key in self._told or key in self._pending

    def _mark(self, point: Point, unseen: bool) -> None:
        if self._listed is not None:
            row = self._row_of.get(self._encoding.vectors([point])[0].tobytes())
            if row is not None:
                self._unseen[row] = unseen

    def _checked(self, point: Point) -> tuple[Key, Point]:
        """A point's key and canonical form; it is checked unless it is pending (and so was)."""
        try:
            key = self._encoding.key(point)
            if key in self._pending and bool(point == self._pending[key]):
                return key, self._pending[key]
        except (KeyError, TypeError, ValueError, OverflowError):
            pass  # the check says what is wrong, in the user's terms
        point = self.problem.validate(point)
        return self._encoding.key(point), point

    def _is_valid(self, point: Point) -> bool:
        """Whether a proposal is a point of the space.

        ConfigSpace decides conditions and clauses on vectors and the problem on values; where a
        float is within rounding of a limit the problem has the last word.
        """
        if not (self._encoding.conditional or self._encoding.constrained):
            return True
        try:
            self.problem.check_configuration(point)
        except ProblemError:
            return False
        return True

    def _accept(self, point: Point, asked: list[Point]) -> None:
        key = self._encoding.key(point)
        if not self._is_seen(key):
            self._pending[key] = dict(point)
            self._mark(point, unseen=False)
            asked.append(dict(point))
            self._pend([point])

    def _unseen_vectors(self) -> Array | None:
        """All unseen vectors of a space that could be listed, else None."""
        return None if self._listed is None else self._listed[self._unseen]

    def _draw_unseen(self, n: int) -> list[Point]:
        """Up to n distinct unseen points at random."""
        listed = self._unseen_vectors()
        if listed is not None:
            chosen = self._rng.permutation(len(listed))[:n]
            return self._encoding.points(listed[chosen])
        drawn: dict[Key, Point] = {}
        for _ in range(_TRIES):
            self._keep_unseen(self._encoding.sample(2 * n + 8, self._rng), n, drawn)
            if len(drawn) >= n:
                return list(drawn.values())
        for vectors in self._encoding.walk(self._rng):
            self._keep_unseen(vectors, n, drawn)
            if len(drawn) >= n:
                break
        return list(drawn.values())

    def _keep_unseen(self, vectors: Array, n: int, drawn: dict[Key, Point]) -> None:
        for point in self._encoding.points(vectors):
            if len(drawn) >= n:
                return
            key = self._encoding.key(point)
            if not self._is_seen(key):
                drawn.setdefault(key, point)

    # -- what an engine does ----------------------------------------------------------------------

    @abstractmethod
    def _propose(self, n: int, strategy: str | None) -> Sequence[Point]:
        """Propose n points; what is seen already is left out and replaced by the caller."""

    @abstractmethod
    def _learn(self, points: Sequence[Point], objectives: Sequence[float]) -> None:
        """Take in results; NaN is a failed evaluation. The points are pending no longer."""

    def _predict(self, key: Key, point: Point) -> Prediction | None:
        """What the model expects of a point of the space, or None without a model."""
        return None

    def _pend(self, points: Sequence[Point]) -> None:  # noqa: B027 - optional
        """Take in points that are being evaluated from now on."""

    def _forget(self, points: Sequence[Point]) -> None:  # noqa: B027 - optional
        """Drop points that were pending and won't be told."""


def _objective(value: Any) -> float | str:
    if isinstance(value, str):
        if not value.startswith(FAILURE):
            raise ValueError(f"objective '{value}' is neither a number nor '{FAILURE}<reason>'")
        return value
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise TypeError(
            f"objective {value!r} is of type {type(value).__name__}; give a number, or "
            f"'{FAILURE}<reason>' for a failed evaluation"
        ) from None
    return number if math.isfinite(number) else f"{FAILURE}not_finite"
