"""What a smooth model reads wrongly: many peaks, steps, categories that trap, many dimensions."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.optimizer.task import Point, Task
from deephyper.optimizer.arrays import Array
from deephyper.problem import HpProblem


def _rng(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def _cube(dims: int) -> HpProblem:
    problem = HpProblem()
    for i in range(dims):
        problem.add_dim(f"x{i:02d}", (0.0, 1.0))
    return problem


def _array(point: Point, dims: int) -> Array:
    return np.array([point[f"x{i:02d}"] for i in range(dims)])


# -- many peaks -----------------------------------------------------------------------------------


@cache
def _peaks(name: str, dims: int, n: int) -> tuple[Array, Array, Array]:
    rng = _rng(name)
    heights = np.concatenate([[1.0], rng.uniform(0.3, 0.9, n - 1)])
    return rng.random((n, dims)), heights, rng.uniform(0.04, 0.15, n) * math.sqrt(dims)


def peaks(half: str, name: str, dims: int, n: int) -> Task:
    """The highest of narrow peaks of random heights and widths; the floor slopes gently."""

    def value(point: Point) -> float:
        centers, heights, widths = _peaks(name, dims, n)
        x = _array(point, dims)
        squared = ((x - centers) ** 2).sum(1) / widths**2
        slope = 0.1 * float(np.abs(x - centers[0]).mean())
        return float((heights * np.exp(-0.5 * squared)).max()) - slope

    return Task(name, "rugged", half, lambda: _cube(dims), value, lambda: 1.0)


def ripples(half: str, name: str, dims: int) -> Task:
    """A bowl under ripples, rotated, of which a kind of two categories has more."""

    @cache
    def rotation() -> tuple[Array, Array]:
        rng = _rng(name)
        return np.linalg.qr(rng.normal(size=(dims, dims)))[0], rng.uniform(0.25, 0.75, dims)

    def problem() -> HpProblem:
        problem = _cube(dims)
        problem.add_dim("kind", ["plain", "steep"])
        return problem

    def value(point: Point) -> float:
        turn, center = rotation()
        z = turn @ (_array(point, dims) - center)
        ripple, lift = (0.25, 0.0) if point["kind"] == "plain" else (0.6, 0.2)
        return lift - float((4.0 * z * z + ripple * (1.0 - np.cos(8.0 * math.pi * z))).mean())

    return Task(name, "rugged", half, problem, value, lambda: 0.2)


# -- steps ----------------------------------------------------------------------------------------

_KERNELS = ("a", "b", "c", "d", "e")


def _classifier_problem() -> HpProblem:
    problem = HpProblem()
    problem.add_dim("rate", (1e-5, 1.0, "log-uniform"))
    problem.add_dim("penalty", (1e-6, 1e2, "log-uniform"))
    problem.add_dim("depth", (1, 12))
    problem.add_dim("keep", (0.1, 1.0))
    problem.add_dim("kernel", list(_KERNELS))
    problem.add_dim("scale", ["none", "standard", "minmax"])
    return problem


def _classifier_units(point: Point) -> tuple[Array, int, int]:
    numbers = np.array(
        [
            math.log10(point["rate"]) / 5.0 + 1.0,
            (math.log10(point["penalty"]) + 6.0) / 8.0,
            (point["depth"] - 1.0) / 11.0,
            (point["keep"] - 0.1) / 0.9,
        ]
    )
    scales = ("none", "standard", "minmax")
    return numbers, _KERNELS.index(point["kernel"]), scales.index(point["scale"])


@cache
def _classifier(name: str, n: int) -> dict[str, Array]:
    """Return how each of n examples depends on the hyperparameters."""
    rng = _rng(name)
    return {
        "base": rng.normal(1.2, 1.0, n),
        "center": rng.uniform(0.2, 0.8, (len(_KERNELS), 4)),
        "own": rng.normal(0.0, 0.12, (n, 4)),
        "width": rng.uniform(4.0, 14.0, (len(_KERNELS), 4)) * np.array([1.0, 0.7, 0.4, 0.3]),
        "kernel": rng.normal(0.0, 0.5, len(_KERNELS))[:, None] + rng.normal(0, 0.5, (5, n)),
        "scale": rng.normal(0.0, 0.3, 3)[:, None] + rng.normal(0.0, 0.3, (3, n)),
    }


def _margins(name: str, n: int, point: Point) -> Array:
    parts = _classifier(name, n)
    x, kernel, scale = _classifier_units(point)
    bowl = parts["width"][kernel] * (x - parts["center"][kernel] - parts["own"]) ** 2
    margins: Array = parts["base"] + parts["kernel"][kernel] + parts["scale"][scale] - bowl.sum(1)
    return margins


def best_found(problem: HpProblem, value: Callable[[Point], float], name: str) -> float:
    """Return the best value of a long random search and of random steps from its best points."""
    from deephyper.optimizer.encoding import SpaceEncoding
    from deephyper.optimizer.neighbors import Neighbors
    from deephyper.optimizer.sampling import Sampler

    encoding = SpaceEncoding(problem.space)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    sampler = Sampler(encoding, rng)
    neighbors = Neighbors(sampler)
    vectors = sampler.sample(4000)
    values = np.array([value(p) for p in encoding.points(vectors)])
    for _ in range(40):
        tops = np.argsort(-values)[:20]
        tried = neighbors.perturb(
            np.repeat(vectors[tops], 8, axis=0), 10.0 ** rng.uniform(-2.5, -0.3, 160)
        )
        vectors = np.concatenate([vectors[tops], tried])
        new = np.array([value(p) for p in encoding.points(tried)])
        values = np.concatenate([values[tops], new])
    return float(values.max())


def accuracy(half: str, name: str, n: int) -> Task:
    """A share k/n of examples that are classified well, each beyond a threshold of its own."""

    def value(point: Point) -> float:
        return float((_margins(name, n, point) > 0.0).mean())

    @cache
    def optimum() -> float:
        return best_found(_classifier_problem(), value, name)

    return Task(name, "steps", half, _classifier_problem, value, optimum)


def forest(half: str, name: str, trees: int) -> Task:
    """What a random forest makes of a tuning problem of which it has seen 400 noisy results."""

    @cache
    def model() -> Any:
        from sklearn.ensemble import RandomForestRegressor

        problem = _classifier_problem()
        problem.space.seed(zlib.crc32(name.encode()))
        points = [dict(c) for c in problem.space.sample_configuration(400)]
        rng = _rng(name)
        y = [float(np.tanh(_margins(name, 40, p)).mean()) for p in points]
        fitted = RandomForestRegressor(trees, min_samples_leaf=2, random_state=0)
        fitted.fit(np.stack([row(p) for p in points]), np.array(y) + 0.03 * rng.normal(size=400))
        return [tree.tree_ for tree in fitted.estimators_]

    def row(point: Point) -> Array:
        x, kernel, scale = _classifier_units(point)
        return np.concatenate([x, np.eye(5)[kernel], np.eye(3)[scale]])

    def value(point: Point) -> float:
        x = row(point).astype(np.float32)[None, :]
        return float(np.mean([tree.predict(x)[0, 0] for tree in model()]))

    @cache
    def optimum() -> float:
        return best_found(_classifier_problem(), value, name)

    return Task(name, "steps", half, _classifier_problem, value, optimum)


def counts(half: str, name: str, dims: int, levels: int) -> Task:
    """A whole number: the height of a plateau on the way to an optimum, of any of four kinds."""

    @cache
    def shape() -> tuple[Array, Array, Array]:
        rng = _rng(name)
        return rng.random((4, dims)), rng.uniform(0.4, 2.0, dims), rng.permutation(4).astype(float)

    def problem() -> HpProblem:
        problem = HpProblem()
        for i in range(dims):
            problem.add_dim(f"i{i:02d}", (0, 63))
        problem.add_dim("kind", ["a", "b", "c", "d"])
        return problem

    def value(point: Point) -> float:
        centers, scales, order = shape()
        k = "abcd".index(point["kind"])
        x = np.array([point[f"i{i:02d}"] for i in range(dims)]) / 63.0
        distance = math.sqrt(float((scales * (x - centers[k]) ** 2).mean()))
        return float(math.ceil(levels * (1.0 - 2.0 * distance)) - order[k])

    return Task(name, "steps", half, problem, value, lambda: float(levels))


# -- categories that trap -------------------------------------------------------------------------


def trap(half: str, name: str, sizes: tuple[int, ...], dims: int, narrow: float) -> Task:
    """Each combination of categories has its hill; the highest is narrow, the next one broad."""

    @cache
    def hills() -> tuple[Array, Array, Array, Array]:
        rng = _rng(name)
        heights = rng.uniform(0.0, 0.7, sizes)
        widths = rng.uniform(0.3, 0.8, sizes)
        centers = rng.uniform(0.15, 0.85, (*sizes, dims))
        best = tuple(int(rng.integers(n)) for n in sizes)
        lure = tuple((i + 1) % n for i, n in zip(best, sizes, strict=True))
        heights[lure], widths[lure] = 0.8, 0.9
        heights[best], widths[best] = 1.0, narrow
        return heights, widths, centers, rng.uniform(0.5, 1.5, dims)

    def problem() -> HpProblem:
        problem = _cube(dims)
        for i, n in enumerate(sizes):
            problem.add_dim(f"c{i}", [f"v{j}" for j in range(n)])
        return problem

    def value(point: Point) -> float:
        heights, widths, centers, scales = hills()
        code = tuple(int(point[f"c{i}"][1:]) for i in range(len(sizes)))
        squared = float((scales * (_array(point, dims) - centers[code]) ** 2).mean())
        return float(heights[code]) - 1.0 + math.exp(-squared / (2.0 * float(widths[code]) ** 2))

    return Task(name, "categories", half, problem, value, lambda: 1.0)


# -- many dimensions ------------------------------------------------------------------------------


def wide(half: str, name: str, dims: int, matter: int) -> Task:
    """Mixed hyperparameters of falling importance, neighbors interacting."""
    kinds = [("log", "number", "integer", "category")[i % 4] for i in range(dims)]

    @cache
    def shape() -> tuple[Array, Array, Array]:
        rng = _rng(name)
        importance = np.zeros(dims)
        importance[rng.permutation(dims)[:matter]] = 1.0 / (1.0 + 0.4 * np.arange(matter))
        return (
            importance,
            rng.uniform(0.1, 0.9, dims),
            rng.permuted(np.tile([0.0, 0.3, 0.6, 1.0], (dims, 1)), axis=1),
        )

    def problem() -> HpProblem:
        problem = HpProblem()
        for i, kind in enumerate(kinds):
            if kind == "log":
                problem.add_dim(f"x{i:02d}", (1e-4, 1.0, "log-uniform"))
            elif kind == "number":
                problem.add_dim(f"x{i:02d}", (0.0, 1.0))
            elif kind == "integer":
                problem.add_dim(f"x{i:02d}", (1, 16))
            else:
                problem.add_dim(f"x{i:02d}", ["a", "b", "c", "d"])
        return problem

    def losses(point: Point) -> Array:
        importance, centers, of_category = shape()
        out = np.zeros(dims)
        for i, kind in enumerate(kinds):
            v = point[f"x{i:02d}"]
            if kind == "category":
                out[i] = of_category[i]["abcd".index(v)]
                continue
            if kind == "log":
                unit = math.log10(v) / 4.0 + 1.0
            else:
                unit = float(v) if kind == "number" else (v - 1) / 15.0
            center = round(15.0 * centers[i]) / 15.0
            out[i] = 4.0 * (unit - center) ** 2
        return importance * out

    def value(point: Point) -> float:
        loss = losses(point)
        paired = np.sqrt(loss * np.roll(loss, 1))
        return -float(loss.sum() + paired.sum())

    return Task(name, "wide", half, problem, value, lambda: 0.0)
