from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deephyper.watch.terminal_plot import plot, spark

VALUES = st.lists(st.floats(-1e12, 1e12) | st.just(float("nan")), min_size=1, max_size=300)


@settings(deadline=None)
@given(VALUES, st.integers(1, 150), st.integers(1, 40), st.booleans(), st.booleans())
def test_a_plot_has_the_size_that_was_asked_for(
    values: list[float], width: int, height: int, minimize: bool, unicode: bool
) -> None:
    points = np.array(values)
    line = (np.fmin if minimize else np.fmax).accumulate(points)
    lines = plot(points, line, width, height, minimize=minimize, unicode=unicode)
    if np.isnan(points).all():
        assert lines == ["no result yet"]
        return
    assert len(lines) == max(height, 3)
    assert max(map(len, lines)) <= max(width, 18)


def test_dots_are_where_the_values_are() -> None:
    points = np.array([0.0, 1.0, 2.0, 3.0])
    lines = plot(points, np.full(4, np.nan), 18, 5, unicode=False)
    assert lines == [
        "        3        .",
        "              .   ",
        "            .     ",
        "        0 .       ",
        "          1      4",
    ]


def test_the_line_runs_from_the_first_to_the_last() -> None:
    best = np.array([0.0, 0.0, 4.0, 4.0])
    lines = plot(best, best, 14, 6, unicode=False)
    drawn = [line[10:].ljust(8) for line in lines[:-1]]
    assert drawn[0].rstrip().endswith("-")
    assert drawn[-1].startswith("-")
    assert all("-" in row for row in drawn)


def test_what_diverged_is_out_of_sight() -> None:
    points = np.array([*np.linspace(1.0, 2.0, 20), -1e9])
    lines = plot(points, np.fmax.accumulate(points), 40, 10)
    assert float(lines[0].split()[0]) == 2.0
    assert float(lines[-2].split()[0]) > 0.0
    lines = plot(-points, np.fmin.accumulate(-points), 40, 10, minimize=True)
    assert float(lines[-2].split()[0]) == -2.0


@pytest.mark.parametrize("number", [1, 5, 20, 1000])
def test_a_spark_rises_with_its_curve(number: int) -> None:
    shown = spark(list(np.linspace(0.0, 1.0, number)), 0.0, 1.0, 20)
    assert len(shown) == min(number, 20)
    assert list(shown) == sorted(shown)
    assert spark([5.0], 5.0, 5.0, 20) == "▁"
