"""scikit-optimize's own Optimizer behind our interface: the classic loop, with its surrogates.

scikit-optimize minimises and knows neither pending points nor conditions. So objectives change
their sign, pending points get the constant liar's objective (Ginsbourger, Le Riche and Carraro,
2010, Kriging is well-suited to parallelize optimization), inactive hyperparameters their default,
and a proposal that isn't valid or was seen gives way to the best valid candidate under the same
model. One surrogate is fitted for each call of ask that finds something new, however many points it
is asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deephyper.errors import SettingsError
from deephyper.problem.point import Point
from deephyper.search.hps.optimizer.base import Optimizer, Prediction
from deephyper.search.hps.optimizer.encoding import Array, Key
from deephyper.search.hps.settings import LIAR_STRATEGIES, AmbsSettings

if TYPE_CHECKING:
    from deephyper.problem import HpProblem

_CANDIDATES = 2_000
"""Valid candidates that are ranked when scikit-optimize's own proposal can't be used."""
_N_INITIAL = 10
"""scikit-optimize's own default number of points before the first model."""


class ClassicOptimizer(Optimizer):
    """Bayesian optimization by scikit-optimize.

    Args:
        problem: the space to search and its starting points.
        settings: surrogate, acquisition function, liar strategy, kappa, xi, n_jobs.
        seed: makes the proposals reproducible.
    """

    def __init__(
        self, problem: HpProblem, settings: AmbsSettings | None = None, seed: int | None = None
    ) -> None:
        super().__init__(problem, seed)
        self.settings = settings or AmbsSettings(surrogate_model="RF")
        self.surrogate_model = self.settings.surrogate_model or "RF"
        self._dimensions = _dimensions(self._encoding)
        self._defaults = self._encoding.vectors([_defaults(self._encoding)])[0]
        self._n_initial = self.settings.n_initial_points or _N_INITIAL
        self._model: Any = None
        self._stale = True
        self._strategy = self.settings.liar_strategy
        self._hedge: dict[str, Any] = {}

    # -- hooks ------------------------------------------------------------------------------------

    def _learn(self, points: Sequence[Point], objectives: Sequence[float]) -> None:
        self._stale = True

    def _pend(self, points: Sequence[Point]) -> None:
        self._stale = True

    def _forget(self, points: Sequence[Point]) -> None:
        self._stale = True

    def _propose(self, n: int, strategy: str | None) -> Sequence[Point]:
        model = self._fitted(strategy or self.settings.liar_strategy)
        if model is None:
            return self._draw_unseen(n)
        chosen: dict[Key, Point] = {}
        with warnings.catch_warnings():
            # It warns when its best was evaluated before; a random one is not what we want then.
            warnings.simplefilter("error", UserWarning)
            try:
                own = self._to_points([model.ask()])
            except UserWarning:
                own = []
        for point in own:
            if not self._is_seen(self._encoding.key(point)):
                chosen[self._encoding.key(point)] = point
        if len(chosen) < n:
            self._add_best_candidates(model, n, chosen)
        return list(chosen.values())

    def explain(self, point: Point) -> Prediction | None:
        model = self._fitted(self._strategy)
        if model is None or not model.models:
            return None
        rows = model.space.transform(self._to_rows(self._encoding.vectors([point])))
        mean, std = model.models[-1].predict(rows, return_std=True)
        value = _acquisition(model, rows, _base_acquisition(self.settings), self.settings)
        return Prediction(-float(mean[0]), float(std[0]), float(value[0]))

    # -- the model --------------------------------------------------------------------------------

    def _fitted(self, strategy: str) -> Any:
        """scikit-optimize's optimizer, told all results and the lies; None before the first."""
        results = [
            (point, value)
            for point, value in zip(self.Xi, self.yi, strict=True)
            if not isinstance(value, str)
        ]
        # Results count, as in scikit-optimize: a model of two results and eight lies misleads.
        enough = len(results) >= 2 and len(self.yi) >= self._n_initial
        if not enough or not self._dimensions or self.surrogate_model == "DUMMY":
            return None
        if not self._stale and strategy == self._strategy and self._model is not None:
            return self._model
        values = [-float(value) for _, value in results]
        failed = [
            point for point, value in zip(self.Xi, self.yi, strict=True) if isinstance(value, str)
        ]
        lie = _lie(strategy, values)
        points = [point for point, _ in results] + failed + list(self._pending.values())
        # A failure is as bad as the worst result: worse would distort the scale of the model.
        objectives = values + [max(values)] * len(failed) + [lie] * len(self._pending)
        self._model = self._fit(points, objectives)
        self._stale, self._strategy = False, strategy
        return self._model

    def _fit(self, points: list[Point], objectives: list[float]) -> Any:
        import skopt

        settings = self.settings
        seed = int(self._rng.integers(2**31 - 1))
        model = skopt.Optimizer(
            self._dimensions,
            base_estimator=_surrogate(self.surrogate_model, settings.n_jobs, seed),
            n_initial_points=0,
            acq_func=settings.acq_func,
            acq_func_kwargs={"kappa": settings.kappa, "xi": settings.xi},
            random_state=seed,
            n_jobs=settings.n_jobs,
        )
        # The optimizer is made anew so that lies can be withdrawn; what hedging has learned stays.
        for name, value in self._hedge.items():
            setattr(model, name, value)
        model.tell(self._to_rows(self._encoding.vectors(points)), objectives)
        if settings.acq_func == "gp_hedge":
            self._hedge = {"gains_": model.gains_, "next_xs_": model.next_xs_}
        return model

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
            key = self._encoding.key(point)
            if not self._is_seen(key):
                chosen.setdefault(key, point)

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
    if strategy not in ("cl_min", "cl_max"):
        known = ", ".join(LIAR_STRATEGIES)
        raise SettingsError(f"unknown liar strategy '{strategy}'; choose one of {known}")
    return min(values) if strategy == "cl_min" else max(values)


def _base_acquisition(settings: AmbsSettings) -> str:
    return "EI" if settings.acq_func == "gp_hedge" else settings.acq_func


def _acquisition(model: Any, rows: Array, acq_func: str, settings: AmbsSettings) -> Array:
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
    from deephyper.search.hps.optimizer.boosting import QuantileBoosting

    return QuantileBoosting(n_jobs=n_jobs, random_state=seed)
