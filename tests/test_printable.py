from __future__ import annotations

import os
import subprocess

import pytest

from deephyper.printable import one_printable_line, printable, shell_word


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\x08c\x7f\0", r"a\rb\x08c\x7f\x00"),
        ("abc\u202edef\u2066", r"abc\u202edef\u2066"),
        ("\u200bzero\ufeff\xad", r"\u200bzero\ufeff\xad"),
        ("\udcff\ud800", r"\udcff\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("a\nb\tc\x85d\u2028", r"a\nb\tc\x85d\u2028"),
    ],
)
def test_what_is_invisible_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Größe → 99 %",
        "日本語",
        "e\u0301",
        "👩\u200d🔬",
        "\u0645\u06cc\u200c\u062e",
        "a\xa0b\u3000c",
        "\\x1b",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert printable(text) == text


def test_line_feeds_and_tabs_stay_where_they_are_asked_for() -> None:
    assert printable("a\n\tb\r\x1b", lines=True) == "a\n\tb\\r\\x1b"


def test_one_line_is_one_line_of_the_length_that_is_asked_for() -> None:
    assert one_printable_line("a\n\n b\x85c \u2028d\x1b") == r"a b c d\x1b"
    assert one_printable_line("abcdefghij", 8) == "abcde..."
    assert len(one_printable_line("x" * 10_000_000, 200)) == 200


@pytest.mark.parametrize(
    "word",
    ["plain", "two words", "it's", "$(id)", "lo\udcffg", "\x1b[31m", "a\\b\n'c", "ü\u202e", ""],
)
def test_a_word_can_be_pasted_into_a_shell(word: str) -> None:
    line = f"printf %s {shell_word(word)}"
    assert printable(line) == line
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout == os.fsencode(word)
