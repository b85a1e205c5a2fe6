"""scikit-optimize's own Optimizer behind our interface: the classic loop, with its surrogates.

scikit-optimize minimises and knows neither pending points nor conditions. So objectives change
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
from typing import TYPE_CHECKING, Any

import numpy as np

from deephyper.job import Prediction, Proposal
from deephyper.objective import Objective
from deephyper.optimizer.arrays import Array
from deephyper.optimizer.encoding import Key
from deephyper.optimizer.optimizer import Optimizer
from deephyper.optimizer.settings import SkoptSettings
from deephyper.problem.point import Point

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

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
        self, problem: HpProblem, settings: SkoptSettings | None = None, seed: int | None = None
    ) -> None:
        super().__init__(problem, seed)
        self.settings = settings or SkoptSettings()
        self._dimensions = _dimensions(self._encoding)
        self._defaults = self._encoding.vectors([_defaults(self._encoding)])[0]
        self._n_initial = self.settings.n_initial_points or _N_INITIAL
        self._model: Any = None
        """Fitted to all that is known now, with lies; None when out of date."""
        self._aside: Any = None
        """The same, made to predict: it changes nothing about what is proposed next."""
        self._hedge: dict[str, Any] = {}
        self._complained = False

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
        self._model = self._aside = None

    def _pend(self, points: Mapping[Key, Point]) -> None:
        self._model = self._aside = None

    def _forget(self, points: Mapping[Key, Point]) -> None:
        self._model = self._aside = None

    def _propose(self, n: int) -> Mapping[Key, Proposal]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = self._fitted()
            if model is None:
                return self._draw_unseen(n)
            chosen: dict[Key, Point] = {}
            for point in self._own_proposal(model):
                key = self._admit(point)
                if key is not None:
                    chosen[key] = point
            if len(chosen) < n:
                self._add_best_candidates(model, n, chosen)
            predictions = self._predicted_by(model, list(chosen.values()))
        return {
            key: Proposal(point, prediction)
            for (key, point), prediction in zip(chosen.items(), predictions, strict=True)
        }

    def _predict(self, key: Key, point: Point) -> Prediction | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = self._fitted(aside=True)
            return None if model is None else self._predicted_by(model, [point])[0]

    # -- the model --------------------------------------------------------------------------------

    def _fitted(self, *, aside: bool = False) -> Any:
        """scikit-optimize's optimizer, told all results and the lies; None before the first."""
        results = [(point, -value) for point, value in self.observations if value is not None]
        # Results count, as in scikit-optimize: a model of two results and eight lies misleads.
        enough = len(results) >= 2 and len(self.observations) >= self._n_initial
        if not enough or not self._dimensions or self.settings.surrogate_model == "DUMMY":
            return None
        if self._model is not None:
            return self._model
        if aside and self._aside is not None:
            return self._aside
        values = [value for _, value in results]
        failed = [point for point, value in self.observations if value is None]
        lie = _lie(self.settings.liar_strategy, values)
        points = [point for point, _ in results] + failed + list(self._pending.values())
        # A failure is as bad as the worst result: worse would distort the scale of the model.
        objectives = values + [max(values)] * len(failed) + [lie] * len(self._pending)
        rng = copy.deepcopy(self._rng) if aside else self._rng
        try:
            model = self._fit(points, objectives, rng)
        except (ValueError, ArithmeticError) as error:
            if not self._complained:
                _log.warning(
                    "scikit-optimize can't fit its model (%s); points are drawn at random until "
                    "it can",
                    str(error).strip().partition("\n")[0],
                )
            self._complained = True
            return None
        if aside:
            self._aside = model
            return model
        self._model = model
        if self.settings.acq_func == "gp_hedge":
            self._hedge = {"gains_": model.gains_, "next_xs_": model.next_xs_}
        return model

    def _fit(self, points: list[Point], objectives: list[float], rng: np.random.Generator) -> Any:
        import skopt

        settings = self.settings
        seed = int(rng.integers(2**31 - 1))
        model = skopt.Optimizer(
            self._dimensions,
            base_estimator=_surrogate(settings.surrogate_model, settings.n_jobs, seed),
            n_initial_points=0,
            acq_func=settings.acq_func,
            acq_func_kwargs={"kappa": settings.kappa, "xi": settings.xi},
            random_state=seed,
            n_jobs=settings.n_jobs,
        )
        # The optimizer is made anew so that lies can be withdrawn; what hedging has learned stays.
        for name, value in self._hedge.items():
            setattr(model, name, copy.copy(value))
        model.unit = max(1.0, max(abs(value) for value in objectives) / _HUGE)
        model.tell(
            self._to_rows(self._encoding.vectors(points)),
            [value / model.unit for value in objectives],
        )
        return model

    def _own_proposal(self, model: Any) -> list[Point]:
        """What scikit-optimize asks for, unless it has been evaluated."""
        with warnings.catch_warnings():
            # It warns when its best was evaluated before; a random one is not what we want then.
            warnings.filterwarnings("error", "The objective has been evaluated", UserWarning)
            try:
                return self._to_points([model.ask()])
            except UserWarning:
                return []

    def _predicted_by(self, model: Any, points: list[Point]) -> list[Prediction]:
        rows = model.space.transform(self._to_rows(self._encoding.vectors(points)))
        means, stds = model.models[-1].predict(rows, return_std=True)
        values = _acquisition(model, rows, _base_acquisition(self.settings), self.settings)
        return [
            Prediction(-float(mean) * model.unit, float(std) * model.unit, float(value))
            for mean, std, value in zip(means, stds, values, strict=True)
        ]

    def _add_best_candidates(self, model: Any, n: int, chosen: dict[Key, Point]) -> None:
        listed = self._unseen_vectors()
        if listed is None or len(listed) > _CANDIDATES + n:
            candidates = self._encoding.sample(_CANDIDATES + n, self._rng)
        else:
            candidates = listed
        rows = model.space.transform(self._to_rows(candidates))
        acq_func = self.settings.acq_func
        if acq_func == "gp_hedge":
            weights = np.exp(model.gains_ - np.max(model.gains_))
            acq_func = str(self._rng.choice(["EI", "LCB", "PI"], p=weights / weights.sum()))
        values = _acquisition(model, rows, acq_func, self.settings)
        if n > 1 and acq_func == "LCB":
            # Points that share one model must differ: each weighs the deviation differently.
            order = self._spread(model, rows, n)
        else:
            order = list(np.argsort(-values))
        for i in order:
            if len(chosen) >= n:
                return
            point = self._encoding.points(candidates[i : i + 1])[0]
            key = self._admit(point, chosen)
            if key is not None:
                chosen[key] = point

    def _spread(self, model: Any, rows: Array, n: int) -> list[int]:
        mean, std = model.models[-1].predict(rows, return_std=True)
        kappas = self._rng.exponential(self.settings.kappa, size=n)
        kappas[0] = self.settings.kappa
        picked: list[int] = []
        for kappa in kappas:
            value = mean - kappa * std
            value[picked] = np.inf
            picked.append(int(np.argmin(value)))
        return picked

    # -- rows of scikit-optimize ------------------------------------------------------------------

    def _to_rows(self, vectors: Array) -> list[list[Any]]:
        vectors = np.where(np.isnan(vectors), self._defaults, vectors)
        columns = []
        for i, column in enumerate(self._encoding.columns):
            if column.size == 1:
                continue
            if _is_choice(column):
                columns.append([int(v) for v in vectors[:, i]])
            else:
                columns.append([column.value(v) for v in vectors[:, i].tolist()])
        return [list(row) for row in zip(*columns, strict=True)]

    def _to_points(self, rows: list[list[Any]]) -> list[Point]:
        vectors = np.empty((len(rows), self._encoding.n_dims))
        for j, row in enumerate(rows):
            values = iter(row)
            for i, column in enumerate(self._encoding.columns):
                if column.size == 1:
                    vectors[j, i] = self._defaults[i]
                elif _is_choice(column):
                    vectors[j, i] = next(values)
                else:
                    vectors[j, i] = column.vectors([next(values)])[0]
        return self._encoding.points(self._encoding.repair(vectors, self._rng))


