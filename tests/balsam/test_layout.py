"""How evaluations are laid out over nodes."""

from __future__ import annotations

import pytest

from deephyper.balsam.layout import Layout
from deephyper.errors import EvaluatorError


@pytest.mark.parametrize(
    ("layout", "capacity"),
    [
        (Layout("mpi", 4), 3),
        (Layout("mpi", 4, nodes_per_eval=2), 1),
        (Layout("mpi", 2, nodes_per_eval=2), 0),
        (Layout("mpi", 1), 0),
        (Layout("serial", 1), 1),
        (Layout("serial", 3, evals_per_node=4), 12),
    ],
)
def test_the_search_and_its_evaluations_share_the_nodes(layout: Layout, capacity: int) -> None:
    assert layout.capacity == capacity


@pytest.mark.parametrize(
    ("mode", "taken"), [("serial", (2, 1, 1)), ("serial", (1, 2, 1)), ("mpi", (1, 1, 2))]
)
def test_a_layout_that_does_not_suit_the_mode_is_refused(
    mode: str, taken: tuple[int, int, int]
) -> None:
    with pytest.raises(EvaluatorError, match="submit with -j"):
        Layout(mode, 4, *taken)


def test_there_are_as_many_workers_as_fit_or_as_are_requested() -> None:
    layout = Layout("mpi", 4)
    assert layout.num_workers() == 3
    assert layout.num_workers(2) == 2
    with pytest.raises(EvaluatorError, match="4 workers don't fit"):
        layout.num_workers(4)
    with pytest.raises(EvaluatorError, match="ask for at least 2 nodes"):
        Layout("mpi", 1).num_workers()
