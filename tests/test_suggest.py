"""Suggestions for names that aren't there."""

from __future__ import annotations

import pytest

from deephyper.suggest import did_you_mean, nearest, with_suggestion


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("unit", "units"),
        ("UNITS", "units"),
        ("relu", "ReLU"),
        ("momentum", None),
        ("", None),
        (3, None),
        (None, None),
    ],
)
def test_the_nearest_name_is_found_whatever_its_case(name: object, expected: str | None) -> None:
    assert nearest(name, ["units", "ReLU", "lr"]) == expected


def test_names_may_have_to_be_more_alike() -> None:
    assert nearest("search.yaml", ["space.yaml"]) == "space.yaml"
    assert nearest("search.yaml", ["space.yaml"], similar=0.9) is None


def test_of_names_that_differ_by_their_case_the_first_is_taken() -> None:
    assert nearest("adan", ["Adam", "adam"]) == "Adam"


def test_where_none_is_near_all_are_named() -> None:
    assert did_you_mean("unit", ["units", "lr"]) == "did you mean 'units'?"
    assert did_you_mean("momentum", ["units", "lr"]) == "choose from units, lr"
    assert did_you_mean("momentum", []) == "there are none yet"
    assert did_you_mean("zz", map(str, range(20))).endswith("10, 11, ...")


def test_something_else_may_be_said_where_none_is_near() -> None:
    assert did_you_mean("momentum", ["units"], otherwise="define it") == "define it"
    assert did_you_mean("unit", ["units"], otherwise="define it") == "did you mean 'units'?"


def test_a_message_stays_as_it_is_where_none_is_near() -> None:
    assert with_suggestion("no 'x'", "x", ["units"]) == "no 'x'"
    assert with_suggestion("no 'unit'", "unit", ["units"]) == "no 'unit'; did you mean 'units'?"
