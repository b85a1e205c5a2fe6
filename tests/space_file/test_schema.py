"""The schema that editors complete and check space files by agrees with the reader."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from deephyper.errors import ProblemError
from deephyper.objective import Direction
from deephyper.problem import HpProblem
from deephyper.space_file import schema
from deephyper.space_file.hyperparameter import DISTRIBUTIONS, KINDS
from deephyper.space_file.reading import SECTIONS
from deephyper.space_file.writing import as_json, as_tree
from tests.cli.test_bad_spaces import FILES
from tests.problem.test_problem_properties import spaces
from tests.space_file.test_reading import YAML
from tests.space_file.test_round_trips import complete_problems, read

SCHEMA: dict[str, Any] = json.loads(schema())
VALIDATOR = Draft202012Validator(SCHEMA)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_it_has_the_keys_that_the_reader_takes() -> None:
    assert set(SCHEMA["properties"]) == set(SECTIONS)
    kinds = {"range": "range", "values": "choice", "constant": "constant"}
    for kind, further in KINDS.items():
        definition = SCHEMA["$defs"][kinds[kind]]
        assert set(definition["properties"]) == {kind, *further}
        assert definition["required"] == [kind]
    assert SCHEMA["$defs"]["range"]["properties"]["distribution"]["enum"] == list(DISTRIBUTIONS)
    assert SCHEMA["properties"]["direction"]["enum"] == list(get_args(Direction))


@spaces
@given(complete_problems())
def test_every_space_that_is_written_is_valid(problem: HpProblem) -> None:
    VALIDATOR.validate(json.loads(as_json(problem, "minimize")))


def test_a_space_written_by_hand_is_valid() -> None:
    from deephyper.space_file.yaml_text import load

    VALIDATOR.validate(load(YAML)[0])


TREE: dict[str, Any] = {"hyperparameters": {"x": "(1, 9)", "y": ["a", "b"]}}


@pytest.mark.parametrize(
    "change",
    [
        {"hyperparameters": {}},
        {"hyperparameters": ["x"]},
        {"hyperparameters": {"x": 3}},
        {"hyperparameters": {"x": None}},
        {"hyperparameters": {"x": []}},
        {"hyperparameters": {"x": [[1]]}},
        {"hyperparameters": {"x": {}}},
        {"hyperparameters": {"x": {"range": [1]}}},
        {"hyperparameters": {"x": {"range": [1, "2"]}}},
        {"hyperparameters": {"x": {"range": [1, 2], "log": "yes"}}},
        {"hyperparameters": {"x": {"range": [1, 2], "values": [1]}}},
        {"hyperparameters": {"x": {"range": [1, 2], "distribution": "gamma"}}},
        {"hyperparameters": {"x": {"values": ["a"], "log": True}}},
        {"hyperparameters": {"x": {"values": ["a", "b"], "weights": [1, -1]}}},
        {"hyperparameters": {"x": {"constant": 1, "default": 1}}},
        {"hyperparameters": {"x": {"constant": [1]}}},
        {"conditions": ["x == 1"]},
        {"conditions": {"x": 1}},
        {"forbidden": {"x": "x == 1"}},
        {"forbidden": [1]},
        {"starting_points": {"x": 1}},
        {"starting_points": [1]},
        {"starting_points": [{"x": [1]}]},
        {"direction": "up"},
        {"further": 1},
    ],
)
def test_what_is_not_of_the_form_is_refused_by_both(change: dict[str, Any]) -> None:
    tree = TREE | change
    assert not VALIDATOR.is_valid(tree)
    with pytest.raises(ProblemError):
        read(json.dumps(tree), ".json")


def test_what_the_schema_refuses_the_reader_refuses() -> None:
    """Of all files that can't be used, none is refused for its form by the schema alone."""
    from deephyper.space_file.yaml_text import load

    refused = 0
    for name, (text, _) in FILES.items():
        if name.endswith((".json", ".toml")) or "deep" in name:
            continue
        try:
            tree = load(text)[0]
        except ProblemError:
            continue
        refused += not VALIDATOR.is_valid(tree)
        with pytest.raises(ProblemError):
            read(text, ".yaml")
    assert refused > 10


def test_a_written_space_may_name_the_schema() -> None:
    problem = read(json.dumps({"$schema": "space.schema.json", **TREE}), ".json")
    assert as_tree(problem)["hyperparameters"] == TREE["hyperparameters"]
