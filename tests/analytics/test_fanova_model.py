"""The parts of the importance: the model's closed forms, and what is a sample of the space."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from deephyper.analytics.fanova.dimension import Dimension, categorical, continuous, discrete
from deephyper.analytics.fanova.process import Effect, Likelihood, Posterior
from deephyper.analytics.fanova.sample import spread, weights
from tests.analytics.known_functions import Array

DIMENSIONS = [
    continuous(),
    discrete(np.linspace(0, 1, 5), np.array([5.0, 4, 3, 2, 1])),
    categorical(3),
]


def drawn(n: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.random(n), rng.integers(0, 5, n) / 4, rng.integers(0, 3, n)])
    y = np.sin(5 * X[:, 0]) + X[:, 1] * (X[:, 2] == 1) + X[:, 0] * X[:, 1]
    return X, (y - y.mean()) / y.std()


def test_the_gradient_is_that_of_the_density() -> None:
    likelihood = Likelihood(DIMENSIONS, *drawn(30))
    parameters = np.random.default_rng(1).normal(-1, 0.3, 7)
    gradient = approx_fprime(parameters, lambda p: likelihood.negative(p)[0], 1e-6)
    np.testing.assert_allclose(likelihood.negative(parameters)[1], gradient, rtol=1e-3, atol=1e-3)


def grid_of(dimensions: list[Dimension]) -> tuple[Array, Array]:
    """All combinations of the nodes, shape (n, d), and their masses."""
    nodes = np.meshgrid(*[each.rule.nodes for each in dimensions], indexing="ij")
    masses = np.meshgrid(*[each.rule.masses for each in dimensions], indexing="ij")
    points = np.stack([each.ravel() for each in nodes], axis=1)
    return points, np.asarray(np.prod([each.ravel() for each in masses], axis=0))


def test_the_effects_of_the_model_are_its_means_over_the_other_dimensions() -> None:
    posterior = Posterior(DIMENSIONS, np.log([0.5, 0.4, 0.5, 0.5, 0.3, 0.7, 1e-3]), *drawn(60))
    points, masses = grid_of(DIMENSIONS)
    effects: list[Effect] = [(0,), (1,), (2,), *combinations(range(3), 2)]
    whole, parts = posterior.effects(points, effects)
    shape = tuple(len(each.rule.nodes) for each in DIMENSIONS)
    table, mass = whole.reshape(shape), masses.reshape(shape)
    assert float((table * mass).sum()) == pytest.approx(0, abs=1e-9)
    assert posterior.total_variance() == pytest.approx(float((table**2 * mass).sum()))
    means: dict[Effect, Array] = {}
    for effect, part in zip(effects, parts, strict=True):
        others = tuple(k for k in range(3) if k not in effect)
        own = (table * mass).sum(axis=others, keepdims=True) / mass.sum(axis=others, keepdims=True)
        for k in effect if len(effect) == 2 else ():
            own = own - means[(k,)]
        means[effect] = own
        np.testing.assert_allclose(part.reshape(shape), np.broadcast_to(own, shape), atol=1e-9)
        assert posterior.variance(effect) == pytest.approx(float((own**2 * mass).sum()))


def test_the_basis_of_a_dimension_is_orthonormal() -> None:
    for dimension in DIMENSIONS:
        functions = dimension.basis()(dimension.rule.nodes)
        masses = dimension.rule.masses
        np.testing.assert_allclose(masses @ functions, 0, atol=1e-9)
        products = functions.T @ (functions * masses[:, None])
        np.testing.assert_allclose(products, np.eye(functions.shape[1]), atol=1e-9)


def test_a_random_sample_stays_and_a_cluster_is_thinned_out() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((300, 3))
    kept = spread([continuous()] * 3, X, rng)
    assert len(kept) >= 0.9 * len(X)
    cluster = 0.5 + 0.001 * rng.random((700, 3))
    kept = spread([continuous()] * 3, np.concatenate([X, cluster]), rng)
    assert (kept >= 300).sum() <= 5
    assert (kept < 300).sum() >= 250


def test_weights_make_every_part_of_a_dimension_count_alike() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.random(400) ** 2, rng.choice(3, 400, p=[0.8, 0.1, 0.1])])
    found = weights([continuous(), categorical(3)], X)
    assert found.mean() == pytest.approx(1)
    half = X[:, 0] < 0.5
    assert found[half].sum() == pytest.approx(200, rel=0.01)
    for category in range(3):
        assert found[X[:, 1] == category].sum() == pytest.approx(400 / 3, rel=0.01)
