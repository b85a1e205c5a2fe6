"""Simulated workers and time."""

from __future__ import annotations

import math

import pytest

from deephyper.clock import VirtualClock
from deephyper.errors import EvaluatorError
from deephyper.evaluator import (
    Ended,
    Evaluator,
    Failure,
    Job,
    Reported,
    Started,
    VirtualEvaluator,
    virtual,
)
from tests.evaluator.conftest import only


def seconds_of(evaluator: Evaluator) -> dict[str, tuple[float, float]]:
    """Gather everything; start and end of each job, in virtual seconds."""
    return {
        o.job.id: (round((o.start or 0) - VirtualClock.EPOCH, 3), o.end - VirtualClock.EPOCH)
        for o in evaluator.gather_all()
    }


def test_workers_share_the_virtual_time() -> None:
    evaluator = VirtualEvaluator(
        lambda point: point["x"], 2, duration=lambda job: float(job.point["x"])
    )
    evaluator.submit([{"x": 3}, {"x": 1}, {"x": 4}])
    assert seconds_of(evaluator) == {"1": (0.0, 1.0), "0": (0.0, 3.0), "2": (1.0, 5.0)}
    assert evaluator.clock.seconds == 5.0


def test_run_is_called_when_the_evaluation_ends() -> None:
    clock = VirtualClock()
    evaluator = VirtualEvaluator(
        lambda point: clock.seconds, 2, clock=clock, duration=lambda job: float(job.id) + 1
    )
    evaluator.submit([{}, {}])
    assert [o.objective for o in evaluator.gather_all()] == [1.0, 2.0]


def test_run_job_decides_by_the_job() -> None:
    def run_job(job: Job) -> float | Failure:
        return Failure("worker_died", "unlucky") if job.attempt == 1 else 5.0

    evaluator = VirtualEvaluator(run_job=run_job)
    evaluator.check()
    evaluator.submit([Job("7", {})])
    assert only(evaluator.gather_all()).failure == Failure("worker_died", "unlucky")
    evaluator.submit([Job("7", {}, attempt=2)])
    assert only(evaluator.gather_all()).objective == 5.0
    assert [(job.id, job.attempt) for job in evaluator.submitted] == [("7", 1), ("7", 2)]


def test_of_very_many_jobs_the_last_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "KEPT", 3)
    evaluator = VirtualEvaluator(run_job=lambda job: 0.0)
    for number in range(10):
        evaluator.submit([Job(str(number), {})])
        evaluator.gather_all()
        kept = [job.id for job in evaluator.submitted]
        assert len(kept) <= 6
        assert kept[-3:] == [str(i) for i in range(number + 1)][-3:]


def test_exactly_one_of_run_and_run_job_is_given() -> None:
    with pytest.raises(EvaluatorError, match="either run"):
        VirtualEvaluator()
    with pytest.raises(EvaluatorError, match="either run"):
        VirtualEvaluator(lambda point: 1.0, run_job=lambda job: 1.0)


def test_what_ends_at_one_time_comes_together_in_its_order() -> None:
    evaluator = VirtualEvaluator(lambda point: 1.0, 8)
    evaluator.submit([{}] * 8)
    for kind in (Started, Ended):
        ids = [event.job.id for event in evaluator.gather() if isinstance(event, kind)]
        assert ids == [str(i) for i in range(8)]


def test_what_has_ended_by_a_time_that_has_passed_comes_together() -> None:
    clock = VirtualClock()
    evaluator = VirtualEvaluator(
        lambda point: point["x"], 3, duration=lambda job: 1.0 + job.point["x"], clock=clock
    )
    evaluator.submit([{"x": 0.0}, {"x": 0.5}, {"x": 9.0}])
    evaluator.gather()
    clock.seconds = 2.0  # as if whoever uses it had been busy
    assert [o.objective for o in evaluator.gather_outcomes(at_least=0)] == [0.0, 0.5]


def test_reports_come_at_their_times_and_end_with_the_job() -> None:
    evaluator = VirtualEvaluator(
        lambda point: 0.9,
        duration=lambda job: 2.0,
        reports=lambda job: [(0.5, 1, 0.1), (2.0, 2, 0.2), (2.5, 3, 0.3)],
    )
    evaluator.submit([{}])
    events = []
    while not evaluator.idle:
        events += [(evaluator.clock.seconds, event) for event in evaluator.gather()]
    told = [
        (event.time - VirtualClock.EPOCH, event.step, event.objective)
        for _, event in events
        if isinstance(event, Reported)
    ]
    assert told == [(0.5, 1, 0.1), (2.0, 2, 0.2)]
    assert only([e.outcome for _, e in events if isinstance(e, Ended)]).objective == 0.9


def test_a_time_limit_ends_what_would_never_end() -> None:
    evaluator = VirtualEvaluator(lambda point: 1.0, duration=lambda job: math.inf, timeout="2h")
    evaluator.submit([{}])
    outcome = only(evaluator.gather_all())
    assert outcome.failure is not None
    assert outcome.failure.kind == "timeout"
    assert outcome.elapsed_sec == 7200.0


def test_a_wait_takes_virtual_time() -> None:
    evaluator = VirtualEvaluator(lambda point: 1.0, duration=lambda job: 10.0)
    evaluator.submit([{}])
    evaluator.gather()
    assert evaluator.gather(timeout=4.0) == []
    assert evaluator.clock.seconds == 4.0
    assert evaluator.gather(timeout=0.0) == []
    assert evaluator.clock.seconds == 4.0
    assert only(evaluator.gather_outcomes()).end == VirtualClock.EPOCH + 10.0


def test_planned_actions_happen_while_someone_waits() -> None:
    clock, done = VirtualClock(), []
    evaluator = VirtualEvaluator(lambda point: 1.0, clock=clock, duration=lambda job: 10.0)
    for seconds in (12.0, 3.0, 10.0):
        clock.at(seconds, lambda: done.append(clock.seconds))
    evaluator.submit([{}])
    evaluator.gather()
    evaluator.gather(timeout=5.0)
    assert done == [3.0]
    evaluator.gather()
    assert done == [3.0, 10.0]  # before the evaluation that ends then


def test_a_pruned_job_does_not_come_back_at_its_end() -> None:
    evaluator = VirtualEvaluator(
        lambda point: 1.0, duration=lambda job: 10.0, reports=lambda job: [(1.0, 4, 0.5)]
    )
    evaluator.submit([{}])
    evaluator.gather()
    assert isinstance(evaluator.gather()[0], Reported)
    outcome = only(evaluator.prune(["0"]))
    assert (outcome.status, outcome.objective, outcome.step) == ("pruned", 0.5, 4)
    assert outcome.elapsed_sec == 1.0
    evaluator.submit([{}])
    assert seconds_of(evaluator) == {"1": (1.0, 11.0)}
