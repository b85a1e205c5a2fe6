"""The words and signs of the short texts in a space: domains, conditions, forbidden clauses."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from deephyper.errors import ProblemError
from deephyper.printable import one_printable_line
from deephyper.space_file.scalars import python_scalar

Kind = Literal["word", "quoted", "name", "sign", "end"]

_TOKEN = re.compile(
    r"""
    (?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |`(?P<name>[^`\n]+)`
    |(?P<sign>==|!=|<=|>=|[()\[\],;=<>])
    |(?P<word>[^\s()\[\],;=<>!'"`]+)
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_LONGEST = 100_000
"""Characters of a text."""
_SHOWN = 80


@dataclass(frozen=True)
class Token:
    """A word, a quoted text, a name in backquotes, or a sign.

    Attributes:
        kind: which of them; "end" follows the last one.
        text: without the quotes.
        place: where it begins, counted from 1.
    """

    kind: Kind
    text: str
    place: int

    @property
    def value(self) -> Any:
        """The plain value that it stands for."""
        return python_scalar(self.text) if self.kind == "word" else self.text

    def __str__(self) -> str:
        return "its end" if self.kind == "end" else repr(self.text)


class Tokens:
    """The tokens of a text, one after another.

    Args:
        text: in Python's notation, but quotes of single words may be left out.
        what: the text is, for messages.

    Raises:
        ProblemError: a quote isn't closed, or a character has no meaning.
    """

    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self._what = what
        if len(text) > _LONGEST:
            raise ProblemError(f"the {what} is longer than {_LONGEST} characters: shorten it")
        self._tokens = list(self._split())
        self._next = 0

    @property
    def next(self) -> Token:
        """The token that is looked at."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """Return the token that is looked at, and look at the one after it."""
        token = self.next
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def follows(self, sign: str) -> bool:
        """Return whether a sign is next."""
        return self.next.kind == "sign" and self.next.text == sign

    def take_sign(self, *signs: str) -> str | None:
        """Return one of these signs if it is next; None, and the token stays, otherwise."""
        token = self.next
        return self.take().text if token.kind == "sign" and token.text in signs else None

    def take_word(self, *words: str) -> str | None:
        """Return one of these words if it is next; None, and the token stays, otherwise."""
        token = self.next
        return self.take().text if token.kind == "word" and token.text in words else None

    def require(self, sign: str) -> None:
        """Take a sign.

        Raises:
            ProblemError: something else is next.
        """
        if self.take_sign(sign) is None:
            raise self.error(f"{sign!r} is expected, not {self.next}")

    def values(self, closing: str) -> list[Any]:
        """Return values separated by commas, and take the sign that ends them.

        Raises:
            ProblemError: something else stands there.
        """
        found: list[Any] = []
        while self.take_sign(closing) is None:
            if found:
                self._require_comma(closing)
                if self.take_sign(closing) is not None:
                    break
            found.append(self.value())
        return found

    def value(self) -> Any:
        """Return the plain value that is next.

        Raises:
            ProblemError: something else is.
        """
        token = self.next
        if token.kind not in ("word", "quoted"):
            raise self.error(f"a value is expected, not {token}")
        return self.take().value

    def _require_comma(self, closing: str) -> None:
        if self.next.kind in ("word", "quoted"):
            raise self.error(
                f"a comma is missing before {self.next}, or quotes around text that has spaces"
            )
        if self.take_sign(",") is None:
            raise self.error(f"',' or {closing!r} is expected, not {self.next}")

    def require_end(self) -> None:
        """Check that nothing is left.

        Raises:
            ProblemError: something is.
        """
        if self.next.kind != "end":
            raise self.error(f"{self.next} is not expected")

    def error(self, reason: str) -> ProblemError:
        """Return an error about the token that is looked at."""
        return self._error(reason, self.next.place)

    def _error(self, reason: str, place: int) -> ProblemError:
        shown = one_printable_line(self.text, _SHOWN)
        return ProblemError(f"the {self._what} {shown!r}: {reason} (character {place})")

    def _unquoted(self, literal: str, place: int) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # of escapes that Python doesn't know
                return str(ast.literal_eval(literal))
        except (SyntaxError, ValueError, Warning):
            raise self._error(
                "a backslash in quotes begins an escape: double it for a backslash", place
            ) from None

    def _split(self) -> Iterator[Token]:
        at = 0
        while at < len(self.text):
            if self.text[at].isspace():
                at += 1
                continue
            match = _TOKEN.match(self.text, at)
            if match is None:
                char = self.text[at]
                reason = (
                    f"the quote {char} is not closed"
                    if char in "'\"`"
                    else f"{char!r} has no meaning here: quote text that has it"
                )
                raise self._error(reason, at + 1)
            kind: Any = match.lastgroup
            text = match[kind]
            if kind == "quoted":
                text = self._unquoted(text, at + 1)
            yield Token(kind, text, at + 1)
            at = match.end()
        yield Token("end", "", len(self.text) + 1)


def unquoted(value: Any) -> str:
    """Return the same without quotes, where :class:`Tokens` reads a single word as this value."""
    is_word = isinstance(value, str) and _WORD.fullmatch(value) and python_scalar(value) == value
    return value if is_word else quoted(value)


def quoted(value: Any) -> str:
    """Return a plain value as a text that :class:`Tokens` reads as this value."""
    return repr(value)
