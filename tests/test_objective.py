"""A value that is not an objective is told what it is, and what would be one."""

from __future__ import annotations

import asyncio
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from deephyper.objective import Failure, Result, read_objective, read_result


async def asynchronous() -> float:
    return 0.9


def yielding() -> Iterator[float]:
    yield 0.9


def shape(size: int) -> Any:
    return np.zeros(size)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"loss": 0.1}, "of type dict, not a number; return the one of its values"),
        ((0.9, 5), "of type tuple, not a number; return one number"),
        ([0.9], "of type list, not a number; return one number"),
        (yielding(), "of type generator, not a number; return a number instead of yielding it"),
        (yielding, "of type function, not a number; call it, and return what it returns"),
        (shape(3), "of type ndarray, not a number (its shape is (3,)); return one number"),
        ("0.93", "the text '0.93', not a number; return the number itself, without quotes"),
        ("93%", "without quotes"),
        ("0,93", "without quotes"),
        (b"0.93", "of type bytes, not a number"),
        (np.array("0.93"), "of type ndarray, not a number"),
        (object(), "of type object, not a number"),
    ],
)
def test_what_is_not_a_number_is_told_how_to_become_one(value: Any, message: str) -> None:
    read = read_objective(value)
    assert isinstance(read, Failure)
    assert read.kind == "not_a_number"
    assert message in read.message


@pytest.mark.parametrize(
    ("value", "metrics"),
    [
        ({"objective": 0.5}, {}),
        (
            {"objective": 0.5, "loss": 2, "accuracy": np.float32(0.5)},
            {"loss": 2.0, "accuracy": 0.5},
        ),
        ({"objective": 0.5, "metrics": {"loss": 2.0}, "epochs": 3}, {"epochs": 3.0, "loss": 2.0}),
        ({"objective": 0.5, "loss": math.nan, "other": -math.inf}, {}),
        ({"objective": 0.5, "metrics": None}, {}),
        (0.5, {}),
    ],
)
def test_a_dictionary_holds_the_objective_and_metrics(
    value: Any, metrics: dict[str, float]
) -> None:
    assert read_result(value) == Result(0.5, metrics)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"objective": 0.5, "name": "a"}, "the metric 'name' is the text 'a', not a number"),
        ({"objective": 0.5, "shape": (1, 2)}, "the metric 'shape' is something of type tuple"),
        ({"objective": 0.5, "loss": None}, "the metric 'loss' is None"),
        ({"objective": 0.5, "metrics": [1]}, "'metrics' of type list, not a dictionary"),
        ({"objective": 0.5, 3: 1.0}, "the name of a metric is 3, not a text"),
        ({"objective": "good"}, "run returned the text 'good', not a number"),
        ({"loss": 0.5}, "alone or under the key 'objective'"),
    ],
)
def test_a_dictionary_that_is_no_result_is_a_failure(value: Any, message: str) -> None:
    read = read_result(value).value
    assert isinstance(read, Failure)
    assert message in read.message


def test_a_failure_keeps_its_metrics() -> None:
    read = read_result({"objective": "F_diverged", "epochs": 3})
    assert read == Result(Failure("reported", "diverged"), {"epochs": 3.0})


def test_a_text_that_is_not_a_number_has_no_hint() -> None:
    read = read_objective("good")
    assert isinstance(read, Failure)
    assert read.message == "run returned the text 'good', not a number"


def test_a_coroutine_is_told_and_never_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = read_objective(asynchronous())
    assert isinstance(read, Failure)
    assert "run is an async function: call it with asyncio.run" in read.message


def test_a_future_is_told() -> None:
    loop = asyncio.new_event_loop()
    read = read_objective(loop.create_future())
    loop.close()
    assert isinstance(read, Failure)
    assert "async" in read.message


@pytest.mark.parametrize(
    "value",
    [np.ma.masked, np.ma.masked_array(0.9, mask=True), np.ma.masked_array([0.9], mask=[True])],
)
def test_a_masked_value_is_not_0(value: Any) -> None:
    read = read_objective(value)
    assert isinstance(read, Failure)
    assert "masked" in read.message


def test_a_masked_array_of_a_number_that_is_not_masked_is_that_number() -> None:
    assert read_objective(np.ma.masked_array([0.5], mask=[False])) == 0.5


@pytest.mark.parametrize("value", ["F", "F_", "F_out of memory"])
def test_a_reported_failure_is_one(value: str) -> None:
    read = read_objective(value)
    assert isinstance(read, Failure)
    assert read.kind == "reported"
