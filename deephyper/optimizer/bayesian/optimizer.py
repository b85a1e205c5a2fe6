"""The default optimizer: a Gaussian process made for asynchronous search.

Reading order: `_propose_next` (what is proposed), `_current_surrogate` (when the model is fitted),
`_build_surrogate` (to what points). The mathematics is in kernel.py, factor.py, posterior.py,
surrogate.py and acquisition.py.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import ThreadpoolController

from deephyper.errors import ProblemError
from deephyper.job import Prediction, Proposal
from deephyper.objective import Objective
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.acquisition import LogExpectedImprovement, PosteriorMoments
from deephyper.optimizer.bayesian.candidates import SIZE as POOL_SIZE
from deephyper.optimizer.bayesian.candidates import Pool
from deephyper.optimizer.bayesian.design import Design
from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.features import Features
from deephyper.optimizer.bayesian.kernel import Covariance, Parameters, fit
from deephyper.optimizer.bayesian.observations import Observations
from deephyper.optimizer.bayesian.pace import CROWD, CROWD_PACE, USUAL_PACE, Pace
from deephyper.optimizer.bayesian.saved_fit import from_values, to_values
from deephyper.optimizer.bayesian.shares import RECENT, CategoryShares
from deephyper.optimizer.bayesian.surrogate import Surrogate
from deephyper.optimizer.bayesian.transform import Transform
from deephyper.optimizer.encoding import Key
from deephyper.optimizer.fitted import Fitted
from deephyper.optimizer.neighbors import Neighbors
from deephyper.optimizer.optimizer import Optimizer
from deephyper.optimizer.settings import BayesianSettings
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem

# Choices that were compared on the design half of the benchmark; RESULTS.md there has the figures.
N_INITIAL = 8
"""Results that are needed before the model is used, however many points are pending."""
GROWTH = 1.2
"""The parameters are fitted again when there are this many times the results of the last fit."""
ITERATIONS = 12
MAX_FIT = 160
"""Of L-BFGS in a fit, and results that it uses."""
MAX_DISTANCES = 256_000
"""Distances between results by hyperparameters in a fit: with more than 20 of them it uses fewer
results, so that its time stays bounded."""
BASES = 8
"""Best finished points that candidates are made from."""
MARGINS = (0.05, 0.0, 0.3, 0.0)
"""Improvement that proposals ask for in turn, in standard deviations of the objective. Without it a
search polishes what it has; where many points share the best value it never leaves them."""


class BayesianOptimizer(Optimizer):
    """Gaussian process over finished and pending points, log expected improvement.

    Args:
        problem: the space to search and its starting points.
        settings: of the engine; None for the defaults.
        seed: makes the proposals reproducible.
    """

    def __init__(
        self,
        problem: BaseProblem,
        settings: BayesianSettings | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(problem, seed)
        self.settings = settings or BayesianSettings()
        self._n_initial = self.settings.n_initial_points or N_INITIAL
        self._features = Features(self._encoding)
        self._design = Design(self._sampler, self._default())
        self._shares = CategoryShares(self._encoding.categories, self._rng)
        self._acquisition = LogExpectedImprovement()
        self._pool = Pool(
            self._sampler, self._features, Neighbors(self._sampler), self._acquisition
        )
        self._results = Observations(
            self._encoding.n_dims, USUAL_PACE.finished // 2, USUAL_PACE.failed
        )
        self._parameters = Parameters.initial(self._features.n_groups)
        self._transform: Transform | None = None
        self._surrogate: Surrogate | None = None
        self._rows: dict[Key, int] = {}
        """Rows of the surrogate that are pending points."""
        self._encoded: dict[Key, Array] = {}
        """Vectors of proposals that are pending."""
        self._proposed: dict[Key, Proposal] = {}
        """Proposals of the current call of ask; pending as soon as it returns."""
        self._fitted_on = 0
        self._n_proposed = 0
        self._n_refreshed = 0
        self._since_refresh = 0

    @property
    def description(self) -> str:
        return "deephyper's Gaussian process, the default"

    def fitted(self) -> Fitted | None:
        if self._transform is None:
            return None
        return Fitted(self._fitted_on, to_values(self._parameters, self._transform))

    def take_fitted(self, fitted: Fitted) -> None:
        # A fit to more results is not one to results of this search.
        if 0 < fitted.n_results <= len(self._results) + len(self._estimates):
            with contextlib.suppress(ValueError):
                self._parameters, self._transform = from_values(
                    fitted.values, self._features.n_groups
                )
                self._fitted_on = fitted.n_results
                self._surrogate = None

    def _default(self) -> Array:
        """Return the vector of the default point, shape (1, d); (0, d) where that isn't valid."""
        try:
            return self._encoding.vectors([self.problem.default_configuration])
        except ProblemError:
            return np.empty((0, self._encoding.n_dims))

    # -- hooks ------------------------------------------------------------------------------------

    def _propose(self, n: int) -> Mapping[Key, Proposal]:
        # All points of an ask go into one factor, up to what it may hold.
        if self._surrogate is not None and self._surrogate.factor.room < min(n, CROWD):
            self._surrogate = None
        with _one_blas_thread(), np.errstate(under="ignore"):
            try:
                while len(self._proposed) < n and self._propose_next(n):
                    pass
                return self._proposed
            finally:
                self._proposed = {}

    # Correlations of distant points become 0, whatever numpy is set to do about it.
    @np.errstate(under="ignore")
    def _learn(
        self,
        keys: Sequence[Key],
        points: Sequence[Point],
        objectives: Sequence[Objective | None],
    ) -> None:
        vectors = self._vectors_of(keys, points)
        values = [math.nan if objective is None else objective for objective in objectives]
        self._results.append(vectors, np.array(values))
        self._shares.learn(objectives, self._transform)
        for key, vector, objective in zip(keys, vectors, objectives, strict=True):
            row = self._rows.pop(key, None)
            self._encoded.pop(key, None)
            if self._surrogate is None or not self._surrogate.learns:
                continue
            if row is None:
                row = self._append(self._features(vector[None, :])[0])
            if row is not None:
                self._set_outcome(row, objective)

    def _set_outcome(self, row: int, objective: Objective | None) -> None:
        """Have the model know what came of a point of it."""
        assert self._surrogate is not None
        if objective is not None:
            self._surrogate.set_result(row, self._transformed(objective))
        elif not (self._surrogate.models_failures and self._surrogate.set_failed(row)):
            self._surrogate = None  # the next one will, with all results

    @np.errstate(under="ignore")
    def _pend(self, points: Mapping[Key, Point]) -> None:
        for key, point in points.items():
            if self._surrogate is not None and key not in self._rows:
                self._append_pending(key, self._features(self._vectors_of([key], [point]))[0])

    def _take_turns(self, n_proposed: int) -> None:
        self._n_proposed = self._n_refreshed = n_proposed
        pending = self._vectors_of(list(self._pending), list(self._pending.values()))
        recent = [*self._results.vectors[-RECENT:], *pending]
        self._shares.take_turns(recent[-RECENT:], n_proposed)

    def _forget(self, points: Mapping[Key, Point]) -> None:
        # A row can't be taken out of a factor; the next one is made without it.
        if points.keys() & self._rows.keys():
            self._surrogate = None
        for key in points:
            self._encoded.pop(key, None)

    @np.errstate(under="ignore")
    def _estimate(self, keys: Sequence[Key]) -> None:
        for key in keys:
            self._set_estimate(key)

    def _set_estimate(self, key: Key) -> None:
        """Have the model know what is expected of a pending point, if that is one of its rows."""
        row = self._rows.get(key)
        if row is None or self._surrogate is None or not self._surrogate.learns:
            return
        if not self._surrogate.set_estimate(row, *self._transformed_estimate(key)):
            self._surrogate = None

    def _predict(self, key: Key, point: Point) -> Prediction | None:
        if not self._is_ready():
            return None
        with _one_blas_thread(), np.errstate(under="ignore"):
            surrogate = self._current_surrogate()
            x = self._features(self._vectors_of([key], [point]))
            moments = surrogate.moments_at(surrogate.factor.solve(x))
            row = self._rows.get(key)
            if row is not None:  # that it is being evaluated makes it no more certain
                moments.std = np.array([surrogate.std_without(row)])
            value = self._acquisition(moments, surrogate.best)
        return self._prediction(moments, float(value[0]), 0)

    def _prediction(self, moments: PosteriorMoments, value: float, i: int) -> Prediction:
        """Return the prediction for candidate i in units of the objective."""
        assert self._transform is not None
        mean, std = float(moments.mean[i]), float(moments.std[i])
        low, middle, high = self._transform.inverse(np.array([mean - std, mean, mean + std]))
        return Prediction(float(middle), float(0.5 * high - 0.5 * low), value)

    # -- proposing --------------------------------------------------------------------------------

    def _is_ready(self) -> bool:
        """Return whether there are enough results for a model."""
        if self._features.n_groups == 0:
            return False
        if len(self._results) + len(self._estimates) < self._n_initial:
            return False
        return self._results.n_finished >= min(4, self._n_initial)

    @property
    def _is_crowded(self) -> bool:
        return len(self._pending) + len(self._proposed) - len(self._estimates) >= CROWD

    @property
    def _pace(self) -> Pace:
        return CROWD_PACE if self._is_crowded else USUAL_PACE

    def _propose_next(self, n: int) -> bool:
        """Propose one of the n points of an ask; return whether there was one."""
        if not self._is_ready():
            return self._propose_from_design()
        surrogate = self._current_surrogate(n)
        self._n_proposed += 1
        margin = MARGINS[self._n_proposed % len(MARGINS)]
        best = surrogate.best + margin
        self._refresh(best, n)
        if self._propose_from_pool(best):
            return True
        self._pool.resample()
        return self._propose_from_pool(best)

    def _refresh(self, best: float, n_asked: int) -> None:
        """Look for new candidates, if it is time."""
        first = not self._proposed and not self._is_crowded
        every = self._pace.refresh
        if self._is_crowded and n_asked > every:  # many workers wait: only with each new model
            every = self._pace.room
        if first or self._since_refresh >= every:
            bases = self._results.vectors[self._results.best(BASES)]
            # In turn, as the margins are where each proposal comes with new candidates.
            broadly = self._n_refreshed % 2 == 1
            self._pool.refresh(bases, best, broadly=broadly, effort=every / USUAL_PACE.refresh)
            self._n_refreshed += 1
            self._since_refresh = 0
        self._since_refresh += 1

    def _propose_from_pool(self, best: float) -> bool:
        """Propose the most promising candidate that is new, and add it to the model."""
        moments, value = self._pool.rank(best)
        for wanted in (self._shares.restrict(value, self._pool.vectors), value):
            while wanted[i := int(np.argmax(wanted))] > -np.inf:
                acquisition = float(value[i])
                self._pool.use(i)
                wanted[i] = value[i] = -np.inf
                vector = self._pool.vectors[i].copy()
                point = self._encoding.points(vector[None, :])[0]
                key = self._admit(point, self._proposed)
                if key is not None:
                    self._encoded[key] = vector
                    self._proposed[key] = Proposal(point, self._prediction(moments, acquisition, i))
                    self._append_pending(key, *self._pool.candidate(i))
                    self._shares.record(vector)
                    return True
        return False

    def _propose_from_design(self) -> bool:
        """Propose the next point of the space-filling design that is new."""
        for _ in range(200):
            vector = self._design.next()
            point = self._encoding.points(vector)[0]
            key = self._admit(point, self._proposed)
            if key is not None:
                self._encoded[key] = vector[0]
                self._proposed[key] = Proposal(point)
                return True
        return False

    # -- the model --------------------------------------------------------------------------------

    def _append(self, x: Array, solve: Array | None = None) -> int | None:
        """Add a point without a result to the model.

        Args:
            x: its features, shape (p,).
            solve: what the factor's `solve` gives for it; None if that isn't known.

        Returns:
            Its row; None if there is no room.
        """
        if self._surrogate is None or self._surrogate.factor.room == 0:
            self._surrogate = None
            return None
        row, diagonal = self._surrogate.append(x, solve)
        self._pool.append(row, diagonal)
        return len(row)

    def _append_pending(self, key: Key, x: Array, solve: Array | None = None) -> None:
        """Add a point to the model that has no result yet."""
        row = self._append(x, solve)
        if row is not None:
            self._rows[key] = row

    def _vectors_of(self, keys: Sequence[Key], points: Sequence[Point]) -> Array:
        """Return the vectors of points, shape (n, d)."""
        encoded = [self._encoded.get(key) for key in keys]
        missing = [point for point, v in zip(points, encoded, strict=True) if v is None]
        others = iter(self._encoding.vectors(missing)) if missing else iter(())
        rows = [next(others) if vector is None else vector for vector in encoded]
        return np.array(rows).reshape(len(rows), self._encoding.n_dims)

    def _transformed(self, objective: float) -> float:
        assert self._transform is not None
        return float(self._transform(np.array([objective]))[0])

    def _transformed_estimate(self, key: Key) -> tuple[float, float]:
        """Return mean and standard deviation of what is expected of a point, transformed."""
        assert self._transform is not None
        mean, std = self._estimates[key].mean, self._estimates[key].std
        nearby = 1e-3 * self._transform.typical
        low, middle, near, high = self._transform(
            np.array([mean - std, mean, mean + nearby, mean + std])
        )
        # Where the transform bends, a large deviation is not to be taken for a small one.
        return float(middle), float(max(0.5 * (high - low), (near - middle) / nearby * std))

    def _current_surrogate(self, n_asked: int = 1) -> Surrogate:
        """Return the model, brought up to date; its parameters are fitted when that is due."""
        n = len(self._results) + len(self._estimates)
        if n >= max(GROWTH * self._fitted_on, self._fitted_on + 1):
            self._fit()
            self._fitted_on = n
            self._surrogate = None
        if self._surrogate is None or not (self._surrogate.learns or self._is_crowded):
            self._surrogate = self._build_surrogate(n_asked)
        return self._surrogate

    def _fit(self) -> None:
        """Fit the transform of the objectives and the parameters of the kernel."""
        limit = min(MAX_FIT, math.isqrt(2 * MAX_DISTANCES // self._features.n_groups))
        n_estimated = min(len(self._estimates), max(limit - self._results.n_finished, limit // 4))
        estimated = list(self._estimates)[len(self._estimates) - n_estimated :]
        chosen = self._results.best_and_some(limit - n_estimated, self._rng)
        means = [self._estimates[key].mean for key in estimated]
        y = np.concatenate([self._results.objectives[chosen], means])
        self._transform = Transform.fit(y)
        stds = [self._transformed_estimate(key)[1] for key in estimated]
        own_noise = np.concatenate([np.zeros(len(chosen)), np.square(stds)])
        vectors = np.concatenate(
            [
                self._results.vectors[chosen],
                self._vectors_of(estimated, [self._pending[key] for key in estimated]),
            ]
        )
        self._parameters, _ = fit(
            self._features,
            self._features(vectors),
            self._transform(y),
            own_noise,
            self._parameters,
            ITERATIONS,
        )

    def _build_surrogate(self, n_asked: int) -> Surrogate:
        """Return a model of the best and some of the other results, and of what is pending."""
        pace = self._pace
        kept = self._results.best_and_some(pace.finished, self._rng)
        failed = self._results.failed[-pace.failed :]
        proposed = {key: proposal.point for key, proposal in self._proposed.items()}
        estimated = {key: self._pending[key] for key in self._estimates}
        running = {k: p for k, p in self._pending.items() if k not in self._estimates}
        pending = _newest(estimated, {}, pace.estimated) | _newest(running, proposed, pace.pending)
        vectors = np.concatenate(
            [
                self._results.vectors[np.concatenate([kept, failed])],
                self._vectors_of(list(pending), list(pending.values())),
            ]
        )
        n, n_observed = len(vectors), len(kept) + len(failed)
        covariance = Covariance(self._features, self._parameters)
        spare = max(pace.room, n // 6, min(n_asked, CROWD))
        factor = Factor(covariance, self._features(vectors), n + spare)
        assert self._transform is not None
        values = self._transform(self._results.objectives[kept])
        surrogate = Surrogate(factor, values, len(failed), learns=not self._is_crowded)
        self._rows = {key: n_observed + i for i, key in enumerate(pending)}
        self._surrogate = surrogate
        for key in pending:
            if key in self._estimates:
                self._set_estimate(key)
        few = self.n_unseen <= POOL_SIZE
        self._pool.rebind(surrogate, self._listing.unseen if self._listing and few else None)
        return surrogate


def _newest(pending: dict[Key, Point], proposed: dict[Key, Point], limit: int) -> dict[Key, Point]:
    """Return at most `limit` of the points, oldest first; those proposed are the newest."""
    rows = list(islice(reversed(proposed.items()), limit))
    rows += islice(reversed(pending.items()), limit - len(rows))
    return dict(reversed(rows))


def _one_blas_thread() -> AbstractContextManager[Any]:
    """Limit BLAS to one thread until the context ends: at these sizes more of them only wait."""
    context: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return context


@cache
def _controller() -> ThreadpoolController:
    # Made once: looking for the loaded libraries takes longer than an ask.
    return ThreadpoolController()
