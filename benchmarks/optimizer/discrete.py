"""Spaces of mostly categories and integers, with interactions."""

from __future__ import annotations

import itertools
import zlib
from functools import cache

import numpy as np

from benchmarks.optimizer.task import Point, Task
from deephyper.optimizer.arrays import Array
from deephyper.problem import HpProblem


@cache
def _tables(
    name: str, sizes: tuple[int, ...], pairs: int, triples: int
) -> tuple[list[Array], list[tuple[tuple[int, ...], Array]]]:
    """Random main effects and interactions; the same for everyone."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    main = [rng.normal(size=s) for s in sizes]
    terms = []
    for order, count in ((2, pairs), (3, triples)):
        combos = list(itertools.combinations(range(len(sizes)), order))
        for i in rng.choice(len(combos), size=min(count, len(combos)), replace=False):
            chosen = combos[i]
            terms.append((chosen, rng.normal(size=[sizes[j] for j in chosen])))
    return main, terms


def categories(half: str, name: str, sizes: tuple[int, ...], pairs: int, triples: int) -> Task:
    """Categories alone: random main effects, pairs and triples."""

    def problem() -> HpProblem:
        problem = HpProblem()
        for i, size in enumerate(sizes):
            problem.add_dim(f"c{i:02d}", [f"v{j}" for j in range(size)])
        return problem

    def value(point: Point) -> float:
        main, terms = _tables(name, sizes, pairs, triples)
        code = [int(point[f"c{i:02d}"][1:]) for i in range(len(sizes))]
        out = sum(m[c] for m, c in zip(main, code, strict=True))
        return float(out + sum(t[tuple(code[j] for j in chosen)] for chosen, t in terms))

    def optimum() -> float:
        main, terms = _tables(name, sizes, pairs, triples)
        total = np.zeros(sizes)
        for i, m in enumerate(main):
            total += m.reshape([-1 if j == i else 1 for j in range(len(sizes))])
        for chosen, t in terms:
            total += t.reshape([sizes[j] if j in chosen else 1 for j in range(len(sizes))])
        return float(total.max())

    return Task(name, "discrete", half, problem, value, optimum)


def _smooth(rng: np.random.Generator, size: int) -> Array:
    """Return a random smooth function of an integer: a few cosines."""
    x = np.linspace(0.0, 1.0, size)
    out = np.zeros(size)
    for k in range(4):
        out += rng.normal() / (k + 1) * np.cos(np.pi * k * x + rng.uniform(0, 2 * np.pi))
    return out


@cache
def _mixed_tables(
    name: str, n_int: int, size: int, n_cat: int, levels: int
) -> tuple[list[int], list[Array], Array]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    # every integer has a curve for each value of the category that it interacts with
    partners = [int(rng.integers(n_cat)) for _ in range(n_int)]
    shared = [_smooth(rng, size) for _ in range(n_int)]
    curves = [
        np.stack([shared[i] + 0.6 * _smooth(rng, size) for _ in range(levels)])
        for i in range(n_int)
    ]
    main = rng.normal(size=(n_cat, levels)) * 0.5
    return partners, curves, main


def integers(half: str, name: str, n_int: int, size: int, n_cat: int, levels: int) -> Task:
    """Integers whose curves depend on categories."""

    def problem() -> HpProblem:
        problem = HpProblem()
        for i in range(n_int):
            problem.add_dim(f"i{i:02d}", (0, size - 1))
        for i in range(n_cat):
            problem.add_dim(f"c{i:02d}", [f"v{j}" for j in range(levels)])
        return problem

    def value(point: Point) -> float:
        partners, curves, main = _mixed_tables(name, n_int, size, n_cat, levels)
        code = [int(point[f"c{i:02d}"][1:]) for i in range(n_cat)]
        out = sum(main[i, c] for i, c in enumerate(code))
        return float(
            out + sum(curves[i][code[partners[i]], point[f"i{i:02d}"]] for i in range(n_int))
        )

    def optimum() -> float:
        partners, curves, main = _mixed_tables(name, n_int, size, n_cat, levels)
        total = 0.0  # given its category, each integer is on its own
        for c in range(n_cat):
            by_level = main[c] + sum(
                (curves[i].max(axis=1) for i in range(n_int) if partners[i] == c),
                np.zeros(levels),
            )
            total += by_level.max()
        return float(total)

    return Task(name, "discrete", half, problem, value, optimum)
