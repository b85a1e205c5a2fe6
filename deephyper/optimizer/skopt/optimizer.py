"""scikit-optimize's own Optimizer behind our interface.

scikit-optimize minimizes and knows neither pending points nor conditions. So objectives change
their sign, pending points get the constant liar's objective (Ginsbourger, Le Riche and Carraro,
2010, Kriging is well-suited to parallelize optimization), inactive hyperparameters their default,
and a proposal that isn't valid or was seen gives way to the best valid candidate under the same
model. One surrogate is fitted for each call of ask that finds something new, however many points it
is asked for.

Its acquisition functions are expected improvement (Jones, Schonlau and Welch, 1998, Efficient
global optimization of expensive black-box functions), the probability of improvement (Kushner,
1964, A new method of locating the maximum point), the lower confidence bound (Srinivas and others,
2010, Gaussian process optimization in the bandit setting) and a choice among them that learns
(Hoffman, Brochu and de Freitas, 2011, Portfolio allocation for Bayesian optimization).
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deephyper.job import Prediction, Proposal
from deephyper.objective import Objective
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.encoding import Key
from deephyper.optimizer.optimizer import Optimizer
from deephyper.optimizer.settings import SkoptSettings
from deephyper.optimizer.skopt.rows import Rows
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.problem import BaseProblem

_log = logging.getLogger("deephyper.search")

_CANDIDATES = 2_000
"""Valid candidates that are ranked when scikit-optimize's own proposal can't be used."""
_N_INITIAL = 10
"""scikit-optimize's own default number of points before the first model."""
_HUGE = 1e100
"""Objectives that are larger are taken in a larger unit, so that their squares are finite."""


class SkoptOptimizer(Optimizer):
    """Bayesian optimization by scikit-optimize.

    Args:
        problem: the space to search and its starting points.
        settings: of the engine; None for the defaults.
        seed: makes the proposals reproducible.
    """

    def __init__(
        self, problem: BaseProblem, settings: SkoptSettings | None = None, seed: int | None = None
    ) -> None:
        super().__init__(problem, seed)
        self.settings = settings or SkoptSettings()
        self._rows = Rows(self._sampler)
        self._n_initial = self.settings.n_initial_points or _N_INITIAL
        self._predictor: _Model | None = None
        """A model for `predict`; None when out of date."""
        self._hedge: dict[str, Any] = {}
        """The state of gp_hedge, as attributes of scikit-optimize's optimizer."""
        self._warned = False

    @property
    def description(self) -> str:
        settings = self.settings
        if settings.surrogate_model == "DUMMY":
            return "random sampling, as scikit-optimize's surrogate model DUMMY"
        return (
            f"scikit-optimize with surrogate model {settings.surrogate_model}, acquisition "
            f"function {settings.acq_func}, liar strategy {settings.liar_strategy}"
        )

    # -- hooks ------------------------------------------------------------------------------------

    def _learn(
        self,
        keys: Sequence[Key],
        points: Sequence[Point],
        objectives: Sequence[Objective | None],
    ) -> None:
        self._predictor = None

    def _pend(self, points: Mapping[Key, Point]) -> None:
        self._predictor = None

    def _forget(self, points: Mapping[Key, Point]) -> None:
        self._predictor = None

    def _estimate(self, keys: Sequence[Key]) -> None:
        self._predictor = None

    def _propose(self, n: int) -> Mapping[Key, Proposal]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = self._fit(self._rng)
            if model is None:
                return self._draw_unseen(n)
            if self.settings.acq_func == "gp_hedge":
                optimizer = model.optimizer
                self._hedge = {"gains_": optimizer.gains_, "next_xs_": optimizer.next_xs_}
            chosen: dict[Key, Point] = {}
            own = self._own_proposal(model)
            if own is not None and (key := self._admit(own)) is not None:
                chosen[key] = own
            if len(chosen) < n:
                self._add_best_candidates(model, n, chosen)
            predictions = self._predict_by(model, list(chosen.values()))
        return {
            key: Proposal(point, prediction)
            for (key, point), prediction in zip(chosen.items(), predictions, strict=True)
        }

    def _predict(self, key: Key, point: Point) -> Prediction | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self._predictor is None:
                # With a copy, so that predicting changes nothing about what is proposed.
                self._predictor = self._fit(copy.deepcopy(self._rng))
            model = self._predictor
            return None if model is None else self._predict_by(model, [point])[0]

    # -- the model --------------------------------------------------------------------------------

    def _fit(self, rng: np.random.Generator) -> _Model | None:
        """Return a model of all results and of lies about pending points: estimates, if any.

        None before there are enough results, and where scikit-optimize can't fit one.
        """
        observations = self.observations
        results = [(point, -value) for point, value in observations if value is not None]
        # Results count, as in scikit-optimize: a model of two results and eight lies misleads.
        enough = len(results) >= 2 and len(observations) >= self._n_initial
        if not enough or not self._rows.dimensions or self.settings.surrogate_model == "DUMMY":
            return None
        values = [value for _, value in results]
        failed = [point for point, value in observations if value is None]
        points = [point for point, _ in results] + failed + list(self._pending.values())
        # A failure is as bad as the worst result: worse would distort the scale of the model.
        lie, worst = _lie(self.settings.liar_strategy, values), max(values)
        expected = [self._estimates.get(key) for key in self._pending]
        lies = [lie if estimate is None else min(-estimate.mean, worst) for estimate in expected]
        try:
            return self._fit_to(points, values + [worst] * len(failed) + lies, rng)
        except (ValueError, ArithmeticError) as error:
            if not self._warned:
                _log.warning(
                    "scikit-optimize can't fit its model (%s); points are drawn at random until "
                    "it can",
                    str(error).strip().partition("\n")[0],
                )
            self._warned = True
            return None

    def _fit_to(
        self, points: list[Point], objectives: list[float], rng: np.random.Generator
    ) -> _Model:
        """Return a model of points and their objectives, which are to be minimized."""
        import skopt

        settings = self.settings
        seed = int(rng.integers(2**31 - 1))
        optimizer = skopt.Optimizer(
            self._rows.dimensions,
            base_estimator=_surrogate(settings.surrogate_model, settings.n_jobs, seed),
            n_initial_points=0,
            acq_func=settings.acq_func,
            acq_func_kwargs={"kappa": settings.kappa, "xi": settings.xi},
            random_state=seed,
            n_jobs=settings.n_jobs,
        )
        # Each model starts without the lies of the last one, but with what hedging has learned.
        for name, value in self._hedge.items():
            setattr(optimizer, name, copy.copy(value))
        unit = max(1.0, max(abs(value) for value in objectives) / _HUGE)
        rows = self._rows(self._encoding.vectors(points))
        optimizer.tell(rows, [value / unit for value in objectives])
        return _Model(optimizer, unit)

    def _predict_by(self, model: _Model, points: list[Point]) -> list[Prediction]:
        if not points:  # nothing was found that is unseen; scikit-optimize fails at no rows
            return []
        settings = self.settings
        rows = model.transform(self._rows(self._encoding.vectors(points)))
        acq_func = "EI" if settings.acq_func == "gp_hedge" else settings.acq_func
        values = model.acquisition(rows, acq_func, settings)
        return [
            Prediction(-float(mean) * model.unit, float(std) * model.unit, float(value))
            for mean, std, value in zip(*model.moments(rows), values, strict=True)
        ]

    # -- proposing --------------------------------------------------------------------------------

    def _own_proposal(self, model: _Model) -> Point | None:
        """Return scikit-optimize's proposal; None if it is forbidden or was evaluated."""
        with warnings.catch_warnings():
            # It warns when its best was evaluated before; a random one is not what we want then.
            warnings.filterwarnings("error", "The objective has been evaluated", UserWarning)
            try:
                return self._rows.point(model.optimizer.ask())
            except UserWarning:
                return None

    def _add_best_candidates(self, model: _Model, n: int, chosen: dict[Key, Point]) -> None:
        """Add the best valid candidates under the model, until there are n points."""
        if self._listing is not None and self._listing.n_unseen <= _CANDIDATES + n:
            candidates = self._listing.unseen
        else:
            candidates = self._sampler.sample(_CANDIDATES + n)
        rows = model.transform(self._rows(candidates))
        acq_func = self.settings.acq_func
        if acq_func == "gp_hedge":
            gains = model.optimizer.gains_
            weights = np.exp(gains - np.max(gains))
            acq_func = str(self._rng.choice(["EI", "LCB", "PI"], p=weights / weights.sum()))
        if n > 1 and acq_func == "LCB":
            order = self._spread(model, rows, n)
        else:
            order = np.argsort(-model.acquisition(rows, acq_func, self.settings)).tolist()
        for i in order:
            if len(chosen) >= n:
                return
            point = self._encoding.points(candidates[i : i + 1])[0]
            key = self._admit(point, chosen)
            if key is not None:
                chosen[key] = point

    def _spread(self, model: _Model, rows: Array, n: int) -> list[int]:
        """Return n candidates that differ: each weighs the standard deviation by another kappa."""
        mean, std = model.moments(rows)
        kappas = self._rng.exponential(self.settings.kappa, size=n)
        kappas[0] = self.settings.kappa
        picked: list[int] = []
        for kappa in kappas:
            value = mean - kappa * std
            value[picked] = np.inf
            picked.append(int(np.argmin(value)))
        return picked


