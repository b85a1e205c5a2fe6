"""The schema by which editors complete and check files for --config agrees with their reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from deephyper.balsam.cli.submit import balsam_submit
from deephyper.core.cli.check import check
from deephyper.core.cli.confirm import confirm
from deephyper.core.cli.hps import hps
from deephyper.core.cli.search_file import COMMAND, file_options, words_of_file
from deephyper.core.cli.search_schema import search_schema
from deephyper.errors import ProblemError
from deephyper.space_file.yaml_text import load
from tests.cli.command_line import Run
from tests.cli.test_config import FUNCTION, PROGRAM

COMMANDS = {
    **{f"hps {name}": command for name, command in hps.commands.items()},
    "balsam-submit": balsam_submit,
    "check": check,
    "confirm": confirm,
}
VALIDATOR = Draft202012Validator(search_schema(COMMANDS["hps ambs"]))


@pytest.mark.parametrize("name", COMMANDS)
def test_it_is_printed_for_every_command_that_takes_a_file(name: str, deephyper: Run) -> None:
    ended = deephyper("config", "schema", *name.split())
    printed = json.loads(ended.out)
    Draft202012Validator.check_schema(printed)
    assert (ended.status, printed) == (0, search_schema(COMMANDS[name]))
    assert printed["properties"].keys() == {"$schema", *file_options(COMMANDS[name])}
    assert all(each["description"] for each in printed["properties"].values())


def test_that_of_ambs_is_printed_where_no_command_is_named(deephyper: Run) -> None:
    assert json.loads(deephyper("config", "schema").out) == search_schema(COMMANDS["hps ambs"])


@pytest.mark.parametrize("words", [["topk"], ["hps"], ["hps", "ambs", "x"], ["nothing"]])
def test_a_command_without_a_file_has_none(words: list[str], deephyper: Run) -> None:
    ended = deephyper("config", "schema", *words)
    assert ended.status == 2
    assert (
        f"'{' '.join(words)}' is not a command that takes --config; give one of hps ambs, "
        in ended.err
    )


def samples(definition: dict[str, Any]) -> Iterator[Any]:
    """Values that a definition of the schema allows, those at its limits among them."""
    match definition:
        case {"anyOf": choices}:
            for each in choices:
                yield from samples(each)
        case {"enum": values}:
            yield from values
        case {"type": "boolean"}:
            yield from (True, False)
        case {"type": "integer"}:
            yield definition.get("minimum", 0)
        case {"type": "number"}:
            yield definition.get("minimum", 0.5)
        case {"type": "string", "pattern": "="}:
            yield "x=(1, 2)"
        case {"type": "string", "pattern": _}:
            yield from ("30", " 1.5 ", "2h", "10M")
        case {"type": "string"}:
            yield "text"
        case {"type": "array", "items": {"type": ["string", "number"]}}:
            yield ["./train.sh", 1]
        case {"type": "array"}:
            yield ["x=(1, 2)", "y=[a, b]"]
        case {"type": "object"}:
            yield {"x": "(1, 2)", "y": ["a", 1, None, True]}
        case _:
            raise AssertionError(definition)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_it_allows_is_read(name: str, tmp_path: Path) -> None:
    command = COMMANDS[name]
    schema = search_schema(command)
    validator = Draft202012Validator(schema)
    file = tmp_path / "search.json"
    for key in file_options(command):
        definition = schema["properties"][key]
        for value in samples(definition):
            if key == "set":  # plain values alone
                value = {"x": 1} if isinstance(value, dict) else value
            for spelled in {key, key.replace("_", "-")}:
                tree = {"$schema": "search.schema.json", spelled: value}
                validator.validate(tree)
                file.write_text(json.dumps(tree))
                words = words_of_file(click.Context(command), {"config": str(file)})
                assert bool(words) == (value is not False), (spelled, value)


@pytest.mark.parametrize("text", [FUNCTION, PROGRAM])
def test_files_that_are_read_are_valid(text: str) -> None:
    VALIDATOR.validate(load(text)[0])


def test_the_file_in_the_documentation_is_valid() -> None:
    page = Path(__file__).parents[2] / "docs" / "cli.md"
    text = re.search(r"```yaml\n(# search.yaml.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    VALIDATOR.validate(load(text[1])[0])


@pytest.mark.parametrize(
    "tree",
    [
        {"max_eval": 3},
        {"config": "other.yaml"},
        {"batch": True},
        {"max_evals": "many"},
        {"max_evals": 1.5},
        {"max_evals": 0},
        {"max-evals": 0},
        {"max_evals": [3]},
        {"max_evals": None},
        {"timeout": "soon"},
        {"timeout": 0},
        {"minimize": "yes"},
        {"direction": "up"},
        {"evaluator": "threads"},
        {"objective": 5},
        {"seed": True},
        {"log_dir": ""},
        {COMMAND: []},
        {COMMAND: {"a": "b"}},
        {"param": {"x": 3}},
        {"param": {"x": {"range": [1, 2]}}},
        {"param": [3]},
        {"param": ["x"]},
        ["max_evals"],
    ],
)
def test_what_the_reader_refuses_is_not_valid(tree: Any, tmp_path: Path) -> None:
    assert not VALIDATOR.is_valid(tree)
    file = tmp_path / "search.json"
    file.write_text(json.dumps(tree))
    with pytest.raises(ProblemError, match=r"search\.json'"):
        words_of_file(click.Context(COMMANDS["hps ambs"]), {"config": str(file)})
