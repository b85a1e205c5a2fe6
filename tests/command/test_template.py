"""Placeholders in the words of a command line."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deephyper.command.template import Template, as_override
from deephyper.errors import SettingsError

NAMES = ("lr", "units", "opt", "depth:max", "seed")
VALUES = {"id": "7", "dir": "/log/7", "seed": "99", "gpu": None}
POINT = {"lr": 1e-05, "units": 32, "opt": "a b"}


def render(*words: str, point: dict[str, Any] = POINT, **values: str | None) -> list[str]:
    return Template.of(words, NAMES).render(point, {**VALUES, **values})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--lr={lr}"], ["--lr=1e-05"]),
        (["{units:05d}|{lr:.1f}"], ["00032|0.0"]),
        (["{opt}"], ["a b"]),
        (["{id}:{dir}"], ["7:/log/7"]),
        (["{{lr}}", "{{nothing}}"], ["{lr}", "{nothing}"]),
        (['{"a": {"b": 1}}', "${HOME}x", "{print $1}", "{}", "{1..3}"], None),
        ([""], [""]),
        (["{args}"], ["--lr", "1e-05", "--units", "32", "--opt", "a b"]),
        (["{args=}"], ["--lr=1e-05", "--units=32", "--opt=a b"]),
        (["{flags}"], ["--lr", "1e-05", "--units", "32", "--opt", "a b"]),
        (["{flags=}"], ["--lr=1e-05", "--units=32", "--opt=a b"]),
        (["{overrides}"], ["lr=1e-05", "units=32", "opt='a b'"]),
    ],
)
def test_words(words: list[str], expected: list[str] | None) -> None:
    if expected is None and words[1] == "${HOME}x":
        # What looks like a name is taken for one that is mistyped.
        with pytest.raises(SettingsError, match=r"unknown placeholder \{HOME\}.*\{\{HOME\}\}"):
            render(*words)
        words = [word.replace("{HOME}", "{{HOME}}") for word in words]
        expected = [word.replace("{{HOME}}", "{HOME}") for word in words]
    assert render(*words) == expected


def test_a_name_may_hold_what_a_format_begins_with() -> None:
    assert render("{depth:max}", "{depth:max:03d}", point={"depth:max": 4}) == ["4", "004"]


def test_a_hyperparameter_hides_a_value_of_the_evaluation() -> None:
    assert render("{seed}", point={"seed": 3}) == ["3"]
    assert Template.of(["{seed}"], ()).render({}, VALUES) == ["99"]


def test_what_is_inactive_leaves_out_its_word_and_the_flag_before_it() -> None:
    words = ["run", "-v", "--units", "{units}", "--lr", "{lr}", "-x={units}", "{units}", "end"]
    assert render(*words, point={"lr": 1.0}) == ["run", "-v", "--lr", "1.0", "end"]
    assert render("run", "--gpu", "{gpu}", "--", "{units}") == ["run", "--", "32"]
    assert render("run", "--gpu", "{gpu}", gpu="0,1") == ["run", "--gpu", "0,1"]
    # What is not a flag, the program itself, and what belongs to another word stay.
    assert render("--run", "{units}", point={}) == ["--run"]
    assert render("run", "word", "{units}", point={}) == ["run", "word"]
    assert render("run", "--set", "x={units}", point={}) == ["run", "--set"]


def test_booleans_as_flags_are_there_or_not() -> None:
    point = {"lr": True, "units": False, "opt": None}
    assert render("{flags}", point=point) == ["--lr", "--opt", "null"]
    assert render("{flags=}", point=point) == ["--lr", "--opt=null"]
    assert render("{args=}", point=point) == ["--lr=true", "--units=false", "--opt=null"]


def test_constants_are_written_as_in_json() -> None:
    point = {"lr": True, "units": None, "opt": False}
    assert render("{lr}", "{units}", "{opt}", "{lr:d}", point=point) == [
        "true",
        "null",
        "false",
        "1",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{lrr}"], r"unknown placeholder \{lrr\}; did you mean \{lr\}\?"),
        (["{qqqqqqqq}"], r"unknown placeholder \{qqqqqqqq\}; there are lr, units, "),
        (["x{args}"], r"\{args\} is a part of the word 'x\{args\}'.* write it apart"),
    ],
)
def test_bad_words(words: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Template.of(words, NAMES)


def test_a_format_that_does_not_fit_says_so() -> None:
    with pytest.raises(ValueError, match=r"\{opt:d\} can't show the value 'a b'"):
        render("{opt:d}")


def test_unused() -> None:
    assert Template.of(["{lr}", "--units={units:d}"], ("lr", "units", "opt")).unused == ["opt"]
    assert Template.of(["{args=}"], ("lr", "units")).unused == []


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
hostile = st.sampled_from(
    [
        "$(id)",
        "`id`",
        "a;b",
        "-x",
        "--",
        "'\"",
        "\\",
        "a\nb",
        "{lr}",
        "{{x}}",
        "é" * 10_000,
        "",
        " ",
    ]
)


@settings(deadline=None)
@given(st.lists(text | hostile, min_size=1, max_size=3))
def test_values_arrive_as_they_are(values: list[str]) -> None:
    names = [f"x{i}" for i in range(len(values))]
    words = ["printf", "%s\\0", *(f"{{{name}}}" for name in names), "--{x0}=", "{args}"]
    rendered = Template.of(words, names).render(dict(zip(names, values, strict=True)), VALUES)
    shown = subprocess.run(rendered, stdout=subprocess.PIPE, check=True).stdout
    pairs = [word for pair in zip(names, values, strict=True) for word in (f"--{pair[0]}", pair[1])]
    expected = [*values, f"--{values[0]}=", *pairs]
    assert shown == b"".join(word.encode() + b"\0" for word in expected)


@settings(deadline=None)
@given(
    text
    | hostile
    | st.sampled_from(["true", "null", "1", "1e3", "A¹", "aé", "x'", "x\\", "\\'", "a=b", "a,b"])
)
def test_hydra_reads_overrides_as_they_are(value: str) -> None:
    parser = pytest.importorskip("hydra.core.override_parser.overrides_parser")
    override = parser.OverridesParser.create().parse_override(as_override("x", value))
    assert override.value() == value


@pytest.mark.parametrize("value", [3, -2.5, 1e-7, True, False, None])
def test_hydra_reads_numbers_and_constants(value: Any) -> None:
    parser = pytest.importorskip("hydra.core.override_parser.overrides_parser")
    read = parser.OverridesParser.create().parse_override(as_override("x", value)).value()
    assert read == value
    assert type(read) is type(value)
