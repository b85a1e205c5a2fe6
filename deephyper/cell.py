"""Values as the cells of a table of text, which read back as the values that were written."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

NOTHING = ("", "none", "null", "nan", "na", "n/a", "#n/a", "<na>")
"""Texts, in lower case, that other tools write for None or for a missing value, or read as one and
write as an empty cell."""


def format_cell(value: Any) -> str:
    """Return a value as text that :func:`parse_cell` turns back, and that UTF-8 can encode."""
    return _format_text(value) if isinstance(value, str) else repr(value)


@lru_cache(maxsize=1000)
def _format_text(text: str) -> str:
    """Return the cell of a text; few of them are written again and again."""
    plain = text != "" and text == text.strip() and parse_cell(text) == text
    return text if plain and encodable(text) else json.dumps(text, ensure_ascii=not encodable(text))


def parse_cell(text: str) -> Any:
    """Return the value that a cell, which isn't empty, stands for."""
    constants = {"None": None, "True": True, "False": False}
    if text in constants:
        return constants[text]
    if text.startswith('"'):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if "_" in text:
        return text  # Python would read 1_000 as a number
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def encodable(text: str) -> bool:
    """Return whether UTF-8 can encode a text: whether it has no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
