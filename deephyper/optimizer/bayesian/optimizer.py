"""The default optimizer: a Gaussian process made for asynchronous search.

Reading order: `_next` (what is proposed), `_current` (when the model is fitted), `_rebuilt` (on
what points). The mathematics is in kernel.py, factor.py, surrogate.py and acquisition.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deephyper.job import Prediction, Proposal
from deephyper.objective import Objective
from deephyper.optimizer.arrays import Array, GrowingArray
from deephyper.optimizer.bayesian.design import SpaceFilling
from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.features import Features
from deephyper.optimizer.bayesian.kernel import Covariance, Parameters, fit
from deephyper.optimizer.bayesian.neighbors import Moves
from deephyper.optimizer.bayesian.pool import SIZE as POOL_SIZE
from deephyper.optimizer.bayesian.pool import Pool
from deephyper.optimizer.bayesian.surrogate import Surrogate
from deephyper.optimizer.bayesian.threads import one_blas_thread
from deephyper.optimizer.bayesian.transform import Transform
from deephyper.optimizer.encoding import Key
from deephyper.optimizer.optimizer import Optimizer
from deephyper.optimizer.settings import BayesianSettings
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

# Choices that were compared on the design half of the benchmark; RESULTS.md there has the figures.
N_INITIAL = 8
"""Results that are known before the model is used, however many are pending."""
GROWTH = 1.2
"""The parameters are fitted anew when there are this many times the results of the last fit."""
ITERATIONS = 12
MAX_FIT = 160
"""Of L-BFGS in a fit, and results that it uses."""
MAX_DISTANCES = 256_000
"""Distances between results by hyperparameters in a fit: with more than 20 of them it uses fewer
results, so that its time stays bounded."""
MAX_FINISHED, MAX_FAILED, MAX_PENDING = 300, 100, 300
"""Points in the model."""
SPARE = 48
"""Points that can be appended at least before a new factor is made."""
BASES = 8
"""Best finished points that candidates are made from."""
MARGINS = (0.05, 0.0, 0.3, 0.0)
"""Improvement that proposals ask for in turn, in standard deviations of the objective. Without it a
search polishes what it has; where many points share the best value it never leaves them."""
REFRESH = 4
"""Of several points asked for at once, every so many look for new candidates."""


class BayesianOptimizer(Optimizer):
    """Gaussian process over finished and pending points, log expected improvement.

    Args:
        problem: the space to search and its starting points.
        settings: of the engine; None for the defaults.
        seed: makes the proposals reproducible.
    """

    def __init__(
        self,
        problem: HpProblem,
        settings: BayesianSettings | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(problem, seed)
        self.settings = settings or BayesianSettings()
        self._n_initial = self.settings.n_initial_points or N_INITIAL
        self._features = Features(self._encoding)
        self._design = SpaceFilling(self._encoding, self._rng)
        moves = Moves(self._encoding, self._rng)
        self._pool = Pool(self._encoding, self._features, moves, self._rng)
        self._vectors = GrowingArray(self._encoding.n_dims)
        self._objectives = GrowingArray(1)
        """NaN for a failure."""
        self._parameters = Parameters.initial(self._features.n_groups)
        self._transform: Transform | None = None
        self._surrogate: Surrogate | None = None
        self._rows: dict[Key, int] = {}
        """Rows of the surrogate that are pending points."""
        self._proposed: dict[Key, Proposal] = {}
        """What this call of ask has proposed; pending as soon as it returns."""
        self._fitted_on = 0
        self._n_proposed = 0

    @property
    def description(self) -> str:
        return "deephyper's Gaussian process, the default"

    # -- hooks ------------------------------------------------------------------------------------

    def _propose(self, n: int) -> Mapping[Key, Proposal]:
        # All that are asked for at once go into one factor, up to what it may hold.
        if self._surrogate is not None and self._surrogate.factor.room < min(n, MAX_PENDING):
            self._surrogate = None
        with one_blas_thread():
            try:
                while len(self._proposed) < n and self._propose_next(n):
                    pass
                return self._proposed
            finally:
                self._proposed = {}

    def _learn(
        self,
        keys: Sequence[Key],
        points: Sequence[Point],
        objectives: Sequence[Objective | None],
    ) -> None:
        vectors = self._encoding.vectors(points)
        self._vectors.append(vectors)
        values = [math.nan if objective is None else objective for objective in objectives]
        self._objectives.append(np.array(values)[:, None])
        for key, vector, objective in zip(keys, vectors, objectives, strict=True):
            row = self._rows.pop(key, None)
            if row is None:
                row = self._append(vector)
            if self._surrogate is None or row is None:
                return  # the next one is made of all results
            if objective is not None:
                self._surrogate.set_result(row, self._transformed(objective))
            elif self._surrogate.knows_failures:
                self._surrogate.set_failed(row)
            else:
                self._surrogate = None
                return

    def _pend(self, points: Mapping[Key, Point]) -> None:
        for key, point in points.items():
            if self._surrogate is not None and key not in self._rows:
                self._append_pending(key, self._encoding.vectors([point])[0])

    def _forget(self, points: Mapping[Key, Point]) -> None:
        # A row can't be taken out of a factor; the next one is made without it.
        if points.keys() & self._rows.keys():
            self._surrogate = None

    def _predict(self, key: Key, point: Point) -> Prediction | None:
        if not self._ready():
            return None
        with one_blas_thread():
            surrogate = self._current()
            x = self._features(self._encoding.vectors([point]))
            outlook = surrogate.outlook_at(surrogate.factor.solve(x))
            row = self._rows.get(key)
            if row is not None:  # that it is being evaluated makes it no surer
                outlook.std = np.array([surrogate.std_without(row)])
            value = float(outlook.acquisition(surrogate.best)[0])
        return self._prediction(float(outlook.mean[0]), float(outlook.std[0]), value)

    def _prediction(self, mean: float, std: float, acquisition: float) -> Prediction:
        """From the model's units into those of the objective."""
        assert self._transform is not None
        low, middle, high = self._transform.inverse(np.array([mean - std, mean, mean + std]))
        return Prediction(float(middle), float(0.5 * high - 0.5 * low), acquisition)

    # -- proposing --------------------------------------------------------------------------------

    def _ready(self) -> bool:
        """Whether there are results enough for a model."""
        n = len(self._objectives)
        if n < self._n_initial or self._features.n_groups == 0:
            return False
        n_finite = int(np.isfinite(self._objectives.array).sum())
        return n_finite >= min(4, self._n_initial)

    def _propose_next(self, n: int) -> bool:
        """Propose one of the n points of an ask; return whether there was one."""
        if not self._ready():
            return self._propose_of_design()
        surrogate = self._current(n)
        self._n_proposed += 1
        margin = MARGINS[self._n_proposed % len(MARGINS)]
        best = surrogate.best + margin
        if len(self._proposed) % REFRESH == 0:
            y = self._objectives.array[:, 0]
            bases = np.argsort(np.where(np.isnan(y), -np.inf, y))[-BASES:]
            self._pool.freshen(self._vectors.array[bases], best, margin > 0.0)
        if self._propose_of_pool(best):
            return True
        self._pool.renew()
        return self._propose_of_pool(best)

    def _propose_of_pool(self, best: float) -> bool:
        """Propose the most promising candidate that is new; it is in the model from now."""
        outlook = self._pool.outlook()
        value = outlook.acquisition(best)
        for i in np.argsort(-value):
            vector = self._pool.vectors[i]
            point = self._encoding.points(vector[None, :])[0]
            key = self._admit(point, self._proposed)
            if key is not None:
                self._append_pending(key, vector)
                self._proposed[key] = Proposal(
                    point,
                    self._prediction(
                        float(outlook.mean[i]), float(outlook.std[i]), float(value[i])
                    ),
                )
                return True
        return False

    def _propose_of_design(self) -> bool:
        for _ in range(200):
            point = self._encoding.points(self._design.next())[0]
            key = self._admit(point, self._proposed)
            if key is not None:
                self._proposed[key] = Proposal(point)
                return True
        return False

    # -- the model --------------------------------------------------------------------------------

    def _append(self, vector: Array) -> int | None:
        """Add a point to the model, without a result; its row, or None if there is no room."""
        if self._surrogate is None or self._surrogate.factor.room == 0:
            self._surrogate = None
            return None
        row, diagonal = self._surrogate.append(self._features(vector[None, :])[0])
        self._pool.extend(row, diagonal)
        return len(row)

    def _append_pending(self, key: Key, vector: Array) -> None:
        row = self._append(vector)
        if row is not None:
            self._rows[key] = row

    def _transformed(self, objective: float) -> float:
        assert self._transform is not None
        return float(self._transform(np.array([objective]))[0])

    def _current(self, n_asked: int = 1) -> Surrogate:
        """The model, brought up to date; the parameters are fitted if there are enough results."""
        n = len(self._objectives)
        if n >= max(GROWTH * self._fitted_on, self._fitted_on + 1):
            self._fit()
            self._fitted_on = n
            self._surrogate = None
        if self._surrogate is None:
            self._surrogate = self._rebuilt(n_asked)
        return self._surrogate

    def _fit(self) -> None:
        y = self._objectives.array[:, 0]
        limit = min(MAX_FIT, math.isqrt(2 * MAX_DISTANCES // self._features.n_groups))
        chosen = _best_and_some(y, np.flatnonzero(np.isfinite(y)), limit, self._rng)
        self._transform = Transform.fit(y[chosen])
        t = self._transform(y[chosen])
        x = self._features(self._vectors.array[chosen])
        self._parameters, _ = fit(self._features, x, t, self._parameters, ITERATIONS)

    def _rebuilt(self, n_asked: int) -> Surrogate:
        """A new factor over the best and some of the other results, and what is pending."""
        y = self._objectives.array[:, 0]
        finite = np.isfinite(y)
        kept = _best_and_some(y, np.flatnonzero(finite), MAX_FINISHED, self._rng)
        failed = np.flatnonzero(~finite)[-MAX_FAILED:]
        proposed = {key: proposal.point for key, proposal in self._proposed.items()}
        pending = list((self._pending | proposed).items())[-MAX_PENDING:]
        vectors = np.concatenate(
            [
                self._vectors.array[np.concatenate([kept, failed])],
                self._encoding.vectors([point for _, point in pending]),
            ]
        )
        n, n_told = len(vectors), len(kept) + len(failed)
        covariance = Covariance(self._features, self._parameters)
        spare = max(SPARE, n // 6, min(n_asked, MAX_PENDING))
        factor = Factor(covariance, self._features(vectors), n + spare)
        assert self._transform is not None
        surrogate = Surrogate(factor, self._transform(y[kept]), len(failed))
        self._rows = {key: n_told + i for i, (key, _) in enumerate(pending)}
        unseen = self._unseen_vectors()
        few = unseen is not None and len(unseen) <= POOL_SIZE
        self._pool.attach(surrogate, unseen if few else None)
        return surrogate


def _best_and_some(
    y: Array, rows: NDArray[np.intp], limit: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """At most `limit` of the rows: the better half of them the best ones, the rest at random."""
    if len(rows) <= limit:
        return rows
    order = rows[np.argsort(-y[rows], kind="stable")]
    best = limit // 2
    return np.concatenate([order[:best], rng.choice(order[best:], limit - best, replace=False)])
