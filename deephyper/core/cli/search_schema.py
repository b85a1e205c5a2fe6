"""The JSON Schema of a file for ``--config``, made from the options of its command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from deephyper.checks import DURATION_PATTERN
from deephyper.core.cli.option_groups import Duration
from deephyper.core.cli.search_file import COMMAND, SCHEMA, file_options
from deephyper.core.cli.search_options import RegisteredName

_TEXT = {"type": "string", "minLength": 1}
_SCALAR = {"$ref": "#/$defs/scalar"}


def search_schema(command: click.Command) -> dict[str, Any]:
    """Return the schema of a file with the options of a command.

    Each is described by its long name with underscores, which editors offer; the same with dashes
    is valid too.
    """
    options = file_options(command)
    context = click.Context(command)
    properties: dict[str, Any] = {SCHEMA: {"description": "This schema, for editors.", **_TEXT}}
    for name, (_, option) in options.items():
        value = _PROGRAM if name == COMMAND else _value(option)
        properties[name] = {"description": _description(name, option, context), **value}
    dashed = [name for name in options if "_" in name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Search of deephyper",
        "description": "The options of a search, each by its name.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "patternProperties": {
            f"^{name.replace('_', '[-_]')}$": {"$ref": f"#/properties/{name}"} for name in dashed
        },
        "$defs": _of_spaces("scalar", "values", "text"),
    }


def _of_spaces(*names: str) -> dict[str, Any]:
    """Return definitions of the schema of search spaces."""
    from deephyper.space_file import schema

    definitions = json.loads(schema())["$defs"]
    return {name: definitions[name] for name in names}


_PROGRAM = {
    "description": "The program, and what it is given, with placeholders such as {NAME} and "
    "{args}: one text, split into words as a shell does, or a list of words.",
    "anyOf": [
        _TEXT,
        {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}},
    ],
}


def _description(name: str, option: click.Option, context: click.Context) -> str:
    """Return the help text of an option, with its default."""
    default = option.get_help_extra(context).get("default")
    text = option.help or name
    return text if default is None else f"{text} (default: {default})"


def _value(option: click.Option) -> Mapping[str, Any]:
    """Return the schema of the values of an option."""
    if option.multiple:
        domain = {"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/values"}]}
        by_name = {
            "type": "object",
            "additionalProperties": domain if option.name == "param" else _SCALAR,
        }
        pair = {"type": "string", "pattern": "="}
        return {"anyOf": [by_name, pair, {"type": "array", "items": pair}]}
    if option.is_flag:
        return {"type": "boolean"}
    value = _typed(option.type)
    if isinstance(option.flag_value, float):  # the option may stand without a value
        return {"anyOf": [{"type": "boolean"}, value]}
    return value


def _typed(kind: click.ParamType[Any]) -> Mapping[str, Any]:
    match kind:
        case click.IntRange():
            return {"type": "integer", **_bounds(kind)}
        case click.FloatRange():
            return {"type": "number", **_bounds(kind)}
        case Duration():
            limit = {"minimum": 0} if kind.zero else {"exclusiveMinimum": 0}
            return {
                "anyOf": [
                    {"type": "number", **limit},
                    {"type": "string", "pattern": DURATION_PATTERN},
                ]
            }
        case click.Choice():
            return {"enum": list(kind.choices)}
        case RegisteredName():
            return {"enum": kind.known}
    return _TEXT


def _bounds(kind: click.IntRange | click.FloatRange) -> Mapping[str, float]:
    low = "exclusiveMinimum" if kind.min_open else "minimum"
    high = "exclusiveMaximum" if kind.max_open else "maximum"
    bounds = ((low, kind.min), (high, kind.max))
    return {name: bound for name, bound in bounds if bound is not None}
