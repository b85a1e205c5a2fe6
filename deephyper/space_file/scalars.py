"""Words that stand for a number, a boolean or nothing: those of YAML 1.2, with 1e-4 a number."""

from __future__ import annotations

import math
import re
from typing import Any

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = (".nan", ".NaN", ".NAN")


def scalar(word: str) -> Any:
    """Return what an unquoted word of a file stands for: None, a bool, a number or the word."""
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if _INT.fullmatch(word):
        try:
            return int(word)
        except ValueError:  # more digits than Python reads
            return float(word)
    if _BASED.fullmatch(word):
        return int(word, 0)
    if _FLOAT.fullmatch(word):
        return float(word)
    if match := _INFINITE.fullmatch(word):
        return -math.inf if match[1] == "-" else math.inf
    return math.nan if word in _NAN else word


def python_scalar(word: str) -> Any:
    """Return the same for a word of a text in Python's notation, which also has None and inf."""
    if word == "None":
        return None
    if word in ("inf", "-inf", "nan"):
        return float(word)
    return scalar(word)
