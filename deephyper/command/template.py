"""A command line with placeholders, and the words that it has for a point.

No shell sees the words, so whatever a value holds is a part of one word. Braces that hold anything
but a placeholder are left as they are: programs take JSON, and text in braces of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deephyper.errors import SettingsError
from deephyper.printable import printable
from deephyper.suggest import nearest

_BRACES = re.compile(r"\{\{([^{}]*)\}\}|\{([^{}]*)\}")
_LIKE_A_NAME = re.compile(r"[A-Za-z_][\w.-]*(=|:[^{}]*)?")
POINT, POINT_FILE = "point", "point_file"
"""Placeholders for the point as JSON, and for a file that holds it."""
_OF_THE_EVALUATION = ("id", "dir", "seed", "gpu", POINT, POINT_FILE)
_OF_ALL = ("args", "args=", "flags", "flags=", "overrides")
_PLAIN_OVERRIDE = re.compile(r"[A-Za-z_/][\w/.@%?|-]*", re.ASCII)
_MEANT_OTHERWISE = ("true", "false", "null", "nan", "inf")
"""Texts that Hydra reads as something else."""

Values = Mapping[str, str | None]
"""Values of the placeholders of an evaluation; None for what isn't there."""


@dataclass(frozen=True)
class _Placeholder:
    """A place in a word.

    Attributes:
        name: of a hyperparameter, or of a value of the evaluation.
        format: as Python's ``format`` takes it; None for the plain text.
        own: whether it is a value of the evaluation.
    """

    name: str
    format: str | None
    own: bool

    def text(self, point: Mapping[str, Any], values: Values) -> str | None:
        """Return what stands here; None if there is nothing."""
        if self.own:
            return values[self.name]
        if self.name not in point:
            return None
        value = point[self.name]
        if self.format is None:
            return as_text(value)
        try:
            return format(value, self.format)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{{{self.name}:{self.format}}} can't show the value {value!r} ({error})"
            ) from None


