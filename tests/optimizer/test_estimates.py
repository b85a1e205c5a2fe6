"""The default optimizer's model, told of results that are only expected."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deephyper.optimizer.bayesian.factor import Factor
from deephyper.optimizer.bayesian.kernel import Covariance
from deephyper.optimizer.bayesian.surrogate import Surrogate
from tests.optimizer.mixed_space import Space, some_objective, some_parameters


def surrogate_of(space: Space, n_failed: int = 0) -> Surrogate:
    """Return a model of the first 20 points, the last of which may have failed."""
    features, x = space
    covariance = Covariance(features, some_parameters(features.n_groups))
    values = some_objective(x)[: 20 - n_failed]
    return Surrogate(Factor(covariance, x[:20], 40), values, n_failed)


def test_an_estimate_counts_like_a_result_with_noise_of_its_own(space: Space) -> None:
    _, x = space
    y = some_objective(x)
    surrogate = surrogate_of(space)
    covariance = surrogate.factor.covariance
    assert surrogate.best > -math.inf  # which settles the signal variance that noise is measured by
    signal = surrogate._signal
    stds = np.array([0.01, 0.3, 1.0, 3.0, 0.5])
    for row, (features_of_it, std) in enumerate(zip(x[20:25], stds, strict=True), 20):
        surrogate.append(features_of_it)
        surrogate._signal = signal
        surrogate._stale = False
        surrogate.set_estimate(row, y[row], std)
    k = covariance(x[:25], x[:25]).astype(float)
    noise = np.full(25, surrogate.factor.noise)
    noise[20:] += stds**2 / signal
    expected = covariance(x[30:], x[:25]) @ np.linalg.solve(k + np.diag(noise), y[:25])
    moments = surrogate.moments_at(surrogate.factor.solve(x[30:]))
    np.testing.assert_allclose(moments.mean, expected, atol=1e-3)


def test_an_estimate_replaces_the_one_before(space: Space) -> None:
    _, x = space
    y = some_objective(x)
    at_once, renewed = surrogate_of(space), surrogate_of(space)
    final = list(zip(range(20, 25), y[20:25], [0.5, 0.02, 1.0, 0.3, 2.0], strict=True))
    for surrogate in (at_once, renewed):
        for row in range(20, 25):
            surrogate.append(x[row])
    assert at_once.best > -math.inf  # which settles the signal variance
    signal = at_once._signal
    first = [(row, value - 1.0, 0.4) for row, value, _ in final]
    for surrogate, estimates in ((renewed, first + final[::-1]), (at_once, final)):
        for row, value, std in estimates:
            surrogate._signal, surrogate._stale = signal, False
            assert surrogate.set_estimate(row, value, std)
    moments = [s.moments_at(s.factor.solve(x[30:])) for s in (at_once, renewed)]
    np.testing.assert_allclose(moments[0].mean, moments[1].mean, atol=1e-8)
    np.testing.assert_allclose(moments[0].std, moments[1].std, rtol=1e-3)


def test_an_estimate_that_was_nearly_exact_is_not_taken_back(space: Space) -> None:
    _, x = space
    y = some_objective(x)
    surrogate = surrogate_of(space)
    surrogate.append(x[25])
    assert surrogate.set_estimate(20, y[25], 1e-9)
    before = surrogate.moments_at(surrogate.factor.solve(x[30:])).mean
    assert not surrogate.set_estimate(20, y[25], 1e3)
    after = surrogate.moments_at(surrogate.factor.solve(x[30:])).mean
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("std", [1e-6, 0.01, 0.3])
def test_a_result_that_follows_a_sure_estimate_replaces_it(space: Space, std: float) -> None:
    _, x = space
    y = some_objective(x)
    told, guessed = surrogate_of(space), surrogate_of(space)
    for surrogate in (told, guessed):
        for row in range(20, 25):
            surrogate.append(x[row])
    for row in range(20, 25):
        assert guessed.set_estimate(row, y[row] - 2.0, std)
    for surrogate in (told, guessed):
        for row in range(20, 25):
            surrogate.set_result(row, y[row])
    means = [each.moments_at(each.factor.solve(x[30:])).mean for each in (told, guessed)]
    np.testing.assert_allclose(means[0], means[1], atol=1e-6)


def test_a_failure_takes_an_estimate_back(space: Space) -> None:
    _, x = space
    y = some_objective(x)
    told, guessed = surrogate_of(space, n_failed=2), surrogate_of(space, n_failed=2)
    for surrogate in (told, guessed):
        surrogate.append(x[25])
    assert guessed.set_estimate(20, y[25] + 2.0, 0.1)
    for surrogate in (told, guessed):
        assert surrogate.set_failed(20)
    means = [each.moments_at(each.factor.solve(x[30:])).mean for each in (told, guessed)]
    np.testing.assert_allclose(means[0], means[1], atol=1e-8)
    guessed.append(x[26])
    assert guessed.set_estimate(21, y[26], 1e-9)
    assert not guessed.set_failed(21)  # it said too much to be taken back exactly


def test_a_result_that_follows_an_estimate_counts_as_if_there_had_been_none(space: Space) -> None:
    _, x = space
    y = some_objective(x)
    told, guessed = surrogate_of(space), surrogate_of(space)
    for surrogate in (told, guessed):
        surrogate.append(x[20])
    guessed.set_estimate(20, y[20] + 2.0, 0.5)
    means = []
    for surrogate in (told, guessed):
        surrogate.set_result(20, y[20])
        means.append(surrogate.moments_at(surrogate.factor.solve(x[30:])).mean)
    assert told.best == pytest.approx(guessed.best, abs=0.05)
    np.testing.assert_allclose(means[0], means[1], atol=0.05)
