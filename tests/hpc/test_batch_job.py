"""How a batch job divides its last seconds."""

from __future__ import annotations

import math

import pytest

from deephyper.hpc.batch_job import split_grace


@pytest.mark.parametrize(
    ("left", "grace", "shares"),
    [
        (3600, 30, (45, 30)),
        (3600, 120, (135, 120)),
        (60, 30, (15, 1)),
        (math.inf, 30, (45, 30)),
        (3600, 0, (15, 0)),
    ],
)
def test_the_last_seconds_are_divided(
    left: float, grace: float, shares: tuple[float, float]
) -> None:
    assert split_grace(left, grace) == shares
