"""The pool of candidates of the default engine."""

from __future__ import annotations

import numpy as np
import pytest

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.acquisition import LogExpectedImprovement, PosteriorMoments
from deephyper.optimizer.bayesian.candidates import SIZE, Pool
from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.features import Features
from deephyper.optimizer.bayesian.kernel import Covariance, Parameters
from deephyper.optimizer.bayesian.surrogate import Surrogate
from deephyper.optimizer.encoding import SpaceEncoding
from deephyper.optimizer.neighbors import Neighbors
from deephyper.optimizer.sampling import Sampler
from deephyper.problem import HpProblem
from tests.optimizer.bowl import cube

EI = LogExpectedImprovement()


class Setting:
    """A pool over a few results of a bowl, whose maximum is where all numbers are 0.3."""

    def __init__(self, problem: HpProblem, room: int = 60) -> None:
        self.sampler = Sampler(SpaceEncoding(problem.space), np.random.default_rng(0))
        self.features = Features(self.sampler.encoding)
        self.pool = Pool(self.sampler, self.features, Neighbors(self.sampler), EI)
        self.results = self.sampler.sample(20)
        values = -np.square(self.features(self.results) - 0.3).sum(1)
        self.surrogate = self._surrogate(values, 20 + room)

    def _surrogate(self, values: Array, capacity: int) -> Surrogate:
        covariance = Covariance(self.features, Parameters.initial(self.features.n_groups))
        factor = Factor(covariance, self.features(self.results), capacity)
        return Surrogate(factor, (values - values.mean()) / values.std(), n_failed=0)

    @property
    def values(self) -> Array:
        """The acquisition of the candidates."""
        return EI(self.pool.moments(), self.surrogate.best)

    def append(self, vector: Array) -> None:
        """Add a pending point to model and pool."""
        self.pool.append(*self.surrogate.append(self.features(vector[None, :])[0]))


@pytest.fixture
def setting() -> Setting:
    setting = Setting(cube(2))
    setting.pool.rebind(setting.surrogate)
    return setting


def _same(first: PosteriorMoments, second: PosteriorMoments) -> None:
    np.testing.assert_allclose(first.mean, second.mean, atol=1e-5)
    np.testing.assert_allclose(first.std, second.std, atol=1e-4)


def test_what_it_keeps_of_its_candidates_is_what_the_surrogate_predicts(setting: Setting) -> None:
    for i in range(12):
        setting.pool.refresh(setting.results[:8], setting.surrogate.best, broadly=i % 2 == 0)
        setting.append(setting.pool.vectors[np.argmax(setting.values)])
    x = setting.features(setting.pool.vectors)
    solves = setting.surrogate.factor.solve(x)
    _same(setting.pool.moments(), setting.surrogate.moments_at(solves))


def test_candidates_that_were_used_make_room_for_others(setting: Setting) -> None:
    for i in range(40):
        setting.pool.refresh(setting.results[:8], setting.surrogate.best, broadly=i % 2 == 0)
        setting.append(setting.pool.vectors[np.argmax(setting.values)])
    assert len({tuple(row) for row in setting.pool.vectors}) == SIZE


def test_what_it_holds_already_is_not_added_again() -> None:
    problem = HpProblem()
    problem.add_dim("x", (0.0, 1.0))
    for name in ("a", "b", "c"):
        problem.add_dim(name, ["p", "q", "r"])
    setting = Setting(problem)
    setting.pool.rebind(setting.surrogate)
    for i in range(12):
        # exchanges of the same most promising candidate, again and again
        setting.pool.refresh(setting.results[:8], setting.surrogate.best, broadly=i % 2 == 0)
    assert len({tuple(row) for row in setting.pool.vectors}) == SIZE


def test_a_new_surrogate_takes_the_candidates_over(setting: Setting) -> None:
    setting.pool.refresh(setting.results[:8], setting.surrogate.best, broadly=True)
    before = setting.pool.vectors.copy()
    other = Setting(cube(2), room=10)
    setting.pool.rebind(other.surrogate)
    np.testing.assert_array_equal(setting.pool.vectors, before)
    solves = other.surrogate.factor.solve(setting.features(before))
    _same(setting.pool.moments(), other.surrogate.moments_at(solves))


@pytest.mark.parametrize("broadly", [True, False])
def test_refreshing_replaces_the_worst_candidates_and_keeps_the_best(
    setting: Setting, broadly: bool
) -> None:
    before, values = setting.pool.vectors.copy(), setting.values
    setting.pool.refresh(setting.results[:8], setting.surrogate.best, broadly=broadly)
    after = {tuple(row) for row in setting.pool.vectors}
    gone = np.array([tuple(row) not in after for row in before])
    assert 0 < gone.sum() < SIZE / 2
    assert values[gone].max() <= values[~gone].min()


def test_climbing_finds_better_candidates_than_drawing(setting: Setting) -> None:
    before = setting.values.max()
    setting.pool.refresh(setting.results[:8], setting.surrogate.best, broadly=False)
    assert setting.values.max() > before + 0.01


def test_resampling_changes_all_candidates(setting: Setting) -> None:
    before = {tuple(row) for row in setting.pool.vectors}
    setting.pool.resample()
    assert len(setting.pool.vectors) == SIZE
    assert not before & {tuple(row) for row in setting.pool.vectors}


def test_a_pool_that_is_the_whole_space_stays_so() -> None:
    problem = HpProblem()
    problem.add_dim("i", (0, 30))
    problem.add_dim("j", (0, 3))
    setting = Setting(problem)
    whole = np.unique(setting.sampler.sample(2000), axis=0)
    assert len(whole) == 31 * 4
    setting.pool.rebind(setting.surrogate, whole)
    setting.pool.refresh(setting.results[:8], setting.surrogate.best, broadly=True)
    setting.pool.resample()
    np.testing.assert_array_equal(setting.pool.vectors, whole)
