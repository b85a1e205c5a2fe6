"""Search spaces as text: in our own form and in ConfigSpace's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deephyper.objective import Direction
from deephyper.printable import printable
from deephyper.problem.problem import BaseProblem
from deephyper.problem.translation import translate
from deephyper.space_file import yaml_text
from deephyper.space_file.hyperparameter import tree_of
from deephyper.space_file.rules import rule_text


def as_tree(problem: BaseProblem, direction: Direction | None = None) -> dict[str, Any]:
    """Return a space in our own form, as dictionaries, lists and plain values.

    Raises:
        ProblemError: it has a hyperparameter that our form can't say.
    """
    space = problem.space
    tree: dict[str, Any] = {} if direction is None else {"direction": direction}
    tree["hyperparameters"] = {name: tree_of(space[name]) for name in space}
    conditions = {_child(each): rule_text(translate(each), problem) for each in space.conditions}
    clauses = [rule_text(translate(each), problem) for each in space.forbidden_clauses]
    if conditions:
        tree["conditions"] = conditions
    if clauses:
        tree["forbidden"] = clauses
    if problem.starting_points:
        tree["starting_points"] = problem.starting_points
    return tree


def as_yaml(problem: BaseProblem, direction: Direction | None = None) -> str:
    """Return a space in our own form, as YAML; raises as :func:`as_tree`."""
    return yaml_text.dump(as_tree(problem, direction), depth=2)


def as_json(problem: BaseProblem, direction: Direction | None = None) -> str:
    """Return a space in our own form, as JSON; raises as :func:`as_tree`."""
    return _json(as_tree(problem, direction))


def as_config_space(problem: BaseProblem, ending: str = ".json") -> str:
    """Return a space in ConfigSpace's form, which has no starting points.

    Args:
        problem: the space.
        ending: of the file that is to hold it: .json or .yaml.
    """
    text = _json(problem.space.to_serialized_dict())
    return text if ending == ".json" else yaml_text.dump(json.loads(text))


def schema() -> str:
    """Return the JSON Schema of our own form, for editors and for programs that write it."""
    return Path(__file__).with_name("schema.json").read_text(encoding="utf-8")


def _json(tree: Any) -> str:
    def plain(value: Any) -> Any:
        return value.item() if hasattr(value, "item") else list(value)

    text = json.dumps(tree, indent=2, ensure_ascii=False, default=plain)
    if printable(text, lines=True) != text:
        text = json.dumps(tree, indent=2, default=plain)
    return f"{text}\n"


def _child(condition: Any) -> str:
    return str(condition.child.name)
