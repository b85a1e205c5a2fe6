"""The default optimizer: a Gaussian process made for asynchronous search.

Reading order: `_propose` (what is proposed), `_rebuild` (when and on what the model is fitted),
`_learn`. The mathematics is in kernel.py, factor.py and acquisition.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deephyper.problem.point import Point
from deephyper.search.hps.optimizer.acquisition import log_expected_improvement, log_feasible
from deephyper.search.hps.optimizer.base import Optimizer, Prediction
from deephyper.search.hps.optimizer.candidates import Moves, Pool
from deephyper.search.hps.optimizer.encoding import Array, Key
from deephyper.search.hps.optimizer.factor import Factor
from deephyper.search.hps.optimizer.features import Features
from deephyper.search.hps.optimizer.initial import SpaceFilling
from deephyper.search.hps.optimizer.kernel import Parameters, fit
from deephyper.search.hps.optimizer.threads import one_blas_thread
from deephyper.search.hps.optimizer.transform import Transform

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

# Choices that were compared on the design half of the benchmark; RESULTS.md there has the figures.
N_INITIAL = 8
"""Results that are known before the model is used, however many are pending."""
GROWTH = 1.15
"""The model is fitted anew when there are this many times the results of the last fit."""
MAX_FIT = 160
"""Results that the parameters are fitted on."""
MAX_FINISHED = 400
"""Finished points in the model."""
MAX_PENDING = 400
"""Pending points in the model."""
POOL = 512
FRESH = 96
"""Candidates, and how many of them are replaced at each ask."""
STARTS, ROUNDS, TRIES = 5, 3, 12
"""Local search: best candidates it starts from, rounds, neighbours of each in a round."""
MARGIN = 0.05
"""Improvement asked for in every other proposal, in standard deviations of the objective."""


class BayesianOptimizer(Optimizer):
    """Gaussian process over finished and pending points, log expected improvement.

    Args:
        problem: the space to search and its starting points.
        seed: makes the proposals reproducible.
        n_initial_points: results that are known before the model is used; None for the default.
    """

    def __init__(
        self, problem: HpProblem, seed: int | None = None, n_initial_points: int | None = None
    ) -> None:
        super().__init__(problem, seed)
        self._n_initial = n_initial_points or N_INITIAL
        self._features = Features(self._encoding)
        self._design = SpaceFilling(self._encoding, self._rng)
        self._moves = Moves(self._encoding, self._rng)
        self._vectors = _Growing(self._encoding.n_dims)
        self._objectives = _Growing(1)
        self._parameters = Parameters.initial(self._features.n_groups)
        self._transform: Transform | None = None
        self._factor: Factor | None = None
        self._pool: Pool | None = None
        self._rows: dict[Key, int] = {}
        self._fitted_on = 0
        self._n_asked = 0
        self._dirty = True

    # -- hooks ------------------------------------------------------------------------------------

    def _propose(self, n: int, strategy: str | None) -> Sequence[Point]:
        proposed: dict[Key, Point] = {}
        with one_blas_thread():
            for _ in range(n):
                point = self._next(proposed)
                if point is None:
                    break
                proposed[self._encoding.key(point)] = point
        return list(proposed.values())

    def _learn(self, points: Sequence[Point], objectives: Sequence[float]) -> None:
        vectors = self._encoding.vectors(points)
        self._vectors.append(vectors)
        self._objectives.append(np.asarray(objectives, dtype=float)[:, None])
        if self._factor is None:
            return
        for point, vector, objective in zip(points, vectors, objectives, strict=True):
            row = self._rows.pop(self._encoding.key(point), None)
            if row is None:
                row = self._append(vector)
                if row is None:
                    return
            self._set(row, objective)

    def _pend(self, points: Sequence[Point]) -> None:
        if self._factor is None:
            return
        for point in points:
            key = self._encoding.key(point)
            if key not in self._rows:
                row = self._append(self._encoding.vectors([point])[0])
                if row is None:
                    return
                self._rows[key] = row

    def _forget(self, points: Sequence[Point]) -> None:
        # A row can't be taken out of a factor; the next one is built without it.
        if any(self._encoding.key(point) in self._rows for point in points):
            self._factor = None

    def explain(self, point: Point) -> Prediction | None:
        with one_blas_thread():
            if not self._ready():
                return None
            self._update()
            assert self._factor is not None
            assert self._transform is not None
            x = self._features(self._encoding.vectors([point]))
            solves = self._factor.solve(x)
            mean, std, value = self._score(
                self._z @ solves, np.maximum(1.0 - (solves**2).sum(0), 1e-10), 0.0, solves
            )
        low, middle, high = self._transform.inverse(
            np.array([mean[0] - std[0], mean[0], mean[0] + std[0]])
        )
        return Prediction(float(middle), float(0.5 * (high - low)), float(value[0]))

    # -- proposing --------------------------------------------------------------------------------

    def _ready(self) -> bool:
        n = len(self._objectives)
        if n < self._n_initial or self._features.n_groups == 0:
            return False
        return int(np.isfinite(self._objectives.array[:, 0]).sum()) >= min(4, self._n_initial)

    def _next(self, proposed: dict[Key, Point]) -> Point | None:
        if not self._ready():
            return self._from_design(proposed)
        self._update()
        assert self._factor is not None
        self._n_asked += 1
        margin = MARGIN if self._n_asked % 2 else 0.0
        self._freshen(margin)
        assert self._pool is not None
        value = self._pool_values(margin)
        for i in np.argsort(-value):
            vector = self._pool.vectors[i]
            point = self._encoding.points(vector[None, :])[0]
            key = self._encoding.key(point)
            if key in proposed or self._is_seen(key) or not self._is_valid(point):
                continue
            row = self._append(vector)
            if row is not None:
                self._rows[key] = row
            return point
        return None

    def _from_design(self, proposed: dict[Key, Point]) -> Point | None:
        for _ in range(200):
            point = self._encoding.points(self._design.next())[0]
            key = self._encoding.key(point)
            if key not in proposed and not self._is_seen(key) and self._is_valid(point):
                return point
        return None

    def _freshen(self, margin: float) -> None:
        """Replace the least promising candidates, then climb from the most promising."""
        pool, factor = self._pool, self._factor
        assert pool is not None
        assert factor is not None
        if self._whole:
            return
        order = np.argsort(-self._pool_values(margin))
        bases = self._best_vectors(8)
        n_uniform = FRESH // 3
        n_near = FRESH - n_uniform
        scales = np.exp(self._rng.uniform(math.log(0.003), math.log(0.3), size=n_near))
        near = self._moves.perturb(bases[self._rng.integers(len(bases), size=n_near)], scales)
        fresh = np.concatenate([self._encoding.sample(n_uniform, self._rng), near])
        x = self._features(fresh)
        solves = factor.solve(x)
        pool.replace(order[-len(fresh) :], fresh, x, solves)
        self._climb(margin)

    def _climb(self, margin: float) -> None:
        pool, factor = self._pool, self._factor
        assert pool is not None
        assert factor is not None
        value = self._pool_values(margin)
        order = np.argsort(-value)
        tops = order[:STARTS]
        best, best_value = pool.vectors[tops].copy(), value[tops].copy()
        best_x: list[Array | None] = [None] * len(tops)
        best_solves: list[Array | None] = [None] * len(tops)
        for scale in (0.1, 0.03, 0.01)[:ROUNDS]:
            bases = np.repeat(np.arange(len(tops)), TRIES)
            scales = scale * np.exp(self._rng.normal(size=len(bases)) * 0.5)
            tried = self._moves.perturb(best[bases], scales)
            if len(tried) == 0:
                continue
            x = self._features(tried)
            solves = factor.solve(x)
            _, _, values = self._score(
                self._z @ solves, np.maximum(1.0 - (solves**2).sum(0), 1e-10), margin, solves
            )
            # A forbidden neighbour is missing, so bases no longer line up: the best tries replace
            # the worst starts they beat.
            for i in np.argsort(-values)[: len(tops)]:
                worst = int(np.argmin(best_value)) if len(tried) != len(bases) else bases[i]
                if values[i] > best_value[worst]:
                    best[worst], best_value[worst] = tried[i], values[i]
                    best_x[worst], best_solves[worst] = x[i], solves[:, i]
        changed = [i for i in range(len(tops)) if best_x[i] is not None]
        if changed:
            pool.replace(
                order[-len(changed) :],
                best[changed],
                np.stack([best_x[i] for i in changed]),  # type: ignore[misc]
                np.stack([best_solves[i] for i in changed], axis=1),  # type: ignore[misc]
            )

    def _pool_values(self, margin: float) -> Array:
        assert self._pool is not None
        mean, variance = self._pool.predict(self._z)
        risk = None if self._z_failed is None else self._pool.predict(self._z_failed)[0]
        return self._score(mean, variance, margin, None, risk)[2]

    def _score(
        self,
        mean: Array,
        variance: Array,
        margin: float,
        solves: Array | None,
        risk: Array | None = None,
    ) -> tuple[Array, Array, Array]:
        """Mean, deviation and acquisition, in units of the transformed objective."""
        std = np.sqrt(variance * self._signal)
        value = log_expected_improvement(mean, std, self._best + margin)
        if self._z_failed is not None:
            if risk is None:
                assert solves is not None
                risk = self._z_failed @ solves
            value = value + log_feasible(self._failure_rate + risk)
        return mean, std, value

    def _best_vectors(self, k: int) -> Array:
        """Vectors of the k best finished points."""
        y = self._objectives.array[:, 0]
        order = np.argsort(np.where(np.isnan(y), -np.inf, y))[::-1][:k]
        return self._vectors.array[order]

    # -- the model --------------------------------------------------------------------------------

    def _append(self, vector: Array) -> int | None:
        """Add a point without a result to the factor and the pool; None if there is no room."""
        factor = self._factor
        if factor is None or factor.full:
            self._factor = None
            return None
        row, diagonal = factor.append(self._features(vector[None, :])[0])
        if self._pool is not None:
            self._pool.extend(row, diagonal)
        # Its value is what the model predicts, so nothing changes for the mean elsewhere.
        self._values = np.append(self._values, float(row @ self._z))
        self._z = np.append(self._z, 0.0)
        self._known = np.append(self._known, False)
        self._failed = np.append(self._failed, False)
        if self._z_failed is not None:
            self._risks = np.append(self._risks, float(row @ self._z_failed))
            self._z_failed = np.append(self._z_failed, 0.0)
        return factor.n - 1

    def _set(self, row: int, objective: float) -> None:
        self._dirty = True
        if math.isnan(objective):
            self._failed[row] = True
            return
        assert self._transform is not None
        self._values[row] = float(self._transform(np.array([objective]))[0])
        self._known[row] = True

    def _update(self) -> None:
        """Bring the model up to date with the results; fit it if there are enough new ones."""
        n = len(self._objectives)
        due = n >= max(GROWTH * self._fitted_on, self._fitted_on + 1)
        if self._factor is None or self._factor.full or due:
            self._rebuild(refit=due)
        if self._dirty:
            self._condition()

    def _rebuild(self, refit: bool) -> None:
        """Choose the points of the model, fit its parameters if due, factor anew."""
        y = self._objectives.array[:, 0]
        finite = np.flatnonzero(np.isfinite(y))
        failed = np.flatnonzero(~np.isfinite(y))
        if refit or self._transform is None:
            chosen = _best_and_some(y, finite, MAX_FIT, self._rng)
            self._transform = Transform.fit(y[chosen])
            x = self._features(self._vectors.array[chosen])
            t = self._transform(y[chosen])
            self._parameters, _ = fit(
                self._features, x, t - t.mean(), self._parameters, iterations=12
            )
            self._fitted_on = len(y)
        kept = _best_and_some(y, finite, MAX_FINISHED, self._rng)
        kept_failed = failed[-MAX_FINISHED // 2 :]
        pending = list(self._pending.items())[-MAX_PENDING:]
        rows = np.concatenate([kept, kept_failed])
        vectors = np.concatenate(
            [self._vectors.array[rows], self._encoding.vectors([point for _, point in pending])]
        )
        n = len(vectors)
        self._factor = Factor(
            self._features, self._parameters, self._features(vectors), n + max(64, n // 4)
        )
        self._rows = {key: len(rows) + i for i, (key, _) in enumerate(pending)}
        self._known = np.zeros(n, dtype=bool)
        self._known[: len(kept)] = True
        self._failed = np.zeros(n, dtype=bool)
        self._failed[len(kept) : len(rows)] = True
        self._values = np.zeros(n)
        self._values[: len(kept)] = self._transform(y[kept])
        self._risks = np.zeros(n)
        listed = self._unseen_vectors()
        self._whole = listed is not None and len(listed) <= POOL
        if self._whole:
            assert listed is not None
            candidates = listed.copy()
        elif self._pool is not None and len(self._pool) == POOL:
            candidates = self._pool.vectors
        else:
            candidates = self._encoding.sample(POOL, self._rng)
        self._pool = Pool(self._features, self._factor, candidates)
        self._condition()

    def _condition(self) -> None:
        """Predict pending and failed points from the finished ones; find the incumbent."""
        factor = self._factor
        assert factor is not None
        self._z = factor.believe(self._values, self._known)
        alpha = factor.inverse.T @ self._z
        # Signal variance by maximum likelihood; pending points contribute nothing to it.
        n_known = int(self._known.sum())
        self._signal = max(float(self._z @ self._z) / max(n_known, 1), 1e-6)
        smoothed = self._values - self._parameters.noise * alpha
        self._best = float(smoothed[self._known].max()) if n_known else 0.0
        if self._failed.any():
            told = self._known | self._failed
            rate = (self._failed.sum() + 0.5) / (told.sum() + 1.0)
            self._failure_rate = float(rate)
            self._risks = np.where(told, self._failed - rate, np.resize(self._risks, factor.n))
            self._z_failed: Array | None = factor.believe(self._risks, told)
        else:
            self._failure_rate = 0.0
            self._z_failed = None
        self._dirty = False


def _best_and_some(y: Array, rows: Array, limit: int, rng: np.random.Generator) -> Array:
    """At most `limit` of the rows: the better half of them the best ones, the rest at random."""
    if len(rows) <= limit:
        return rows
    order = rows[np.argsort(-y[rows], kind="stable")]
    best = limit // 2
    return np.concatenate([order[:best], rng.choice(order[best:], limit - best, replace=False)])


class _Growing:
    """An array that rows are appended to."""

    def __init__(self, width: int) -> None:
        self._buffer = np.empty((64, width))
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def append(self, rows: Array) -> None:
        n = self._n + len(rows)
        if n > len(self._buffer):
            grown = np.empty((max(n, 2 * len(self._buffer)), self._buffer.shape[1]))
            grown[: self._n] = self._buffer[: self._n]
            self._buffer = grown
        self._buffer[self._n : n] = rows
        self._n = n

    @property
    def array(self) -> Array:
        return self._buffer[: self._n]
