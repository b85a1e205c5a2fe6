"""The mathematics of the default optimizer against what it must equal."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from deephyper.optimizer.arrays import Array
from deephyper.optimizer.bayesian.acquisition import (
    LogExpectedImprovement,
    PosteriorMoments,
    compress_tail,
    log_expected_improvement,
    log_feasible,
)
from deephyper.optimizer.bayesian.ascent import climb
from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.features import Features
from deephyper.optimizer.bayesian.kernel import Covariance, Likelihood, Parameters, fit
from deephyper.optimizer.bayesian.surrogate import Surrogate
from deephyper.optimizer.bayesian.transform import Transform
from deephyper.optimizer.encoding import SpaceEncoding
from deephyper.problem import HpProblem
from tests.optimizer.mixed_space import Space, some_objective, some_parameters

EI = LogExpectedImprovement()


def test_the_covariance_is_the_stated_sum_of_matern_kernels(space: Space) -> None:
    features, x = space
    p = some_parameters(features.n_groups)

    def matern(s: Array) -> Array:
        return (1.0 + s + s * s / 3.0) * np.exp(-s)

    distance = np.zeros((features.n_groups, 40, 40))
    pairs = np.triu_indices(40, 1)
    distance[:, pairs[0], pairs[1]] = features.distances(x)
    distance += distance.transpose(0, 2, 1)
    joint = matern(math.sqrt(5) * np.sqrt((distance**2 / p.joint[:, None, None] ** 2).sum(0)))
    additive = matern(math.sqrt(5) * distance / p.additive[:, None, None]).mean(0)
    expected = (1.0 - p.share) * joint + p.share * additive
    np.testing.assert_allclose(Covariance(features, p)(x, x), expected, atol=1e-6)


def test_the_gradient_of_the_likelihood_is_its_derivative(space: Space) -> None:
    features, x = space
    own_noise = np.where(np.arange(len(x)) % 3 == 0, 0.5, 0.0)
    likelihood = Likelihood(features, x, some_objective(x), own_noise)
    theta = some_parameters(features.n_groups).to_vector()
    _, gradient = likelihood(theta)
    step = 1e-5
    numeric = [
        (likelihood(theta + step * e)[0] - likelihood(theta - step * e)[0]) / (2 * step)
        for e in np.eye(len(theta))
    ]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6)


def test_a_fit_raises_the_likelihood(space: Space) -> None:
    features, x = space
    y = some_objective(x)
    start = Parameters.initial(features.n_groups)
    exact = np.zeros(len(y))
    _, value = fit(features, x, y, exact, start, iterations=20)
    assert value < Likelihood(features, x, y, exact)(start.to_vector())[0] - 1.0


def test_appending_points_gives_the_factor_of_all(space: Space) -> None:
    features, x = space
    covariance = Covariance(features, some_parameters(features.n_groups))
    grown = Factor(covariance, x[:25], capacity=40)
    for row in x[25:]:
        grown.append(row)
    whole = Factor(covariance, x, capacity=40)
    np.testing.assert_allclose(grown.inverse, whole.inverse, atol=1e-4)
    assert grown.room == 0


@pytest.mark.parametrize("n_pending", [1, 12])
def test_the_mean_is_that_of_the_finished_points_and_the_variance_that_of_all(
    space: Space, n_pending: int
) -> None:
    features, x = space
    y = some_objective(x)
    covariance = Covariance(features, some_parameters(features.n_groups))
    finished, pending, others = x[:20], x[20 : 20 + n_pending], x[33:]
    surrogate = Surrogate(Factor(covariance, finished, 40), y[:20], n_failed=0)
    surrogate.z  # noqa: B018 - conditions on the results before points are appended
    for row in pending:
        surrogate.append(row)
    moments = surrogate.moments_at(surrogate.factor.solve(others))
    alone = Factor(covariance, finished, 20)
    mean = (alone.inverse @ y[:20]) @ alone.solve(others)
    np.testing.assert_allclose(moments.mean, mean, atol=1e-5)
    together = Factor(covariance, np.concatenate([finished, pending]), 40)
    ratio = moments.std**2 / (1.0 - (together.solve(others) ** 2).sum(0))
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


def test_a_result_for_a_pending_point_counts_like_one_from_the_start(space: Space) -> None:
    features, x = space
    y = some_objective(x)
    covariance = Covariance(features, some_parameters(features.n_groups))
    late = Surrogate(Factor(covariance, x[:20], 40), y[:20], n_failed=0)
    rows = [len(late.append(row)[0]) for row in x[20:30]]
    for row, value in zip(rows[:5], y[20:25], strict=True):
        late.set_result(row, value)
    early = Surrogate(Factor(covariance, x[:30], 40), y[:25], n_failed=0)
    others = x[30:]
    np.testing.assert_allclose(
        late.moments_at(late.factor.solve(others)).mean,
        early.moments_at(early.factor.solve(others)).mean,
        atol=1e-4,
    )


@pytest.mark.parametrize("n_pending", [3, 150, 300])
def test_however_many_points_are_pending_the_mean_stays_that_of_the_results(n_pending: int) -> None:
    problem = HpProblem()
    for i in range(4):
        problem.add_dim(f"x{i}", (0.0, 1.0))
    features = Features(SpaceEncoding(problem.space))
    x = np.random.default_rng(0).random((40 + n_pending + 20, 4))
    finished, pending, others = x[:40], x[40:-20], x[-20:]
    y = np.sin(6.0 * finished[:, 0]) + finished[:, 1]
    covariance = Covariance(features, Parameters.initial(4))
    alone = Surrogate(Factor(covariance, finished, 40), y, n_failed=0)
    expected = alone.moments_at(alone.factor.solve(others)).mean
    rebuilt = Surrogate(Factor(covariance, x[:-20], len(x)), y, n_failed=0)
    appended = Surrogate(Factor(covariance, finished, len(x)), y, n_failed=0)
    for row in pending:
        appended.append(row)
    for surrogate in (rebuilt, appended):
        moments = surrogate.moments_at(surrogate.factor.solve(others))
        np.testing.assert_allclose(moments.mean, expected, atol=1e-5)


def test_results_and_failures_one_by_one_say_what_they_say_together(space: Space) -> None:
    features, x = space
    y = some_objective(x)
    covariance = Covariance(features, some_parameters(features.n_groups))
    late = Surrogate(Factor(covariance, x[:17], 45), y[:15], n_failed=2)
    rows = {i: len(late.append(x[i])[0]) for i in (20, 28, 17, 25, 29, 19, 26, 18, 24, 27)}
    for i in (19, 26, 17, 24, 18, 27, 20, 25):
        if i < 25:
            late.set_result(rows[i], y[i])
        else:
            late.set_failed(rows[i])
    told = [*range(15), 17, 18, 19, 20, 24]
    order = [*told, 15, 16, 25, 26, 27, 28, 29]
    early = Surrogate(Factor(covariance, x[order], 45), y[told], n_failed=5)
    first, second = (s.moments_at(s.factor.solve(x[30:])) for s in (late, early))
    assert late.best == pytest.approx(early.best, abs=1e-4)
    for name in ("mean", "std", "risk", "risk_std"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=1e-3)


def test_the_standard_deviation_at_a_point_can_be_had_as_if_it_were_not_there(space: Space) -> None:
    features, x = space
    y = some_objective(x)
    covariance = Covariance(features, some_parameters(features.n_groups))
    without = Surrogate(Factor(covariance, x[:20], 21), y[:20], n_failed=0)
    expected = without.moments_at(without.factor.solve(x[20:21])).std[0]
    without.append(x[20])
    assert without.moments_at(without.factor.solve(x[20:21])).std[0] < 0.9 * expected
    assert without.std_without(20) == pytest.approx(expected, rel=1e-3)


def test_the_incumbent_is_the_highest_mean_and_not_the_highest_result(space: Space) -> None:
    features, x = space
    noise = 0.5
    parameters = replace(some_parameters(features.n_groups), noise=noise)
    covariance = Covariance(features, parameters)
    y = some_objective(x)
    y[7] += 4.0
    surrogate = Surrogate(Factor(covariance, x[:30], 40), y[:30], n_failed=0)
    k = covariance(x[:30], x[:30])
    means = k @ np.linalg.solve(k + noise * np.eye(30), y[:30])
    assert surrogate.best == pytest.approx(means.max(), abs=1e-4)
    assert surrogate.best < y[:30].max() - 1.0


def test_failures_make_their_neighborhood_risky_and_leave_the_mean_alone(space: Space) -> None:
    features, x = space
    y = some_objective(x)
    covariance = Covariance(features, some_parameters(features.n_groups))
    failing = Surrogate(Factor(covariance, x[:24], 40), y[:20], n_failed=4)
    moments = failing.moments_at(failing.factor.solve(x[:24]))
    assert moments.risk is not None
    assert moments.risk[20:].min() > 0.5 > moments.risk[:20].max()
    alone = Surrogate(Factor(covariance, x[:20], 40), y[:20], n_failed=0)
    np.testing.assert_allclose(
        moments.mean, alone.moments_at(alone.factor.solve(x[:24])).mean, atol=1e-5
    )


@pytest.mark.parametrize("z", [3.0, 0.5, -0.999, -1.001, -3.0, -6.0])
def test_log_expected_improvement_is_the_integral(z: float) -> None:
    std, best = 0.7, 1.3
    mean = best + z * std
    expected = quad(lambda f: (f - best) * norm.pdf(f, mean, std), best, best + 10, epsabs=0)[0]
    value = log_expected_improvement(np.array([mean]), np.array([std]), best)[0]
    assert value == pytest.approx(math.log(expected), rel=1e-6)


def test_the_risk_of_failure_lowers_the_acquisition_by_its_log_probability() -> None:
    mean, std = np.array([1.0, 1.0, 1.0]), np.array([0.5, 0.5, 0.5])
    risk, risk_std = np.array([0.0, 0.5, 1.0]), np.array([0.2, 0.2, 0.2])
    value = EI(PosteriorMoments(mean, std, risk, risk_std), best=0.8)
    safe = EI(PosteriorMoments(mean, std), best=0.8)
    probability = norm.cdf((0.5 - risk) / math.hypot(0.2, 0.05))
    np.testing.assert_allclose(value - safe, np.log(probability), rtol=1e-9)


def test_failure_stays_uncertain_however_many_evaluations_failed() -> None:
    (certain,) = log_feasible(np.array([0.6]), np.array([0.0]))
    assert certain == pytest.approx(norm.logcdf(-2.0))


def test_compressing_the_tail_keeps_the_order_and_what_is_above_it() -> None:
    values = np.linspace(-400.0, 3.0, 2000)
    compressed = compress_tail(values)
    assert (np.diff(compressed) > 0).all()
    np.testing.assert_array_equal(compressed[values >= -12.0], values[values >= -12.0])
    assert compressed[0] == pytest.approx(-12.0 - math.log(389.0))


def test_a_safe_candidate_without_promise_ranks_above_one_that_is_sure_to_fail() -> None:
    mean, std = np.array([-30.0, 1.0]), np.ones(2)
    moments = PosteriorMoments(mean, std, np.array([0.0, 1.0]), np.full(2, 0.01))
    safe, failing = EI(moments, best=0.0)
    assert safe > failing


def test_log_expected_improvement_neither_underflows_nor_jumps() -> None:
    means = -np.geomspace(1e-3, 1e6, 4000)
    values = log_expected_improvement(means, np.ones(4000), 0.0)
    assert np.isfinite(values).all()
    assert (np.diff(values) < 0).all()


@pytest.mark.parametrize(
    "objectives",
    [
        np.linspace(-3.0, 5.0, 20),
        np.exp(np.linspace(0.0, 12.0, 30)),
        -np.exp(np.linspace(0.0, 40.0, 30)),
        np.array([1.0, 1.0, 1.0]),
        np.array([0.0, 0.0, 0.0, 0.0, 1e-9]),
        np.array([1e300, -1e300, 0.0, 1.0]),
        np.array([1.7e308, -1.7e308, 0.0, 1.7e308, -1.7e308]),
    ],
)
def test_the_transform_is_monotone_finite_and_invertible(objectives: Array) -> None:
    transform = Transform.fit(objectives)
    values = transform(np.sort(objectives))
    assert np.isfinite(values).all()
    assert (np.diff(values) >= 0).all()
    scale = np.abs(objectives).max() + 1e-9
    np.testing.assert_allclose(
        transform.inverse(values) / scale, np.sort(objectives) / scale, rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("outlier", [-sys.float_info.max, -1e300, 1e120, sys.float_info.max])
def test_one_extreme_objective_leaves_the_others_apart(outlier: float) -> None:
    objectives = np.append(np.linspace(0.0, 1.0, 20), outlier)
    transform = Transform.fit(objectives)
    values = transform(objectives)
    assert np.isfinite(values).all()
    assert (np.diff(values[:20]) > 1e-3).all()
    assert (values[20] > values[19]) == (outlier > 0)
    np.testing.assert_allclose(transform.inverse(values[:20]), objectives[:20], atol=1e-6)


def test_the_slope_of_the_acquisition_is_its_derivative(space: Space) -> None:
    features, x = space
    y = some_objective(x)
    covariance = Covariance(features, some_parameters(features.n_groups))
    surrogate = Surrogate(Factor(covariance, x[:30], 40), y[:28], n_failed=0)
    z, best, step = x[32:36], surrogate.best, 1e-6
    value, slope = surrogate.slope(z, EI, best)
    solves = surrogate.factor.solve(z)
    np.testing.assert_allclose(value, EI(surrogate.moments_at(solves), best), atol=1e-2)
    for k in range(features.n_numbers):
        up, down = z.copy(), z.copy()
        up[:, k] += step
        down[:, k] -= step
        numeric = (surrogate.slope(up, EI, best)[0] - surrogate.slope(down, EI, best)[0]) / (
            2 * step
        )
        np.testing.assert_allclose(slope[:, k], numeric, rtol=1e-4, atol=1e-4)


def test_a_longer_climb_never_ends_lower(space: Space) -> None:
    features, x = space
    covariance = Covariance(features, some_parameters(features.n_groups))
    surrogate = Surrogate(Factor(covariance, x[:30], 40), some_objective(x)[:30], n_failed=0)
    movable = np.ones((10, features.n_numbers), dtype=bool)
    heights = []
    for steps in range(1, 12):
        climbed = x[30:].copy()
        climbed[:, : features.n_numbers] = climb(
            surrogate, EI, x[30:], movable, surrogate.best, steps=steps
        )
        heights.append(surrogate.slope(climbed, EI, surrogate.best)[0])
    assert (np.diff(heights, axis=0) >= -1e-9).all()


def test_climbing_leads_up_inside_the_cube_and_leaves_fixed_numbers_alone(space: Space) -> None:
    features, x = space
    y = some_objective(x)
    covariance = Covariance(features, some_parameters(features.n_groups))
    surrogate = Surrogate(Factor(covariance, x[:30], 40), y[:30], n_failed=0)
    start = x[30:]
    movable = np.ones((len(start), features.n_numbers), dtype=bool)
    movable[:, 0] = False
    numbers = climb(surrogate, EI, start, movable, surrogate.best, steps=8)
    climbed = start.copy()
    climbed[:, : features.n_numbers] = numbers
    before, _ = surrogate.slope(start, EI, surrogate.best)
    after, _ = surrogate.slope(climbed, EI, surrogate.best)
    assert (after >= before).all()
    assert after.mean() > before.mean() + 1.0
    assert numbers.min() >= 0.0
    assert numbers.max() <= 1.0
    np.testing.assert_array_equal(numbers[:, 0], start[:, 0])