@dataclass(frozen=True)
class _Model:
    """A fitted scikit-optimize.

    Attributes:
        optimizer: a skopt.Optimizer that was told everything.
        unit: of the objectives that it was told.
    """

    optimizer: Any
    unit: float

    def transform(self, rows: list[list[Any]]) -> Array:
        """Return rows as the surrogate takes them, shape (n, p)."""
        return np.asarray(self.optimizer.space.transform(rows))

    def moments(self, rows: Array) -> tuple[Array, Array]:
        """Return the means and standard deviations at transformed rows, shape (n,)."""
        mean, std = self.optimizer.models[-1].predict(rows, return_std=True)
        return mean, std

    def acquisition(self, rows: Array, acq_func: str, settings: SkoptSettings) -> Array:
        """Return the acquisition of transformed rows, the larger the better, shape (n,)."""
        from skopt.acquisition import gaussian_ei, gaussian_lcb, gaussian_pi

        surrogate = self.optimizer.models[-1]
        if acq_func == "LCB":
            return -np.asarray(gaussian_lcb(rows, surrogate, kappa=settings.kappa))
        improvement = gaussian_ei if acq_func == "EI" else gaussian_pi
        best = float(np.min(self.optimizer.yi))
        return np.asarray(improvement(rows, surrogate, y_opt=best, xi=settings.xi))


def _lie(strategy: str, values: list[float]) -> float:
    """Return the objective that is assumed for pending points."""
    if strategy == "cl_mean":
        return sum(values) / len(values)
    return min(values) if strategy == "cl_min" else max(values)


def _surrogate(name: str, n_jobs: int, seed: int) -> Any:
    """Return a surrogate model in a form that scikit-optimize takes."""
    if name != "GBRT":
        return name
    from deephyper.optimizer.skopt.boosting import QuantileBoosting

    return QuantileBoosting(n_jobs=n_jobs, random_state=seed)
