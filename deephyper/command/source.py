"""The objective of a program: where it is found in what the program prints or writes.

Lines are looked at as they come, the last ones first, and none is kept.
"""

from __future__ import annotations

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deephyper.errors import SettingsError
from deephyper.objective import FAILURE_PREFIX, METRICS_KEY, OBJECTIVE_KEY

LAST = "last"
"""The last number on standard output, the default source of an objective."""
FORMS = "last, regex:PATTERN, or json:FILE[:KEY]"
"""The ways to say where the objective is, for messages and help texts."""
OUTPUT = "DH-OUTPUT:"
"""A line that begins with it has the objective, wherever it stands."""
_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|nan|inf(?:inity)?)"
    r"(?!\w|\.\d)",
    re.IGNORECASE,
)


class Reader(ABC):
    """Finds the objective of one evaluation."""

    def take(self, lines: Sequence[str]) -> None:  # noqa: B027 (may stay)
        """Look at further lines of standard output."""

    @abstractmethod
    def result(self) -> Any:
        """Return what ``run`` is to return; None if nothing was found."""


@dataclass(frozen=True)
class Source(ABC):
    """A place where objectives are found."""

    @abstractmethod
    def reader(self, path_of: Callable[[str], Path]) -> Reader:
        """Return what finds the objective of one evaluation, which has not begun.

        Args:
            path_of: returns the path of a file of the program.
        """

    @property
    def file(self) -> str:
        """The file in which the objective is; empty if it is printed."""
        return ""

    @property
    @abstractmethod
    def missing(self) -> str:
        """The reason why an evaluation without an objective has failed."""


def source_of(text: str) -> Source:
    """Return the source that a user names.

    Raises:
        SettingsError: if it is none, or its pattern can't be read.
    """
    kind, _, rest = text.partition(":")
    if text == LAST:
        return LastNumber()
    if kind == "regex" and rest:
        return Pattern.of(rest)
    if kind == "json" and rest:
        file, colon, key = rest.rpartition(":")
        # A colon may also be in the path, or in a placeholder with a format.
        is_key = colon and file and os.sep not in key and "}" not in key
        return JsonFile(file, key) if is_key else JsonFile(rest)
    raise SettingsError(f"--objective is '{text}'; give {FORMS}")


@dataclass(frozen=True)
class LastNumber(Source):
    """The last number on standard output."""

    def reader(self, path_of: Callable[[str], Path]) -> Reader:
        return _LastNumberReader()

    @property
    def missing(self) -> str:
        return f"the program printed no number, and no line {OUTPUT} VALUE"


class _LastNumberReader(Reader):
    def __init__(self) -> None:
        self._last: str | None = None

    def take(self, lines: Sequence[str]) -> None:
        for line in reversed(lines):
            if numbers := _NUMBER.findall(line):
                self._last = numbers[-1]
                return

    def result(self) -> float | None:
        return None if self._last is None else float(self._last)


@dataclass(frozen=True)
class Pattern(Source):
    """The last line that a regular expression matches.

    Attributes:
        pattern: its group ``objective``, or else its first, is the objective; other named groups
            are metrics.
    """

    pattern: str

    @classmethod
    def of(cls, pattern: str) -> Pattern:
        """Take a pattern.

        Raises:
            SettingsError: if it can't be read, or has no group.
        """
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise SettingsError(
                f"--objective regex:{pattern} is no regular expression ({error}); see the syntax "
                "of Python's module re"
            ) from None
        if not compiled.groups:
            raise SettingsError(
                f"--objective regex:{pattern} has no group; put the number into parentheses, as "
                "in regex:'loss: ([-+.\\deE]+)'"
            )
        return cls(pattern)

    def reader(self, path_of: Callable[[str], Path]) -> Reader:
        return _PatternReader(re.compile(self.pattern))

    @property
    def missing(self) -> str:
        return f"no line of the output matches {self.pattern}"


class _PatternReader(Reader):
    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._found: re.Match[str] | None = None

    def take(self, lines: Sequence[str]) -> None:
        for line in reversed(lines):
            if found := self._pattern.search(line):
                self._found = found
                return

    def result(self) -> Any:
        if self._found is None:
            return None
        named = {name: text for name, text in self._found.groupdict().items() if text is not None}
        text = named.pop(OBJECTIVE_KEY, None)
        if text is None:
            text = self._found.group(1)
        return _with_metrics(text, named)


@dataclass(frozen=True)
class JsonFile(Source):
    """A value in a JSON file that the program writes.

    Attributes:
        name: of the file, with placeholders.
        key: names of keys and indices of lists on the way to the value, joined by dots; empty for
            all that is in the file, a number or an object as ``run`` may return it.
    """

    name: str
    key: str = ""

    def reader(self, path_of: Callable[[str], Path]) -> Reader:
        return _JsonReader(path_of(self.name), self.key)

    @property
    def file(self) -> str:
        return self.name

    @property
    def missing(self) -> str:
        return f"the program wrote no file {self.name}"


class _JsonReader(Reader):
    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key
        self._before = self._state()

    def result(self) -> Any:
        after = self._state()
        if after is None:
            return f"{FAILURE_PREFIX}the program wrote no file '{self._path}'"
        if not os.path.isfile(self._path):  # one could wait for ever for what is in a pipe
            return f"{FAILURE_PREFIX}'{self._path}' is not a file that can be read"
        if after == self._before:
            return (
                f"{FAILURE_PREFIX}the program didn't write '{self._path}', which was there before"
            )
        try:
            value = json.loads(self._path.read_bytes())
        except (OSError, ValueError) as error:
            return f"{FAILURE_PREFIX}'{self._path}' can't be read as JSON ({error})"
        for part in self._key.split(".") if self._key else ():
            try:
                value = value[int(part)] if isinstance(value, list) else value[part]
            except (LookupError, ValueError, TypeError):
                return f"{FAILURE_PREFIX}'{self._path}' has no {self._key}"
        return value

    def _state(self) -> tuple[int, ...] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns


def read_output(line: str) -> Any:
    """Return what a line says of the objective; None if it isn't one of :data:`OUTPUT`."""
    text = line.strip()
    if not text.startswith(OUTPUT):
        return None
    words = text.removeprefix(OUTPUT).split()
    if not words:
        return f"{FAILURE_PREFIX}the program printed {OUTPUT} without a value"
    if words[0] == "F" or words[0].startswith(FAILURE_PREFIX):
        return " ".join(words)
    return _with_metrics(words[0], named_numbers(words[1:]))


def named_numbers(words: list[str]) -> dict[str, str]:
    """Return the words of the form ``name=value``, by name."""
    pairs = (word.partition("=") for word in words)
    return {name: value for name, equals, value in pairs if equals and name}


def _with_metrics(objective: str, metrics: dict[str, str]) -> Any:
    """Return texts as ``run`` would return the numbers that they are."""
    value = _number(objective)
    if isinstance(value, str) or not metrics:
        return value
    numbers = {name: _number(text) for name, text in metrics.items()}
    for number in numbers.values():
        if isinstance(number, str):
            return number
    return {OBJECTIVE_KEY: value, METRICS_KEY: numbers}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return f"{FAILURE_PREFIX}the program gave {text[:80]!r}, which is not a number"
