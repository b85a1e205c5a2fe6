"""Text from outside as it may be shown: nothing in it is an instruction to a terminal.

The one place that decides which characters are shown as they are. Names, values, messages, outputs
and paths come from users' code and files. A terminal would take some of their characters for
commands, and a reader some others for text that isn't there.
"""

from __future__ import annotations

import os
import shlex
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, of invisible ones (those that turn the direction of
text among them), of lone surrogates, and of separators of lines."""
_JOINERS = "\u200c\u200d"
"""Invisible, and a part of how Persian, Hindi and emoji are spelled."""
_LAYOUT = "\n\t"


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return text with what is invisible in it written out, as ``\x1b`` or ``\u202e``.

    Args:
        text: from anywhere.
        lines: keep line feeds and tabs.
    """
    if text.isprintable():
        return text
    kept = _JOINERS + _LAYOUT if lines else _JOINERS
    escapes = {
        ord(char): char.encode("unicode_escape").decode("ascii")
        for char in set(text)
        if not char.isprintable() and char not in kept and unicodedata.category(char) in _HIDDEN
    }
    return text.translate(escapes) if escapes else text


def one_printable_line(text: str, longest: int | None = None) -> str:
    """Return text as one printable line, with single spaces for all white space.

    Args:
        text: from anywhere.
        longest: characters that are kept; None keeps all.
    """
    if longest is not None and len(text) > longest:
        # White space is removed afterward, so that the length of the text costs nothing.
        text = text[: longest - 3] + "..."
    return printable(" ".join(text.split()))


def shell_word(text: str) -> str:
    """Return a word of a command line that can be pasted into a shell, whatever is in it.

    What is invisible in it, or not UTF-8, is written in the form ``$'\\x1b'`` of bash, zsh and ksh.
    """
    if printable(text) == text:
        return shlex.quote(text)
    shown = "".join(
        char
        if char.isprintable() and char not in "'\\"
        else "".join(f"\\x{byte:02x}" for byte in os.fsencode(char))
        if not 0xD800 <= ord(char) < 0xDC80 and not 0xDCFF < ord(char) < 0xE000
        else "?"
        for char in text
    )
    return f"$'{shown}'"
