"""Numbers, durations and paths that a user gives."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deephyper.checks import duration, real, user_path, whole, whole_or_none
from deephyper.errors import EvaluatorError, SettingsError


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (30, 30.0),
        (0.5, 0.5),
        (np.float32(2.0), 2.0),
        (math.inf, math.inf),
        ("30", 30.0),
        ("30s", 30.0),
        (" 10M ", 600.0),
        ("1.5h", 5400.0),
        (".5m", 30.0),
        ("1d", 86400.0),
    ],
)
def test_durations(value: Any, seconds: float) -> None:
    assert duration("timeout", value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *("soon", "", "10 m", "1h30m", "-5", "1e3", "٣s", "inf", "9" * 400, "0", "0s"),
        *(0, -1, math.nan, True, None, [30]),
    ],
)
def test_what_is_not_a_duration_is_refused(value: Any) -> None:
    with pytest.raises(SettingsError, match="timeout is "):
        duration("timeout", value)


def test_a_duration_of_zero_may_be_taken() -> None:
    assert duration("grace", "0", zero=True) == 0.0
    assert duration("grace", 0, zero=True) == 0.0
    with pytest.raises(SettingsError):
        duration("grace", "-1", zero=True)


def test_whole_numbers() -> None:
    assert whole("retries", np.int64(3), 0) == 3
    assert whole("retries", 5, 0, 5) == 5
    assert whole_or_none("seed", None, 0) is None
    for value in (-1, 6, 2.0, True, "3", math.nan):
        with pytest.raises(SettingsError, match="give a whole number from 0 to 5"):
            whole("retries", value, 0, 5)
    with pytest.raises(SettingsError, match="give a whole number of at least 1"):
        whole_or_none("seed", 0, 1)


def test_real_numbers() -> None:
    assert real("kappa", 0) == 0.0
    assert real("kappa", math.inf) == math.inf
    for value in (-0.5, math.nan, "1", True, 10**400):
        with pytest.raises(SettingsError, match="give a number of at least 0"):
            real("kappa", value)
    with pytest.raises(SettingsError, match="give a finite number of more than 0"):
        real("kappa", 0, above=0, finite=True)


def test_the_class_of_the_error_is_the_callers() -> None:
    for check in (
        lambda: whole("workers", 0, 1, error=EvaluatorError),
        lambda: whole_or_none("workers", 0, 1, error=EvaluatorError),
        lambda: real("gpus", -1, error=EvaluatorError),
        lambda: duration("timeout", -1, error=EvaluatorError),
        lambda: duration("timeout", "soon", error=EvaluatorError),
        lambda: duration("timeout", "0", error=EvaluatorError),
    ):
        with pytest.raises(EvaluatorError):
            check()


def test_a_path_may_begin_with_a_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert user_path("it", "~/runs") == Path("/home/somebody/runs")
    assert user_path("it", Path("~")) == Path("/home/somebody")
    assert user_path("it", "runs/~") == Path("runs/~")
    assert user_path("it", "runs") == Path("runs")


@pytest.mark.parametrize("name", ["~", "~/x", "-", "~nobody-of-this-name"])
def test_a_file_of_such_a_name_can_be_given(name: str) -> None:
    path = user_path("it", f"./{name}")
    assert path == Path.cwd() / name
    assert user_path("it", path) == path


@pytest.mark.parametrize("value", ["", "  ", "-", "a\0b", "~nobody-of-this-name/x", None, 3, b"x"])
def test_what_is_not_a_path_is_refused(value: object) -> None:
    with pytest.raises(SettingsError, match=r"^it is .*; give (a path|\./)"):
        user_path("it", value)
