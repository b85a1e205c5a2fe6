"""Durations don't follow a clock of the computer that is set while evaluations run."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from deephyper.clock import Clock
from deephyper.evaluator.thread import ThreadEvaluator
from deephyper.job import Ended, Job, Outcome


def outcome_of(evaluator: ThreadEvaluator) -> Outcome:
    with evaluator:
        evaluator.submit([Job("0", {})])
        while True:
            for event in evaluator.gather():
                if isinstance(event, Ended):
                    return event.outcome


def run_for(seconds: float) -> Callable[[dict[str, float]], float]:
    def run(point: dict[str, float]) -> float:
        time.sleep(seconds)
        return 1.0

    return run


@pytest.mark.parametrize("step", [1e6, -1e6])
@pytest.mark.parametrize(("seconds", "timeout"), [(0.05, None), (0.5, 0.05)])
def test_an_evaluation_takes_as_long_as_it_takes(
    step: float, seconds: float, timeout: float | None
) -> None:
    """Each look at the clock shows another time."""
    times = itertools.count(1e9, step)
    evaluator = ThreadEvaluator(
        run_for(seconds), timeout=timeout, clock=Clock(now=lambda: next(times))
    )
    outcome = outcome_of(evaluator)
    assert outcome.status == ("finished" if timeout is None else "failed")
    assert 0.05 <= outcome.elapsed_sec < 1000.0