def _is_choice(column: Any) -> bool:
    return hasattr(column, "values")


def _dimensions(encoding: Any) -> list[Any]:
    from skopt.space import Categorical, Integer, Real

    dimensions: list[Any] = []
    for column in encoding.columns:
        hp = column.hyperparameter
        if column.size == 1:
            continue
        if column.categorical:
            dimensions.append(Categorical(list(range(int(column.size))), name=column.name))
        elif _is_choice(column):
            dimensions.append(Integer(0, int(column.size) - 1, name=column.name))
        else:
            prior = "log-uniform" if getattr(hp, "log", False) else "uniform"
            kind = Integer if column.discrete else Real
            dimensions.append(kind(hp.lower, hp.upper, prior=prior, name=column.name))
    return dimensions


def _defaults(encoding: Any) -> Point:
    return {name: encoding.space[name].default_value for name in encoding.names}


def _lie(strategy: str, values: list[float]) -> float:
    if strategy == "cl_mean":
        return sum(values) / len(values)
    return min(values) if strategy == "cl_min" else max(values)


def _base_acquisition(settings: SkoptSettings) -> str:
    return "EI" if settings.acq_func == "gp_hedge" else settings.acq_func


def _acquisition(model: Any, rows: Array, acq_func: str, settings: SkoptSettings) -> Array:
    """The acquisition of transformed rows, the larger the better, shape (n,)."""
    from skopt.acquisition import gaussian_ei, gaussian_lcb, gaussian_pi

    surrogate = model.models[-1]
    if acq_func == "LCB":
        return -np.asarray(gaussian_lcb(rows, surrogate, kappa=settings.kappa))
    improvement = gaussian_ei if acq_func == "EI" else gaussian_pi
    best = float(np.min(model.yi))
    return np.asarray(improvement(rows, surrogate, y_opt=best, xi=settings.xi))


def _surrogate(name: str, n_jobs: int, seed: int) -> Any:
    if name != "GBRT":
        return name
    from deephyper.optimizer.skopt.boosting import QuantileBoosting

    return QuantileBoosting(n_jobs=n_jobs, random_state=seed)
