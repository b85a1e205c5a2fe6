"""A space in the terms of peers that don't take ConfigSpace's, and their proposals back in it."""

from __future__ import annotations

from typing import Any

from ConfigSpace import ConfigurationSpace, EqualsCondition, InCondition
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from benchmarks.optimizer.dimensions import active, decoded, described


def _space() -> ConfigurationSpace:
    space = ConfigurationSpace()
    kind = CategoricalHyperparameter("kind", ["linear", None, 3])
    rate = UniformFloatHyperparameter("rate", 1e-5, 1.0, log=True)
    width = UniformIntegerHyperparameter("width", 1, 64)
    size = OrdinalHyperparameter("size", [16, 32, 128])
    space.add(kind, rate, width, size, Constant("fixed", 7))
    space.add(EqualsCondition(rate, kind, 3), InCondition(width, kind, ["linear", 3]))
    return space


def _proposal(space: ConfigurationSpace, **values: Any) -> dict[str, Any]:
    """The values under the names that peers know, which count the space's."""
    return {f"p{list(space).index(name)}": value for name, value in values.items()}


def test_dimensions_are_floats_integers_and_categories() -> None:
    space = _space()
    by_name = {d.pop("name"): d for d in described(space)["dimensions"]}
    assert by_name == _proposal(
        space,
        kind={"type": "category", "values": ["c0", "c1", "c2"]},
        rate={"type": "float", "low": 1e-5, "high": 1.0, "log": True},
        width={"type": "int", "low": 1, "high": 64, "log": False},
        size={"type": "int", "low": 0, "high": 2, "log": False},
    )


def test_conditions_on_one_value_of_a_category_are_passed_on() -> None:
    space = _space()
    names = _proposal(space, kind=None, rate=None)
    parent, child = (name for name in names)
    assert described(space)["conditions"] == [{"child": child, "parent": parent, "value": "c2"}]


def test_a_proposal_gets_the_names_values_and_types_of_the_space() -> None:
    space = _space()
    proposal = _proposal(space, kind="c2", rate=0.5, width=12.0, size=2)
    point = decoded(space, proposal)
    assert point == {"kind": 3, "rate": 0.5, "width": 12, "size": 128, "fixed": 7}
    assert type(point["width"]) is int


def test_a_value_past_a_bound_by_rounding_is_the_bound() -> None:
    space = _space()
    assert decoded(space, _proposal(space, rate=1.0000001))["rate"] == 1.0
    assert decoded(space, _proposal(space, rate=0.9999999e-5))["rate"] == 1e-5


def test_inactive_hyperparameters_are_dropped() -> None:
    space = _space()
    flat = decoded(space, _proposal(space, kind="c1", rate=0.5, width=12, size=0))
    assert active(space, flat) == {"kind": None, "size": 16, "fixed": 7}


def test_a_proposal_may_leave_out_what_is_inactive() -> None:
    space = _space()
    point = decoded(space, _proposal(space, kind="c0", width=12, size=0))
    assert active(space, point) == {"kind": "linear", "width": 12, "size": 16, "fixed": 7}
