"""A space in the terms that any optimizer understands, for peers that don't take ConfigSpace's.

A dimension is a float or an integer between bounds, with a log scale or not, or a category. An
ordinal is the whole number of its position. The choices of a category are named "c0", "c1"..., for
peers that take only strings or only values of one type; dimensions are named "p0", "p1"..., for
peers that restrict names. A condition is passed on where one category activates a child; what the
others, or a peer that knows none, leave in a proposal is dropped when it is inactive.
"""

from __future__ import annotations

from typing import Any

from ConfigSpace import ConfigurationSpace, EqualsCondition
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)

from benchmarks.optimizer.task import Point
from deephyper.problem.translation import translate


def described(space: ConfigurationSpace) -> dict[str, Any]:
    """The dimensions and conditions of a space, ready for JSON."""
    names = _names(space)
    dimensions = [
        {"name": names[name], **_dimension(hp)}
        for name, hp in space.items()
        if not isinstance(hp, Constant)
    ]
    return {"dimensions": dimensions, "conditions": _conditions(space)}


def decoded(space: ConfigurationSpace, proposal: dict[str, Any]) -> dict[str, Any]:
    """The values of a proposal for described dimensions under their names in the space."""
    names = _names(space)
    return {
        name: hp.value if isinstance(hp, Constant) else _value(hp, proposal[names[name]])
        for name, hp in space.items()
        if isinstance(hp, Constant) or names[name] in proposal
    }


def active(space: ConfigurationSpace, values: dict[str, Any]) -> Point:
    """The values without those of inactive hyperparameters."""
    conditions = {c.child.name: translate(c) for c in space.conditions}
    point: Point = {}
    for name in space:  # parents come first
        if name not in conditions or conditions[name].satisfied_by(point):
            point[name] = values[name]
    return point


def _names(space: ConfigurationSpace) -> dict[str, str]:
    return {name: f"p{i}" for i, name in enumerate(space)}


def _dimension(hp: Any) -> dict[str, Any]:
    if isinstance(hp, CategoricalHyperparameter):
        return {"type": "category", "values": [f"c{i}" for i in range(len(hp.choices))]}
    if isinstance(hp, OrdinalHyperparameter):
        return {"type": "int", "low": 0, "high": len(hp.sequence) - 1, "log": False}
    kind = int if isinstance(hp, IntegerHyperparameter) else float
    return {"type": kind.__name__, "low": kind(hp.lower), "high": kind(hp.upper), "log": hp.log}


def _value(hp: Any, proposed: Any) -> Any:
    if isinstance(hp, CategoricalHyperparameter):
        return hp.choices[int(proposed[1:])]
    if isinstance(hp, OrdinalHyperparameter):
        return hp.sequence[int(proposed)]
    kind = int if isinstance(hp, IntegerHyperparameter) else float
    # There and back on a log scale may leave the bounds by a rounding error.
    return min(max(kind(proposed), kind(hp.lower)), kind(hp.upper))


def _conditions(space: ConfigurationSpace) -> list[dict[str, str]]:
    """The value of its parent that activates a child, where it is one of a category."""
    names = _names(space)
    return [
        {
            "child": names[condition.child.name],
            "parent": names[condition.parent.name],
            "value": f"c{list(condition.parent.choices).index(condition.value)}",
        }
        for condition in space.conditions
        if isinstance(condition, EqualsCondition)
        and isinstance(condition.parent, CategoricalHyperparameter)
    ]
