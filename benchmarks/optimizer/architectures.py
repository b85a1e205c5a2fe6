"""Architectures of neural networks, looked up in public tables of trained ones.

- NAS-Bench-Macro (Su et al., 2021, arXiv 2103.11922): all 6,561 convolutional networks of eight
  layers with three operations; the mean test accuracy of three trainings.
- NAS-Bench-Graph (Qin et al., NeurIPS 2022): 26,206 graph networks of four layers, wired in one of
  nine ways, with one of nine operations each, on nine data sets; the validation accuracy. Several
  points stand for the same network, and points whose network isn't there fail.

The tables aren't ours, so they lie in the directory that ARCHITECTURE_TABLES names;
`python -m benchmarks.optimizer.tabulate_architectures DIR` makes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.optimizer.task import Point, Task
from deephyper.nas import ArchitectureSpace, Identity, NaProblem, op
from deephyper.optimizer.arrays import Array
from deephyper.problem import HpProblem
from deephyper.problem.domain import Choices

GRAPHS = {
    "cora": "design",
    "pubmed": "design",
    "citeseer": "report",
    "cs": "report",
    "physics": "report",
    "photo": "report",
    "computers": "report",
    "arxiv": "report",
    "proteins": "report",
}
"""Data sets of NAS-Bench-Graph, and the half that each is of."""
MACRO = ("identity", "kernel3", "kernel5")
"""Operations of a layer of NAS-Bench-Macro, by their digits."""
GRAPH = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")
"""Operations of a layer of NAS-Bench-Graph."""
LINKS = ("0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123")
"""The layers that are the inputs of the four layers, 0 being the input of the network."""
FEWER = {"proteins": ("gcn", "sage", "arma", "fc", "skip")}
"""Data sets that have fewer of them."""


def architectures() -> list[Task]:
    """Return the tasks whose tables are there."""
    directory = os.environ.get("ARCHITECTURE_TABLES")
    if directory is None:
        return []
    tables = Path(directory)
    every = [(tables / "macro.npz", "design", "macro", macro_problem)] + [
        (tables / f"graph-{name}.npz", half, f"graph-{name}", _graph_problem(name))
        for name, half in GRAPHS.items()
    ]
    return [
        _task(path, half, f"architectures-{name}", problem)
        for path, half, name, problem in every
        if path.exists()
    ]


def operations(data: str) -> tuple[str, ...]:
    """Return the operations that a data set of NAS-Bench-Graph has."""
    return FEWER.get(data, GRAPH)


def macro_problem() -> HpProblem:
    """Return the problem of searching eight layers of three operations."""
    problem = NaProblem()
    problem.search_space(_macro_space)
    return problem


def _macro_space() -> ArchitectureSpace:
    """Return the layers of NAS-Bench-Macro, without the strides between them."""
    kernels = {f"kernel{n}": op("DepthwiseConv2D", n, padding="same") for n in (3, 5)}
    space = ArchitectureSpace((32, 32, 3), (10,))
    layers = [space.variable(f"layer{i}", {"identity": Identity, **kernels}) for i in range(8)]
    space.connect(space.input, *layers)
    return space


def _graph_problem(data: str) -> Callable[[], HpProblem]:
    def problem() -> HpProblem:
        problem = HpProblem()
        problem.add_dim("inputs", list(LINKS))
        for i in range(4):
            problem.add_dim(f"layer{i}", list(operations(data)))
        return problem

    return problem


def _task(path: Path, half: str, name: str, make: Callable[[], HpProblem]) -> Task:
    index = {
        name: {value: i for i, value in enumerate(domain.values)}
        for name, domain in make().domains.items()
        if isinstance(domain, Choices)
    }
    names = sorted(index)  # inputs before layers

    def value(point: Point) -> float:
        return float(_table(path)[tuple(index[each][point[each]] for each in names)])

    def fails(point: Point) -> bool:
        return bool(np.isnan(value(point)))

    def optimum() -> float:
        return float(np.nanmax(_table(path)))

    absent = bool(np.isnan(_table(path)).any())
    return Task(name, "architectures", half, make, value, optimum, fails=fails if absent else None)


@cache
def _table(path: Path) -> Array:
    """Return the scores, one axis a hyperparameter; NaN where there is no such network."""
    with np.load(path) as file:
        scores: Array = file["scores"]
    return scores
