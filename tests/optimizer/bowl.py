"""A bowl over the unit cube, and a search of it."""

from __future__ import annotations

from deephyper.optimizer import Optimizer
from deephyper.problem import HpProblem
from deephyper.problem.point import Point


def cube(dims: int = 3) -> HpProblem:
    """Return the unit cube as a problem."""
    problem = HpProblem()
    for i in range(dims):
        problem.add_dim(f"x{i}", (0.0, 1.0))
    return problem


def bowl(point: Point) -> float:
    """Return an objective whose maximum, 0, is where every value is 0.3."""
    return -sum((float(value) - 0.3) ** 2 for value in point.values())


def search_bowl(optimizer: Optimizer, evaluations: int) -> None:
    """Search with one evaluation at a time."""
    for _ in range(evaluations):
        proposal = optimizer.ask()
        optimizer.tell(proposal, bowl(proposal.point))


def best(optimizer: Optimizer) -> float:
    """Return the best objective that the optimizer was told."""
    return max(objective for _, objective in optimizer.observations if objective is not None)