@dataclass(frozen=True)
class Template:
    """The words of a command line.

    Attributes:
        words: as given.
        names: of all hyperparameters.
    """

    words: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str], names: Collection[str]) -> Template:
        """Take words, and check their placeholders.

        Raises:
            SettingsError: if a placeholder is unknown, or stands where it can't.
        """
        template = cls(tuple(words), tuple(names))
        for word in template.words:
            if not template._stands_for_all(word):
                list(template._parts(word))
        return template

    @property
    def unused(self) -> list[str]:
        """The hyperparameters that no word shows."""
        if any(self._stands_for_all(word) for word in self.words):
            return []
        if self.has_own(POINT) or self.has_own(POINT_FILE):
            return []
        shown = {each.name for each in self._placeholders if not each.own}
        return [name for name in self.names if name not in shown]

    @property
    def varies(self) -> bool:
        """True if the words differ from one evaluation to another."""
        return bool(self._placeholders) or any(map(self._stands_for_all, self.words))

    def has_own(self, name: str) -> bool:
        """Return whether a word shows a value of the evaluation."""
        return any(each.own and each.name == name for each in self._placeholders)

    def check_formats(self, examples: Mapping[str, Iterable[Any]]) -> None:
        """Check that values can be shown in the formats that are asked for.

        Args:
            examples: values of hyperparameters, by name.

        Raises:
            SettingsError: if one can't be.
        """
        for placeholder in self._placeholders:
            for value in () if placeholder.own else examples.get(placeholder.name, ()):
                try:
                    placeholder.text({placeholder.name: value}, {})
                except ValueError as error:
                    raise SettingsError(
                        f"the command can't be used: {error}; give a format that Python has for "
                        "it, or none"
                    ) from None

    @cached_property
    def _placeholders(self) -> list[_Placeholder]:
        """All but those that stand for all hyperparameters."""
        words = [word for word in self.words if not self._stands_for_all(word)]
        parts = [part for word in words for part in self._parts(word)]
        return [part for part in parts if isinstance(part, _Placeholder)]

    def render(self, point: Mapping[str, Any], values: Values) -> list[str]:
        """Return the words for a point.

        A word in which something isn't there is left out, and the flag before it too.

        Raises:
            ValueError: if a value can't be shown in the format that is asked for.
        """
        rendered: list[str] = []
        flag = False  # whether the last word is one that the next may belong to
        for word, of_all, parts in self._read:
            if of_all:
                rendered += _of_all(of_all, point)
                flag = False
                continue
            texts = [p if isinstance(p, str) else p.text(point, values) for p in parts]
            shown = [text for text in texts if text is not None]
            if len(shown) < len(texts):
                if flag and len(texts) == 1:
                    rendered.pop()
                flag = False
                continue
            rendered.append("".join(shown))
            literal = all(isinstance(part, str) for part in parts)
            flag = literal and len(rendered) > 1 and _is_flag(word)
        return rendered

    @cached_property
    def _read(self) -> list[tuple[str, str, list[str | _Placeholder]]]:
        """Each word with the placeholder for all hyperparameters that it is, and with its parts."""
        read: list[tuple[str, str, list[str | _Placeholder]]] = []
        for word in self.words:
            of_all = self._stands_for_all(word)
            read.append((word, of_all, [] if of_all else list(self._parts(word))))
        return read

    def _stands_for_all(self, word: str) -> str:
        """Return the placeholder for all hyperparameters that a word is; empty if it is none."""
        inner = word[1:-1] if word.startswith("{") and word.endswith("}") else ""
        return inner if inner in _OF_ALL and inner not in self.names else ""

    def _parts(self, word: str) -> Iterator[str | _Placeholder]:
        """The literal parts of a word and its placeholders, in their order."""
        literal, end = "", 0
        for found in _BRACES.finditer(word):
            literal += word[end : found.start()]
            end = found.end()
            escaped, inner = found.groups()
            if escaped is not None:
                kept = _LIKE_A_NAME.fullmatch(escaped) or escaped in self.names
                literal += f"{{{escaped}}}" if kept else found.group()
                continue
            placeholder = self._placeholder(inner, word)
            if placeholder is None:
                literal += found.group()
                continue
            if literal:
                yield literal
            literal = ""
            yield placeholder
        if literal + word[end:] or not word:
            yield literal + word[end:]

    def _placeholder(self, inner: str, word: str) -> _Placeholder | None:
        """Return what braces stand for; None if they are the program's own."""
        if inner in self.names:
            return _Placeholder(inner, None, own=False)
        for name in sorted(self.names, key=len, reverse=True):
            if inner.startswith(f"{name}:"):
                return _Placeholder(name, inner[len(name) + 1 :], own=False)
        if inner in _OF_THE_EVALUATION:
            return _Placeholder(inner, None, own=True)
        if inner in _OF_ALL:
            raise SettingsError(
                f"{{{inner}}} is a part of the word '{printable(word)}' of the command; it stands "
                "for several words, so write it apart"
            )
        if not _LIKE_A_NAME.fullmatch(inner):
            return None
        raise SettingsError(self._unknown(inner))

    def _unknown(self, inner: str) -> str:
        """Return the message on a placeholder that there isn't."""
        known = [*self.names, *_OF_THE_EVALUATION, *_OF_ALL]
        near = nearest(inner.partition(":")[0], known)
        shown = printable(inner)
        hint = f"there are {', '.join(known)}" if near is None else f"did you mean {{{near}}}?"
        return (
            f"the command has the unknown placeholder {{{shown}}}; {hint} (braces that the program "
            f"itself is to get are written {{{{{shown}}}}})"
        )


def as_text(value: Any) -> str:
    """Return a value as the word of a command line: numbers with all their digits, the truth values
    and None as JSON has them, text as it is."""
    return value if isinstance(value, str) else _number_or_constant(value)


def as_override(name: str, value: Any) -> str:
    """Return a value as an override of Hydra, quoted where its grammar asks for that."""
    if not isinstance(value, str):
        return f"{name}={_number_or_constant(value)}"
    if _PLAIN_OVERRIDE.fullmatch(value) and value.lower() not in _MEANT_OTHERWISE:
        return f"{name}={value}"
    # Backslashes are special before a quote alone.
    quoted = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"{name}='{quoted}'"


def _number_or_constant(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def _of_all(placeholder: str, point: Mapping[str, Any]) -> list[str]:
    """Return the words for all hyperparameters that a point has."""
    if placeholder == "overrides":
        return [as_override(name, value) for name, value in point.items()]
    words: list[str] = []
    for name, value in point.items():
        if isinstance(value, bool) and placeholder.startswith("flags"):
            words += [f"--{name}"] * value
        elif placeholder.endswith("="):
            words.append(f"--{name}={as_text(value)}")
        else:
            words += [f"--{name}", as_text(value)]
    return words


def _is_flag(word: str) -> bool:
    return len(word) > 1 and word.startswith("-") and word != "--" and "=" not in word
