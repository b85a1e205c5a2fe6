"""The text of a file as plain values, each with its place in the file."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from deephyper.errors import ProblemError
from deephyper.space_file import yaml_text
from deephyper.space_file.yaml_text import Places, YamlError
from deephyper.suggest import nearest

_LARGEST = 1_000_000
"""Bytes of a file that is read."""
_ENDINGS = (".yaml", ".yml", ".json", ".toml")


@dataclass(frozen=True)
class Document:
    """The contents of a file.

    Attributes:
        source: what messages call it.
        value: dictionaries with texts as keys, lists and plain values.
        places: path -> line and column; empty if unknown.
        json: the text of a file of JSON, in which places are looked for when one is needed.
    """

    source: str
    value: Any
    places: Places = field(default_factory=dict)
    json: str = ""

    def error(self, reason: str, path: yaml_text.Path = ()) -> ProblemError:
        """Return an error about what a path leads to."""
        places = self.places or _places(self.json)
        while path and path not in places:
            path = path[:-1]
        where = places.get(path) if path else None
        return _error(self.source, reason, where)

    def place(self, path: yaml_text.Path) -> tuple[int, int] | None:
        """Return line and column of what a path leads to; None if unknown."""
        return (self.places or _places(self.json)).get(path)

    def with_value(self, value: Any, places: Places) -> Document:
        """Return the same file understood in another way."""
        return replace(self, value=value, places=places, json="")


@dataclass(frozen=True)
class Purpose:
    """The words for a file in messages.

    Attributes:
        what: it is.
        whole: what it describes.
        parts: what is in it.
    """

    what: str
    whole: str
    parts: str


_SPACE = Purpose("a search space", "the space", "the hyperparameters")


def read_document(path: Path, purpose: Purpose = _SPACE) -> Document:
    """Return what a file of YAML, TOML or JSON holds.

    Args:
        path: ends in .toml or .json; any other file is read as YAML.
        purpose: of the file, for messages.

    Raises:
        ProblemError: it can't be read, or isn't what its name says; with line and column.
    """
    text = _text_of(path, purpose)
    source = f"'{path}'"
    if not text.strip():
        content = f"{purpose.parts} of {purpose.whole}"
        raise ProblemError(f"{source} is empty: write {content} into it")
    try:
        match path.suffix.lower():
            case ".toml":
                return Document(source, _toml(source, text))
            case ".json":
                return Document(source, _json(source, text), json=text)
            case _:
                return Document(source, *_yaml(source, text))
    except RecursionError:
        raise ProblemError(f"{source} is nested too deeply for {purpose.what}") from None


def _text_of(path: Path, purpose: Purpose) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise ProblemError(f"there is no file '{path}': {_other_file(path)}") from None
    except IsADirectoryError:
        raise ProblemError(
            f"'{path}' is a directory: name the file of {purpose.whole} in it"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProblemError(f"'{path}' can't be read ({reason}): check the path") from error
    if len(data) > _LARGEST:
        raise ProblemError(f"'{path}' is larger than 1 MB: name {purpose.what}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProblemError(
            f"'{path}', line {line}: this is not text in UTF-8: name a file of YAML, TOML or JSON"
        ) from None


def _other_file(path: Path) -> str:
    try:
        there = [each.name for each in path.parent.iterdir() if each.suffix.lower() in _ENDINGS]
    except OSError:
        return "check the path"
    near = nearest(path.name, there, similar=0.7)
    return "check the path" if near is None else f"did you mean '{path.with_name(near)}'?"


def _yaml(source: str, text: str) -> tuple[Any, Places]:
    try:
        return yaml_text.load(text)
    except YamlError as error:
        raise _error(source, error.reason, error.place) from None


def _toml(source: str, text: str) -> Any:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # with line and column in its message
        raise ProblemError(f"{source} is not TOML: {error}") from None


def _json(source: str, text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            left = dict(found)
            twice = next(name for name, _ in pairs if left.pop(name, left) is left)
            # Where it stands, if the text can also be read as YAML.
            _yaml(source, text)
            raise ProblemError(f"{source}: the key {twice!r} stands twice: leave out one of them")
        return found

    def refuse(word: str) -> NoReturn:
        raise ProblemError(f"{source}: {word} is not a number of JSON: give finite numbers")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise _error(
            source, f"this is not JSON: {error.msg}", (error.lineno, error.colno)
        ) from None
    except ProblemError:
        raise
    except ValueError as error:  # a number with more digits than Python reads
        raise ProblemError(f"{source} is not JSON: {error}") from None


def _places(text: str) -> Places:
    """Return where the values of a JSON text are, as far as it is YAML too."""
    try:
        return yaml_text.load(text)[1]
    except (YamlError, RecursionError):
        return {}


def _error(source: str, reason: str, place: tuple[int, int] | None) -> ProblemError:
    where = "" if place is None else f", line {place[0]}, column {place[1]}"
    return ProblemError(f"{source}{where}: {reason}")
