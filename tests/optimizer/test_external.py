"""Anyone's own optimizer behind our interface."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deephyper.errors import OptimizerError, SettingsError
from deephyper.optimizer import ExternalOptimizer
from deephyper.problem import HpProblem
from tests.optimizer.bowl import cube


class Lists:
    """Proposes lists, and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, float]] = []
        self.n = 0

    def ask(self) -> list[float]:
        self.n += 1
        return [0.1 * self.n, 0.5, 0.5]

    def tell(self, x: list[float], y: float) -> None:
        self.told.append((x, y))


def _proposing(proposed: object) -> Any:
    return SimpleNamespace(ask=lambda: proposed, tell=lambda x, y: None)


def test_it_may_speak_in_lists_and_hears_of_every_result() -> None:
    lists = Lists()
    optimizer = ExternalOptimizer(cube(), lists, seed=0)
    proposals = optimizer.ask(3)
    assert [round(p.point["x0"], 3) for p in proposals] == [0.1, 0.2, 0.3]
    optimizer.tell(proposals[:2], [1.0, "F_crash"])
    optimizer.tell({"x0": 0.9, "x1": 0.9, "x2": 0.9}, 2.0)
    assert lists.told == [([0.1, 0.5, 0.5], 1.0), ([0.9, 0.9, 0.9], 2.0)]


def test_failures_are_told_as_the_objective_that_stands_for_them() -> None:
    lists = Lists()
    optimizer = ExternalOptimizer(cube(), lists, seed=0, failure_objective=-9.0)
    optimizer.tell(optimizer.ask(2), [1.0, "F_crash"])
    assert [objective for _, objective in lists.told] == [1.0, -9.0]


def test_arrays_count_as_lists() -> None:
    optimizer = ExternalOptimizer(cube(2), _proposing(np.array([0.25, 0.75])), seed=0)
    assert optimizer.ask().point == {"x0": 0.25, "x1": 0.75}


def test_a_list_holds_defaults_for_what_is_inactive() -> None:
    from ConfigSpace import EqualsCondition

    problem = HpProblem()
    kind = problem.add_dim("kind", ["a", "b"])
    rate = problem.add_dim("rate", (0.0, 1.0), default_value=0.125)
    problem.add_condition(EqualsCondition(rate, kind, "b"))
    told: list[Any] = []
    lists = SimpleNamespace(ask=lambda: ["a", 0.5], tell=lambda x, y: told.append(x))
    optimizer = ExternalOptimizer(problem, lists, seed=0)
    assert optimizer.ask().point == {"kind": "a"}
    optimizer.tell({"kind": "b", "rate": 0.75}, 1.0)
    optimizer.tell({"kind": "a"}, 1.0)
    optimizer.tell({"kind": "a"}, 2.0)
    # as it was proposed, where it was
    assert told == [["b", 0.75], ["a", 0.5], ["a", 0.125]]


@pytest.mark.parametrize("proposed", [None, 3.0, "abc", [0.5], [0.1, 0.2, 0.3, 0.4]])
def test_a_proposal_of_another_form_is_refused(proposed: object) -> None:
    with pytest.raises(OptimizerError, match=r"^ask\(\) of SimpleNamespace gave "):
        ExternalOptimizer(cube(), _proposing(proposed), seed=0).ask()


def test_invalid_proposals_are_replaced_and_the_first_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert len(ExternalOptimizer(cube(), _proposing({"X": 0.5}), seed=0).ask(3)) == 3
    assert len(caplog.records) == 1
    assert "{'X': 0.5}" in caplog.records[0].getMessage()
    assert "replaced by random points" in caplog.records[0].getMessage()


def test_an_object_without_ask_or_tell_is_refused() -> None:
    with pytest.raises(SettingsError, match="ask"):
        ExternalOptimizer(cube(), object())  # type: ignore[arg-type]
