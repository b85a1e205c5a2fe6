from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from deephyper.errors import ProblemError
from deephyper.problem import filter_parameters

POINT = {"units": 3, "lr": 0.1, "activation": "relu"}


class Model:
    def __init__(self, units: int, *, lr: float = 1.0) -> None:
        self.units, self.lr = units, lr


@dataclass
class Settings:
    lr: float
    momentum: float = 0.9


def build(units: int, /, lr: float, *activation: str) -> float:
    return lr


def anything(**options: object) -> int:
    return len(options)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (Model, {"units", "lr"}),
        (Settings, {"lr"}),
        (build, {"lr"}),
        (anything, {"units", "lr", "activation"}),
        (lambda units: units, {"units"}),
        (lambda: 0, set()),
    ],
)
def test_what_can_be_given_by_name_is_kept(function: Callable[..., Any], names: set[str]) -> None:
    kept = filter_parameters(function, POINT)
    assert kept == {name: POINT[name] for name in names}


def test_a_model_is_made_from_a_point_that_has_more() -> None:
    model = Model(**filter_parameters(Model, POINT))
    assert (model.units, model.lr) == (3, 0.1)


@pytest.mark.parametrize("function", [type, 3])
def test_unknown_parameters_are_said(function: Any) -> None:
    with pytest.raises(ProblemError, match="are unknown"):
        filter_parameters(function, POINT)
