"""The ask/tell bookkeeping that all engines share.

An engine only proposes and learns (`_propose`, `_learn` and, if it has a use for them, `_pend`,
`_forget` and `_predict`). That starting points come first, that every point is valid, that none is
proposed twice while unseen ones remain, and that a finite space runs out are decided here, once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from array import array
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from deephyper.errors import OptimizerError, ProblemError, SpaceExhausted
from deephyper.job import Estimate, Prediction, Proposal
from deephyper.objective import FAILURE_PREFIX, Failure, Objective, read_objective
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.encoding import Key, SpaceEncoding
from deephyper.optimizer.fitted import Fitted
from deephyper.optimizer.sampling import Listing, Sampler, list_vectors
from deephyper.problem.point import Point, show

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem

_ENUMERABLE = 20_000
"""Finite spaces up to this many points are listed, so that what is left is known exactly."""
_TRIES = 6
"""Rounds of sampling for an unseen point before the space is walked through systematically."""


class Optimizer(ABC):
    """Proposes points to evaluate and learns from their objectives, which it maximizes.

    Args:
        problem: the space to search and its starting points.
        seed: makes the proposals reproducible.

    Attributes:
        problem: as given.

    Raises:
        ProblemError: if the space is empty or has a hyperparameter of an unknown kind.
    """

    def __init__(self, problem: BaseProblem, seed: int | None = None) -> None:
        self.problem = problem
        self._encoding = SpaceEncoding(problem.space)
        self._rng = np.random.default_rng(seed)
        self._sampler = Sampler(self._encoding, self._rng)
        self._starting: deque[Point] = deque(problem.starting_points)
        self._observed: set[Key] = set()
        self._told: list[Key] = []
        self._told_objectives = array("d")
        """NaN for a failure."""
        self._pending: dict[Key, Point] = {}
        self._estimates: dict[Key, Estimate] = {}
        """What is expected of pending points, where it was told."""
        listed = list_vectors(self._encoding, _ENUMERABLE)
        self._listing = None if listed is None else Listing(listed)

    @property
    def description(self) -> str:
        """The engine and its settings, in one line for the log."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    # -- ask and tell -----------------------------------------------------------------------------

    @property
    def observations(self) -> list[tuple[Point, Objective | None]]:
        """Every point that was told and its objective, None for a failure, in that order.

        The list is made when it is asked for.
        """
        return [
            (self._encoding.point(key), None if math.isnan(objective) else objective)
            for key, objective in zip(self._told, self._told_objectives, strict=True)
        ]

    @property
    def pending(self) -> list[Point]:
        """Points that were asked for and not yet told, oldest first."""
        return [dict(point) for point in self._pending.values()]

    @overload
    def ask(self, n_points: None = None) -> Proposal: ...

    @overload
    def ask(self, n_points: int) -> list[Proposal]: ...

    def ask(self, n_points: int | None = None) -> Proposal | list[Proposal]:
        """Propose what to evaluate next; it is pending until it is told or forgotten.

        Args:
            n_points: how many points; None for a single one, not in a list.

        Returns:
            A proposal, or a list of `n_points` distinct ones; fewer when the space runs out. Its
            prediction is None without a model, and where the model predicts nothing finite.

        Raises:
            SpaceExhausted: when not one unseen point is left.
            OptimizerError: if `n_points` is below 1.
        """
        wanted = 1 if n_points is None else int(n_points)
        if wanted < 1:
            raise OptimizerError(f"n_points is {n_points}; ask for at least 1 point")
        taken: dict[Key, Proposal] = {}
        while self._starting and len(taken) < wanted:
            point = self._starting.popleft()
            taken |= self._take([(self._encoding.key(point), Proposal(point))])
        for source in (self._propose, self._draw_unseen):
            missing = int(min(wanted - len(taken), self.n_unseen))
            if missing > 0:
                taken |= self._take(islice(source(missing).items(), missing))
        if not taken:
            raise SpaceExhausted(
                f"every distinct point of the search space has been proposed ({self.n_seen} in "
                "all); there is nothing left to search"
            )
        asked = [self._with_prediction(key, proposal) for key, proposal in taken.items()]
        return asked[0] if n_points is None else asked

    def tell(
        self,
        x: Point | Proposal | Sequence[Point | Proposal],
        y: float | str | Failure | Sequence[float | str | Failure],
    ) -> None:
        """Learn the objective of one or several points, asked for or not.

        Args:
            x: a point or a proposal, or several.
            y: its objective, to be maximized, or for a failed evaluation "F_reason" or a Failure;
                as many as there are points. NaN and infinities count as failed.

        Raises:
            ProblemError: for a point that isn't of this space.
            OptimizerError: when there aren't as many objectives as points, or one is neither a
                number nor a failure.
        """
        points = _points(x)
        y = y.tolist() if hasattr(y, "tolist") else y  # of numpy or pandas
        results = list(y) if isinstance(y, Sequence) and not isinstance(y, str) else [y]
        if len(points) != len(results):
            raise OptimizerError(
                f"{len(points)} points but {len(results)} objectives; give one for each"
            )
        objectives = [_read(result) for result in results]
        self._observe([self._checked(point) for point in points], objectives)

    def tell_known(self, known: Sequence[tuple[Point, Objective | Failure]]) -> None:
        """Learn results of which it is known that their points are of this space, as on a resume.

        Args:
            known: points as :meth:`.BaseProblem.validate` gives them, and what came of each.
        """
        keyed = [(self._encoding.key(point), point) for point, _ in known]
        self._observe(keyed, [None if isinstance(y, Failure) else y for _, y in known])

    def _observe(
        self, known: Sequence[tuple[Key, Point]], objectives: Sequence[Objective | None]
    ) -> None:
        """Learn the objectives of points."""
        for (key, point), objective in zip(known, objectives, strict=True):
            self._pending.pop(key, None)
            self._estimates.pop(key, None)
            self._mark(point, unseen=False)
            self._observed.add(key)
            self._told.append(key)
            self._told_objectives.append(math.nan if objective is None else objective)
        if known:
            self._learn([key for key, _ in known], [point for _, point in known], objectives)

    def tell_pending(self, points: Point | Proposal | Sequence[Point | Proposal]) -> None:
        """Say that points are being evaluated that weren't asked for, as on a resume.

        Raises:
            ProblemError: for a point that isn't of this space.
        """
        added: dict[Key, Point] = {}
        for key, point in [self._checked(point) for point in _points(points)]:
            if key not in self._pending:
                self._pending[key] = added[key] = point
                self._mark(point, unseen=False)
        if added:
            self._pend(added)

    def tell_partial(
        self,
        points: Point | Proposal | Sequence[Point | Proposal],
        estimates: Estimate | Sequence[Estimate],
    ) -> None:
        """Say what is expected of pending points: their evaluations run, wait or were ended early.

        They stay pending. What was expected of one before is replaced. An engine without a model
        does nothing.

        Args:
            points: a point or several, pending or not.
            estimates: what is expected of each.

        Raises:
            ProblemError: for a point that isn't of this space.
        """
        self.tell_pending(points)
        given = [estimates] if isinstance(estimates, Estimate) else estimates
        keys = [self._checked(point)[0] for point in _points(points)]
        self._estimates |= zip(keys, given, strict=True)
        self._estimate(keys)

    def forget(self, points: Point | Proposal | Sequence[Point | Proposal]) -> None:
        """Say that pending points won't be told after all; they may be proposed again.

        Raises:
            ProblemError: for a point that isn't of this space.
        """
        gone: dict[Key, Point] = {}
        for key, point in [self._checked(point) for point in _points(points)]:
            self._estimates.pop(key, None)
            if self._pending.pop(key, None) is not None:
                if key not in self._observed:
                    self._mark(point, unseen=True)
                gone[key] = point
        if gone:
            self._forget(gone)

    def predict(self, point: Point) -> Prediction | None:
        """Return what the model expects of a point; None without a model (yet).

        It brings the model up to date, as the next proposal would.

        Raises:
            ProblemError: for a point that isn't of this space.
        """
        return _finite(self._predict(*self._checked(point)))

    def take_turns(self, n_proposed: int) -> None:
        """Continue where an optimizer of the same seed was, by what this one was told.

        So points that are asked of one optimizer after the other are as varied as those of a
        single one.

        Args:
            n_proposed: points that the others have proposed, which were all told or are pending.
        """
        # By more than they can have drawn. What the seed has decided already is as it was.
        generator = self._rng.bit_generator
        assert isinstance(generator, np.random.PCG64)
        generator.advance(n_proposed << 64)
        self._take_turns(n_proposed)

    def fitted(self) -> Fitted | None:
        """Return what was fitted to the results; None for an engine that fits nothing (yet)."""
        return None

    def take_fitted(self, fitted: Fitted) -> None:  # noqa: B027 - optional
        """Propose with what another optimizer has fitted, until it is time to fit again.

        It was of the same space and settings, and knew some of the results that this one does.
        What none can have fitted is passed over.
        """

    # -- what is left -----------------------------------------------------------------------------

    @property
    def n_seen(self) -> int:
        """Number of distinct points that were told or are pending."""
        return len(self._observed | self._pending.keys())

    @property
    def n_unseen(self) -> float:
        """Number of distinct points left; infinity where they can't be counted."""
        return math.inf if self._listing is None else self._listing.n_unseen

    def _is_seen(self, key: Key) -> bool:
        return key in self._observed or key in self._pending

    def _mark(self, point: Point, *, unseen: bool) -> None:
        if self._listing is not None:
            self._listing.mark(self._encoding.vectors([point])[0], unseen=unseen)

    def _checked(self, point: Point) -> tuple[Key, Point]:
        """Return a point's key and canonical form; checked unless it is pending (and so was)."""
        key = None
        try:
            key = self._encoding.key(point)
            if key in self._pending and bool(point == self._pending[key]):
                return key, self._pending[key]
        except (KeyError, TypeError, ValueError, OverflowError):
            pass  # the check says what is wrong, in the user's terms
        canonical = self.problem.validate(point)
        if key is None or canonical != point:
            key = self._encoding.key(canonical)
        return key, canonical

    def _admit(self, point: Point, taken: Container[Key] = ()) -> Key | None:
        """Return the key of a point that may be proposed; None for any other.

        It may be if it is valid, wasn't seen, and isn't among those taken.
        """
        key = self._encoding.key(point)
        if self._is_seen(key) or key in taken or not self._is_valid(point):
            return None
        return key

    def _is_valid(self, point: Point) -> bool:
        """Return whether a point is one of the space.

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

    def _take(self, proposals: Iterable[tuple[Key, Proposal]]) -> dict[Key, Proposal]:
        """Make those that are unseen pending, and return them."""
        taken: dict[Key, Proposal] = {}
        for key, proposal in proposals:
            if not self._is_seen(key):
                point = self._pending[key] = dict(proposal.point)
                self._mark(point, unseen=False)
                taken[key] = Proposal(dict(point), proposal.prediction)
                self._pend({key: point})
        return taken

    def _with_prediction(self, key: Key, proposal: Proposal) -> Proposal:
        """Return a proposal with what the model expects, also of a point that it didn't choose."""
        prediction = proposal.prediction or self._predict(key, proposal.point)
        return Proposal(proposal.point, _finite(prediction))

    def _draw_unseen(self, n: int) -> dict[Key, Proposal]:
        """Return up to n distinct unseen points at random."""
        drawn: dict[Key, Proposal] = {}
        for vectors in self._batches_to_draw_from(n):
            for point in self._encoding.iterate(vectors):
                key = self._admit(point, drawn)
                if key is not None:
                    drawn[key] = Proposal(point)
                    if len(drawn) == n:
                        return drawn
        return drawn

    def _batches_to_draw_from(self, n: int) -> Iterator[Array]:
        """Yield valid vectors at random, in batches, until the space is gone through."""
        if self._listing is not None:
            unseen = self._listing.unseen
            chosen = self._rng.permutation(len(unseen))
            yield unseen[chosen[:n]]
            yield unseen[chosen[n:]]
        else:
            for _ in range(_TRIES):
                yield self._sampler.sample(2 * n + 8)
            yield from self._sampler.walk()

    # -- what an engine does ----------------------------------------------------------------------

    @abstractmethod
    def _propose(self, n: int) -> Mapping[Key, Proposal]:
        """Propose up to n points, by the keys under which `_admit` let them pass.

        Random points take the place of what is missing.
        """

    @abstractmethod
    def _learn(
        self,
        keys: Sequence[Key],
        points: Sequence[Point],
        objectives: Sequence[Objective | None],
    ) -> None:
        """Take in results; None is a failed evaluation. The points are pending no longer."""

    def _predict(self, key: Key, point: Point) -> Prediction | None:
        """Return what the model expects of a point of the space, or None without a model."""
        return None

    def _pend(self, points: Mapping[Key, Point]) -> None:  # noqa: B027 - optional
        """Take in points that are being evaluated from now on."""

    def _estimate(self, keys: Sequence[Key]) -> None:  # noqa: B027 - optional
        """Take in what is expected of pending points, in place of what was before."""

    def _take_turns(self, n_proposed: int) -> None:  # noqa: B027 - optional
        """Continue what is done in turn, after so many proposals."""

    def _forget(self, points: Mapping[Key, Point]) -> None:  # noqa: B027 - optional
        """Drop points that were pending and won't be told."""


def _points(given: Any) -> list[Any]:
    """Return a point or several, of which each may be a proposal, as a list of points."""
    if isinstance(given, (Mapping, Proposal)) or not isinstance(given, Iterable):
        given = [given]
    return [each.point if isinstance(each, Proposal) else each for each in given]


def _read(result: Any) -> Objective | None:
    """Return a told objective; None for a failed evaluation."""
    read = result if isinstance(result, Failure) else read_objective(result)
    if not isinstance(read, Failure):
        return read
    if read is not result and read.kind in ("none", "not_a_number"):
        raise OptimizerError(
            f"objective {show(result)} ({type(result).__name__}) is not a number; give one, or "
            f"'{FAILURE_PREFIX}<reason>' for a failed evaluation"
        )
    return None


def _finite(prediction: Prediction | None) -> Prediction | None:
    """Return a prediction that can be written down, else None."""
    if prediction is None or not math.isfinite(prediction.mean + prediction.std):
        return None
    return prediction
