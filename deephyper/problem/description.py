"""The description of a search space, by which a resumed search sees whether it has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

# Attributes of a hyperparameter that don't decide which points there are.
_IRRELEVANT = ("default_value", "default", "meta", "weights")


_MOST_PHRASES = 10


def describe_space(given: ConfigurationSpace) -> dict[str, Any]:
    """Return what decides which points a space has, as plain JSON values."""
    space = json.loads(json.dumps(given.to_serialized_dict(), default=_plain))
    hyperparameters = {
        each["name"]: {k: v for k, v in each.items() if k not in _IRRELEVANT}
        for each in space["hyperparameters"]
    }
    return {
        "hyperparameters": hyperparameters,
        "conditions": _sorted(space.get("conditions", [])),
        "forbiddens": _sorted(space.get("forbiddens", [])),
    }


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return what differs between two descriptions, one phrase each that can be printed."""
    found = []
    before, after = old["hyperparameters"], new["hyperparameters"]
    found += [f"'{_shown(name)}' is gone" for name in before if name not in after]
    found += [f"'{_shown(name)}' is new" for name in after if name not in before]
    for name in before:
        if name in after and before[name] != after[name]:
            keys = [
                k for k in before[name] | after[name] if before[name].get(k) != after[name].get(k)
            ]
            found += [
                f"{_shown(key)} of '{_shown(name)}' was {_shown(before[name].get(key))} "
                f"and is {_shown(after[name].get(key))}"
                for key in keys
            ]
    if old["conditions"] != new["conditions"]:
        found.append("the conditions differ")
    if old["forbiddens"] != new["forbiddens"]:
        found.append("the forbidden clauses differ")
    return found[:_MOST_PHRASES]


def _shown(value: Any) -> str:
    """Return a value of a file, which may be anything, in a few printable characters."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
    return text if len(text) <= 200 else f"{text[:197]}..."


def _sorted(clauses: list[Any]) -> list[Any]:
    return sorted(clauses, key=lambda clause: json.dumps(clause, sort_keys=True))


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
